/* What the tests of the snapshot stand on: a folder for each test, caches and curves to fill it with, and
 * the file as bytes. Include after cmocka.h. */
#pragma once

#include "folder.h"

#include "weather/cell/cell.h"
#include "weather/cell/snapshot.h"
#include "weather/point/provider.h"

#define SECOND    INT64_C(1000)
#define HOUR      (3600 * SECOND)
#define REFRESH   (2 * HOUR)
#define KEEP      (24 * HOUR)
#define SIZE_UDEG 100000
#define FEW       20
#define MANY      100000

#define OPTIONS                                                                                  \
    (struct snapshot_options)                                                                    \
    {                                                                                            \
        .cell_udeg = SIZE_UDEG, .providers = provider_names, .provider_count = WEATHER_PROVIDERS \
    }

static struct snapshot_options options;

static inline struct cache *open_cache(size_t capacity)
{
    struct cache *cache = cache_open(&(struct cache_options){
        .capacity = capacity, .refresh_ms = REFRESH, .keep_ms = KEEP, .max_waiters = 1});
    assert_non_null(cache);
    return cache;
}

static inline uint64_t key_of(size_t i)
{
    return cell_key(cell_of(-60 + (double)(i / 1000) / 10, -50 + (double)(i % 1000) / 10, SIZE_UDEG));
}

/* A curve that no other cell has, with every field in use. */
static inline struct curve curve_of(size_t i, int64_t fetched_s)
{
    struct curve curve = {.start_s = fetched_s - 1800,
                          .fetched_s = fetched_s,
                          .expires_s = fetched_s + 1800,
                          .count = CURVE_POINTS,
                          .provider = PROVIDER_OPEN_METEO};
    for (size_t point = 0; point < CURVE_POINTS; point++) {
        curve.temperature_cdeg[point] = (int16_t)((int)(i % 9000) - 4000 + (int)point);
        curve.condition[point] = (uint8_t)((i + point) % 100 | (point % 2 ? CURVE_DAY : 0));
    }
    curve.temperature_cdeg[CURVE_POINTS - 1] = CURVE_NO_TEMPERATURE;
    curve.condition[CURVE_POINTS - 2] = CURVE_NO_CONDITION;
    return curve;
}

static inline void put(struct cache *cache, uint64_t key, const struct curve *curve)
{
    struct cache_view view;
    struct instant now = clock_now();
    cache_get(cache, key, WEATHER_FOR_VISITOR, 0, &now, &view);
    cache_put(cache, key, &now, curve, 1);
}

static inline struct cache *filled_cache(size_t cells)
{
    struct cache *cache = open_cache(cells);
    int64_t now_s = clock_now().wall_ms / 1000;
    for (size_t i = 0; i < cells; i++) {
        struct curve curve = curve_of(i, now_s);
        put(cache, key_of(i), &curve);
    }
    return cache;
}

static inline void write_filled(size_t cells)
{
    struct cache *cache = filled_cache(cells);
    assert_true(snapshot_write(&options, cache));
    cache_close(cache);
}

static inline struct cache_view look(struct cache *cache, uint64_t key)
{
    struct instant now = clock_now();
    struct cache_view view = {.state = WEATHER_MISS};
    cache_get(cache, key, WEATHER_PEEK, 0, &now, &view);
    return view;
}

/* A cache as the file makes it, with what became of the records. */
static inline struct cache *restored_cache(size_t capacity, uint64_t counts[SNAPSHOT_RESULTS])
{
    struct cache *cache = open_cache(capacity);
    snapshot_read(&options, cache, counts);
    return cache;
}

static inline void check_counts(const uint64_t counts[SNAPSHOT_RESULTS], size_t restored, size_t left_out,
                                size_t damaged)
{
    assert_int_equal(counts[SNAPSHOT_RESTORED], restored);
    assert_int_equal(counts[SNAPSHOT_LEFT_OUT], left_out);
    assert_int_equal(counts[SNAPSHOT_DAMAGED], damaged);
}

/* Reads the file into a new cache. */
static inline void check_restored(size_t restored, size_t left_out, size_t damaged)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    cache_close(restored_cache(MANY, counts));
    check_counts(counts, restored, left_out, damaged);
}

static inline const char *beside(const char *suffix)
{
    static char path[SNAPSHOT_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s%s", options.path, suffix);
    return path;
}

static inline int begin_in(const char *parent)
{
    options = OPTIONS;
    int made = make_folder_in(parent);
    snprintf(options.path, sizeof options.path, "%s/cache.snapshot", folder);
    return made;
}

static inline int begin(void **state)
{
    (void)state;
    return begin_in("/tmp");
}

/* Where a process that syncs can be killed at once. */
static inline int begin_in_memory(void **state)
{
    return begin_in("/dev/shm") == 0 ? 0 : begin(state);
}

#define IN_FOLDER(name) TEST_WITH(name, begin, remove_folder)
