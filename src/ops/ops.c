#include "ops/ops.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "site/assets.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_S   15
#define STEP_MAX_MS ((int64_t)36525 * 86400000) /* a hundred years */

static void serve_ready(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    bool ready = status_ready(options->status);
    (void)request;
    http_respond_text(answer, ready ? 200 : 503, ready ? "ready" : "not ready");
}

static void serve_metrics(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    metrics_write(&answer->body);
}

struct form {
    const char *type;
    bool refreshes; /* browsers load it again and again, unless the query is "refresh=no" */
    void (*write)(const struct status_report *, struct text *);
};
static const struct form html_form = {"text/html; charset=utf-8", true, status_html},
                         json_form = {"application/json", false, status_json};

static void serve_status(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    const struct form *form = request->route->form;
    struct status_report *report = status_gather(options->status);
    if (!report) {
        http_respond_text(answer, 503, "no memory for a report");
        return;
    }
    report->still = strcmp(request->query, "refresh=no") == 0;
    if (form->refreshes && !report->still)
        text_format(&answer->headers, "Refresh: %d\r\n", REFRESH_S);
    answer->type = form->type;
    answer->policy = "default-src 'self'; frame-ancestors 'none'";
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    form->write(report, &answer->body);
    free(report);
}

static void serve_explain(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    public_explain(options->site, request, answer);
}

static void serve_clock(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    const char *query = request->query;
    struct http_parameter parameter;
    int64_t ms;
    if (!http_next_parameter(&query, &parameter) || strcmp(parameter.name, "advance") != 0 ||
        !clock_parse_duration(parameter.value, &ms) || ms > STEP_MAX_MS || ms < -STEP_MAX_MS) {
        http_respond_text(answer, 400, "say advance=3h (units ms, s, m, h, d; may be negative)");
        return;
    }
    status_sample(options->status); /* counts up to now belong to the time before the step */
    clock_advance(ms);
    char when[CLOCK_RFC3339_BYTES];
    clock_format(clock_now().wall_ms / 1000, when);
    http_respond_text(answer, 200, when);
}

/* clang-format off */
const struct http_route ops_routes[] = {
    {"/healthz", "healthz", http_serve_health, .access = HTTP_ANY_HOST},
    {"/readyz", "readyz", serve_ready, .access = HTTP_ANY_HOST},
    {"/metrics", "metrics", serve_metrics, .access = HTTP_ANY_HOST},
    {"/status", "status", serve_status, &html_form, .access = HTTP_KNOWN_HOSTS},
    {"/status.json", "status.json", serve_status, &json_form, .access = HTTP_KNOWN_HOSTS},
    {"/status.css", "assets", assets_serve, .access = HTTP_KNOWN_HOSTS},
    {"/status/pages.css", "assets", assets_serve, .access = HTTP_KNOWN_HOSTS},
    {"/status/icon.svg", "assets", assets_serve, .access = HTTP_KNOWN_HOSTS},
    {"/status/map.svg", "map", world_map_serve, .access = HTTP_KNOWN_HOSTS},
    {"/explain", "explain", serve_explain, .access = HTTP_KNOWN_HOSTS},
    {"/dev/clock", "clock", serve_clock, .access = HTTP_DEVELOPERS, .post = true},
    {.path = NULL},
};
/* clang-format on */
