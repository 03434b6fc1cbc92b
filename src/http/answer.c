/* A request, once civetweb has read it: its route, the guard, the handler, and the answer in one write. */
#include "http/guard.h"
#include "http/listener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <civetweb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NO_CONTENT_POLICY "default-src 'none'; frame-ancestors 'none'"

#define ENDPOINTS_MAX 48
static const char *endpoint_names[ENDPOINTS_MAX] = {"other"};
static size_t endpoint_count = 1;

/* The statuses that the service answers with. */
#define STATUSES 13
static const char *const status_labels[STATUSES] = {"200", "204", "304", "400", "403", "404", "405",
                                                    "408", "413", "431", "500", "503", "505"};
/* clang-format off */
static const char *const status_phrases[STATUSES] = {
    "OK", "No Content", "Not Modified", "Bad Request", "Forbidden", "Not Found", "Method Not Allowed",
    "Request Timeout", "Content Too Large", "Request Header Fields Too Large", "Internal Server Error",
    "Service Unavailable", "HTTP Version Not Supported",
};
/* clang-format on */

static const double duration_bounds_s[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                           0.025,  0.05,    0.1,    0.25,  0.5,    1};

enum { REQUESTS, DURATION, ROWS };
static struct metric rows[ROWS] = {
    [REQUESTS] =
        COUNTER("masthead_http_requests_total", "Requests answered, by endpoint and status.",
                .labels = {{"endpoint", endpoint_names, ENDPOINTS_MAX}, {"code", status_labels, STATUSES}},
                .sparse = true),
    [DURATION] = HISTOGRAM("masthead_http_request_duration_seconds",
                           "Time from a read request to its answer, ready to be written; public listener.",
                           duration_bounds_s, 0.000001),
};

/* The label index of an endpoint, which several routes and both listeners may have. Call before threads that
 * use it: the table grows. */
static size_t endpoint_index(const char *name)
{
    size_t i = 0;
    while (i < endpoint_count && strcmp(endpoint_names[i], name) != 0)
        i++;
    if (i == ENDPOINTS_MAX)
        abort();
    if (i == endpoint_count)
        endpoint_names[endpoint_count++] = name;
    return i;
}

void answer_register(struct http_listener *listener)
{
    metrics_register(rows, ROWS, NULL);
    for (size_t i = 0; listener->routes[i].path; i++) {
        if (i == ROUTES_MAX)
            abort();
        listener->endpoints[i] = endpoint_index(listener->routes[i].endpoint);
    }
}

static size_t status_row(int status)
{
    for (size_t i = 0; i < STATUSES; i++)
        if (atoi(status_labels[i]) == status)
            return i;
    return status_row(status >= 500 ? 500 : 400);
}

static const struct http_route *route_of(const struct http_listener *listener, const char *path)
{
    for (const struct http_route *route = listener->routes; route->path; route++) {
        size_t length = strlen(route->path);
        bool prefix = route->path[length - 1] == '*';
        bool here = route->access != HTTP_DEVELOPERS || listener->options.dev;
        if (here && (prefix ? strncmp(path, route->path, length - 1) == 0 : strcmp(path, route->path) == 0))
            return route;
    }
    return NULL;
}

void http_respond_text(struct http_answer *answer, int status, const char *line)
{
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    answer->body.length = 0;
    text_format(&answer->body, "%s\n", line);
    if (status < 400) /* write_answer adds it to errors */
        text_string(&answer->headers, "Cache-Control: no-store\r\n");
}

bool http_respond_unchanged(const struct http_request *request, struct http_answer *answer, const char *tag)
{
    char quoted[64];
    const char *held;
    snprintf(quoted, sizeof quoted, "\"%s\"", tag);
    text_format(&answer->headers, "ETag: %s\r\n", quoted);
    bool unchanged = http_header(request, "If-None-Match", &held, 1) == 1 && strstr(held, quoted);
    if (unchanged)
        answer->status = 304;
    return unchanged;
}

static void refuse(struct http_answer *answer, int status)
{
    http_respond_text(answer, status, status_phrases[status_row(status)]);
}

void http_serve_health(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    http_respond_text(answer, 200, "ok");
}

