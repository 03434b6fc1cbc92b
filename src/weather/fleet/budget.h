/* A budget that all instances share, counted in Redis by its own clock. Each instance has a field of its own
 * in the hash of a window and says there what it has spent or holds, as a number that only grows: so a count
 * that is told twice, or told again to a Redis that was wiped, is no second one. */
#pragma once

#include "weather/fleet/redis.h"

#define BUDGET_WINDOWS   3 /* of a minute, an hour and a day of UTC */
#define BUDGET_KEY_BYTES 64

struct budget {
    uint64_t instance;
    const char *provider;           /* static */
    int64_t limits[BUDGET_WINDOWS]; /* requests; 0: no limit */
    int64_t own[BUDGET_WINDOWS];    /* spent or held by this instance */
    int64_t wanted;                 /* requests to hold in addition */
    /* The answer. */
    int64_t granted;                /* 0 to wanted */
    int64_t now_s;                  /* by Redis' clock, which says in which windows */
    int64_t others[BUDGET_WINDOWS]; /* spent or held by all others */
    int64_t instances;              /* that have drawn from it in this hour, this one included */
};

/* Draws: counts what is granted for this instance. One round trip; `prefix` begins the keys. */
enum redis_end budget_draw(struct redis *, const char *prefix, struct budget *, struct redis_reply *reply);
