/* What pages and readers see: the widget in its forms, the loader, and in developer mode the playground. */
#pragma once

#include "site/visit.h"

/* The context of the routes for http_open, which must outlive the listener. Call visit_register before. */
struct public_site {
    struct visit_rules visits;
    struct http_names origins; /* that may read answers (CORS); in developer mode also any loopback origin */
    struct widget widget;
};

#define PUBLIC_BODY_BYTES ((size_t)128 << 10) /* the playground's files are the largest answers */

/* Explains as JSON the visit that a request describes (see visit_parse_hypothetical); 400 with the reason
 * where its query cannot be read. Changes nothing. The caller checks who may ask. Thread-safe. */
void public_explain(const struct public_site *, const struct http_request *, struct http_answer *);

/* The routes. */
extern const struct http_route public_routes[];
