/* The access log: a line for each answer of the instrumented listener, where it is configured.
 *
 *     msg=answered method=GET endpoint=widget.json status=200 us=112 state=fresh source=geoip
 * visitor=192.0.2.0/24
 *
 * Of a request's own bytes only the method is in it, escaped; the endpoint is the route's label. */
#pragma once

#include "http/server.h"

enum access_visitor { ACCESS_NONE, ACCESS_NETWORK, ACCESS_FULL };

struct access_options {
    bool lines;      /* whether lines are written */
    int64_t visitor; /* enum access_visitor: how much of a reader's address; a network is a /24 or a /48 */
};

/* Takes effect from the next line. Thread-safe. */
void access_configure(const struct access_options *);

/* Writes the line, if lines are configured. `us`: how long the answer took. Thread-safe. */
void access_log(const char *method, const char *endpoint, int64_t us, const struct http_answer *);
