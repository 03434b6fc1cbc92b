/* What happened lately, in memory: one ring of minutes for the last hour and one of quarter hours for the
 * last day. A slot holds by how much the service's counters grew in it. Slots follow boot time, so that a
 * step of the wall clock moves nothing; such a step is noted instead. Thread-safe; one leaf lock. */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_COUNTERS 13

enum history_span { HISTORY_HOUR, HISTORY_DAY, HISTORY_SPANS };
extern const struct history_ring {
    const char *name, *heading;
    int64_t slot_s;
    size_t slots;
} history_rings[HISTORY_SPANS];
#define HISTORY_SLOTS_MAX 96

struct history_slot {
    bool known; /* false: before the start */
    uint64_t grown[HISTORY_COUNTERS];
    int level_percent; /* as last noted in it, -1: not noted */
};

struct history_view {
    struct history_slot slots[HISTORY_SPANS][HISTORY_SLOTS_MAX]; /* the oldest first; the last is under way */
    int64_t ends_s[HISTORY_SPANS];                               /* Unix time at which the last slot ends */
    int64_t jump_s, jumped_at_s; /* the last step of the wall clock (Unix time; 0: none), and how far */
};

struct history;

/* NULL when out of memory. */
struct history *history_open(const struct instant *now);
void history_close(struct history *);

/* Adds what the counters grew by since the last call to the slots of `now`. To be called at least once a
 * minute, and before somebody moves the clock. */
void history_sample(struct history *, const struct instant *now, const uint64_t totals[HISTORY_COUNTERS],
                    int level_percent);

void history_read(struct history *, const struct instant *now, struct history_view *out);