/* Whether the client lets its connection stay open, in words that civetweb understands. An upgrade is
 * ignored, after which civetweb closes. */
static bool client_keeps(const struct mg_request_info *info)
{
    bool keep = info->http_version && strcmp(info->http_version, "1.1") == 0;
    for (int i = 0; keep && i < info->num_headers; i++)
        keep = strcasecmp(info->http_headers[i].name, "Upgrade") != 0 &&
               (strcasecmp(info->http_headers[i].name, "Connection") != 0 ||
                strcasecmp(info->http_headers[i].value, "keep-alive") == 0);
    return keep;
}

/* Whether the connection may stay open after this answer. Makes civetweb close it if not. */
static bool keep_open(const struct http_listener *listener, struct mg_connection *connection, bool refused)
{
    bool keep = !refused && atomic_load(&listener->keeps) && !atomic_load(&listener->draining) &&
                !connections_crowded(listener->connections) && client_keeps(mg_get_request_info(connection));
    if (!keep)
        mg_disable_connection_keep_alive(connection);
    return keep;
}

/* A write that falls short would hold a thread again for each further request of the client. */
static void write_whole(const struct http_listener *listener, struct mg_connection *connection,
                        struct worker *worker, const char *bytes, size_t length)
{
    bool whole = worker->reader.connection ? connection_write(worker->reader.connection, bytes, length,
                                                              listener->options.request_timeout_ms)
                                           : mg_write(connection, bytes, length) == (int)length;
    if (!whole)
        mg_disable_connection_keep_alive(connection);
    connection_waits(worker->reader.connection);
}

/* The Date of an answer. HTTP caches need real time, not the clock that tests move. */
static const char *date_now(struct worker *worker)
{
    time_t now_s = time(NULL);
    if (now_s != worker->date_s)
        clock_format_http(now_s, worker->date);
    worker->date_s = now_s;
    return worker->date;
}

/* Puts the head right before the body: both leave in one write. */
static void write_answer(const struct http_listener *listener, struct mg_connection *connection,
                         struct worker *worker, const struct http_answer *answer, bool keep)
{
    const char *method = mg_get_request_info(connection)->request_method;
    __attribute__((uninitialized)) char storage[HEAD_BYTES];
    struct text head = text_init(storage, sizeof storage);
    text_format(&head, "HTTP/1.1 %d %s\r\n", answer->status, status_phrases[status_row(answer->status)]);
    text_format(&head, "Date: %s\r\n", date_now(worker));
    if (answer->type)
        text_format(&head, "Content-Type: %s\r\n", answer->type);
    if (answer->status != 204 && answer->status != 304)
        text_format(&head, "Content-Length: %zu\r\n", answer->body.length);
    if (answer->status >= 400)
        text_string(&head, "Cache-Control: no-store\r\n");
    text_string(&head, "Content-Security-Policy: ");
    text_string(&head, answer->policy ? answer->policy : NO_CONTENT_POLICY);
    text_string(&head, "\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n");
    text_bytes(&head, answer->headers.bytes, answer->headers.length);
    text_string(&head, keep ? "\r\n" : "Connection: close\r\n\r\n");

    char *start = worker->head_and_body + HEAD_BYTES - head.length;
    memcpy(start, head.bytes, head.length);
    bool without_body = method && strcmp(method, "HEAD") == 0;
    write_whole(listener, connection, worker, start, head.length + (without_body ? 0 : answer->body.length));
}

static struct http_answer empty_answer(const struct http_listener *listener, struct worker *worker)
{
    return (struct http_answer){
        .status = 200,
        .headers = text_init(worker->headers, sizeof worker->headers),
        .body = text_init(worker->head_and_body + HEAD_BYTES, listener->options.body_bytes),
    };
}

static struct http_request request_of(const struct http_listener *listener,
                                      const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http_request request = {
        .method = info->request_method,
        .path = info->local_uri_raw ? info->local_uri_raw : "",
        .query = info->query_string ? info->query_string : "",
        .connection = connection,
    };
    request.route = route_of(listener, request.path);
    address_parse(info->remote_addr, strlen(info->remote_addr), &request.peer);
    return request;
}

