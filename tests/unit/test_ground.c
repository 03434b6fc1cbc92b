/* The ground in the cache: a cell has a number at once where the weather of the whole earth is known, a
 * fetched curve goes before it as long as it is worth more, and nothing of it is kept where nothing should
 * be. */
#include "unit.h"

#include "weather/cell/cache.h"

#define HOUR    INT64_C(3600000)
#define REFRESH (2 * HOUR)
#define KEEP    (6 * HOUR)
#define DUE     (REFRESH * 11 / 10 + 1)
#define COLD    200 /* hundredths of a degree */
#define WARM    2500

static const struct instant start = {.wall_ms = 1769846400000, .boot_ms = 500 * HOUR};
static struct cache *cache;

static int open_cache(void **state)
{
    (void)state;
    cache = cache_open(
        &(struct cache_options){.capacity = 100, .refresh_ms = REFRESH, .keep_ms = KEEP, .max_waiters = 1});
    return cache ? 0 : -1;
}

static int close_cache(void **state)
{
    (void)state;
    cache_close(cache);
    return 0;
}

#define GROUND(name) TEST_WITH(name, open_cache, close_cache)

static struct instant at(int64_t ms)
{
    return (struct instant){.wall_ms = start.wall_ms + ms, .boot_ms = start.boot_ms + ms};
}

static struct curve curve_of(struct instant now, int16_t cdeg)
{
    struct curve curve = curve_empty();
    curve.start_s = now.wall_ms / 1000 - 3600;
    curve.count = 50;
    curve.fetched_s = now.wall_ms / 1000;
    for (size_t i = 0; i < curve.count; i++)
        curve.temperature_cdeg[i] = cdeg;
    return curve;
}

/* Asks as weather.c does: what wants the ground gets it, `cdeg` warm, stale from 10 hours later on. */
static struct cache_view ask(uint64_t key, enum weather_client client, uint32_t ground, int64_t ms,
                             int16_t cdeg)
{
    struct cache_view view;
    struct instant now = at(ms);
    cache_get(cache, key, client, ground, &now, &view);
    if (view.wants_ground) {
        struct curve curve = curve_of(now, cdeg);
        curve.stale_s = now.wall_ms / 1000 + 10 * 3600;
        curve.expires_s = now.wall_ms / 1000 + 600;
        cache_lay(cache, key, client, ground, &curve, &now, &view);
    }
    return view;
}

static void fetch(uint64_t key, int64_t ms, int16_t cdeg)
{
    struct instant now = at(ms);
    struct cache_fetch next;
    struct curve curve = curve_of(now, cdeg);
    assert_true(cache_next(cache, &now, &next));
    assert_int_equal(next.key, key);
    cache_put(cache, key, &now, &curve, 1);
}

static void assert_told(struct cache_view view, enum weather_state state, int16_t cdeg)
{
    assert_int_equal(view.state, state);
    assert_int_equal(view.curve.temperature_cdeg[view.curve.count - 1], cdeg);
}

GROUND(a_cold_cell_has_a_number_at_once_and_a_fetch_that_nobody_waits_for)
{
    struct cache_fetch next;
    struct instant now = start;
    struct cache_view view = ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    assert_told(view, WEATHER_FRESH, COLD);
    assert_true(view.listed && view.in_flight);
    assert_int_equal(view.refresh_in_ms, 600000);
    assert_true(cache_next(cache, &now, &next) && next.class == FETCH_REFRESH && next.modified_s == 0);
}

GROUND(a_newer_ground_takes_the_place_of_an_older_one)
{
    struct cache_view view;
    struct instant now = start;
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    cache_get(cache, 1, WEATHER_FOR_VISITOR, 1, &now, &view);
    assert_false(view.wants_ground);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 2, HOUR, WARM), WEATHER_FRESH, WARM);
}

