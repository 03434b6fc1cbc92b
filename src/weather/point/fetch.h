/* The fetch thread: owns libcurl (which no other file includes), the queue of cells to fetch, and every
 * flight from submission to its one call of `done`. */
#pragma once

#include "weather/cell/cell.h"
#include "weather/cell/curve.h"
#include "weather/point/provider.h"
#include "weather/point/quota.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_PARALLEL_MAX 32
#define FETCH_PROXY_BYTES  256

/* Called on the fetch thread: the curve that there is for a cell and that can be read now. False without. */
typedef bool fetch_known(void *context, struct cell, struct curve *out);

struct fetch_options {
    enum provider_id order[PROVIDERS]; /* tried in this order within one flight */
    size_t order_count;
    struct provider_options providers[PROVIDERS];
    struct quota_options quota;
    char user_agent[192];
    char proxy[FETCH_PROXY_BYTES]; /* "": none, whatever the environment says */
    int64_t timeout_ms;            /* for the whole answer to one request, name resolution included */
    size_t parallel;               /* flights in the air at one time, 1 to FETCH_PARALLEL_MAX */
    fetch_known *known;            /* for conditional requests; NULL: none are made */
};

/* Called on the fetch thread, once for each accepted flight: with a curve, or with NULL when every provider
 * failed. */
typedef void fetch_done(void *context, struct cell, const struct curve *);

struct fetch;

/* Starts the thread. NULL on failure (logged). Registers the metrics of upstreams. Call before other threads.
 */
struct fetch *fetch_open(const struct fetch_options *, fetch_done *, void *context);

/* Queues a flight. Urgent ones (somebody waits, or has no number) go before refreshes. False when the queue
 * is full: then `done` is not called. Thread-safe, never blocks on the network. */
bool fetch_submit(struct fetch *, struct cell, bool urgent);

/* Whether a flight may be submitted on behalf of somebody who may name any place: counts it against the share
 * that such flights have of every provider's budgets (see quota_choose). Thread-safe. */
bool fetch_admit(struct fetch *, const struct instant *now);

/* How much longer than configured a provider's curve is to live, so that its budgets last; 1 or more.
 * Thread-safe. */
double fetch_stretch(struct fetch *, enum provider_id, const struct instant *now);

/* weather_upstreams, for the providers in use. Thread-safe. */
size_t fetch_look(struct fetch *, const struct instant *now, struct weather_upstream out[PROVIDERS]);

/* Gives up flights and queue, without calling `done`, and ends the thread. */
void fetch_close(struct fetch *);
