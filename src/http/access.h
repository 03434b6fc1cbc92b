/* The access log: one line for each answer of the public listener, where it is wanted.
 *
 *     msg=answered method=GET endpoint=widget.json status=200 us=112 state=fresh source=geoip
 * visitor=192.0.2.0/24
 *
 * Nothing of a request is in it as it came but the method, which is escaped: the endpoint is the route's
 * label. */
#pragma once

#include "http/server.h"

#include <stdbool.h>
#include <stdint.h>

enum access_visitor { ACCESS_NONE, ACCESS_NETWORK, ACCESS_FULL };

struct access_options {
    bool lines;      /* whether there are any */
    int64_t visitor; /* enum access_visitor: what of a reader's address is written; its network is a /24 or a
                        /48 */
};

/* May be called again at any time (a reload), on any thread. */
void access_configure(const struct access_options *);

/* Writes the line, if lines are wanted. Thread-safe. */
void access_log(const char *method, const char *endpoint, int64_t us, const struct http_answer *);
