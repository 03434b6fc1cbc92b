/* The history: what happened in which minute and quarter hour, by a clock that is moved, set and frozen. */
#include "unit.h"

#include "ops/history.h"

#define NOON_MS      ((int64_t)1769860800 * 1000)
#define MINUTE       ((int64_t)60000)
#define LAST         59
#define LAST_QUARTER 95
#define CASE(name)   TEST_WITH(name, open_at_noon, close_all)

static struct history *history;
static struct history_view *view;
static uint64_t totals[HISTORY_COUNTERS];

static struct instant at(int64_t ms)
{
    return (struct instant){.wall_ms = NOON_MS + ms, .boot_ms = 5000 * MINUTE + 12345 + ms};
}

static void note(struct instant now, uint64_t more)
{
    totals[0] += more;
    history_sample(history, &now, totals, 50);
}

static void look(struct instant now)
{
    history_read(history, &now, view);
}

static uint64_t grown(enum history_span span, size_t slot)
{
    return view->slots[span][slot].grown[0];
}

static int open_at_noon(void **state)
{
    (void)state;
    struct instant noon = at(0);
    totals[0] = 0;
    history = history_open(&noon);
    view = malloc(sizeof *view);
    return history && view ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    history_close(history);
    free(view);
    return 0;
}

/* Threads sum the counters before they take the lock, so that an older sum may come after a newer one. */
CASE(a_sum_that_comes_late_takes_nothing_away)
{
    struct instant before = at(MINUTE - 1), after = at(MINUTE);
    uint64_t old[HISTORY_COUNTERS] = {10};
    note(before, 20);
    history_sample(history, &after, old, 50);
    note(after, 5);
    look(after);
    assert_int_equal(grown(HISTORY_HOUR, LAST - 1), 20);
    assert_int_equal(grown(HISTORY_HOUR, LAST), 5);
}

CASE(growth_goes_to_its_minute_and_quarter)
{
    note(at(10000), 3);
    note(at(59999), 4);
    note(at(MINUTE), 5);
    note(at(16 * MINUTE), 6);
    look(at(16 * MINUTE + 30000));
    assert_int_equal(grown(HISTORY_HOUR, LAST), 6);
    assert_int_equal(grown(HISTORY_HOUR, LAST - 15), 5);
    assert_int_equal(grown(HISTORY_HOUR, LAST - 16), 7);
    assert_int_equal(grown(HISTORY_HOUR, LAST - 3), 0);
    assert_int_equal(grown(HISTORY_DAY, LAST_QUARTER), 6);
    assert_int_equal(grown(HISTORY_DAY, LAST_QUARTER - 1), 12);
    assert_int_equal(view->slots[HISTORY_HOUR][LAST].level_percent, 50);
    assert_int_equal(view->slots[HISTORY_HOUR][LAST - 3].level_percent, -1);
    assert_int_equal(view->ends_s[HISTORY_HOUR], NOON_MS / 1000 + 17 * 60);
    assert_int_equal(view->ends_s[HISTORY_DAY], NOON_MS / 1000 + 30 * 60);
}

CASE(what_was_before_the_start_is_not_known)
{
    look(at(2 * MINUTE));
    assert_true(view->slots[HISTORY_HOUR][LAST - 2].known);
    assert_false(view->slots[HISTORY_HOUR][LAST - 3].known);
    assert_true(view->slots[HISTORY_DAY][LAST_QUARTER].known);
    assert_false(view->slots[HISTORY_DAY][LAST_QUARTER - 1].known);
}

/* A slot comes round again after an hour or a day: nothing of the old one is left in it, noted or not. */
CASE(rings_forget)
{
    note(at(0), 9);
    look(at(60 * MINUTE));
    for (size_t i = 0; i <= LAST; i++)
        assert_int_equal(grown(HISTORY_HOUR, i), 0);
    assert_int_equal(grown(HISTORY_DAY, LAST_QUARTER - 4), 9);
    note(at(60 * MINUTE), 1);
    look(at(60 * MINUTE));
    assert_int_equal(grown(HISTORY_HOUR, LAST), 1);
    note(at(24 * 60 * MINUTE), 2);
    look(at(24 * 60 * MINUTE));
    assert_int_equal(grown(HISTORY_DAY, LAST_QUARTER), 2);
    assert_int_equal(grown(HISTORY_DAY, LAST_QUARTER - 92), 1);
}

/* A step of the wall clock is noted, and moves nothing. What comes slowly is no step. */
CASE(a_step_of_the_wall_clock_is_noted)
{
    struct instant late = at(2 * MINUTE);
    note(at(0), 1);
    late.wall_ms += 20000;
    note(late, 1);
    look(late);
    assert_int_equal(view->jumped_at_s, 0);
    late = at(4 * MINUTE);
    late.wall_ms -= 3600000;
    note(late, 1);
    look(late);
    assert_int_equal(view->jump_s, -3620);
    assert_int_equal(view->jumped_at_s, late.wall_ms / 1000);
    assert_int_equal(grown(HISTORY_HOUR, LAST - 4), 1);
    assert_int_equal(grown(HISTORY_HOUR, LAST), 1);
    assert_int_equal(view->ends_s[HISTORY_HOUR], NOON_MS / 1000 + 5 * 60 - 3600);
}

CASE(going_back_in_time_is_harmless)
{
    note(at(50 * MINUTE), 2);
    note(at(-30 * MINUTE), 3);
    look(at(-30 * MINUTE));
    assert_int_equal(grown(HISTORY_HOUR, LAST), 3);
    look(at(50 * MINUTE));
    assert_int_equal(grown(HISTORY_HOUR, LAST), 2);
}

UNIT_MAIN(NULL, NULL)
