/* A curve as it stands in the fleet's Redis: what is written is read, in tenths, and so short that a cell
 * takes less than 400 bytes there; and no byte of it can be changed, cut off or put under another key
 * unnoticed. */
#include "unit.h"

#include "weather/fleet/value.h"
#include "weather/point/provider.h"

#define NOW_S INT64_C(1795305600)
#define KEY   UINT64_C(0x012345670089abcd)
/* Redis 7 takes some 140 bytes beside a value of this length, and from 253 on 64 more. */
#define ROOMY 252

static const struct value_sources sources = {provider_names, WEATHER_PROVIDERS};
static uint8_t bytes[VALUE_BYTES];

/* The first hour that is not over. */
#define PRESENT 24

/* A day back and fifty hours ahead of changeable weather, in which nothing repeats itself. */
static struct cache_record changeable(void)
{
    static const int codes[] = {0, 1, 2, 3, 3, 45, 51, 53, 61, 61, 63, 80, 95};
    struct cache_record record = {.key = KEY, .refresh_after_ms = 7356123, .curve = curve_empty()};
    struct curve *curve = &record.curve;
    curve->start_s = NOW_S - NOW_S % 3600 - 86400;
    curve->fetched_s = NOW_S;
    curve->expires_s = NOW_S + 1801;
    curve->count = CURVE_POINTS;
    curve->provider = PROVIDER_OPENWEATHERMAP;
    for (int i = 0, rain = 30, code = 3; i < CURVE_POINTS; i++) {
        int swing = abs(i % 24 - 12) * 10 + (int)random_below(12);
        rain += (int)random_below(13) - 6;
        rain = rain < 0 ? 0 : rain > 100 ? 100 : rain;
        code = random_below(4) == 0 ? codes[random_below(COUNT(codes))] : code;
        curve->temperature_cdeg[i] = (int16_t)(10 * (swing - 60));
        if (i < PRESENT)
            continue;
        curve->feels_cdeg[i] = (int16_t)(10 * (swing - 90 + (int)random_below(10)));
        curve->rain_percent[i] = (uint8_t)rain;
        curve->condition[i] = curve_condition(code, i % 24 > 6 && i % 24 < 18);
    }
    return record;
}

static void assert_same(const struct cache_record *record)
{
    struct cache_record read;
    size_t length = value_encode(bytes, record, &sources);
    assert_int_equal(value_decode(bytes, length, record->key, &sources, &read), VALUE_SOUND);
    assert_memory_equal(&read, record, sizeof read);
}

TEST(what_is_written_is_read)
{
    for (int i = 0; i < 100; i++) {
        struct cache_record record = changeable();
        assert_same(&record);
    }
}

TEST(what_is_not_known_stays_so)
{
    struct cache_record record = changeable();
    for (size_t i = PRESENT; i < 60; i++) {
        record.curve.feels_cdeg[i] = CURVE_NO_TEMPERATURE;
        record.curve.rain_percent[i] = CURVE_NO_RAIN;
        record.curve.condition[i] = i % 2 ? CURVE_NO_CONDITION : CURVE_NO_CODE | CURVE_DAY;
        record.curve.temperature_cdeg[i] = i % 9 ? CURVE_NO_TEMPERATURE : CURVE_COLDEST_CDEG;
    }
    record.curve.expires_s = 0;
    assert_same(&record);
}

TEST(hundredths_are_rounded_to_tenths)
{
    static const int16_t given[] = {2744, 2745, -2744, -2745, 4, -4, 5},
                         read[] = {2740, 2750, -2740, -2750, 0, 0, 10};
    struct cache_record record = changeable(), again;
    memcpy(record.curve.temperature_cdeg, given, sizeof given);
    memcpy(record.curve.feels_cdeg + PRESENT, given, sizeof given);
    size_t length = value_encode(bytes, &record, &sources);
    assert_int_equal(value_decode(bytes, length, KEY, &sources, &again), VALUE_SOUND);
    assert_memory_equal(again.curve.temperature_cdeg, read, sizeof read);
    assert_memory_equal(again.curve.feels_cdeg + PRESENT, read, sizeof read);
}

