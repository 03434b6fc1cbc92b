/* The cell cache, told as the life of a cell: missed, fetched, due, failed, aged, given up. One flight a cell
 * whatever happens, no reader told of an age below zero, and no more cells than fit.
 *
 * Instants are made by hand. Tests share one cache of ample room, each with cells of its own. Threads are the
 * matter of test_cache_threads.c. */
#include "unit.h"

#include "weather/cell/cache.h"

#define SECOND        INT64_C(1000)
#define MINUTE        (60 * SECOND)
#define HOUR          (60 * MINUTE)
#define YEAR          (365 * 24 * HOUR)
#define REFRESH       (2 * HOUR)
#define KEEP          (24 * HOUR)
#define DUE           (REFRESH * 11 / 10 + 1) /* when every refresh is */
#define BACKOFF_FIRST (10 * SECOND)           /* at most this long after a first failure */
#define BACKOFF_MOST  (10 * MINUTE)

static const struct cache_options usual = {
    .capacity = 1000, .refresh_ms = REFRESH, .keep_ms = KEEP, .max_waiters = 4};
static const struct instant start = {.wall_ms = 1769846400000, .boot_ms = 500 * MINUTE};

static struct cache *cache; /* as usual */
static struct cache *own;   /* of a test that wants one */
static uint64_t last_key;

static void open_own(size_t capacity)
{
    struct cache_options options = usual;
    options.capacity = capacity;
    own = cache_open(&options);
    assert_non_null(own);
}

static int close_own(void **state)
{
    (void)state;
    cache_close(own);
    own = NULL;
    return 0;
}

#define OWN_CACHE(name) TEST_WITH(name, NULL, close_own)

/* Another cell, asked for by no other test. */
static uint64_t new_cell(void)
{
    return ++last_key;
}

static struct instant at(int64_t ms)
{
    return (struct instant){.wall_ms = start.wall_ms + ms, .boot_ms = start.boot_ms + ms};
}

/* A whole forecast, from the hour before `now`; `ddeg` all along. */
static struct curve curve_at(const struct instant *now, int ddeg)
{
    struct curve curve = {.start_s = now->wall_ms / 1000 - 3600,
                          .count = 54 /* an hour back, fifty-two ahead */};
    for (size_t i = 0; i < 54; i++)
        curve.temperature_cdeg[i] = (int16_t)(10 * ddeg);
    curve.fetched_s = now->wall_ms / 1000;
    return curve;
}

static struct cache_view ask(uint64_t key, struct instant now)
{
    struct cache_view view;
    cache_get(cache, key, WEATHER_FOR_VISITOR, 0, &now, &view);
    assert_true(view.age_ms >= 0);
    return view;
}

static struct cache_view peek(uint64_t key, struct instant now)
{
    struct cache_view view;
    assert_true(cache_get(cache, key, WEATHER_PEEK, 0, &now, &view));
    assert_true(view.age_ms >= 0);
    return view;
}

static void put(uint64_t key, struct instant now)
{
    struct curve curve = curve_at(&now, 312);
    cache_put(cache, key, &now, &curve, 1);
}

static void fail_at(uint64_t key, struct instant now)
{
    cache_fail(cache, key, FETCH_URGENT, &now);
}

/* A cell with a curve fetched at `now`. */
static uint64_t fetched_cell(struct instant now)
{
    uint64_t key = new_cell();
    assert_true(ask(key, now).listed);
    put(key, now);
    return key;
}

static void assert_view(struct cache_view view, enum weather_state state, bool fetch)
{
    if (view.state != state || view.listed != fetch)
        fail_msg("%s%s, expected %s%s", weather_state_names[WEATHER_AS_LOOKUP][view.state],
                 view.listed ? " and fetch" : "", weather_state_names[WEATHER_AS_LOOKUP][state],
                 fetch ? " and fetch" : "");
    if (state == WEATHER_FRESH || state == WEATHER_STALE)
        assert_int_equal(view.curve.temperature_cdeg[0], 3120);
}

#define assert_asked(key, when, state, fetch) assert_view(ask((key), (when)), (state), (fetch))

/* A fetch ends with a curve, which the next reader is shown. */
static void land(uint64_t key, struct instant now)
{
    put(key, now);
    assert_asked(key, now, WEATHER_FRESH, false);
}

