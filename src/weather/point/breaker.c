#include "weather/point/breaker.h"

#define OPEN_FIRST_MS 10000
#define OPEN_MAX_MS   300000
#define OPEN_DOUBLES  5         /* failures, after which it would be open for longer than that */
#define NOT_PAUSED    INT64_MIN /* whatever the boot time: a clock may be moved to before the boot */
#define PAUSE_MAX_S   86400

void breaker_init(struct breaker *breaker)
{
    *breaker = (struct breaker){.open_ms = NOT_PAUSED, .retry_after_until_ms = NOT_PAUSED};
}

bool breaker_is_open(const struct breaker *breaker)
{
    return breaker->failures >= BREAKER_FAILURES;
}

int64_t breaker_paused_until_ms(const struct breaker *breaker)
{
    return breaker->open_ms > breaker->retry_after_until_ms ? breaker->open_ms
                                                            : breaker->retry_after_until_ms;
}

bool breaker_allows(const struct breaker *breaker, const struct instant *now)
{
    bool probing = breaker_is_open(breaker) && breaker->probing;
    return now->boot_ms >= breaker_paused_until_ms(breaker) && !probing;
}

bool breaker_start(struct breaker *breaker)
{
    breaker->probing = breaker_is_open(breaker);
    return breaker->probing;
}

/* Twice as long after each failure past the first that opened it, up to a ceiling. */
static int64_t open_for_ms(unsigned failures)
{
    unsigned more = failures - BREAKER_FAILURES;
    return more < OPEN_DOUBLES ? OPEN_FIRST_MS << more : OPEN_MAX_MS;
}

/* Whether so many cells are wrong in a row that the provider is. */
static bool add_wrong_cell(struct breaker *breaker, uint64_t cell)
{
    for (unsigned i = 0; i < breaker->wrong_cell_count; i++)
        if (breaker->wrong_cells[i] == cell)
            return false;
    breaker->wrong_cells[breaker->wrong_cell_count++] = cell;
    return breaker->wrong_cell_count == BREAKER_CELLS;
}

static void count_failure(struct breaker *breaker, enum outcome outcome, uint64_t cell,
                          const struct instant *now)
{
    if (!breaker_is_open(breaker) && outcome_is_of_cell(outcome)) {
        breaker->failures = add_wrong_cell(breaker, cell) ? BREAKER_FAILURES : 0;
    } else {
        breaker->failures += breaker->failures < UINT16_MAX;
        breaker->wrong_cell_count = 0;
    }
    if (breaker_is_open(breaker))
        breaker->open_ms = now->boot_ms + open_for_ms(breaker->failures);
}

void breaker_end(struct breaker *breaker, bool is_probe, enum outcome outcome, uint64_t cell,
                 const struct instant *now)
{
    if (outcome == OUTCOME_OK) {
        breaker->failures = breaker->wrong_cell_count = 0;
        breaker->open_ms = NOT_PAUSED;
    } else if (!breaker_is_open(breaker) || is_probe) {
        count_failure(breaker, outcome, cell, now);
    }
    breaker->probing = breaker->probing && !is_probe;
}

bool breaker_pause(struct breaker *breaker, int64_t pause_s, const struct instant *now)
{
    int64_t until_ms = now->boot_ms + 1000 * (pause_s < PAUSE_MAX_S ? pause_s : PAUSE_MAX_S);
    bool longer = pause_s > 0 && until_ms > breaker->retry_after_until_ms;
    if (longer)
        breaker->retry_after_until_ms = until_ms;
    return longer;
}
