/* What listener.c, which starts and ends a listener, answer.c, which answers its requests, and access.c,
 * which logs the answers, share. Each civetweb thread serves one connection at a time, and has one struct
 * worker. Workers' counters and `draining` are atomic; all else is constant after http_open. */
#pragma once

#include "base/clock.h"
#include "http/connections.h"
#include "http/server.h"

struct mg_connection;
struct mg_context;

#define HEAD_BYTES    2048
#define HEADERS_BYTES 1024 /* of HEAD_BYTES, for the handler's own lines */
#define ROUTES_MAX    32

struct worker {
    atomic_bool connected;                 /* an open connection, idle or not, holds the thread */
    atomic_int_fast64_t handling_since_us; /* monotonic time; 0: no handler is at work */
    atomic_uint_fast64_t answered;         /* requests */
    struct connection_reader reader;
    bool handled, refused; /* this request, by answer_request; the last, by answer_error */
    time_t date_s;         /* of `date`, as Unix time */
    char date[CLOCK_HTTP_BYTES];
    char headers[HEADERS_BYTES];
    char *head_and_body; /* HEAD_BYTES, then options.body_bytes: the head is written right before the body */
};

struct http_listener {
    struct mg_context *civetweb; /* NULL: not started, or ended */
    const struct http_route *routes;
    size_t endpoints[ROUTES_MAX]; /* label index of each route */
    void *context;
    struct http_options options;
    int port;
    struct worker *workers; /* options.threads of them */
    char *buffers;          /* of all workers */
    struct connections *connections;
    atomic_size_t started; /* workers that have a thread */
    atomic_bool draining;
    atomic_bool keeps;           /* connections between requests */
    uint64_t answered, accepted; /* requests and connections, at the end of the last http_alive */
};

/* Writes a line of the access log, if lines are configured. `us`: how long the answer took. Thread-safe. */
void access_log(const char *method, const char *endpoint, int64_t us, const struct http_answer *);

/* Registers the metrics of answers, and fills in `endpoints` from the routes. Call before the listener's
 * threads. */
void answer_register(struct http_listener *);

/* civetweb's callbacks begin_request and http_error. */
int answer_request(struct mg_connection *);
int answer_error(struct mg_connection *, int status, const char *message);

/* civetweb's callback end_request, which alone is called for a request whose memory fails: answers 503. */
void answer_unhandled(const struct mg_connection *, int status);

/* For the end of a connection: civetweb hands "OPTIONS *" and "GET http://host/path" to no callback, and ends
 * the connection. Answers 400. */
void answer_unrouted(const struct mg_connection *);
