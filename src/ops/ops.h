/* What operators and monitors see, on a listener of its own that answers while the public one is saturated.
 */
#pragma once

#include "http/server.h"
#include "ops/status.h"
#include "site/public.h"

struct ops_options {
    /* Whether the service can serve: asked at each /readyz, on any thread. */
    bool (*ready)(void *context);
    void *context;
    struct status *status;          /* borrowed */
    const struct public_site *site; /* that /explain explains */
};

#define OPS_BODY_BYTES ((size_t)1 << 20)
#define OPS_THREADS    4

/* The routes; the options, as context for http_open, must outlive the listener. */
extern const struct http_route ops_routes[];
