/* What operators and monitors see, on a listener of its own, which answers while the public one is saturated.
 */
#pragma once

#include "ops/status.h"
#include "site/public.h"

struct ops_options {
    struct status *status;          /* borrowed */
    const struct public_site *site; /* of which /explain tells; borrowed */
};

#define OPS_BODY_BYTES ((size_t)1 << 20)
#define OPS_THREADS    16

/* The routes. Their context for http_open is struct ops_options, which must outlive the listener. */
extern const struct http_route ops_routes[];
