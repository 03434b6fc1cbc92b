/* Records that are kept: what comes out is what was put in for that very record, whoever else reads and
 * writes meanwhile; the cache is bounded, and what does not fit goes. */
#include "unit.h"

#include "place/record_cache.h"
#include "threads.h"

#define KEPT 16 /* far fewer than there are sets: each finds room */

/* What a record of that number holds in these tests. */
static struct record record_of(uint32_t number)
{
    struct record record = {.country = "IN", .located = true, .latitude = number, .radius_km = -1};
    snprintf(record.city, sizeof record.city, "City %u", number);
    return record;
}

static struct label label_of(uint32_t number)
{
    struct label label = {.id = number, .rule = "a rule"};
    snprintf(label.name, sizeof label.name, "Label %u", number);
    return label;
}

static void put(struct record_cache *cache, const struct record_key *key, uint32_t number)
{
    struct record record = record_of(number);
    struct label label = label_of(number);
    record_cache_put(cache, key, &record, &label);
}

/* Whether the key is kept; then it is that of `number`. */
static bool is_kept(struct record_cache *cache, const struct record_key *key, uint32_t number)
{
    struct record record, expected = record_of(number);
    struct label label, expected_label = label_of(number);
    if (!record_cache_get(cache, key, &record, &label))
        return false;
    assert_string_equal(record.city, expected.city);
    assert_true(record.latitude == expected.latitude && record.located);
    assert_string_equal(label.name, expected_label.name);
    assert_int_equal(label.id, expected_label.id);
    return true;
}

TEST(a_record_is_found_by_all_of_its_key)
{
    struct record_cache *cache = record_cache_open();
    const struct record_key keys[] = {record_key(1, 0, 77, "en"), record_key(2, 0, 77, "en"),
                                      record_key(1, 1, 77, "en"), record_key(1, 0, 78, "en"),
                                      record_key(1, 0, 77, "hi"), record_key(1, 0, 77, "enx")};
    for (uint32_t i = 0; i < COUNT(keys); i++) {
        for (uint32_t j = 0; j < COUNT(keys); j++)
            assert_int_equal(is_kept(cache, &keys[j], j), j < i);
        put(cache, &keys[i], i);
    }
    record_cache_close(cache);
}

TEST(a_language_that_is_too_long_is_not_kept)
{
    struct record_cache *cache = record_cache_open();
    const struct record_key key = record_key(1, 0, 77, "zh-Hant"), none = {.generation = 0};
    put(cache, &key, 1);
    assert_false(is_kept(cache, &key, 1));
    assert_false(is_kept(cache, &none, 1)); /* nor is an empty entry taken for it */
    record_cache_close(cache);
}

TEST(the_cache_is_bounded_and_keeps_the_newest)
{
    struct record_cache *cache = record_cache_open();
    uint32_t count = 4 * RECORD_CACHE_ENTRIES;
    size_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct record_key key = record_key(1, 0, i * 37, "en");
        put(cache, &key, i);
        assert_true(is_kept(cache, &key, i));
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct record_key key = record_key(1, 0, i * 37, "en");
        kept += is_kept(cache, &key, i);
        if (i + KEPT >= count)
            assert_true(is_kept(cache, &key, i));
    }
    assert_in_range(kept, RECORD_CACHE_ENTRIES * 9 / 10, RECORD_CACHE_ENTRIES);
    record_cache_close(cache);
}

static struct record_cache *shared;

/* All threads read and write the same few sets. */
static void *read_and_write(void *number)
{
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t record = (i * 7 + (uint32_t)(uintptr_t)number) % (4 * KEPT);
        const struct record_key key = record_key(1, 0, record, "en");
        if (!is_kept(shared, &key, record) || i % 5 == 0)
            put(shared, &key, record);
    }
    return NULL;
}

TEST(threads_find_whole_records)
{
    shared = record_cache_open();
    run_threads(read_and_write, THREADS_MAX, NULL);
    record_cache_close(shared);
}

UNIT_MAIN(NULL, NULL)
