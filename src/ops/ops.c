#include "ops/ops.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "site/assets.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_S    15
#define STEP_MOST_MS ((int64_t)36525 * 86400000) /* a hundred years */

static void serve_ready(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    (void)request;
    bool ready = options->ready(options->context);
    http_respond_text(answer, ready ? 200 : 503, ready ? "ready" : "not ready");
}

static void serve_metrics(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    text_string(&answer->headers, "Cache-Control: no-store\r\n");
    metrics_write(&answer->body);
}

/* Writes a fresh report. */
static void serve_report(struct status *status, bool still, const char *type,
                         void (*write)(const struct status_report *, struct text *),
                         struct http_answer *answer)
{
    struct status_report *report = status_gather(status);
    if (!report) {
        http_respond_text(answer, 503, "no memory for a report");
        return;
    }
    report->still = still;
    answer->type = type;
    text_string(&answer->headers, "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
                                  "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r\n");
    write(report, &answer->body);
    free(report);
}

/* Who cannot read so fast asks for "?refresh=no". */
static void serve_status(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    bool still = strcmp(request->query, "refresh=no") == 0;
    if (!still)
        text_format(&answer->headers, "Refresh: %d\r\n", REFRESH_S);
    serve_report(options->status, still, "text/html; charset=utf-8", status_html, answer);
}

static void serve_status_json(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct ops_options *options = context;
    (void)request;
    serve_report(options->status, true, "application/json", status_json, answer);
}

static void serve_asset(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    assets_serve(request, answer);
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
        !clock_parse_duration(parameter.value, &ms) || ms > STEP_MOST_MS || ms < -STEP_MOST_MS) {
        http_respond_text(answer, 400, "say advance=3h (units ms, s, m, h, d; may be negative)");
        return;
    }
    status_sample(options->status); /* what was before belongs to before */
    clock_advance(ms);
    char when[CLOCK_RFC3339_BYTES];
    clock_format(clock_now().wall_ms / 1000, when);
    http_respond_text(answer, 200, when);
}

const struct http_route ops_routes[] = {
    {.path = "/healthz", .endpoint = "healthz", .handle = http_serve_health},
    {.path = "/readyz", .endpoint = "readyz", .handle = serve_ready},
    {.path = "/metrics", .endpoint = "metrics", .handle = serve_metrics},
    {.path = "/status", .endpoint = "status", .handle = serve_status, .access = HTTP_KNOWN_HOSTS},
    {.path = "/status.json",
     .endpoint = "status.json",
     .handle = serve_status_json,
     .access = HTTP_KNOWN_HOSTS},
    {.path = "/status.css", .endpoint = "assets", .handle = serve_asset, .access = HTTP_KNOWN_HOSTS},
    {.path = "/status/icon.svg", .endpoint = "assets", .handle = serve_asset, .access = HTTP_KNOWN_HOSTS},
    {.path = "/status/map.svg", .endpoint = "map", .handle = world_map_serve, .access = HTTP_KNOWN_HOSTS},
    {.path = "/explain", .endpoint = "explain", .handle = serve_explain, .access = HTTP_KNOWN_HOSTS},
    {.path = "/dev/clock",
     .endpoint = "clock",
     .handle = serve_clock,
     .access = HTTP_DEVELOPERS,
     .post = true},
    {.path = NULL},
};
