/* civetweb's workers call begin_request, one request at a time each; each has its own buffer. What workers
 * share is atomic (connections, in_flight, draining) or constant after http_open. */
#include "http/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/accepting.h"
#include "http/access.h"
#include "http/guard.h"

#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define HEAD_BYTES        2048
#define ROUTES_MAX        32
#define HEADERS_BYTES     1024 /* of HEAD_BYTES, for the handler's own lines */
#define MAX_REQUEST_BYTES "8192"
#define CONNECTION_QUEUE  "64"
#define LISTEN_BACKLOG    "128"
#define QUIET_MS          100 /* nothing begun for this long: drained */
#define ALIVE_MS          1000
#define WORKER_THREAD     1 /* civetweb's init_thread: thread_type */

struct http_listener {
    struct mg_context *civetweb;
    const struct http_route *routes;
    size_t endpoints[ROUTES_MAX]; /* label index of each route */
    void *context;
    struct http_options options;
    int port;
    atomic_int connections; /* open ones that a thread has taken on, idle or not: it can serve no other */
    atomic_int in_flight;   /* requests being answered */
    atomic_bool draining;
    uint64_t answered; /* at the last http_alive */
};

/* What a worker owns: the answer is written into `body`, its head right before it. */
struct worker {
    char headers[HEADERS_BYTES];
    char head_and_body[]; /* HEAD_BYTES, then options.body_bytes */
};

#define ENDPOINTS_MAX 48
static const char *endpoint_names[ENDPOINTS_MAX] = {"other"};
static size_t endpoint_count = 1;

static const struct {
    int status;
    const char *label, *phrase;
} statuses[] = {
    {200, "200", "OK"},
    {204, "204", "No Content"},
    {400, "400", "Bad Request"},
    {403, "403", "Forbidden"},
    {404, "404", "Not Found"},
    {405, "405", "Method Not Allowed"},
    {408, "408", "Request Timeout"},
    {413, "413", "Content Too Large"},
    {431, "431", "Request Header Fields Too Large"},
    {500, "500", "Internal Server Error"},
    {503, "503", "Service Unavailable"},
    {505, "505", "HTTP Version Not Supported"},
};
#define STATUSES (sizeof statuses / sizeof statuses[0])
static const char *status_labels[STATUSES];

static const double duration_bounds_s[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                           0.025,  0.05,    0.1,    0.25,  0.5,    1};

enum { REQUESTS, DURATION, THREADS, ROWS };
static metric_collector collect_threads;
static struct metric rows[ROWS] = {
    [REQUESTS] =
        COUNTER("masthead_http_requests_total", "Requests answered, by endpoint and status.",
                .labels = {{"endpoint", endpoint_names, ENDPOINTS_MAX}, {"code", status_labels, STATUSES}},
                .sparse = true),
    [DURATION] = HISTOGRAM("masthead_http_request_duration_seconds",
                           "Time from a read request to its answer, ready to be written; public listener.",
                           duration_bounds_s, 0.000001),
    [THREADS] =
        GAUGE("masthead_http_threads", "Threads of the public listener; each open connection keeps one busy.",
              collect_threads, LABEL("state")),
};

void http_threads(const struct http_listener *listener, int64_t *busy, int64_t *all)
{
    *busy = atomic_load(&listener->connections);
    *all = listener->options.threads;
}

static void collect_threads(void *context, size_t row, struct metric_samples *samples)
{
    int64_t busy, all;
    (void)row;
    http_threads(context, &busy, &all);
    metric_sample(samples, (double)busy, "busy", NULL);
    metric_sample(samples, (double)(all - busy), "idle", NULL);
}

static size_t status_row(int status)
{
    for (size_t i = 0; i < STATUSES; i++)
        if (statuses[i].status == status)
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
    if (status < 400) /* an error's head says so anyway */
        text_string(&answer->headers, "Cache-Control: no-store\r\n");
}

static void refuse(struct http_answer *answer, int status)
{
    http_respond_text(answer, status, statuses[status_row(status)].phrase);
}

void http_serve_health(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    http_respond_text(answer, 200, "ok");
}

/* Whether the connection may stay open after this answer; tells civetweb when not. */
static bool keep_open(const struct http_listener *listener, struct mg_connection *connection, bool guarded)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    bool keep = !guarded && listener->options.keep_alive_ms > 0 && !atomic_load(&listener->draining) &&
                info->http_version && strcmp(info->http_version, "1.1") == 0;
    for (int i = 0; keep && i < info->num_headers; i++)
        keep = strcasecmp(info->http_headers[i].name, "Connection") != 0 ||
               !strcasestr(info->http_headers[i].value, "close");
    if (!keep)
        mg_disable_connection_keep_alive(connection);
    return keep;
}

