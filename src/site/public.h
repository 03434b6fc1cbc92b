/* What pages and readers see: the widget in its three forms, the loader, and in developer mode the
 * playground. */
#pragma once

#include "http/server.h"
#include "site/visit.h"
#include "widget/widget.h"

struct public_options {
    struct visit_rules visits;
    struct http_names
        origins; /* that may read answers across origins; in developer mode any loopback origin may */
};

#define PUBLIC_BODY_BYTES ((size_t)128 << 10) /* the playground's files are the largest answers */

struct public_site;

/* Borrows the widget, which must outlive it. NULL when out of memory. Call before threads. */
struct public_site *public_open(const struct public_options *, struct widget *);
void public_close(struct public_site *);

/* Explains the visit that a request supposes (see visit_parse_hypothetical) as JSON; 400 with the reason
 * where its query cannot be read. Touches nothing. Who may ask is for the caller to say. */
void public_explain(const struct public_site *, const struct http_request *, struct http_answer *);

/* Its routes, for http_open with the site as context. */
extern const struct http_route public_routes[];
