#include "site/public.h"

#include "base/json.h"
#include "site/assets.h"
#include "site/world_map.h"
#include "widget/explain.h"

#include <string.h>

#define JSON             "application/json"
#define PLACES_MAX_AGE_S 86400

static bool is_loopback_origin(const char *origin)
{
    char host[HTTP_NAME_BYTES];
    bool literal;
    size_t scheme = strncmp(origin, "https://", 8) == 0 ? 8 : 7;
    return (scheme == 8 || strncmp(origin, "http://", 7) == 0) &&
           http_split_host(origin + scheme, host, &literal) &&
           (strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0);
}

static bool origin_allowed(const struct public_site *site, const char *origin)
{
    if (site->visits.dev && is_loopback_origin(origin))
        return true;
    for (size_t i = 0; i < site->origins.count; i++)
        if (strcmp(origin, site->origins.names[i]) == 0)
            return true;
    return false;
}

/* Writes Vary, which also names `varies` unless that is NULL, and the headers of CORS. An origin that is not
 * listed gets an answer that browsers keep from its page. True for a preflight request, which is then
 * answered. */
static bool answer_cors(const struct public_site *site, const struct http_request *request,
                        const char *varies, struct http_answer *answer)
{
    const char *origin;
    bool configured = site->visits.dev || site->origins.count > 0;
    if (varies) /* in one line: some caches heed the first only */
        text_format(&answer->headers, "Vary: %s%s\r\n", varies, configured ? ", Origin" : "");
    else if (configured)
        text_string(&answer->headers, "Vary: Origin\r\n");
    if (configured && http_header(request, "Origin", &origin, 1) == 1 && origin_allowed(site, origin))
        text_format(&answer->headers, "Access-Control-Allow-Origin: %s\r\n", origin);
    if (strcmp(request->method, "OPTIONS") != 0)
        return false;
    answer->status = configured ? 204 : 405;
    text_string(&answer->headers,
                configured ? "Access-Control-Allow-Methods: GET, HEAD\r\nAllow: GET, HEAD, OPTIONS\r\n"
                           : "Allow: GET, HEAD\r\n");
    return true;
}

/* Writes RFC 9211's account of the cache. */
static void write_cache_status(const struct answer *answer, struct text *out)
{
    const struct reading *reading = &answer->reading;
    if (reading->state == WEATHER_UNKNOWN)
        return;
    text_string(out, "Cache-Status: masthead; ");
    if (reading->lookup == WEATHER_FRESH || reading->lookup == WEATHER_STALE)
        text_format(out, "%s; ttl=%lld\r\n", reading->lookup == WEATHER_FRESH ? "hit" : "fwd=stale",
                    (long long)reading->refresh_in_s);
    else if (reading->lookup == WEATHER_MISS)
        text_format(out, "fwd=miss%s\r\n", reading->joined ? "; collapsed" : "");
    else
        text_format(out, "fwd=miss; detail=%s\r\n", reading->retry_in_s > 0 ? "backing-off" : "not-fetched");
}

static void write_ignored(const struct visit_request *asked, struct text *out)
{
    if (asked->ignored.length > 0)
        text_format(out, "X-Masthead-Ignored: %s\r\n", asked->ignored.bytes);
}

/* Names what a developer overrode, in the words of our tables. */
static void write_override(const struct answer *widget, const struct visit_request *asked, struct text *out)
{
    const struct scenario *scenario = &asked->scenario;
    char at[CLOCK_RFC3339_BYTES];
    text_string(out, "Cache-Control: no-store\r\nX-Masthead-Visitor: faked\r\n");
    if (!asked->visit.simulated)
        return;
    clock_format(widget->now_s, at);
    text_format(out, "X-Masthead-Scenario: %s%s%s; at=%s\r\n", scenario->reader ? scenario->reader->name : "",
                scenario->reader ? "," : "", scenario->fault ? scenario->fault->name : "fresh", at);
}

static void write_headers(const struct answer *widget, const struct visit_request *asked, struct text *out)
{
    bool is_public = widget->place.source == PLACE_FROM_READER; /* it tells nothing of the visitor */
    if (asked->overridden)
        write_override(widget, asked, out);
    else
        text_format(out, "Cache-Control: %s, max-age=%lld\r\n", is_public ? "public" : "private",
                    (long long)widget->max_age_s);
    write_cache_status(widget, out);
    write_ignored(asked, out);
    text_format(out, "Content-Language: %s\r\nX-Robots-Tag: noindex\r\n", widget->language->tag);
}

/* The forms of a visit's answer. */
struct form {
    const char *type;
    bool no_wait; /* for weather that is being fetched */
    bool ahead;   /* tells what is to come */
    void (*write)(const struct answer *, struct text *);
};
static const struct form html_form = {"text/html; charset=utf-8", .write = widget_html},
                         json_form = {JSON, .ahead = true, .write = widget_json},
                         text_form = {"text/plain; charset=utf-8", .write = widget_text},
                         where_form = {JSON, .no_wait = true, .write = widget_where_json};

