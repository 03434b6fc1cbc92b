/* Starting, watching and ending a listener. civetweb's threads serve; all else here runs on the caller's. */
#include "http/listener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/sockets.h"

#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_REQUEST_BYTES "8192"
#define LISTEN_BACKLOG    "512" /* behind a full one a reader tries again after a second only */
#define ALIVE_MS          1000
#define START_MS          10000
#define DRAIN_STEP_MS     5
/* civetweb's init_thread: thread_type */
#define ACCEPTING_THREAD 0
#define WORKER_THREAD    1
/* As many does civetweb start where memory was short for the option that tells how many: each finds its
 * worker, and then the listener is given up. */
#define CIVETWEB_THREADS 50

static metric_collector collect_threads;
static struct metric threads_metric =
    GAUGE("masthead_http_threads", "Threads of the public listener; each open connection keeps one busy.",
          collect_threads, LABEL("state"));

/* What a listener's threads do. */
struct load {
    int64_t connected; /* threads that a connection holds */
    uint64_t answered; /* requests so far */
    bool hangs;        /* a handler has been at work for longer than a request may take */
};

static struct load load_of(const struct http_listener *listener)
{
    struct load load = {.connected = 0};
    int64_t begun_by_us = monotonic_us() - listener->options.request_timeout_ms * 1000;
    for (int64_t i = 0; i < listener->options.threads; i++) {
        const struct worker *worker = &listener->workers[i];
        int64_t since_us = atomic_load(&worker->handling_since_us);
        load.connected += atomic_load(&worker->connected);
        load.answered += atomic_load(&worker->answered);
        load.hangs = load.hangs || (since_us > 0 && since_us < begun_by_us);
    }
    return load;
}

void http_threads(const struct http_listener *listener, int64_t *busy, int64_t *all)
{
    *busy = load_of(listener).connected;
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

static int connection_opened(const struct mg_connection *connection, void **unused)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    (void)unused;
    worker->connected = true;
    worker->refused = false;
    connections_take(&worker->reader);
    return 0;
}

static void connection_ends(const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct worker *worker = mg_get_thread_pointer(connection);
    answer_unrouted(connection);
    connections_release(&worker->reader, info->remote_addr, info->remote_port);
}

static void connection_closed(const struct mg_connection *connection)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    worker->connected = false;
}

static int log_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    log_event(LOG_DEBUG, "civetweb", log_str("detail", message));
    return 1;
}

static void *init_thread(const struct mg_context *civetweb, int type)
{
    struct http_listener *listener = mg_get_user_data(civetweb);
    if (type == ACCEPTING_THREAD)
        connections_accept_here(listener->connections);
    if (type != WORKER_THREAD)
        return NULL;
    struct worker *worker = &listener->workers[atomic_fetch_add(&listener->started, 1)];
    worker->reader.connections = listener->connections;
    connections_read_here(&worker->reader);
    return worker;
}

static bool allocate(struct http_listener *listener)
{
    size_t count = (size_t)listener->options.threads, bytes = HEAD_BYTES + listener->options.body_bytes;
    count = count < CIVETWEB_THREADS ? CIVETWEB_THREADS : count;
    listener->workers = calloc(count, sizeof *listener->workers);
    listener->buffers = malloc(count * bytes);
    for (size_t i = 0; i < count && listener->workers; i++)
        listener->workers[i].head_and_body = listener->buffers + i * bytes;
    listener->connections = connections_open(listener->options.threads, listener->options.trusted);
    return listener->workers && listener->buffers && listener->connections;
}

static const struct mg_callbacks callbacks = {
    .init_connection = connection_opened,
    .connection_close = connection_ends,
    .connection_closed = connection_closed,
    .begin_request = answer_request,
    .end_request = answer_unhandled,
    .http_error = answer_error,
    .log_message = log_message,
    .init_thread = init_thread,
};

/* Whether civetweb has all options: one for which memory was short is lost without a word. */
static bool has_options(const struct mg_context *civetweb, const char *const *options)
{
    for (const struct mg_option *each = mg_get_valid_options(); each->name; each++) {
        const char *expected = NULL, *has = mg_get_option(civetweb, each->name);
        for (size_t i = 0; options[i]; i += 2)
            expected = strcmp(options[i], each->name) == 0 ? options[i + 1] : expected;
        if (strcmp(has, expected ? expected : each->default_value ? each->default_value : "") != 0)
            return false;
    }
    return true;
}

static bool start(struct http_listener *listener)
{
    const struct http_options *o = &listener->options;
    char address[HTTP_HOST_BYTES + 8], threads[24], queue[24], timeout[24], keep_alive[24], text[256] = "";
    snprintf(address, sizeof address, "%s:%d", o->host, (int)o->port);
    snprintf(threads, sizeof threads, "%lld", (long long)o->threads);
    snprintf(queue, sizeof queue, "%d", CONNECTION_QUEUE);
    snprintf(timeout, sizeof timeout, "%lld", (long long)o->request_timeout_ms);
    snprintf(keep_alive, sizeof keep_alive, "%lld", (long long)o->keep_alive_ms);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", address,
        "num_threads", threads,
        "connection_queue", queue,
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
    struct mg_init_data init = {
        .callbacks = &callbacks, .user_data = listener, .configuration_options = options};
    struct mg_error_data error = {.text = text, .text_buffer_size = sizeof text};
    listener->civetweb = mg_start2(&init, &error);
    struct mg_server_port port;
    bool has_all = listener->civetweb && has_options(listener->civetweb, options);
    if (!has_all || mg_get_server_ports(listener->civetweb, 1, &port) != 1) {
        log_event(LOG_ERROR, "cannot listen", log_str("address", address),
                  log_str("error", text[0] ? text : "no memory"));
        return false;
    }
    listener->port = port.port;
    return true;
}

