/* What an entry of the cache is worth at an instant: whether it can be read, which state whoever asks is
 * told, and which fetch it calls for. Private to the cache, which locks around every call. */
#pragma once

#include "weather/cell/cache.h"
#include "weather/cell/table.h"

#define JUDGE_REFUSED_MS 1000 /* else each reader of a refused cell would wake the fetch thread */

/* What holds for all entries. */
struct judge {
    struct cache_options options;
    int64_t refused_until_ms[FETCH_CLASSES]; /* boot time before which no fetch of the class is listed */
    double usual_visits;                     /* a cell's, between two curves: a moving mean */
    double stretch;                          /* that the last curve came with: how much budgets press */
    uint32_t ground;                         /* its number, as it was told last */
};

/* Of the curve; never negative. */
int64_t judge_age_ms(const struct entry *, const struct instant *);

/* Whether the curve may be read at the instant, and says something for it; one of the ground, only while
 * there is a ground. */
bool judge_readable(const struct judge *, const struct entry *, const struct instant *);

/* Whether the curve is to be replaced by the ground: see cache_get. */
bool judge_wants_ground(const struct judge *, const struct entry *, const struct instant *);

/* A fetch is listed or under way. */
bool judge_in_flight(const struct entry *);

/* How long fetches of the class are still held back after a refusal; a clock that was moved back ends that.
 */
int64_t judge_refused_ms(const struct judge *, enum fetch_class class, const struct instant *);

/* How long until a fetch of the class may be listed: a failure is the cell's, a refusal is of all. */
int64_t judge_blocked_ms(const struct judge *, const struct entry *, enum fetch_class class,
                         const struct instant *);

/* The class of the fetch that a client's look at a cell calls for. */
enum fetch_class judge_class(enum weather_client client, bool is_readable);

/* The state of a cell for whoever's fetch would be of that class. */
enum weather_state judge_state(const struct judge *, const struct entry *, enum fetch_class class,
                               const struct instant *);

/* Whether a cell is worth a fetch though it has the ground: always, until budgets press; then the more they
 * do, the more visitors must have asked for it than for others. */
bool judge_worth_fetching(const struct judge *, const struct entry *);

/* What whoever asks is told: all but whether the call listed a fetch, and whether the ground is wanted. */
struct cache_view judge_view(const struct judge *, const struct entry *, enum fetch_class class,
                             const struct instant *);