static bool method_fits(const struct http_route *route, const char *method)
{
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (route->post)
        return strcmp(method, "POST") == 0;
    return reads || (route->cors && strcmp(method, "OPTIONS") == 0);
}

static void dispatch(const struct http_listener *listener, const struct http_request *request,
                     struct http_answer *answer)
{
    const struct http_route *route = request->route;
    if (!route) {
        refuse(answer, 404);
    } else if (!method_fits(route, request->method)) {
        refuse(answer, 405);
        text_format(&answer->headers, "Allow: %s\r\n", route->post ? "POST" : "GET, HEAD");
    } else if ((route->access != HTTP_ANY_HOST && !http_host_allowed(request, &listener->options.hosts)) ||
               (route->post && !http_same_site(request))) {
        refuse(answer, 403);
    } else {
        route->handle(listener->context, request, answer);
        if (answer->body.overflow || answer->headers.overflow) {
            log_event(LOG_ERROR, "answer larger than its buffer", log_str("endpoint", route->endpoint));
            answer->headers.length = 0;
            refuse(answer, 500);
        }
    }
}

/* Runs before write_answer, so that a client which has its answer finds it counted. */
static void count(const struct http_listener *listener, struct worker *worker,
                  const struct http_request *request, const struct http_answer *answer)
{
    size_t endpoint = request->route ? listener->endpoints[request->route - listener->routes] : 0;
    int64_t us = monotonic_us() - atomic_exchange(&worker->handling_since_us, 0);
    if (worker->reader.connection && worker->reader.connection->own)
        return;
    atomic_fetch_add_explicit(&worker->answered, 1, memory_order_relaxed);
    metric_add(&rows[REQUESTS], endpoint, status_row(answer->status));
    if (!listener->options.instrumented)
        return;
    metric_observe(&rows[DURATION], 0, (uint64_t)us);
    access_log(request->method, endpoint_names[endpoint], us, answer);
}

int answer_request(struct mg_connection *connection)
{
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    struct worker *worker = mg_get_thread_pointer(connection);
    worker->handled = true;
    connection_serves(worker->reader.connection);
    atomic_store(&worker->handling_since_us, monotonic_us());

    struct http_answer answer = empty_answer(listener, worker);
    struct http_request request = request_of(listener, connection);
    int refused = guard_status(mg_get_request_info(connection), worker->reader.start);
    bool keep = keep_open(listener, connection, refused != 0);
    if (refused && (!request.route || method_fits(request.route, request.method)))
        refuse(&answer, refused);
    else
        dispatch(listener, &request, &answer);
    count(listener, worker, &request, &answer);
    write_answer(listener, connection, worker, &answer, keep);
    return answer.status;
}

/* Answers a request that no route is asked for, and ends its connection. */
static void answer_refusal(struct mg_connection *connection, int status, const char *line)
{
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    struct worker *worker = mg_get_thread_pointer(connection);
    struct http_answer answer = empty_answer(listener, worker);
    worker->refused = true;
    http_respond_text(&answer, status, line);
    mg_disable_connection_keep_alive(connection);
    metric_add(&rows[REQUESTS], 0, status_row(status));
    if (listener->options.instrumented)
        access_log("", endpoint_names[0], 0, &answer);
    write_answer(listener, connection, worker, &answer, false);
}

/* Answers requests that civetweb's parser refuses. Its message may hold bytes of the request: never use it.
 */
int answer_error(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    size_t row = status_row(status);
    answer_refusal(connection, atoi(status_labels[row]), status_phrases[row]);
    return 0;
}

void answer_unhandled(const struct mg_connection *connection, int status)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    (void)status;
    if (!worker->handled) /* the connection is this thread's own; only civetweb's callback says const */
        answer_refusal((struct mg_connection *)(uintptr_t)connection, 503, "no memory for this request");
    worker->handled = false;
}

void answer_unrouted(const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const struct worker *worker = mg_get_thread_pointer(connection);
    if (info->request_uri && !info->local_uri_raw && !worker->refused)
        answer_refusal((struct mg_connection *)(uintptr_t)connection, 400,
                       "say a path and a Host line, as in: GET /widget HTTP/1.1");
}
