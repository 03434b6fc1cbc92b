/* The cell cache: one entry a cell, with its curve and its state. It owns what is to be fetched: an entry
 * that needs a fetch stands on one of three lists, by class, until the fetch thread takes it. One fetch a
 * cell whatever happens. A failed or refused fetch is a state of the cell, with a time to try again.
 *
 * All functions are thread-safe. One mutex guards everything in it and is held for no call into another file
 * but pure functions of curve.h; one condition is broadcast when a fetch ends. No call takes more than a
 * bounded number of steps under it. */
#pragma once

#include "base/clock.h"
#include "weather/cell/curve.h"
#include "weather/cell/state.h"

#include <stddef.h>

struct cache_options {
    size_t capacity;    /* cells; the memory is reserved at once and touched as cells come */
    int64_t refresh_ms; /* a curve is due for a refresh at this age, give or take a tenth */
    int64_t keep_ms;    /* a fetched curve is not read past this age */
    size_t max_waiters; /* threads in cache_wait at one time */
    bool fetchless;     /* there is nobody to fetch: nothing is listed */
};

struct cache_view {
    enum weather_state state; /* never WEATHER_UNKNOWN */
    bool listed;              /* by this call: the fetch thread is to be woken */
    bool wants_ground;        /* a curve of the whole earth's weather would be better: see cache_lay */
    bool in_flight;           /* a fetch is listed or under way */
    struct curve curve;       /* for WEATHER_FRESH and WEATHER_STALE: covers the instant asked for */
    int64_t until_s;          /* Unix time from which on that curve is too old to be read */
    int64_t age_ms;           /* of the curve, never negative */
    int64_t refresh_in_ms; /* until it is due, negative when overdue; without a curve: until the next try */
    int64_t retry_in_ms;   /* where the last fetch failed: until the next try; else 0 */
};

struct cache;

/* NULL when out of memory. Registers the cache's metrics. */
struct cache *cache_open(const struct cache_options *);
void cache_close(struct cache *);

/* The ground: weather of the whole earth, which has a curve for any cell at once. It is known here by the
 * number of its present state, which changes with each; 0: there is none for now. A fetched curve goes before
 * it until its refresh is 2 * `refresh_ms` overdue, and while budgets press only cells that many ask for are
 * fetched.
 *
 * Looks a cell up for a client, making an entry as far as the client allows (a visitor's may evict another),
 * and lists or promotes the fetch that it needs. Without an entry the state is WEATHER_NEGATIVE. Counted,
 * unless the client is WEATHER_PEEK: then the cell's state is what the next visitor would be told;
 * WEATHER_MISS without an entry. Returns whether there is an entry. */
bool cache_get(struct cache *, uint64_t key, enum weather_client, uint32_t ground, const struct instant *now,
               struct cache_view *out);

/* Gives a cell that wants it the curve of that ground, which tells when it becomes stale (`stale_s`) and when
 * the next is expected (`expires_s`), and looks the cell up again. Keeps nothing for WEATHER_PEEK, and
 * nothing where there is no entry: the view is the same. Not counted. */
void cache_lay(struct cache *, uint64_t key, enum weather_client, uint32_t ground, const struct curve *,
               const struct instant *now, struct cache_view *out);

/* A cell that is not in the cache, as if it were: its curve (count 0: none) was fetched `age_ms` ago, and
 * where `retry_in_ms` is not 0 all later fetches failed. Touches nothing; exact, without jitter. */
struct cache_view cache_simulate(const struct cache *, const struct curve *, int64_t age_ms,
                                 int64_t retry_in_ms, const struct instant *now);

/* Waits until the cell's fetch has ended or the real monotonic clock reaches `until_ms`. False at once when
 * there are max_waiters already, and false when the time was up. */
bool cache_wait(struct cache *, uint64_t key, int64_t until_ms);

/* A fetch that is to be made. */
struct cache_fetch {
    uint64_t key;
    enum fetch_class class;
    uint8_t provider;   /* of the present curve */
    int64_t modified_s; /* its Last-Modified, if the curve leads for another day; 0: there is nothing to
                           confirm */
};

/* Takes the next fetch off the lists: the most urgent one, but after CACHE_IN_A_ROW of a class one of a lower
 * class, first come, first served within each. False when there is none. Every fetch taken is ended by
 * exactly one of the calls that end it, and meanwhile its cell is not evicted. */
#define CACHE_IN_A_ROW 8
bool cache_next(struct cache *, const struct instant *now, struct cache_fetch *out);

/* Ends a fetch with a curve, which lives `stretch` times `refresh_ms`. */
void cache_put(struct cache *, uint64_t key, const struct instant *now, const struct curve *, double stretch);

/* Ends a fetch whose answer confirms the present curve until `expires_s` (Unix time; 0: not stated).
 */
void cache_confirm(struct cache *, uint64_t key, const struct instant *now, int64_t expires_s,
                   double stretch);

/* Ends a fetch of that class that failed: the cell keeps what it has and backs off. */
void cache_fail(struct cache *, uint64_t key, enum fetch_class, const struct instant *now);

/* Ends a fetch of that class that was refused before anything was asked: no back-off, but for a second no
 * fetch of its class or a lower one is listed. A cell without a curve whose public fetch is refused goes.
 *
 * Where a visitor has joined a failed or refused fetch of a lower class than a fetch of his own would have,
 * it is listed anew at once, by his. */
void cache_release(struct cache *, uint64_t key, enum fetch_class, const struct instant *now);

/* Ends a fetch of that cell which another process makes: the cell keeps what it has, and is not listed again
 * for `pause_ms`. */
void cache_postpone(struct cache *, uint64_t key, int64_t pause_ms, const struct instant *now);

/* A cell as it outlives the process. Failures and fetches do not. */
struct cache_record {
    uint64_t key;
    struct curve curve;
    int64_t refresh_after_ms; /* from the fetch of the curve until its refresh is due */
};

/* Copies the next cells that have a fetched curve, at most CACHE_BATCH. *cursor is 0 at first and then handed
 * back as it was left. True while there may be more. A cell that is evicted and comes back during a walk may
 * be missed, or come twice, the newer one later. */
#define CACHE_BATCH 256
bool cache_copy(struct cache *, size_t *cursor, struct cache_record out[CACHE_BATCH], size_t *count);

/* Puts a cell with a valid curve back, over what it had. False when that is of no use at `now`: fetched later
 * than now or longer ago than `keep`, without a temperature for now, or no room. */
bool cache_restore(struct cache *, const struct cache_record *, const struct instant *now);

/* The same of one cell; false where it has no fetched curve. */
bool cache_record(struct cache *, uint64_t key, struct cache_record *out);

/* Gives a cell whose fetch is under way a valid curve that another process has fetched, if that is fresher
 * than what it has and of use at `now`. Where it is not due for a refresh, this ends the fetch. Returns
 * whether it does. */
bool cache_adopt(struct cache *, const struct cache_record *, const struct instant *now);

/* Looks at the next cells, at most `max`, as they are at `now`; changes and counts nothing. *cursor as for
 * cache_copy. Fills in all but the names of cell and provider. Returns how many; 0 at the end. */
size_t cache_scan(struct cache *, size_t *cursor, const struct instant *now, struct weather_cell *out,
                  size_t max);
