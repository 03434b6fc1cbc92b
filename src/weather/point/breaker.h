/* A breaker: stops asking a provider that fails, then lets one flight at a time through until one succeeds;
 * and pauses that the provider asked for. A flat struct without a lock: its owner locks. Times are boot time,
 * in milliseconds. */
#pragma once

#include "base/clock.h"
#include "weather/point/provider.h"

#define BREAKER_FAILURES 5  /* flights in a row that fail for the provider's sake */
#define BREAKER_CELLS    10 /* different cells in a row with which something is wrong */

struct breaker {
    unsigned failures;                   /* in a row */
    uint64_t wrong_cells[BREAKER_CELLS]; /* different ones, since the last success */
    unsigned wrong_cell_count;
    int64_t open_ms;              /* until when it is open */
    int64_t retry_after_until_ms; /* until when the provider asked for a pause */
    bool probing;                 /* the one flight of a half-open breaker is under way */
};

void breaker_init(struct breaker *);

/* Whether it has failed so often that it is, or was until just now, open. */
bool breaker_is_open(const struct breaker *);

/* Until when nothing may be asked. */
int64_t breaker_paused_until_ms(const struct breaker *);

/* Whether a flight may start. */
bool breaker_allows(const struct breaker *, const struct instant *now);

/* A flight starts that was allowed. Whether it is the probe of a half-open breaker. */
bool breaker_start(struct breaker *);

/* A flight for a cell (its key) has ended. A row is of flights of one kind: a failure of a cell ends a row of
 * failures of the provider, since it has answered, and the other way round. Flights that were under way when
 * the breaker opened count no more unless they succeed; its probe does. */
void breaker_end(struct breaker *, bool is_probe, enum outcome, uint64_t cell, const struct instant *now);

/* The provider asks for a pause, of which at most a day counts. Whether that is longer than it is paused for
 * already. */
bool breaker_pause(struct breaker *, int64_t pause_s, const struct instant *now);
