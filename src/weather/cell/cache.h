/* The cell cache: one entry a cell, with its curve and its state. Knows when a fetch is due and sees to it
 * that there is one flight per cell; does not fetch. A refused or failed fetch is a state of the cell, with a
 * time to try again.
 *
 * All functions are thread-safe. One mutex guards everything in it and is held for no call into another file
 * but curve.h's pure functions; one condition is broadcast when a flight lands. */
#pragma once

#include "base/clock.h"
#include "weather/cell/curve.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_options {
    size_t capacity;    /* cells; the memory is reserved at once and touched as cells come */
    int64_t refresh_ms; /* a curve is due for a refresh at this age, give or take a tenth */
    int64_t keep_ms;    /* a curve is not read past this age */
    size_t max_waiters; /* threads in cache_wait at one time */
};

enum cache_result {
    CACHE_HIT,
    CACHE_STALE,    /* a curve whose due refresh failed */
    CACHE_MISS,     /* nothing to read yet: a flight is under way, or must be started */
    CACHE_NEGATIVE, /* nothing to read, and not yet time to try again */
    CACHE_RESULTS
};
extern const char *const cache_result_names[CACHE_RESULTS];

struct cache_view {
    enum cache_result result;
    bool fetch;            /* the caller must start the flight, and end it with cache_put or cache_fail */
    struct curve curve;    /* for CACHE_HIT and CACHE_STALE: covers the instant asked for */
    int64_t age_ms;        /* of the curve, never negative */
    int64_t refresh_in_ms; /* until it is due, negative when overdue; without a curve: until the next try */
    int64_t retry_in_ms;   /* where the last fetch failed: until the next try; else 0 */
    bool in_flight;
};

struct cache;

/* NULL when out of memory. Registers the cache's metrics. */
struct cache *cache_open(const struct cache_options *);
void cache_close(struct cache *);

enum cache_insert {
    CACHE_EVICT,   /* a cell without an entry gets one, at the cost of another if the cache is full */
    CACHE_IF_ROOM, /* only if the cache is not full */
    CACHE_NEVER,
    CACHE_LEAVE, /* nor is a flight to be started: a due refresh counts as refused */
};

/* Looks a cell up for somebody, making an entry as far as `insert` allows. Without an entry the result is
 * CACHE_NEGATIVE, and nothing is to be fetched. Counted. */
void cache_ask(struct cache *, uint64_t key, enum cache_insert insert, const struct instant *now,
               struct cache_view *out);

/* Looks without making, starting, marking or counting anything. False when there is no entry. */
bool cache_peek(struct cache *, uint64_t key, const struct instant *now, struct cache_view *out);

/* A cell that is not in the cache, as if it were: its curve (count 0: none) was fetched `age_ms` ago, and
 * where `retry_in_ms` is not 0 all later fetches failed. Touches nothing; exact, without jitter. */
struct cache_view cache_imagine(const struct cache *, const struct curve *, int64_t age_ms,
                                int64_t retry_in_ms, const struct instant *now);

/* Waits until the cell's flight lands or the real monotonic clock reaches `until_ms`. False at once when
 * there are max_waiters already, and false when the time was up. */
bool cache_wait(struct cache *, uint64_t key, int64_t until_ms);

/* Ends a flight with a curve, which lives `stretch` times `refresh_ms`, or without one. Without, the cell
 * keeps what it has and backs off. */
void cache_put(struct cache *, uint64_t key, const struct instant *now, const struct curve *, double stretch);
void cache_fail(struct cache *, uint64_t key, const struct instant *now);

/* A cell as it outlives the process. Failures and flights do not. */
struct cache_record {
    uint64_t key;
    struct curve curve;
    int64_t refresh_after_ms; /* from the fetch of the curve until its refresh is due */
};

/* Copies the next cells that have a curve, at most CACHE_BATCH, so that the lock is never held for long.
 * *cursor is 0 at first and then handed back as it was left. True while there may be more. A cell that is
 * evicted and comes back during a walk may be missed, or come twice, the newer one later. */
#define CACHE_BATCH 256
bool cache_copy(struct cache *, size_t *cursor, struct cache_record out[CACHE_BATCH], size_t *count);

/* A cell as an operator sees it, without its curve. */
struct cache_sight {
    uint64_t key;
    enum cache_result result;
    int64_t fetched_s;   /* Unix time; 0: it never had a curve */
    int64_t until_s;     /* for CACHE_HIT and CACHE_STALE: until when the curve can be read */
    int64_t retry_in_ms; /* as in struct cache_view */
    bool in_flight;
    uint32_t visits;  /* how often it was asked for since its curve came */
    uint8_t provider; /* of the curve */
};

/* Looks at the next cells, at most `max`, as they are at `now`; changes and counts nothing. *cursor as for
 * cache_copy; the lock is held for one call. Returns how many; 0 at the end. */
size_t cache_survey(struct cache *, size_t *cursor, const struct instant *now, struct cache_sight *out,
                    size_t max);

/* Puts a cell with a valid curve back, over what it had. False when that is of no use at `now`: fetched later
 * than now or longer ago than `keep`, without a temperature for now, or no room. */
bool cache_restore(struct cache *, const struct cache_record *, const struct instant *now);
