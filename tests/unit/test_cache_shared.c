/* Cells whose curves other processes fetch: what is fresher is adopted, what is not is passed over, and a
 * cell that another fetches is left alone for so long and no longer. */
#include "unit.h"

#include "weather/cell/cache.h"

#define SECOND  INT64_C(1000)
#define MINUTE  (60 * SECOND)
#define HOUR    (60 * MINUTE)
#define REFRESH (2 * HOUR)
#define KEEP    (24 * HOUR)
#define PAUSE   (6 * SECOND)

static struct cache *cache;
static uint64_t last_key;

static int open_cache(void **state)
{
    (void)state;
    cache = cache_open(
        &(struct cache_options){.capacity = 1000, .refresh_ms = REFRESH, .keep_ms = KEEP, .max_waiters = 4});
    return cache == NULL;
}

static int close_cache(void **state)
{
    (void)state;
    cache_close(cache);
    return 0;
}

static struct instant at(int64_t ms)
{
    return (struct instant){.wall_ms = 1769846400000 + ms, .boot_ms = 500 * MINUTE + ms};
}

/* What another has fetched at that time, due two hours later. */
static struct cache_record fetched(uint64_t key, int64_t ms, int16_t cdeg)
{
    struct cache_record record = {.key = key, .refresh_after_ms = REFRESH, .curve = curve_empty()};
    record.curve.start_s = at(ms).wall_ms / 1000 - 3600;
    record.curve.fetched_s = at(ms).wall_ms / 1000;
    record.curve.count = 54;
    for (size_t i = 0; i < 54; i++)
        record.curve.temperature_cdeg[i] = cdeg;
    return record;
}

static struct cache_view ask(uint64_t key, int64_t ms)
{
    struct instant now = at(ms);
    struct cache_view view;
    cache_get(cache, key, WEATHER_FOR_VISITOR, 0, &now, &view);
    return view;
}

/* A cell that is asked for, its fetch under way. */
static uint64_t take(uint64_t key, int64_t ms)
{
    struct instant now = at(ms);
    struct cache_fetch next;
    assert_true(ask(key, ms).listed);
    assert_true(cache_next(cache, &now, &next));
    assert_int_equal(next.key, key);
    return key;
}

static bool adopt(struct cache_record record, int64_t ms)
{
    struct instant now = at(ms);
    return cache_adopt(cache, &record, &now);
}

static void postpone(uint64_t key, int64_t ms)
{
    struct instant now = at(ms);
    cache_postpone(cache, key, PAUSE, &now);
}

TEST(a_fresh_curve_ends_the_fetch)
{
    uint64_t key = take(++last_key, HOUR);
    assert_true(adopt(fetched(key, 0, 3120), HOUR));
    struct cache_view view = ask(key, HOUR);
    assert_int_equal(view.state, WEATHER_FRESH);
    assert_false(view.listed || view.in_flight);
    assert_int_equal(view.age_ms, HOUR);
    assert_int_equal(view.refresh_in_ms, HOUR);
    assert_int_equal(view.curve.temperature_cdeg[0], 3120);
    take(key, REFRESH);
    postpone(key, REFRESH);
}

TEST(one_that_is_due_is_shown_while_the_fetch_goes_on)
{
    uint64_t key = take(++last_key, 3 * HOUR);
    assert_false(adopt(fetched(key, 0, 3120), 3 * HOUR));
    struct cache_view view = ask(key, 3 * HOUR);
    assert_int_equal(view.state, WEATHER_FRESH);
    assert_true(view.in_flight && !view.listed);
    postpone(key, 3 * HOUR);
}

TEST(what_is_not_fresher_or_of_no_use_is_passed_over)
{
    static const int64_t at_ms[] = {0, -1000, 4 * HOUR, -30 * HOUR};
    uint64_t key = take(++last_key, 0);
    assert_true(adopt(fetched(key, 0, 1000), 0));
    take(key, 3 * HOUR);
    for (size_t i = 0; i < COUNT(at_ms); i++) {
        assert_false(adopt(fetched(key, at_ms[i], 2000), 3 * HOUR));
        assert_int_equal(ask(key, 3 * HOUR).curve.temperature_cdeg[0], 1000);
    }
    assert_true(adopt(fetched(key, 2 * HOUR, 3000), 3 * HOUR));
    assert_false(adopt(fetched(++last_key, 0, 1000), 0)); /* of a cell that is not here */
}

TEST(the_hours_of_the_day_so_far_stay)
{
    uint64_t key = take(++last_key, 0);
    assert_true(adopt(fetched(key, 0, 1000), 0));
    take(key, 3 * HOUR);
    assert_true(adopt(fetched(key, 3 * HOUR, 2000), 3 * HOUR));
    struct cache_view view = ask(key, 3 * HOUR);
    assert_int_equal(view.curve.start_s, at(0).wall_ms / 1000 - 3600);
    assert_int_equal(view.curve.temperature_cdeg[0], 1000);
    assert_int_equal(view.curve.temperature_cdeg[3], 2000);
}

TEST(a_cell_that_another_fetches_is_left_alone_for_so_long)
{
    uint64_t key = take(++last_key, 0);
    postpone(key, 0);
    struct cache_view view = ask(key, PAUSE - 1);
    assert_int_equal(view.state, WEATHER_NEGATIVE);
    assert_false(view.listed || view.in_flight);
    assert_int_equal(view.refresh_in_ms, 1);
    assert_int_equal(view.retry_in_ms, 0); /* nothing has failed */
    take(key, PAUSE);
    postpone(key, PAUSE);
}

TEST(a_number_stays_fresh_while_another_fetches)
{
    uint64_t key = take(++last_key, 0);
    assert_true(adopt(fetched(key, 0, 1000), 0));
    take(key, 3 * HOUR);
    postpone(key, 3 * HOUR);
    struct cache_view view = ask(key, 3 * HOUR + 1);
    assert_int_equal(view.state, WEATHER_FRESH);
    assert_false(view.listed);
    take(key, 3 * HOUR + PAUSE);
    assert_true(adopt(fetched(key, 3 * HOUR, 2000), 3 * HOUR + PAUSE));
}

TEST(who_waits_for_it_is_told)
{
    uint64_t key = take(++last_key, 0);
    postpone(key, 0);
    assert_true(cache_wait(cache, key, INT64_MAX / 2000000));
    take(key, PAUSE);
    assert_true(adopt(fetched(key, PAUSE, 1000), PAUSE));
    assert_true(cache_wait(cache, key, INT64_MAX / 2000000));
}

TEST(a_cell_is_copied_as_a_record)
{
    struct cache_record record;
    uint64_t key = take(++last_key, HOUR);
    assert_false(cache_record(cache, key, &record));
    assert_true(adopt(fetched(key, 0, 1000), HOUR));
    assert_true(cache_record(cache, key, &record));
    assert_int_equal(record.key, key);
    assert_int_equal(record.refresh_after_ms, REFRESH);
    assert_int_equal(record.curve.fetched_s, at(0).wall_ms / 1000);
    assert_false(cache_record(cache, ++last_key, &record));
}

UNIT_MAIN(open_cache, close_cache)