/* Requests of our own, and what they must be answered where the guard is right about civetweb's buffers: one
 * that may pass, one behind blank lines, one with a line that is lost. */
static const struct trial {
    const char *question;
    int status;
} trials[] = {
    {HEALTH_QUESTION, 200},
    {"\r\n\r\n" HEALTH_QUESTION, 400},
    {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n: lost\r\nContent-Length: 9\r\n\r\n", 400},
};

/* Whether anybody accepts: civetweb says nothing where its accepting thread could not be started. */
static bool answers(const struct http_listener *listener)
{
    int port, fd = sockets_bind(&port);
    connections_expect_own(listener->connections, port, true);
    bool answered = sockets_ask(fd, listener->options.host, listener->port, HEALTH_QUESTION, START_MS) > 0;
    connections_expect_own(listener->connections, 0, false);
    if (!answered)
        log_event(LOG_ERROR, "cannot listen", log_str("address", listener->options.host),
                  log_str("error", "it does not answer itself"));
    return answered;
}

/* Without the guard a connection must not carry a second request, which might be somebody else's. */
static void try_guard(struct http_listener *listener)
{
    bool right = true;
    for (size_t i = 0; i < sizeof trials / sizeof trials[0] && right; i++) {
        int port, fd = sockets_bind(&port);
        connections_expect_own(listener->connections, port, true);
        right = sockets_ask(fd, listener->options.host, listener->port, trials[i].question, ALIVE_MS) ==
                trials[i].status;
    }
    connections_expect_own(listener->connections, 0, false);
    if (!right)
        log_event(LOG_ERROR, "connections are not kept between requests",
                  log_str("reason", "this civetweb is not as the guard knows it"));
    atomic_store(&listener->keeps, right && listener->options.keep_alive_ms > 0);
}

static void log_no_memory(const struct http_options *options)
{
    log_event(LOG_ERROR, "cannot listen", log_str("address", options->host), log_str("error", "no memory"));
}

struct http_listener *http_open(const struct http_options *options, const struct http_route *routes,
                                void *context)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        log_no_memory(options);
        return NULL;
    }
    listener->options = *options;
    listener->routes = routes;
    listener->context = context;
    answer_register(listener);
    if (options->instrumented)
        metrics_register(&threads_metric, 1, listener);
    bool allocated = allocate(listener);
    if (!allocated)
        log_no_memory(options);
    if (allocated && start(listener) && answers(listener)) {
        try_guard(listener);
        return listener;
    }
    http_close(listener);
    return NULL;
}

int http_port(const struct http_listener *listener)
{
    return listener->port;
}

static bool asked_health(const struct http_listener *listener)
{
    int port, fd = sockets_bind(&port);
    return sockets_ask(fd, listener->options.host, listener->port, HEALTH_QUESTION, ALIVE_MS) == 200;
}

/* Whether the accepting thread takes connections, or may wait: the threads are judged for themselves. */
static bool accepts(struct http_listener *listener)
{
    if (connections_accepted(listener->connections) != listener->accepted ||
        connections_queue_full(listener->connections))
        return true;
    int port, fd = sockets_bind(&port);
    connections_expect_own(listener->connections, port, false);
    sockets_ask(fd, listener->options.host, listener->port, "", ALIVE_MS);
    connections_expect_own(listener->connections, 0, false);
    return connections_accepted(listener->connections) != listener->accepted ||
           connections_queue_full(listener->connections);
}

bool http_alive(struct http_listener *listener)
{
    struct load load = load_of(listener);
    bool alive = !load.hangs || load.answered != listener->answered || asked_health(listener);
    alive = alive && accepts(listener);
    listener->answered = load_of(listener).answered; /* what was asked here is no evidence at the next call */
    listener->accepted = connections_accepted(listener->connections);
    return alive;
}

static void end(struct http_listener *listener)
{
    if (!listener->civetweb)
        return;
    /* Else mg_stop waits until threads wake, up to two seconds. */
    sockets_each(listener->options.host, listener->port, socket_stop);
    mg_stop(listener->civetweb);
    listener->civetweb = NULL;
}

void http_drain(struct http_listener *listener, int64_t limit_ms)
{
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    const char *host = listener->options.host;
    atomic_store(&listener->draining, true);
    sockets_each(host, listener->port, socket_refuse);
    /* The list must be empty twice in a row: a connection that is being accepted right now is not in it. */
    for (int none = 0; none < 2 && clock_monotonic_ms() < until_ms;) {
        struct timespec step = {.tv_nsec = DRAIN_STEP_MS * 1000000};
        none = sockets_each(host, listener->port, socket_close_silent) == 0 ? none + 1 : 0;
        nanosleep(&step, NULL);
    }
    end(listener);
}

void http_close(struct http_listener *listener)
{
    if (!listener)
        return;
    end(listener);
    free(listener->workers);
    free(listener->buffers);
    connections_close(listener->connections);
    free(listener);
}