/* A fetch ends with none: what the next reader is told. */
static void fail_to(uint64_t key, struct instant now, enum weather_state state)
{
    fail_at(key, now);
    assert_asked(key, now, state, false);
}

/* --- The life of a cell --- */

TEST(a_cell_is_fetched_once_then_hit)
{
    uint64_t key = new_cell();
    assert_asked(key, start, WEATHER_MISS, true);
    for (int i = 0; i < 100; i++)
        assert_asked(key, at(i), WEATHER_MISS, false);
    land(key, at(100));
    struct cache_view view = ask(key, at(90 * MINUTE));
    assert_view(view, WEATHER_FRESH, false);
    assert_int_equal(view.age_ms, 90 * MINUTE - 100);
}

TEST(a_due_cell_is_refreshed_once_behind_its_readers)
{
    uint64_t key = fetched_cell(start);
    assert_asked(key, at(REFRESH * 9 / 10 - 1), WEATHER_FRESH, false);
    assert_asked(key, at(DUE), WEATHER_FRESH, true);
    assert_asked(key, at(REFRESH * 11 / 10 + 2), WEATHER_FRESH, false);
    assert_true(ask(key, at(REFRESH * 11 / 10 + 2)).refresh_in_ms < 0);
    put(key, at(REFRESH * 11 / 10 + SECOND));
    struct cache_view view = ask(key, at(REFRESH * 11 / 10 + SECOND));
    assert_view(view, WEATHER_FRESH, false);
    assert_int_equal(view.age_ms, 0);
    assert_true(view.refresh_in_ms > 0);
}

TEST(a_failed_refresh_is_stale_until_one_succeeds)
{
    uint64_t key = fetched_cell(start);
    assert_asked(key, at(DUE), WEATHER_FRESH, true);
    fail_to(key, at(DUE + 1), WEATHER_STALE);
    assert_asked(key, at(DUE + 1 + BACKOFF_FIRST), WEATHER_STALE, true);
    assert_asked(key, at(DUE + 2 + BACKOFF_FIRST), WEATHER_STALE, false);
    land(key, at(DUE + 3 + BACKOFF_FIRST));
}

TEST(a_cell_that_never_was_fetched_is_negative_while_it_rests)
{
    uint64_t key = new_cell();
    assert_asked(key, start, WEATHER_MISS, true);
    fail_at(key, start);
    struct cache_view view = ask(key, at(1));
    assert_view(view, WEATHER_NEGATIVE, false);
    assert_in_range(view.refresh_in_ms, 1, BACKOFF_FIRST);
    assert_asked(key, at(1 + view.refresh_in_ms), WEATHER_MISS, true);
    assert_asked(key, at(2 + view.refresh_in_ms), WEATHER_MISS, false);
    land(key, at(3 + view.refresh_in_ms));
}

/* Many cells come due together, and one is fetched at a time: to stand in a queue is no failure. */
TEST(a_refresh_that_waits_for_its_turn_is_no_failure)
{
    uint64_t key = fetched_cell(start);
    assert_asked(key, at(DUE), WEATHER_FRESH, true);
    assert_asked(key, at(DUE + 60 * SECOND), WEATHER_FRESH, false);
    land(key, at(DUE + 60 * SECOND));
}

TEST(past_keep_there_is_no_number)
{
    uint64_t key = fetched_cell(start);
    assert_asked(key, at(KEEP - 1), WEATHER_FRESH, true);
    fail_to(key, at(KEEP - 1), WEATHER_STALE);
    assert_asked(key, at(KEEP + 1), WEATHER_NEGATIVE, false);
    assert_asked(key, at(KEEP + MINUTE), WEATHER_MISS, true);
    land(key, at(KEEP + MINUTE));
}

/* A short forecast, from one hour ago to one hour ahead. */
TEST(past_the_last_point_there_is_no_number)
{
    uint64_t key = new_cell();
    struct curve curve = curve_at(&start, 312);
    curve.count = 3;
    assert_true(ask(key, start).listed);
    cache_put(cache, key, &start, &curve, 1);
    assert_asked(key, at(HOUR), WEATHER_FRESH, false);
    assert_asked(key, at(HOUR + SECOND), WEATHER_MISS, true); /* though it is not due by its age */
    assert_asked(key, at(HOUR + SECOND), WEATHER_MISS, false);
}

