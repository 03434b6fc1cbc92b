/* A listener: one civetweb context with its own threads, a table of routes, a guard before them and one write
 * per answer. Only listener.c, answer.c, request.c and guard.c include civetweb's header. TLS, compression
 * and IPv6 are for the proxy in front: Debian's civetweb is built without. */
#pragma once

#include "base/text.h"
#include "visitor/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HOST_BYTES 64
#define HTTP_NAMES_MAX  16
#define HTTP_NAME_BYTES 128

/* A short list of names from the configuration: hosts, origins. */
struct http_names {
    char names[HTTP_NAMES_MAX][HTTP_NAME_BYTES];
    size_t count;
};

struct http_request {
    const char *method; /* GET, HEAD, POST or OPTIONS: nothing else passes the guard */
    const char *path;   /* still percent-encoded, without the query */
    const char *query;  /* still percent-encoded, without the "?"; "" when there is none */
    struct address peer;
    const void *connection; /* civetweb's, for http_header */
};

/* Writes up to `max` values of every line of a header, in order of arrival; returns how many lines there are.
 */
size_t http_header(const struct http_request *, const char *name, const char **values, size_t max);

/* Whether the request names this service by an IP literal, `localhost` or one of `hosts` (against DNS
 * rebinding). */
bool http_host_allowed(const struct http_request *, const struct http_names *hosts);

/* Decodes percent-encoding. False, and out = "", when it does not fit or decodes to a NUL or a control
 * character. */
bool http_decode(const char *encoded, char *out, size_t size);

/* Walks a query: each call decodes the next pair and moves *query on. False at the end. A name or value that
 * is too long, or decodes to a NUL or a control character, comes as "". */
#define HTTP_PARAMETER_BYTES 128
struct http_parameter {
    char name[HTTP_PARAMETER_BYTES];
    char value[HTTP_PARAMETER_BYTES];
    const char *raw; /* the value, still encoded, `raw_length` bytes of the query */
    size_t raw_length;
};
bool http_next_parameter(const char **query, struct http_parameter *);

/* Decodes a value that may be longer. False, and out = "", under the same conditions. */
bool http_parameter_value(const struct http_parameter *, char *out, size_t size);

struct http_answer {
    int status;          /* 200 when the handler is called */
    const char *type;    /* content type, static */
    struct text headers; /* further lines, each with its CRLF */
    struct text body;
    struct {
        const char *state, *source; /* static, or NULL */
        struct address reader;      /* as resolved, ADDRESS_NONE where it was not looked at or is not known */
    } told;                         /* to the access log */
};

/* Answers with one line of plain text, in place of any body so far; never cached. */
void http_respond_text(struct http_answer *, int status, const char *line);

typedef void http_handler(void *context, const struct http_request *, struct http_answer *);

enum http_access {
    HTTP_ANY_HOST,    /* answers whatever name it is called by */
    HTTP_KNOWN_HOSTS, /* see http_host_allowed; else 403 */
    HTTP_DEVELOPERS,  /* the same, in developer mode; else 404 */
};

struct http_route {
    const char *path;     /* exact, or a prefix when it ends with "*" */
    const char *endpoint; /* label in metrics */
    http_handler *handle;
    enum http_access access;
    bool post; /* POST only, else GET and HEAD only */
    bool cors; /* OPTIONS is the handler's, too */
};

struct http_options {
    char host[HTTP_HOST_BYTES]; /* IPv4 literal */
    int64_t port;               /* 0: a free one */
    int64_t threads;
    int64_t request_timeout_ms;
    int64_t keep_alive_ms; /* 0: every answer closes */
    size_t body_bytes;     /* ceiling of an answer's body, reserved per thread */
    bool instrumented; /* durations and threads go into the metrics, answers into the access log: the public
                          one */
    struct http_names hosts;
    bool dev; /* developer mode */
};

/* Answers 200 "ok": the process answers. For the routes of any listener. */
http_handler http_serve_health;

struct http_listener;

/* Starts listening. The routes, which end with one without a path, must outlive it; `context` is handed to
 * their handlers. NULL on failure (logged). */
struct http_listener *http_open(const struct http_options *, const struct http_route *, void *context);

/* The port it listens on. */
int http_port(const struct http_listener *);

/* How many of its threads are held by an open connection, and how many there are. Thread-safe. */
void http_threads(const struct http_listener *, int64_t *busy, int64_t *all);

/* Whether it serves: it has answered since the last call, or answers a question for /healthz within a second,
 * or all its threads are held by connections and no handler has been at work for longer than
 * request_timeout_ms. For one thread, always the same. */
bool http_alive(struct http_listener *);

/* Ends the listener without losing a request that has reached it: takes no new connections, closes those that
 * are idle, answers all others, which wait for a thread perhaps, with `Connection: close`. After `limit_ms`
 * what is left is cut off, once its handler has returned. For the thread of http_open. */
void http_drain(struct http_listener *, int64_t limit_ms);

/* Without http_drain before, answers under way are cut off. NULL is no error. */
void http_close(struct http_listener *);
