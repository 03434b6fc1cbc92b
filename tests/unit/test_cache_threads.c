/* The cell cache among threads: whoever waits for a fetch returns when it ends or the time is up, no more
 * wait than may, and nothing that threads do at once breaks a rule of the cache. */
#include "unit.h"

#include <stdatomic.h>

#include "threads.h"
#include "weather/cell/cache.h"

#define SECOND  INT64_C(1000)
#define HOUR    (3600 * SECOND)
#define KEEP    (24 * HOUR)
#define WAITERS 4

static const struct instant start = {.wall_ms = 1769846400000, .boot_ms = 30000000};
static struct cache *cache; /* of ample room, for all tests but the last */
static uint64_t last_key;

static struct cache *open_cache(size_t capacity)
{
    return cache_open(&(struct cache_options){
        .capacity = capacity, .refresh_ms = 2 * HOUR, .keep_ms = KEEP, .max_waiters = WAITERS});
}

static struct instant at(int64_t ms)
{
    return (struct instant){.wall_ms = start.wall_ms + ms, .boot_ms = start.boot_ms + ms};
}

static struct curve curve_at(const struct instant *now)
{
    return (struct curve){.start_s = now->wall_ms / 1000 - 3600, .count = CURVE_POINTS};
}

/* A cell, asked for by no other test, whose fetch has begun. */
static uint64_t new_fetch(void)
{
    struct cache_view view;
    cache_get(cache, ++last_key, WEATHER_FOR_VISITOR, 0, &start, &view);
    assert_true(view.listed);
    return last_key;
}

static void end_with_curve(uint64_t key, struct instant now)
{
    struct curve curve = curve_at(&now);
    cache_put(cache, key, &now, &curve, 1);
}

static void end_without(uint64_t key, struct instant now)
{
    cache_fail(cache, key, FETCH_URGENT, &now);
}

/* --- Waiting, in real time --- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t returned, ended;
    uint64_t key;
    void (*end)(uint64_t, struct instant);
} waits = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *wait_long(void *argument)
{
    (void)argument;
    bool ended = cache_wait(cache, waits.key, clock_monotonic_ms() + 30 * SECOND);
    pthread_mutex_lock(&waits.lock);
    waits.returned++;
    waits.ended += ended;
    pthread_cond_broadcast(&waits.changed);
    pthread_mutex_unlock(&waits.lock);
    return NULL;
}

/* Once one has been refused, all others are waiting. */
static void let_them_end(void)
{
    pthread_mutex_lock(&waits.lock);
    while (waits.returned == 0)
        pthread_cond_wait(&waits.changed, &waits.lock);
    size_t returned = waits.returned, ended = waits.ended;
    pthread_mutex_unlock(&waits.lock);
    assert_int_equal(returned, 1);
    assert_int_equal(ended, 0);

    end_with_curve(new_fetch(), start); /* another cell's end wakes nobody for good */
    waits.end(waits.key, start);
}

/* Lets one more thread wait than may, so that its refusal tells when to end. */
static void check_waiters(void (*end)(uint64_t, struct instant))
{
    int64_t began = clock_monotonic_ms();
    waits.key = new_fetch();
    waits.returned = waits.ended = 0;
    waits.end = end;
    run_threads(wait_long, WAITERS + 1, let_them_end);
    assert_int_equal(waits.ended, WAITERS);
    assert_true(clock_monotonic_ms() - began < 20 * SECOND);
}

TEST(waiters_return_when_the_fetch_ends)
{
    check_waiters(end_with_curve);
    check_waiters(end_without);
}

TEST(waiting_ends_when_the_time_is_up)
{
    uint64_t key = new_fetch();
    int64_t began = clock_monotonic_ms();
    assert_false(cache_wait(cache, key, began + 50));
    assert_in_range(clock_monotonic_ms() - began, 50, 10 * SECOND);
    assert_false(cache_wait(cache, key, began - HOUR));
    assert_false(cache_wait(cache, key, 0));
}

TEST(nobody_waits_for_what_is_not_being_fetched)
{
    uint64_t key = new_fetch();
    end_with_curve(key, start);
    int64_t far = clock_monotonic_ms() + HOUR;
    assert_true(cache_wait(cache, key, far));
    assert_true(cache_wait(cache, last_key + 1, far));
}

/* --- Many threads at once --- */

#define HAMMER_KEYS  200
#define HAMMER_ROOM  64
#define HAMMER_STEPS 10000

static struct cache *hammered;
static atomic_int in_flight[HAMMER_KEYS];
static atomic_int wrongs;
static atomic_int_fast64_t hammer_ms;

/* Looks at one cell, and ends the fetch whose turn it is; anything against the rules is counted. */
static void hammer_once(uint64_t key, uint64_t dice)
{
    struct instant now = at(atomic_fetch_add(&hammer_ms, 2 * SECOND));
    struct cache_view view, other;
    struct cache_fetch fetch;
    cache_get(hammered, key, (enum weather_client)(dice / 64 % 3), 0, &now, &view);
    bool readable = view.state == WEATHER_FRESH || view.state == WEATHER_STALE;
    wrongs += readable && !curve_covers(&view.curve, now.wall_ms / 1000);
    wrongs += view.age_ms < 0 || (readable && view.age_ms > KEEP);
    if (dice % 8 == 0)
        cache_wait(hammered, key, clock_monotonic_ms());
    if (dice % 5 == 0)
        cache_get(hammered, key, WEATHER_PEEK, 0, &now, &other);
    if (!cache_next(hammered, &now, &fetch))
        return;
    wrongs += atomic_exchange(&in_flight[fetch.key], 1) != 0;
    struct curve curve = curve_at(&now);
    atomic_store(&in_flight[fetch.key], 0);
    if (dice % 3 == 0)
        cache_fail(hammered, fetch.key, FETCH_URGENT, &now);
    else if (dice % 7 == 0 && fetch.class != FETCH_PUBLIC)
        cache_release(hammered, fetch.key, fetch.class, &now);
    else
        cache_put(hammered, fetch.key, &now, &curve, 1);
}

static void *hammer(void *argument)
{
    uint64_t random_state = XORSHIFT_SEED + (uint64_t)(uintptr_t)argument;
    for (int i = 0; i < HAMMER_STEPS; i++) {
        uint64_t dice = xorshift(&random_state) >> 11;
        hammer_once((xorshift(&random_state) >> 11) % HAMMER_KEYS, dice);
    }
    return NULL;
}

static size_t count_cells(struct cache *counted)
{
    struct cache_view view;
    size_t count = 0;
    for (uint64_t key = 0; key < HAMMER_KEYS; key++)
        count += cache_get(counted, key, WEATHER_PEEK, 0, &start, &view);
    return count;
}

TEST(threads_cannot_upset_it)
{
    hammered = open_cache(HAMMER_ROOM);
    assert_non_null(hammered);
    run_threads(hammer, 4, NULL);
    assert_int_equal(wrongs, 0);
    assert_int_equal(count_cells(hammered), HAMMER_ROOM);
    cache_close(hammered);
}

static int open_usual(void **state)
{
    (void)state;
    cache = open_cache(1000);
    return cache ? 0 : -1;
}

static int close_usual(void **state)
{
    (void)state;
    cache_close(cache);
    return 0;
}

UNIT_MAIN(open_usual, close_usual)
