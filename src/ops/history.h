/* The recent past, in memory: a ring of minutes for the last hour, and one of quarter hours for the last day.
 * A slot holds by how much the service's counters grew in it. Slots follow boot time, so that a step of the
 * wall clock moves nothing; the step itself is recorded. Thread-safe; one leaf lock. */
#pragma once

#include "base/clock.h"

#include <stddef.h>

#define HISTORY_COUNTERS 25

enum history_span { HISTORY_HOUR, HISTORY_DAY, HISTORY_SPANS };
extern const struct history_ring {
    const char *name, *heading;
    int64_t slot_s;
    size_t slots;
} history_rings[HISTORY_SPANS];
#define HISTORY_SLOTS_MAX 96

struct history_slot {
    int64_t index; /* time over the ring's slot_s; 0: nothing was recorded in it */
    bool known;    /* false: before the start */
    uint64_t grown[HISTORY_COUNTERS];
    int level_percent; /* the last one recorded in it; -1: none */
};

struct history_view {
    struct history_slot slots[HISTORY_SPANS]
                             [HISTORY_SLOTS_MAX]; /* the oldest first; the last has not ended */
    int64_t ends_s[HISTORY_SPANS];                /* Unix time at which the last slot ends */
    int64_t jump_s, jumped_at_s; /* the last step of the wall clock: its size, and its Unix time; 0: none */
};

struct history;

/* NULL when out of memory. */
struct history *history_open(const struct instant *now);
void history_close(struct history *);

/* Adds the growth of the counters since the last call to the slots of `now`. Call at least once a minute, and
 * before the clock is moved. */
void history_sample(struct history *, const struct instant *now, const uint64_t totals[HISTORY_COUNTERS],
                    int level_percent);

/* Copies both rings as they are at `now`. */
void history_read(struct history *, const struct instant *now, struct history_view *out);