static void serve_visit(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct public_site *site = context;
    const struct form *form = request->route->form;
    struct visit_request asked;
    struct answer widget;
    if (answer_cors(site, request, NULL, answer))
        return;
    visit_read(&site->visits, request, &asked);
    asked.visit.no_wait = form->no_wait;
    asked.visit.ahead = form->ahead || asked.visit.show & WIDGET_AHEAD;
    widget_answer(&site->widget, &asked.visit, &widget);
    if (asked.visit.choice > 0 && widget.place.source != PLACE_FROM_READER)
        visit_ignore(&asked, "place", "not known");
    write_headers(&widget, &asked, &answer->headers);
    answer->log_fields.state = answer_state_name(&widget);
    answer->log_fields.source = place_source_names[widget.place.source];
    answer->log_fields.reader = asked.visit.address;
    answer->type = form->type;
    form->write(&widget, &answer->body);
}

static void refuse_json(struct http_answer *answer, int status, const char *reason)
{
    answer->status = status;
    answer->type = JSON;
    json_write(&answer->body, "{'error':%s}\n", reason);
}

/* Serves the weather of a cell or of a place. Nothing in it depends on the reader. */
static void serve_weather(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct public_site *site = context;
    struct visit_request asked;
    struct answer widget;
    struct http_parameter parameter;
    if (answer_cors(site, request, NULL, answer))
        return;
    visit_read(&site->visits, request, &asked);
    asked.visit.ahead = true;
    asked.overridden = asked.visit.simulated; /* an address given by ip= changes nothing */
    const char *cell = visit_parameter(request, "cell", &parameter);
    if (!cell[0] && asked.visit.choice == 0) {
        refuse_json(answer, 400, "say cell=LATITUDE,LONGITUDE or place=ID");
        return;
    }
    if (!widget_weather(&site->widget, cell, &asked.visit, &widget)) {
        refuse_json(answer, cell[0] ? 400 : 404, cell[0] ? "not a cell such as 19.1,72.9" : "no such place");
        return;
    }
    write_headers(&widget, &asked, &answer->headers);
    answer->type = JSON;
    widget_weather_json(&widget, &answer->body);
}

/* Serves the cities that a query finds, or the one of a point, which goes before a query. */
static void serve_places(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct public_site *site = context;
    struct visit_request asked;
    struct http_parameter query, country, point;
    if (answer_cors(site, request, NULL, answer))
        return;
    visit_read(&site->visits, request, &asked);
    const struct language *language = asked.visit.language;
    const char *q = visit_parameter(request, "q", &query), *near = visit_parameter(request, "near", &point);
    bool is_near = near == point.value; /* it is there, if empty */
    if (is_near && !widget_nearest_json(&site->widget, near, language, &answer->body)) {
        refuse_json(answer, 400, "not a point such as near=19.1,72.9");
        return;
    }
    if (!is_near)
        widget_places_json(&site->widget, q, visit_parameter(request, "country", &country), language,
                           &answer->body);
    else if (q == query.value)
        visit_ignore(&asked, "q", "near goes before it");
    answer->type = JSON;
    text_format(&answer->headers, "Cache-Control: public, max-age=%d\r\n", PLACES_MAX_AGE_S);
    write_ignored(&asked, &answer->headers);
}

static void serve_scenarios(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    answer->type = JSON;
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    scenario_json(&answer->body);
}

void public_explain(const struct public_site *site, const struct http_request *request,
                    struct http_answer *answer)
{
    char header[VISIT_HEADER_BYTES];
    struct visit_request asked;
    visit_parse_hypothetical(&site->visits, request, header, &asked);
    if (asked.ignored.length > 0) {
        refuse_json(answer, 400, asked.ignored.bytes);
        return;
    }
    answer->type = JSON;
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    explain_visit(&site->widget, &site->visits.client, &asked.origin, &asked.visit, &answer->body);
}

/* Tells the place of any address: only for clients that may override who they are. */
static void serve_explain(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct public_site *site = context;
    const char *refusal = visit_refusal(&site->visits, request);
    if (refusal)
        refuse_json(answer, 403, refusal);
    else
        public_explain(site, request, answer);
}

/* Serves what pages of others load. */
static void serve_asset(void *context, const struct http_request *request, struct http_answer *answer)
{
    if (!answer_cors(context, request, "Accept-Encoding", answer))
        assets_serve(context, request, answer);
}

/* clang-format off */
const struct http_route public_routes[] = {
    {"/widget", "widget", serve_visit, &html_form, .cors = true},
    {"/widget.json", "widget.json", serve_visit, &json_form, .cors = true},
    {"/widget.txt", "widget.txt", serve_visit, &text_form, .cors = true},
    {"/where.json", "where.json", serve_visit, &where_form, .cors = true},
    {"/weather.json", "weather.json", serve_weather, .cors = true},
    {"/places.json", "places.json", serve_places, .cors = true},
    {"/masthead.*", "assets", serve_asset, .cors = true},
    {"/healthz", "healthz", http_serve_health, .access = HTTP_ANY_HOST},
    {"/", "playground", assets_serve, .access = HTTP_DEVELOPERS},
    {"/openapi.json", "playground", assets_serve, .access = HTTP_DEVELOPERS},
    {"/dev/map.svg", "map", world_map_serve, .access = HTTP_DEVELOPERS},
    {"/dev/scenarios.json", "playground", serve_scenarios, .access = HTTP_DEVELOPERS},
    {"/dev/explain", "explain", serve_explain, .access = HTTP_DEVELOPERS},
    {"/dev/*", "playground", assets_serve, .access = HTTP_DEVELOPERS},
    {.path = NULL},
};
/* clang-format on */