/* Puts the head right before the body and writes both at once. */
static void write_answer(struct mg_connection *connection, struct worker *worker,
                         const struct http_answer *answer, bool keep, bool without_body)
{
    char storage[HEAD_BYTES], date[CLOCK_HTTP_BYTES];
    struct text head = text_init(storage, sizeof storage);
    text_format(&head, "HTTP/1.1 %d %s\r\n", answer->status, statuses[status_row(answer->status)].phrase);
    clock_format_http(time(NULL),
                      date); /* real time: the clock that tests move is no business of HTTP's caches */
    text_format(&head, "Date: %s\r\n", date);
    if (answer->type)
        text_format(&head, "Content-Type: %s\r\n", answer->type);
    if (answer->status != 204)
        text_format(&head, "Content-Length: %zu\r\n", answer->body.length);
    if (answer->status >= 400)
        text_string(&head, "Cache-Control: no-store\r\n");
    text_string(&head, "X-Content-Type-Options: nosniff\r\n");
    text_bytes(&head, answer->headers.bytes, answer->headers.length);
    text_string(&head, keep ? "\r\n" : "Connection: close\r\n\r\n");

    char *start = worker->head_and_body + HEAD_BYTES - head.length;
    memcpy(start, head.bytes, head.length);
    mg_write(connection, start, head.length + (without_body ? 0 : answer->body.length));
}

static struct http_answer empty_answer(const struct http_listener *listener, struct worker *worker)
{
    return (struct http_answer){
        .status = 200,
        .headers = text_init(worker->headers, sizeof worker->headers),
        .body = text_init(worker->head_and_body + HEAD_BYTES, listener->options.body_bytes),
    };
}

static struct http_request request_of(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http_request request = {
        .method = info->request_method,
        .path = info->local_uri_raw ? info->local_uri_raw : "",
        .query = info->query_string ? info->query_string : "",
        .connection = connection,
    };
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

static void dispatch(struct http_listener *listener, const struct http_route *route,
                     const struct http_request *request, struct http_answer *answer)
{
    if (!route) {
        refuse(answer, 404);
    } else if (!method_fits(route, request->method)) {
        refuse(answer, 405);
        text_format(&answer->headers, "Allow: %s\r\n", route->post ? "POST" : "GET, HEAD");
    } else if (route->access != HTTP_ANY_HOST && !http_host_allowed(request, &listener->options.hosts)) {
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

static uint64_t elapsed_us(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - since->tv_sec) * 1000000 + (now.tv_nsec - since->tv_nsec) / 1000);
}

/* Counts the answer before the client can know of it, so that counts are never behind. */
static void count(struct http_listener *listener, const struct http_route *route, const char *method,
                  const struct http_answer *answer, const struct timespec *begun)
{
    size_t endpoint = route ? listener->endpoints[route - listener->routes] : 0;
    metric_add(&rows[REQUESTS], endpoint, status_row(answer->status));
    if (!listener->options.instrumented)
        return;
    uint64_t us = elapsed_us(begun);
    metric_observe(&rows[DURATION], 0, us);
    access_log(method, endpoint_names[endpoint], us, answer);
}

static int begin_request(struct mg_connection *connection)
{
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    struct worker *worker = mg_get_thread_pointer(connection);
    struct timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    if (!worker) { /* no memory when the thread began */
        mg_disable_connection_keep_alive(connection);
        return 503;
    }
    atomic_fetch_add(&listener->in_flight, 1);

    struct http_answer answer = empty_answer(listener, worker);
    struct http_request request = request_of(connection);
    const struct http_route *route = route_of(listener, request.path);
    int refused = guard_status(mg_get_request_info(connection));
    bool keep = keep_open(listener, connection, refused != 0);
    if (refused && (!route || method_fits(route, request.method)))
        refuse(&answer, refused);
    else
        dispatch(listener, route, &request, &answer);
    count(listener, route, request.method, &answer, &begun);
    write_answer(connection, worker, &answer, keep, strcmp(request.method, "HEAD") == 0);
    atomic_fetch_sub(&listener->in_flight, 1);
    return answer.status;
}

/* Requests that civetweb's parser refuses come here instead; the text it suggests may hold request bytes, so
 * it is not used. */
static int http_error(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    struct worker *worker = mg_get_thread_pointer(connection);
    if (!worker)
        return 0;
    struct http_answer answer = empty_answer(listener, worker);
    refuse(&answer, statuses[status_row(status)].status);
    mg_disable_connection_keep_alive(connection);
    metric_add(&rows[REQUESTS], 0, status_row(answer.status));
    if (listener->options.instrumented)
        access_log("", endpoint_names[0], 0, &answer);
    write_answer(connection, worker, &answer, false, false);
    return 0;
}

static int connection_opened(const struct mg_connection *connection, void **unused)
{
    (void)unused;
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    atomic_fetch_add(&listener->connections, 1);
    return 0;
}

static void connection_closed(const struct mg_connection *connection)
{
    struct http_listener *listener = mg_get_user_data(mg_get_context(connection));
    atomic_fetch_sub(&listener->connections, 1);
}

static int log_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    log_event(LOG_DEBUG, "civetweb", log_str("detail", message));
    return 1;
}