GROUND(a_fetched_curve_goes_before_it_until_it_is_long_overdue)
{
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    fetch(1, 0, WARM);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD), WEATHER_FRESH, WARM);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 2, REFRESH, COLD), WEATHER_FRESH, WARM);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 2, DUE + 2 * REFRESH, COLD), WEATHER_FRESH, COLD);
}

GROUND(a_fetch_that_fails_makes_no_ground_stale)
{
    struct cache_fetch next;
    struct instant now = start;
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    assert_true(cache_next(cache, &now, &next));
    cache_fail(cache, 1, next.class, &now);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 1, 60000, COLD), WEATHER_FRESH, COLD);
}

GROUND(an_old_run_is_stale_and_outlives_what_a_fetched_curve_may)
{
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 1, KEEP + HOUR, WARM), WEATHER_FRESH, COLD);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 1, 10 * HOUR, WARM), WEATHER_STALE, COLD);
}

GROUND(where_the_ground_ends_there_is_no_number)
{
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    assert_int_equal(ask(1, WEATHER_FOR_VISITOR, 0, 60 * HOUR, COLD).state, WEATHER_MISS);
}

GROUND(a_ground_that_is_taken_back_is_told_no_more)
{
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    assert_int_equal(ask(1, WEATHER_FOR_VISITOR, 0, 0, COLD).state, WEATHER_MISS);
    assert_told(ask(1, WEATHER_FOR_VISITOR, 3, 0, WARM), WEATHER_FRESH, WARM);
}

GROUND(a_peek_and_a_cell_without_an_entry_are_told_and_not_kept)
{
    struct cache_view view;
    struct instant now = start;
    assert_told(ask(1, WEATHER_PEEK, 1, 0, COLD), WEATHER_FRESH, COLD);
    assert_told(ask(2, WEATHER_IF_KNOWN, 1, 0, COLD), WEATHER_FRESH, COLD);
    assert_false(cache_get(cache, 1, WEATHER_PEEK, 0, &now, &view));
    assert_false(cache_get(cache, 2, WEATHER_PEEK, 0, &now, &view));
}

GROUND(it_is_in_no_snapshot)
{
    static struct cache_record records[CACHE_BATCH];
    size_t cursor = 0, count;
    ask(1, WEATHER_FOR_VISITOR, 1, 0, COLD);
    ask(2, WEATHER_FOR_VISITOR, 1, 0, COLD);
    fetch(1, 0, WARM);
    cache_copy(cache, &cursor, records, &count);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].key, 1);
}

GROUND(a_refused_public_cell_goes_though_it_has_the_ground)
{
    struct cache_fetch next;
    struct cache_view view;
    struct instant now = start;
    ask(1, WEATHER_FOR_CHOICE, 1, 0, COLD);
    assert_true(cache_next(cache, &now, &next));
    cache_release(cache, 1, next.class, &now);
    assert_false(cache_get(cache, 1, WEATHER_PEEK, 0, &now, &view));
}

/* While budgets press, cells that fewer ask for than usual are not fetched. */
GROUND(pressed_budgets_go_where_readers_are)
{
    struct instant now = start;
    struct curve curve = curve_of(now, WARM);
    struct cache_fetch next;
    for (uint64_t key = 1; key <= 64; key++) { /* each asked for twenty times between two curves */
        for (int i = 0; i < 20; i++)
            ask(key, WEATHER_FOR_VISITOR, 1, 0, COLD);
        assert_true(cache_next(cache, &now, &next));
        cache_put(cache, key, &now, &curve, 2);
    }
    for (int i = 0; i < 5; i++)
        assert_false(ask(99, WEATHER_FOR_VISITOR, 1, 0, COLD).in_flight);
    bool listed = false;
    for (int i = 0; i < 20; i++)
        listed = ask(99, WEATHER_FOR_VISITOR, 1, 0, COLD).in_flight;
    assert_true(listed);
}

UNIT_MAIN(NULL, NULL)
