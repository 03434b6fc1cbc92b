#include "site/public.h"

#include "base/json.h"
#include "site/assets.h"
#include "site/world_map.h"

#include <stdlib.h>
#include <string.h>

#define JSON             "application/json"
#define PLACES_MAX_AGE_S 86400

struct public_site {
    struct public_options options;
    struct widget *widget;
};

#define PORT_DIGITS 5

static bool is_loopback_origin(const char *origin)
{
    static const char *const starts[] = {"http://localhost",  "https://localhost", "http://127.0.0.1",
                                         "https://127.0.0.1", "http://[::1]",      "https://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t length = strlen(starts[i]);
        const char *rest = origin + length;
        if (strncmp(origin, starts[i], length) == 0 &&
            (*rest == '\0' || (*rest == ':' && rest[1] && strlen(rest + 1) <= PORT_DIGITS &&
                               strspn(rest + 1, "0123456789") == strlen(rest + 1))))
            return true;
    }
    return false;
}

static bool origin_allowed(const struct public_options *options, const char *origin)
{
    if (options->visits.dev && is_loopback_origin(origin))
        return true;
    for (size_t i = 0; i < options->origins.count; i++)
        if (strcmp(origin, options->origins.names[i]) == 0)
            return true;
    return false;
}

static bool cors_configured(const struct public_options *options)
{
    return options->visits.dev || options->origins.count > 0;
}

/* An origin that is not listed gets the answer without the header that would let it read it. */
static void write_cors(const struct public_site *site, const struct http_request *request,
                       struct http_answer *answer)
{
    const char *origin;
    if (!cors_configured(&site->options))
        return;
    text_string(&answer->headers, "Vary: Origin\r\n");
    if (http_header(request, "Origin", &origin, 1) == 1 && origin_allowed(&site->options, origin))
        text_format(&answer->headers, "Access-Control-Allow-Origin: %s\r\n", origin);
}

/* Does what CORS asks for. True when the request was no more than a preflight, which is then answered. */
static bool answer_cors(const struct public_site *site, const struct http_request *request,
                        struct http_answer *answer)
{
    write_cors(site, request, answer);
    if (strcmp(request->method, "OPTIONS") != 0)
        return false;
    if (cors_configured(&site->options)) {
        answer->status = 204;
        text_string(&answer->headers,
                    "Access-Control-Allow-Methods: GET, HEAD\r\nAllow: GET, HEAD, OPTIONS\r\n");
    } else {
        answer->status = 405;
        text_string(&answer->headers, "Allow: GET, HEAD\r\n");
    }
    return true;
}

/* RFC 9211. */
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

static void write_ignored(const struct visit_notes *notes, struct text *out)
{
    if (notes->ignored.length > 0)
        text_format(out, "X-Masthead-Ignored: %s\r\n", notes->ignored.bytes);
}

/* What a developer faked, in the words of our tables. */
static void write_faked(const struct answer *widget, const struct visit *visit,
                        const struct visit_notes *notes, struct text *out)
{
    const struct scenario *scenario = &notes->scenario;
    char at[CLOCK_RFC3339_BYTES];
    text_string(out, "Cache-Control: no-store\r\nX-Masthead-Visitor: faked\r\n");
    if (!visit->simulated)
        return;
    clock_format(widget->now_s, at);
    text_format(out, "X-Masthead-Scenario: %s%s%s; at=%s\r\n", scenario->reader ? scenario->reader->name : "",
                scenario->reader ? "," : "", scenario->fault ? scenario->fault->name : "fresh", at);
}

static void write_headers(const struct answer *widget, const struct visit *visit,
                          const struct visit_notes *notes, struct text *out)
{
    bool is_public = widget->place.source == PLACE_FROM_READER; /* nothing in it is the visitor's */
    if (notes->overridden)
        write_faked(widget, visit, notes, out);
    else
        text_format(out, "Cache-Control: %s, max-age=%lld\r\n", is_public ? "public" : "private",
                    (long long)widget->max_age_s);
    write_cache_status(widget, out);
    write_ignored(notes, out);
    text_format(out, "Content-Language: %s\r\nReferrer-Policy: no-referrer\r\nX-Robots-Tag: noindex\r\n",
                widget->language->tag);
}

typedef void answerer(struct widget *, const struct visit *, struct answer *);
typedef void renderer(const struct answer *, struct text *);

static void answer_visit(struct public_site *site, const struct http_request *request,
                         struct http_answer *answer, answerer *ask, const char *type, renderer *render)
{
    struct visit visit;
    struct visit_notes notes;
    struct answer widget;
    if (answer_cors(site, request, answer))
        return;
    visit_read(&site->options.visits, request, &visit, &notes);
    ask(site->widget, &visit, &widget);
    if (visit.choice > 0 && widget.place.source != PLACE_FROM_READER)
        visit_ignore(&notes, "place", "not known");
    write_headers(&widget, &visit, &notes, &answer->headers);
    answer->told.state = answer_state_name(&widget);
    answer->told.source = place_source_names[widget.place.source];
    answer->told.reader = visit.address;
    answer->type = type;
    render(&widget, &answer->body);
}

