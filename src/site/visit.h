/* A request as a visit: whose address it comes from, and what its query asks for. What is unknown, malformed
 * or not allowed in a query is ignored and named, in our own words, and never changes the status of the
 * answer. */
#pragma once

#include "http/server.h"
#include "synthetic/scenario.h"
#include "visitor/client.h"
#include "widget/explain.h"
#include "widget/widget.h"

#define VISIT_HEADER_BYTES (2 * CLIENT_HEADER_BYTES)

struct visit_rules {
    struct client_options client;
    struct http_names
        place_headers;           /* none, or four: city, country, latitude, longitude, from a trusted proxy */
    int64_t units;               /* enum units, where the query does not say */
    bool dev;                    /* developer mode: `ip=`, `scenario=` and `at=` count, for */
    struct network_set dev_from; /* these *resolved* clients, never because of the connection's peer */
    struct http_names hosts;
    struct scenario scenario; /* of requests that name none; its reader only where `ip=` would count, too */
};

struct visit_notes {
    bool overridden;          /* a developer said who asks, or what the weather is */
    struct scenario scenario; /* that was staged, if visit.imagined */
    struct text ignored;      /* "ip; client not in dev.from, units; not known", or empty; what fits, whole */
    char storage[512];
};

/* Registers the metrics of visits. Call once, before threads. */
void visit_register(void);

/* Notes that a parameter did not count. One that we do not know is noted as "parameter", never by its name;
 * `reason` is in our words. */
void visit_ignore(struct visit_notes *, const char *parameter, const char *reason);

/* Why this client may fake nothing, in our words; NULL when it may. Thread-safe. */
const char *visit_refusal(const struct visit_rules *, const struct http_request *);

/* Reads a request. What a developer says of it counts in any order: `ip=` goes before the reader of a
 * scenario. Thread-safe. */
void visit_read(const struct visit_rules *, const struct http_request *, struct visit *,
                struct visit_notes *);

/* Reads a request about another one. `ip=` is the address from which that one comes to us, `header=` its
 * forwarding header (alone: from a proxy on this machine); without either, or a scenario's reader, it is this
 * very request. The rest of the query counts for that other one. Looks at nobody's permission, but scenarios
 * and instants are for developer mode. Keeps the header in `header`; where that is
 * NULL, nothing is supposed, as in visit_read. Thread-safe. */
void visit_parse_hypothetical(const struct visit_rules *, const struct http_request *,
                              char header[VISIT_HEADER_BYTES], struct origin *, struct visit *,
                              struct visit_notes *);

/* The value of a parameter that some paths have beside the common ones; "" when it is not there. Valid while
 * `storage` is. */
const char *visit_parameter(const struct http_request *, const char *name, struct http_parameter *storage);
