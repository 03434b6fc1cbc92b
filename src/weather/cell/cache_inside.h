/* What the cache is made of. Private to cache.c and cache_records.c. */
#pragma once

#include "weather/cell/cache.h"
#include "weather/cell/judge.h"

#include <pthread.h>

struct cache {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    /* All below guarded by lock. */
    struct table table;
    size_t waiters;
    struct judge judge; /* its options never change */
};

/* Whether the entry has a curve that was fetched. */
static inline bool cache_own_curve(const struct entry *entry)
{
    return entry->curve.count > 0 && !entry->ground;
}

/* Gives an entry a new curve. Hours of the last day that only the old one has stay with the cell. */
void cache_replace_curve(struct entry *, const struct curve *, const struct instant *now);