/* --- When a refresh is due, and when to try again --- */

TEST(refreshes_spread_a_tenth_either_way)
{
    uint64_t key = fetched_cell(start);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 2000; i++) {
        put(key, start);
        int64_t due = peek(key, start).refresh_in_ms;
        least = due < least ? due : least;
        most = due > most ? due : most;
    }
    assert_in_range(least, REFRESH * 90 / 100, REFRESH * 92 / 100);
    assert_in_range(most, REFRESH * 108 / 100, REFRESH * 110 / 100);
}

TEST(an_upstream_is_not_asked_before_its_expires)
{
    static const struct {
        int64_t expires_in_s; /* 0: no wish */
        int64_t least, most;
    } rows[] = {
        {0, REFRESH * 9 / 10, REFRESH * 11 / 10},  {-3600, REFRESH * 9 / 10, REFRESH * 11 / 10},
        {60, REFRESH * 9 / 10, REFRESH * 11 / 10}, {5 * 3600, 5 * HOUR, 5 * HOUR},
        {20 * 3600, 20 * HOUR, 20 * HOUR},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t key = new_cell();
        struct curve curve = curve_at(&start, 312);
        if (rows[i].expires_in_s != 0)
            curve.expires_s = start.wall_ms / 1000 + rows[i].expires_in_s;
        assert_true(ask(key, start).listed);
        cache_put(cache, key, &start, &curve, 1);
        struct cache_view view = peek(key, start);
        assert_in_range(view.refresh_in_ms, rows[i].least, rows[i].most);
        assert_asked(key, at(view.refresh_in_ms - 1), WEATHER_FRESH, false);
        assert_asked(key, at(view.refresh_in_ms), WEATHER_FRESH, true);
    }
}

TEST(backing_off_grows_and_is_bounded)
{
    int64_t longest = 0;
    for (int cell = 0; cell < 50; cell++) {
        uint64_t key = new_cell();
        int64_t now = 0, ceiling = BACKOFF_FIRST;
        for (int failures = 1; failures <= 12; failures++) {
            assert_asked(key, at(now), WEATHER_MISS, true);
            fail_at(key, at(now));
            struct cache_view view = peek(key, at(now));
            assert_view(view, WEATHER_NEGATIVE, false);
            assert_in_range(view.refresh_in_ms, SECOND, ceiling);
            longest = view.refresh_in_ms > longest ? view.refresh_in_ms : longest;
            now += view.refresh_in_ms;
            ceiling = 2 * ceiling < BACKOFF_MOST ? 2 * ceiling : BACKOFF_MOST;
        }
    }
    assert_in_range(longest, BACKOFF_MOST / 2, BACKOFF_MOST);
}

TEST(many_failures_wrap_nothing)
{
    uint64_t key = new_cell();
    for (int i = 0; i < 600; i++) {
        assert_asked(key, at(i * BACKOFF_MOST), WEATHER_MISS, true);
        fail_to(key, at(i * BACKOFF_MOST), WEATHER_NEGATIVE);
    }
    land(key, at(600 * BACKOFF_MOST));
}

/* --- Clocks that jump --- */

