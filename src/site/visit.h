/* A request as a visit: who asks, and for what. A parameter of the query that is unknown, malformed or not
 * allowed is ignored and named, in our own words; it never changes the status of the answer. */
#pragma once

#include "http/server.h"
#include "synthetic/scenario.h"
#include "visitor/client.h"
#include "widget/widget.h"

#define VISIT_HEADER_BYTES (2 * CLIENT_HEADER_BYTES)

struct visit_rules {
    struct client_options client;
    struct http_names place_headers; /* none or four, written by a trusted proxy: city, country, latitude,
                                        longitude */
    int64_t units;                   /* enum units: the default */
    bool dev;                        /* developer mode: `ip=`, `scenario=` and `at=` count for dev_from */
    struct network_set dev_from;     /* clients as resolved, whatever the peer of the connection is */
    struct http_names hosts;
    struct scenario scenario; /* of requests that name none; its reader counts where `ip=` would */
};

/* A request as it was read, with what a developer's query overrides and what of a query was ignored. */
struct visit_request {
    struct visit visit;
    struct origin origin;
    bool overridden;          /* the reader or the weather is not the real one */
    struct scenario scenario; /* where visit.simulated */
    struct text ignored;      /* "ip; client not in dev.from, units; not known"; cut at an entry */
    char storage[512];
};

/* Registers the metrics of visits. Call before threads. */
void visit_register(void);

/* Counts and names a parameter that was ignored. An unknown one is named "parameter". `reason` is static. */
void visit_ignore(struct visit_request *, const char *parameter, const char *reason);

/* Why this client may override nothing, a static string; NULL: it may. Thread-safe. */
const char *visit_refusal(const struct visit_rules *, const struct http_request *);

/* Reads a request. The order of its parameters does not matter; `ip=` goes before a scenario's reader.
 * Thread-safe. */
void visit_read(const struct visit_rules *, const struct http_request *, struct visit_request *);

/* Reads the request that the query describes: `ip=` is the peer of its connection, `header=` its forwarding
 * header (alone: from a proxy on this machine). Without them and without a scenario's reader it is the
 * request itself. Checks no permission, but scenarios and instants need developer mode. `header` is storage
 * that `origin` refers to. Thread-safe. */
void visit_parse_hypothetical(const struct visit_rules *, const struct http_request *,
                              char header[VISIT_HEADER_BYTES], struct visit_request *);

/* The value of a parameter, "" when it is missing. Valid while `storage` is. */
const char *visit_parameter(const struct http_request *, const char *name, struct http_parameter *storage);