TEST(of_hours_that_are_over_only_temperatures_are_kept)
{
    struct cache_record record = changeable(), again;
    memset(record.curve.rain_percent, 50, CURVE_POINTS);
    size_t length = value_encode(bytes, &record, &sources);
    assert_int_equal(value_decode(bytes, length, KEY, &sources, &again), VALUE_SOUND);
    assert_int_equal(again.curve.rain_percent[PRESENT - 1], CURVE_NO_RAIN);
    assert_int_equal(again.curve.rain_percent[PRESENT], 50);
    assert_int_equal(again.curve.temperature_cdeg[0], record.curve.temperature_cdeg[0]);
}

TEST(changeable_weather_is_short)
{
    size_t longest = 0;
    for (int i = 0; i < 1000; i++) {
        struct cache_record record = changeable();
        size_t length = value_encode(bytes, &record, &sources);
        longest = length > longest ? length : longest;
    }
    print_message("the longest of 1000: %zu bytes\n", longest);
    assert_in_range(longest, 100, ROOMY);
}

TEST(whatever_is_in_a_curve_there_is_room)
{
    struct cache_record record = changeable();
    for (int i = 0; i < 1000; i++) {
        for (size_t j = 0; j < CURVE_POINTS; j++) {
            record.curve.temperature_cdeg[j] = (int16_t)random_below(UINT16_MAX);
            record.curve.feels_cdeg[j] = (int16_t)random_below(UINT16_MAX);
            record.curve.condition[j] = (uint8_t)random_below(UINT8_MAX);
            record.curve.rain_percent[j] = (uint8_t)random_below(UINT8_MAX);
        }
        assert_in_range(value_encode(bytes, &record, &sources), 100, VALUE_BYTES);
    }
}

TEST(no_bit_changes_unnoticed)
{
    struct cache_record record = changeable(), read;
    size_t length = value_encode(bytes, &record, &sources);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(value_decode(bytes, length, KEY, &sources, &read),
                         bit < 8 ? VALUE_VERSION : VALUE_DAMAGED);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

TEST(no_length_but_its_own_is_read)
{
    struct cache_record record = changeable(), read;
    size_t length = value_encode(bytes, &record, &sources);
    for (size_t other = 0; other < VALUE_BYTES; other++)
        if (other != length)
            assert_int_equal(value_decode(bytes, other, KEY, &sources, &read), VALUE_DAMAGED);
    assert_int_equal(value_decode(bytes, 1 << 20, KEY, &sources, &read), VALUE_DAMAGED);
}

TEST(a_value_is_of_its_key_and_of_a_known_source)
{
    static const char *const others[] = {"other", "another", "yet another"};
    struct cache_record record = changeable(), read;
    size_t length = value_encode(bytes, &record, &sources);
    assert_int_equal(value_decode(bytes, length, KEY + 1, &sources, &read), VALUE_SWAPPED);
    assert_int_equal(value_decode(bytes, length, KEY, &(struct value_sources){others, COUNT(others)}, &read),
                     VALUE_UNKNOWN);
}

TEST(what_no_weather_is_like_is_damaged)
{
    struct cache_record read, hot = changeable(), empty = hot, late = hot, wet = hot;
    hot.curve.temperature_cdeg[3] = CURVE_HOTTEST_CDEG + 10;
    empty.curve.count = 0;
    late.curve.expires_s = NOW_S + VALUE_EXPIRES_S + 1;
    wet.curve.rain_percent[PRESENT] = 101;
    const struct cache_record *const bad[] = {&hot, &empty, &late, &wet};
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t length = value_encode(bytes, bad[i], &sources);
        assert_int_equal(value_decode(bytes, length, KEY, &sources, &read), VALUE_DAMAGED);
    }
}

UNIT_MAIN(NULL, NULL)