/* The machine's wall clock is set: boot time, which measures ages, goes on as it was. */
TEST(a_step_of_the_wall_clock_neither_ages_nor_revives)
{
    static const struct {
        int64_t step_ms;
        enum weather_state state; /* a step within the curve is read there, a wilder one has no number */
        bool fetch;
    } rows[] = {
        {HOUR, WEATHER_FRESH, false},      {-HOUR, WEATHER_FRESH, false}, {20 * HOUR, WEATHER_FRESH, false},
        {-2 * HOUR, WEATHER_MISS, true},   {YEAR, WEATHER_MISS, true},    {-YEAR, WEATHER_MISS, true},
        {-100 * YEAR, WEATHER_MISS, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t key = fetched_cell(start);
        struct instant now = at(MINUTE);
        now.wall_ms += rows[i].step_ms;
        struct cache_view view = ask(key, now);
        assert_view(view, rows[i].state, rows[i].fetch);
        assert_int_equal(view.age_ms, MINUTE);
        assert_false(ask(key, now).listed);
        fail_at(key, now);
        assert_false(ask(key, now).listed);
    }
}

/* Developers move both clocks, back as well, and perhaps to before the boot. */
TEST(going_back_in_time_is_harmless)
{
    static const int64_t steps[] = {-1, -MINUTE, -HOUR, -499 * MINUTE, -501 * MINUTE, -YEAR};
    for (size_t i = 0; i < COUNT(steps); i++) {
        uint64_t fetched = fetched_cell(start), failed = new_cell(), fresh = new_cell();
        assert_true(ask(failed, start).listed);
        fail_at(failed, start);
        assert_int_equal(ask(fetched, at(steps[i])).age_ms, 0);
        ask(failed, at(steps[i]));
        assert_asked(fresh, at(steps[i]), WEATHER_MISS, true);
        assert_asked(fresh, at(steps[i]), WEATHER_MISS, false);
        put(fresh, at(steps[i]));
        assert_asked(fresh, at(steps[i]), WEATHER_FRESH, false);
        assert_asked(fresh, at(steps[i] + DUE), WEATHER_FRESH, true);
    }
}

TEST(peeking_changes_nothing)
{
    uint64_t key = new_cell();
    struct cache_view view;
    put(key, start); /* news of a cell without an entry, too */
    fail_at(key, start);
    assert_false(cache_get(cache, key, WEATHER_PEEK, 0, &start, &view));
    assert_false(cache_get(cache, key, WEATHER_PEEK, 0, &start, &view));
    assert_asked(key, start, WEATHER_MISS, true);
    assert_view(peek(key, start), WEATHER_MISS, false);
    put(key, start);
    for (int i = 0; i < 3; i++)
        assert_view(peek(key, at(DUE)), WEATHER_FRESH, false); /* nor does it list a fetch */
    assert_asked(key, at(DUE), WEATHER_FRESH, true);
}

/* --- Eviction --- */

/* An operator's walk sees each cell once, in batches, as its next reader would be told of it. */
OWN_CACHE(a_survey_sees_every_cell_as_readers_would)
{
    enum { BATCH = 2 };
    open_own(usual.capacity);
    struct weather_cell seen[4 * BATCH];
    struct cache_view view;
    struct instant now = at(0), later = at(REFRESH * 2);
    struct curve curve = curve_at(&now, 312);
    size_t cursor = 0, count = 0, more;
    for (uint64_t key = 1; key <= 3; key++) /* fetched; fetched and due, which failed; never fetched */
        cache_get(own, key, WEATHER_FOR_VISITOR, 0, &now, &view);
    cache_put(own, 2, &now, &curve, 1);
    cache_put(own, 1, &now, &curve, 8);
    cache_get(own, 2, WEATHER_FOR_VISITOR, 0, &later, &view);
    cache_fail(own, 2, FETCH_URGENT, &later);
    while ((more = cache_scan(own, &cursor, &later, seen + count, BATCH)) > 0)
        count += more;
    assert_int_equal(count, 3);
    assert_int_equal(seen[0].state, WEATHER_FRESH);
    assert_int_equal(seen[0].asks, 0);
    assert_int_equal(seen[0].fetched_s, start.wall_ms / 1000);
    assert_int_equal(seen[0].until_s, (start.wall_ms + KEEP) / 1000);
    assert_int_equal(seen[1].state, WEATHER_STALE);
    assert_int_equal(seen[1].asks, 1);
    cache_get(own, 2, WEATHER_PEEK, 0, &later, &view);
    assert_true(seen[1].retry_s == (later.wall_ms + view.retry_in_ms + 999) / 1000 && view.retry_in_ms > 0 &&
                !seen[1].in_flight);
    assert_int_equal(seen[2].state, WEATHER_MISS);
    assert_int_equal(seen[2].fetched_s, 0);
    assert_true(seen[2].in_flight && seen[2].retry_s == 0);
}

static struct cache_view get(uint64_t key, enum weather_client client, struct instant now)
{
    struct cache_view view;
    cache_get(own, key, client, 0, &now, &view);
    return view;
}

static bool asked_for_fetch(uint64_t key)
{
    return get(key, WEATHER_FOR_VISITOR, start).listed;
}

static void fetch_into(uint64_t key)
{
    struct curve curve = curve_at(&start, 312);
    assert_true(asked_for_fetch(key));
    cache_put(own, key, &start, &curve, 1);
}

static void fetch_all(uint64_t first, uint64_t last)
{
    for (uint64_t key = first; key <= last; key++)
        fetch_into(key);
}

static size_t count_cells(uint64_t first, uint64_t last)
{
    struct cache_view view;
    size_t count = 0;
    for (uint64_t key = first; key <= last; key++)
        count += cache_get(own, key, WEATHER_PEEK, 0, &start, &view);
    return count;
}

OWN_CACHE(what_is_asked_for_outlives_what_is_not)
{
    open_own(16);
    fetch_all(1, 16);
    for (uint64_t key = 1; key <= 16; key += 2)
        assert_false(asked_for_fetch(key));
    fetch_all(101, 108);
    assert_int_equal(count_cells(101, 108), 8);
    for (uint64_t key = 1; key <= 16; key++)
        assert_int_equal(count_cells(key, key), key % 2);

    for (uint64_t key = 201; key <= 1000; key++) { /* strangers that come once, friends that come often */
        fetch_into(key);
        for (uint64_t friend = 1; friend <= 16; friend += 2)
            assert_false(asked_for_fetch(friend));
        assert_int_equal(count_cells(1, 1000), 16);
    }
}

OWN_CACHE(a_cell_in_flight_is_never_evicted)
{
    open_own(16);
    for (uint64_t key = 1; key <= 16; key++)
        assert_true(asked_for_fetch(key));
    for (uint64_t key = 101; key <= 110; key++)
        assert_view(get(key, WEATHER_FOR_VISITOR, start), WEATHER_NEGATIVE, false);
    assert_int_equal(count_cells(1, 16), 16);

    cache_fail(own, 7, FETCH_URGENT, &start); /* one lands: that one goes */
    assert_true(asked_for_fetch(101));
    assert_int_equal(count_cells(7, 7), 0);
    assert_int_equal(count_cells(1, 101), 16);
}

/* Cells that anyone may name are asked for with less than the right to evict. */
OWN_CACHE(an_entry_is_made_only_as_far_as_allowed)
{
    open_own(16);
    assert_view(get(1, WEATHER_IF_KNOWN, start), WEATHER_NEGATIVE, false);
    assert_int_equal(count_cells(1, 1), 0);
    for (uint64_t key = 1; key <= 16; key++) {
        assert_view(get(key, WEATHER_FOR_CHOICE, start), WEATHER_MISS, true);
        cache_fail(own, key, FETCH_URGENT, &start);
    }
    /* Full, though every cell in it might go. */
    assert_view(get(17, WEATHER_FOR_CHOICE, start), WEATHER_NEGATIVE, false);
    assert_view(get(18, WEATHER_IF_KNOWN, start), WEATHER_NEGATIVE, false);
    assert_int_equal(count_cells(1, 18), 16);
    fetch_into(19);
    assert_view(get(19, WEATHER_IF_KNOWN, start), WEATHER_FRESH,
                false); /* what is there may be read by anyone */
    struct instant due = at(DUE);
    assert_view(get(19, WEATHER_IF_KNOWN, due), WEATHER_FRESH, true);
    cache_fail(own, 19, FETCH_URGENT, &due);
    due = at(KEEP - SECOND);
    assert_view(get(19, WEATHER_IF_KNOWN, due), WEATHER_STALE, true); /* what a budget refuses is stale */
    cache_release(own, 19, FETCH_PUBLIC, &due);
    assert_view(get(19, WEATHER_IF_KNOWN, due), WEATHER_STALE, false);
    due = at(KEEP);
    assert_view(get(19, WEATHER_IF_KNOWN, due), WEATHER_MISS, true);
    cache_release(own, 19, FETCH_PUBLIC, &due);
    assert_view(get(19, WEATHER_IF_KNOWN, due), WEATHER_NEGATIVE, false);
}

OWN_CACHE(the_smallest_cache_works)
{
    open_own(1);
    for (uint64_t key = 1; key <= 100; key++) {
        fetch_into(key);
        assert_false(asked_for_fetch(key));
        assert_int_equal(count_cells(1, 100), 1);
    }
}

/* --- What is to be fetched --- */

static uint64_t next_key(struct instant now)
{
    struct cache_fetch fetch;
    return cache_next(own, &now, &fetch) ? fetch.key : 0;
}

/* Whose turns come next, one after the other; 0: nobody's. */
#define assert_turns(now, ...)                             \
    do {                                                   \
        static const uint64_t turns[] = {__VA_ARGS__};     \
        for (size_t turn = 0; turn < COUNT(turns); turn++) \
            assert_int_equal(next_key(now), turns[turn]);  \
    } while (0)

/* Lists the refresh of cells that were fetched before, or of a cell that anyone may name. */
static void list_cells(uint64_t first, uint64_t last, enum weather_client client)
{
    for (uint64_t key = first; key <= last; key++)
        assert_true(get(key, client, at(DUE)).listed);
}

OWN_CACHE(who_waits_goes_first_but_every_ninth_turn_is_anothers)
{
    open_own(usual.capacity);
    struct instant now = at(DUE);
    fetch_all(1, 9);
    list_cells(1, 9, WEATHER_FOR_VISITOR);     /* refreshes */
    list_cells(101, 102, WEATHER_FOR_CHOICE);  /* public */
    list_cells(201, 220, WEATHER_FOR_VISITOR); /* urgent */
    for (uint64_t urgent = 201, refresh = 1; urgent <= 216; refresh++) {
        for (int i = 0; i < CACHE_IN_A_ROW; i++)
            assert_int_equal(next_key(now), urgent++);
        assert_int_equal(next_key(now), refresh);
    }
    assert_turns(now, 217, 218, 219, 220, 3, 4, 5, 6, 7, 8, 101, 9, 102, 0); /* 101 after eight refreshes */
}

OWN_CACHE(joining_promotes)
{
    open_own(usual.capacity);
    struct instant now = at(DUE);
    fetch_all(1, 50);
    list_cells(101, 150, WEATHER_FOR_CHOICE);
    list_cells(1, 50, WEATHER_FOR_CHOICE);
    struct cache_view view = get(150, WEATHER_FOR_VISITOR, now);
    assert_view(view, WEATHER_MISS, false);
    assert_true(view.in_flight);
    get(50, WEATHER_FOR_VISITOR, now); /* who sees a number promotes to a refresh */
    assert_turns(now, 150, 50, 101);
    get(101, WEATHER_FOR_VISITOR, now); /* joins what is under way, and is refused for the other's sake */
    cache_release(own, 101, FETCH_PUBLIC, &now);
    assert_int_equal(next_key(now), 101);
    cache_put(own, 101, &now, &(struct curve){.count = 0}, 1);
    now = at(REFRESH * 12 / 10);
    assert_int_equal(next_key(now), 102);
    get(102, WEATHER_FOR_VISITOR, now); /* or fails, where the next provider had no share for the other */
    cache_fail(own, 102, FETCH_PUBLIC, &now);
    assert_true(get(102, WEATHER_PEEK, now).in_flight);
    assert_int_equal(next_key(now), 102);
    cache_fail(own, 102, FETCH_URGENT, &now);
    assert_view(get(102, WEATHER_FOR_VISITOR, now), WEATHER_NEGATIVE, false);
}

OWN_CACHE(what_is_refused_does_not_back_off)
{
    open_own(usual.capacity);
    fetch_all(1, 2);
    struct instant due = at(DUE), soon = at(REFRESH * 11 / 10 + SECOND / 2),
                   later = at(REFRESH * 11 / 10 + 2 * SECOND);
    assert_view(get(1, WEATHER_FOR_VISITOR, due), WEATHER_FRESH, true);
    assert_int_equal(next_key(due), 1);
    cache_release(own, 1, FETCH_REFRESH, &due);
    assert_view(get(1, WEATHER_FOR_VISITOR, soon), WEATHER_STALE, false);
    assert_view(get(2, WEATHER_FOR_VISITOR, soon), WEATHER_STALE,
                false); /* due, too, and held back with it */
    assert_view(get(1, WEATHER_FOR_VISITOR, later), WEATHER_STALE, true);
    assert_int_equal(get(1, WEATHER_PEEK, later).retry_in_ms, 0);
    cache_release(own, 1, FETCH_REFRESH, &later);

    assert_view(get(12, WEATHER_FOR_VISITOR, later), WEATHER_MISS, true);
    cache_release(own, 12, FETCH_URGENT, &later);
    soon = at(REFRESH * 11 / 10 + 2 * SECOND + SECOND / 2);
    later = at(REFRESH * 11 / 10 + 4 * SECOND);
    assert_view(get(12, WEATHER_FOR_VISITOR, soon), WEATHER_NEGATIVE, false);
    assert_view(get(9, WEATHER_FOR_VISITOR, soon), WEATHER_NEGATIVE, false); /* gone is gone for all */
    assert_view(get(12, WEATHER_FOR_VISITOR, later), WEATHER_MISS, true);
    cache_release(own, 12, FETCH_URGENT, &later);

    due = at(2 * REFRESH);
    assert_view(get(3, WEATHER_FOR_CHOICE, due), WEATHER_MISS, true);
    cache_release(own, 3, FETCH_PUBLIC, &due);
    struct cache_view view;
    assert_false(cache_get(own, 3, WEATHER_PEEK, 0, &due, &view)); /* nobody else asked for it */
    assert_view(get(4, WEATHER_FOR_CHOICE, due), WEATHER_NEGATIVE, false);
    assert_false(
        cache_get(own, 4, WEATHER_PEEK, 0, &due, &view)); /* nor are there entries for more of them */
    assert_view(get(3, WEATHER_FOR_VISITOR, due), WEATHER_MISS,
                true); /* what was refused to others is not to him */
}

TEST(a_refresh_without_its_turn_is_stale_in_the_end)
{
    uint64_t key = fetched_cell(start);
    assert_asked(key, at(DUE), WEATHER_FRESH, true);
    assert_asked(key, at(DUE + 2 * REFRESH - SECOND), WEATHER_FRESH, false);
    assert_asked(key, at(DUE + 2 * REFRESH + SECOND), WEATHER_STALE, false);
    land(key, at(DUE + 2 * REFRESH + 2 * SECOND));
    uint64_t unasked = fetched_cell(start); /* nobody asked, so nothing was late */
    assert_asked(unasked, at(DUE + 3 * REFRESH), WEATHER_FRESH, true);
}

OWN_CACHE(a_304_renews_the_curve_that_there_is)
{
    open_own(usual.capacity);
    struct instant now = at(3 * HOUR);
    struct curve curve = curve_at(&start, 312);
    struct cache_fetch fetch;
    curve.modified_s = 1769846000;
    curve.provider = 1;
    get(1, WEATHER_FOR_VISITOR, start);
    cache_put(own, 1, &start, &curve, 1);
    assert_true(get(1, WEATHER_FOR_VISITOR, now).listed);
    assert_true(cache_next(own, &now, &fetch));
    assert_true(fetch.class == FETCH_REFRESH && fetch.modified_s == curve.modified_s && fetch.provider == 1);
    cache_confirm(own, 1, &now, now.wall_ms / 1000 + 5 * 3600, 1);
    struct cache_view view = get(1, WEATHER_FOR_VISITOR, now);
    assert_view(view, WEATHER_FRESH, false);
    assert_true(view.age_ms == 0 && view.refresh_in_ms == 5 * HOUR);
    assert_int_equal(view.curve.fetched_s, now.wall_ms / 1000);
    now = at(30 * HOUR); /* it does not lead on for a day */
    cache_put(own, 1, &now, &curve, 1);
    now = at(40 * HOUR);
    get(1, WEATHER_FOR_VISITOR, now);
    assert_true(cache_next(own, &now, &fetch) && fetch.modified_s == 0);
}

/* However many friends there are, one stranger costs a bounded number of steps: it takes the place of one of
 * them. */
OWN_CACHE(a_full_cache_of_friends_makes_room_at_once)
{
    enum { FRIENDS = 5000 };
    open_own(FRIENDS);
    fetch_all(1, FRIENDS);
    for (uint64_t key = 1; key <= FRIENDS; key++)
        assert_false(asked_for_fetch(key));
    fetch_into(FRIENDS + 1);
    size_t gone = 0;
    for (uint64_t key = 1; key <= FRIENDS; key++)
        if (count_cells(key, key) == 0) {
            assert_int_equal(key, 256); /* the last of those that the hand passes at most */
            gone++;
        }
    assert_int_equal(gone, 1);
}

static int open_usual(void **state)
{
    (void)state;
    cache = cache_open(&usual);
    return cache ? 0 : -1;
}

static int close_usual(void **state)
{
    (void)state;
    cache_close(cache);
    cache_close(NULL);
    return 0;
}

UNIT_MAIN(open_usual, close_usual)
