/* What the quota is made of. Private to quota.c and quota_lease.c; the functions are called with its lock
 * held. */
#pragma once

#include "weather/point/breaker.h"
#include "weather/point/quota.h"
#include "weather/point/quota_file.h"

#include <pthread.h>

struct account {
    struct quota_kept kept;              /* with all in `spent` that is leased or about to be */
    int64_t began_ms[QUOTA_WINDOWS];     /* boot time at which the one that `spent` counts for began */
    int64_t spent_public[QUOTA_WINDOWS]; /* by FETCH_PUBLIC */
    int64_t leased;                      /* requests that the file covers and that may still be made */
    int64_t pending;                     /* the same, once the file is written */
    int64_t asked;                       /* requests granted since the start of the process */
    /* Of a fleet. */
    int64_t others[QUOTA_WINDOWS]; /* what the other instances have spent or hold */
    int64_t before[QUOTA_WINDOWS]; /* what this one had when it was alone last */
    bool alone;                    /* the last draw was not answered, or there was none yet */
    bool denied;                   /* it was, with nothing */
    uint32_t rolls;                /* how often a window has begun */
    struct breaker breaker;
    /* Whether it was asked, when and how flights ended; no more is kept here. */
    struct weather_upstream stats;
};

struct quota {
    struct quota_options options;
    pthread_mutex_t lock;
    pthread_cond_t low;
    bool stopped; /* guarded by lock, as all below */
    uint64_t instance;
    bool unwritten; /* the file could not be written: the leases that there are, are the last */
    struct account accounts[WEATHER_PROVIDERS];
};

extern const int64_t quota_window_s[QUOTA_WINDOWS]; /* their lengths */

/* Starts a new window when the wall clock enters one. */
void quota_roll(struct account *, const struct instant *now);

/* Counts requests as spent in every window; negative: gives them back. */
void quota_add_spent(struct account *, int64_t requests);

/* What this instance may spend of a budget in all: what the others leave, or, while it is alone, its part of
 * that. */
int64_t quota_ceiling(const struct quota *, enum provider_id, size_t window, bool alone);

/* What it may still spend, leases included; never negative. */
int64_t quota_remaining(const struct quota *, enum provider_id, size_t window);

/* Whether a provider's requests are to be counted elsewhere before they are made. */
bool quota_needs_lease(const struct quota *, enum provider_id);

/* Whether quota_renew would lease something, and has not just been denied that. */
bool quota_leases_low(const struct quota *);