static void *init_thread(const struct mg_context *civetweb, int type)
{
    const struct http_listener *listener = mg_get_user_data(civetweb);
    return type == WORKER_THREAD ? malloc(sizeof(struct worker) + HEAD_BYTES + listener->options.body_bytes)
                                 : NULL;
}

static void exit_thread(const struct mg_context *civetweb, int type, void *worker)
{
    (void)civetweb;
    (void)type;
    free(worker);
}

static void register_once(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    for (size_t i = 0; i < STATUSES; i++)
        status_labels[i] = statuses[i].label;
    metrics_register(rows, THREADS, NULL);
}

/* The label index of an endpoint, which both listeners may have. */
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

static bool start(struct http_listener *listener)
{
    const struct http_options *o = &listener->options;
    char address[HTTP_HOST_BYTES + 8], threads[24], timeout[24], keep_alive[24], text[256] = "";
    snprintf(address, sizeof address, "%s:%d", o->host, (int)o->port);
    snprintf(threads, sizeof threads, "%lld", (long long)o->threads);
    snprintf(timeout, sizeof timeout, "%lld", (long long)o->request_timeout_ms);
    snprintf(keep_alive, sizeof keep_alive, "%lld", (long long)o->keep_alive_ms);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", address,
        "num_threads", threads,
        "connection_queue", CONNECTION_QUEUE,
        "listen_backlog", LISTEN_BACKLOG,
        "request_timeout_ms", timeout,
        "enable_keep_alive", o->keep_alive_ms > 0 ? "yes" : "no",
        "keep_alive_timeout_ms", keep_alive,
        "max_request_size", MAX_REQUEST_BYTES,
        "tcp_nodelay", "1",
        "decode_url", "no",
        "access_control_allow_origin", "",
        NULL,
    };
    /* clang-format on */
    static const struct mg_callbacks callbacks = {
        .init_connection = connection_opened,
        .connection_closed = connection_closed,
        .begin_request = begin_request,
        .http_error = http_error,
        .log_message = log_message,
        .init_thread = init_thread,
        .exit_thread = exit_thread,
    };
    struct mg_init_data init = {
        .callbacks = &callbacks, .user_data = listener, .configuration_options = options};
    struct mg_error_data error = {.text = text, .text_buffer_size = sizeof text};
    listener->civetweb = mg_start2(&init, &error);
    struct mg_server_port port;
    if (!listener->civetweb || mg_get_server_ports(listener->civetweb, 1, &port) != 1) {
        log_event(LOG_ERROR, "cannot listen", log_str("address", address), log_str("error", text));
        return false;
    }
    listener->port = port.port;
    return true;
}

struct http_listener *http_open(const struct http_options *options, const struct http_route *routes,
                                void *context)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return NULL;
    listener->options = *options;
    listener->routes = routes;
    listener->context = context;
    register_once();
    for (size_t i = 0; routes[i].path; i++) {
        if (i == ROUTES_MAX)
            abort();
        listener->endpoints[i] = endpoint_index(routes[i].endpoint);
    }
    if (options->instrumented)
        metrics_register(&rows[THREADS], 1, listener);
    if (!start(listener)) {
        http_close(listener);
        return NULL;
    }
    return listener;
}

static bool answers_health(const struct http_listener *listener)
{
    char error[128];
    struct mg_connection *self =
        mg_connect_client(listener->options.host, listener->port, false, error, sizeof error);
    bool good =
        self &&
        mg_printf(self, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") > 0 &&
        mg_get_response(self, error, sizeof error, ALIVE_MS) >= 0 &&
        mg_get_response_info(self)->status_code == 200;
    mg_close_connection(self);
    return good;
}

bool http_alive(struct http_listener *listener)
{
    uint64_t answered = metric_total(&rows[DURATION], 0, 0);
    bool goes_on = listener->options.instrumented && answered != listener->answered;
    listener->answered = answered;
    return goes_on || answers_health(listener);
}

int http_port(const struct http_listener *listener)
{
    return listener->port;
}

void http_drain(struct http_listener *listener, int64_t limit_ms)
{
    atomic_store(&listener->draining, true);
    accepting_stop(listener->options.host, listener->port);
    int64_t until = clock_monotonic_ms() + limit_ms;
    int64_t quiet_since = clock_monotonic_ms();
    while (clock_monotonic_ms() < until && clock_monotonic_ms() - quiet_since < QUIET_MS) {
        struct timespec step = {.tv_nsec = 5000000};
        nanosleep(&step, NULL);
        if (atomic_load(&listener->in_flight) > 0)
            quiet_since = clock_monotonic_ms();
    }
}

void http_close(struct http_listener *listener)
{
    if (!listener)
        return;
    if (listener->civetweb) {
        accepting_stop(listener->options.host,
                       listener->port); /* else civetweb sleeps out its poll of two seconds */
        mg_stop(listener->civetweb);
    }
    free(listener);
}
