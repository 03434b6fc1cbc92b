/* A listener: one civetweb context with threads of its own, a table of routes, a guard before them, and one
 * write per answer. Only listener.c, answer.c, request.c and guard.c include civetweb's header. TLS,
 * compression and IPv6 are for the proxy in front: Debian's civetweb is built without. */
#pragma once

#include "base/text.h"
#include "visitor/address.h"

#define HTTP_HOST_BYTES 64
#define HTTP_NAMES_MAX  16
#define HTTP_NAME_BYTES 128

/* A short list of names from the configuration: hosts, origins. */
struct http_names {
    char names[HTTP_NAMES_MAX][HTTP_NAME_BYTES];
    size_t count;
};

struct http_request {
    const char *method; /* of those that a route takes */
    const char *path;   /* still percent-encoded, without the query */
    const char *query;  /* still percent-encoded, without the "?"; "" when there is none */
    struct address peer;
    const struct http_route *route; /* NULL: none */
    const void *connection;         /* civetweb's, for http_header */
};

/* Writes the values of a header's lines, at most `max`, in order of arrival. Returns how many lines there
 * are; it can be more than `max`. The name may be in any case. */
size_t http_header(const struct http_request *, const char *name, const char **values, size_t max);

/* Whether the client takes a body in a content coding, by Accept-Encoding: one that it names without
 * `q=0`, or, where it names none such, by `*`. */
bool http_accepts_coding(const struct http_request *, const char *coding);

/* Splits "host", "host:port" or "[IPv6]:port": the host without port and brackets, and whether it is an IP
 * literal. False when malformed. */
bool http_split_host(const char *text, char host[HTTP_NAME_BYTES], bool *literal);

/* Whether the request's Host is an IP literal, `localhost` or one of `hosts`: a defence against DNS
 * rebinding. */
bool http_host_allowed(const struct http_request *, const struct http_names *hosts);

/* Whether the request is from a page of its own Host, or from no page: what browsers say in Sec-Fetch-Site
 * and Origin, and other clients do not. */
bool http_same_site(const struct http_request *);

/* Decodes percent-encoding, and with `form` a plus for a space. False, and out = "", when it does not fit or
 * decodes to a NUL or a control character. */
bool http_decode(const char *encoded, size_t length, bool form, char *out, size_t size);

/* Reads the next pair of a query and moves *query behind it. False at the end. A name or value that does not
 * fit, or decodes to a NUL or a control character, is read as "". */
#define HTTP_PARAMETER_BYTES 128
struct http_parameter {
    char name[HTTP_PARAMETER_BYTES];
    char value[HTTP_PARAMETER_BYTES];
    const char *raw; /* the value, which may be longer: still encoded, `raw_length` bytes of the query */
    size_t raw_length;
};
bool http_next_parameter(const char **query, struct http_parameter *);

struct http_answer {
    int status;          /* 200 when the handler is called */
    const char *type;    /* content type, static */
    const char *policy;  /* Content-Security-Policy, static; NULL: it may load nothing, and nobody frame it */
    struct text headers; /* further lines, each with its CRLF */
    struct text body;
    struct {
        const char *state, *source; /* static, or NULL */
        struct address reader;      /* ADDRESS_NONE: not known */
    } log_fields;                   /* for the access log */
};

/* Names the state of the answer's body by an entity tag, given without its quotes, of at most 60 bytes. True
 * when the client holds that state (If-None-Match): the answer is then a 304, and no body may be written. */
bool http_respond_unchanged(const struct http_request *, struct http_answer *, const char *tag);

/* Makes the answer one line of plain text, in place of the body so far, which no cache keeps. */
void http_respond_text(struct http_answer *, int status, const char *line);

typedef void http_handler(void *context, const struct http_request *, struct http_answer *);

enum http_access {
    HTTP_ANY_HOST,
    HTTP_KNOWN_HOSTS, /* those of http_host_allowed, else 403 */
    HTTP_DEVELOPERS,  /* the same; outside developer mode 404 */
};

struct http_route {
    const char *path;     /* exact, or a prefix when it ends with "*" */
    const char *endpoint; /* label in metrics */
    http_handler *handle;
    const void *form; /* for a handler that serves several routes */
    enum http_access access;
    bool post; /* POST only, not from another site's page; else GET and HEAD only */
    bool cors; /* the handler answers OPTIONS, too */
};

struct http_options {
    char host[HTTP_HOST_BYTES]; /* IPv4 literal */
    int64_t port;               /* 0: a free one */
    int64_t threads;
    int64_t request_timeout_ms;
    int64_t keep_alive_ms; /* 0: every answer closes */
    size_t body_bytes;     /* ceiling of an answer's body; each thread has a buffer of this size */
    bool instrumented;     /* with metrics of durations and threads, and an access log: for one listener */
    const struct network_set *trusted; /* peers that may hold any number of threads; NULL: all. Borrowed */
    struct http_names hosts;
    bool dev; /* developer mode */
};

/* Answers 200 "ok". A listener needs it at /healthz for http_alive. */
http_handler http_serve_health;

enum access_visitor { ACCESS_NONE, ACCESS_NETWORK, ACCESS_FULL };

struct access_options {
    bool lines;      /* whether the access log has lines: one for each answer of the instrumented listener */
    int64_t visitor; /* enum access_visitor: how much of a reader's address; a network is a /24 or a /48 */
};

/* Takes effect from the next line. Thread-safe. */
void access_configure(const struct access_options *);

struct http_listener;

/* Starts listening. The routes end with one without a path, and must outlive the listener. Handlers get
 * `context`. NULL on failure (logged). */
struct http_listener *http_open(const struct http_options *, const struct http_route *, void *context);

/* The port it listens on. */
int http_port(const struct http_listener *);

/* How many threads an open connection holds, and how many there are. Thread-safe. */
void http_threads(const struct http_listener *, int64_t *busy, int64_t *all);

/* Whether the listener serves. Its accepting thread does if it has accepted since the last call, or accepts a
 * connection of our own within a second, for which no thread is needed, or may wait because civetweb's queue
 * is full. Its threads do unless a handler has been at work for longer than request_timeout_ms, none has
 * answered since the last call, and a question for /healthz is not answered within a second. That strangers
 * hold threads does not count. Call on the thread of http_open. */
bool http_alive(struct http_listener *);

/* Ends the listener without losing a request that has reached it: takes no new connection, closes idle ones,
 * and answers all requests, also those that wait for a thread, with `Connection: close`. What is left after
 * `limit_ms` is cut off as soon as its handler returns. Call on the thread of http_open. */
void http_drain(struct http_listener *, int64_t limit_ms);

/* Cuts off answers under way where http_drain did not come before. NULL does nothing. */
void http_close(struct http_listener *);