static void serve_html(void *context, const struct http_request *request, struct http_answer *answer)
{
    answer_visit(context, request, answer, widget_answer, "text/html; charset=utf-8", widget_html);
}

static void serve_json(void *context, const struct http_request *request, struct http_answer *answer)
{
    answer_visit(context, request, answer, widget_answer, JSON, widget_json);
}

static void serve_text(void *context, const struct http_request *request, struct http_answer *answer)
{
    answer_visit(context, request, answer, widget_answer, "text/plain; charset=utf-8", widget_text);
}

static void serve_where(void *context, const struct http_request *request, struct http_answer *answer)
{
    answer_visit(context, request, answer, widget_where, JSON, widget_where_json);
}

static void refuse_json(struct http_answer *answer, int status, const char *reason)
{
    answer->status = status;
    answer->type = JSON;
    json_write(&answer->body, "{'error':%s}\n", reason);
}

/* Weather alone, of a cell or of a place: the visitor's address is not looked at. */
static void serve_weather(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct public_site *site = context;
    struct visit visit;
    struct visit_notes notes;
    struct answer widget;
    struct http_parameter parameter;
    if (answer_cors(site, request, answer))
        return;
    visit_read(&site->options.visits, request, &visit, &notes);
    notes.overridden = visit.simulated; /* else it is the same whoever asks */
    const char *cell = visit_parameter(request, "cell", &parameter);
    if (!cell[0] && visit.choice == 0) {
        refuse_json(answer, 400, "say cell=LATITUDE,LONGITUDE or place=ID");
        return;
    }
    if (!widget_weather(site->widget, cell, &visit, &widget)) {
        refuse_json(answer, cell[0] ? 400 : 404, cell[0] ? "not a cell such as 19.1,72.9" : "no such place");
        return;
    }
    write_headers(&widget, &visit, &notes, &answer->headers);
    answer->type = JSON;
    widget_weather_json(&widget, &answer->body);
}

static void serve_places(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct public_site *site = context;
    struct visit visit;
    struct visit_notes notes;
    struct http_parameter query, country;
    if (answer_cors(site, request, answer))
        return;
    visit_read(&site->options.visits, request, &visit, &notes);
    answer->type = JSON;
    text_format(&answer->headers, "Cache-Control: public, max-age=%d\r\n", PLACES_MAX_AGE_S);
    write_ignored(&notes, &answer->headers);
    widget_places_json(site->widget, visit_parameter(request, "q", &query),
                       visit_parameter(request, "country", &country), visit.language, &answer->body);
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
    struct origin origin;
    struct visit visit;
    struct visit_notes notes;
    visit_parse_hypothetical(&site->options.visits, request, header, &origin, &visit, &notes);
    if (notes.ignored.length > 0) {
        refuse_json(answer, 400, notes.ignored.bytes);
        return;
    }
    answer->type = JSON;
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    explain_visit(site->widget, &origin, &visit, &answer->body);
}

/* For those who may be anyone, since it tells anyone's place. */
static void serve_explain(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct public_site *site = context;
    const char *why = visit_refusal(&site->options.visits, request);
    if (why)
        refuse_json(answer, 403, why);
    else
        public_explain(site, request, answer);
}

static void serve_asset(void *context, const struct http_request *request, struct http_answer *answer)
{
    if (!answer_cors(context, request, answer))
        assets_serve(request, answer);
}

const struct http_route public_routes[] = {
    {.path = "/widget", .endpoint = "widget", .handle = serve_html, .cors = true},
    {.path = "/widget.json", .endpoint = "widget.json", .handle = serve_json, .cors = true},
    {.path = "/widget.txt", .endpoint = "widget.txt", .handle = serve_text, .cors = true},
    {.path = "/where.json", .endpoint = "where.json", .handle = serve_where, .cors = true},
    {.path = "/weather.json", .endpoint = "weather.json", .handle = serve_weather, .cors = true},
    {.path = "/places.json", .endpoint = "places.json", .handle = serve_places, .cors = true},
    {.path = "/masthead.*", .endpoint = "assets", .handle = serve_asset, .cors = true},
    {.path = "/healthz", .endpoint = "healthz", .handle = http_serve_health},
    {.path = "/", .endpoint = "playground", .handle = serve_asset, .access = HTTP_DEVELOPERS},
    {.path = "/dev/map.svg", .endpoint = "map", .handle = world_map_serve, .access = HTTP_DEVELOPERS},
    {.path = "/dev/scenarios.json",
     .endpoint = "playground",
     .handle = serve_scenarios,
     .access = HTTP_DEVELOPERS},
    {.path = "/dev/explain", .endpoint = "explain", .handle = serve_explain, .access = HTTP_DEVELOPERS},
    {.path = "/dev/*", .endpoint = "playground", .handle = serve_asset, .access = HTTP_DEVELOPERS},
    {.path = NULL},
};

struct public_site *public_open(const struct public_options *options, struct widget *widget)
{
    struct public_site *site = malloc(sizeof *site);
    if (!site)
        return NULL;
    *site = (struct public_site){.options = *options, .widget = widget};
    visit_register();
    return site;
}

void public_close(struct public_site *site)
{
    free(site);
}
