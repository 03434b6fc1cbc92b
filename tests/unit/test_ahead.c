/* What is to come: the next twelve hours and no more than are held, the range of a day only where all of its
 * hours are, and rain where it is more likely than not, from the hour of now on. */
#include "unit.h"

#include "weather/cell/ahead.h"
#include "weather/cell/curve.h"

#define HOUR  3600
#define START INT64_C(1769817600) /* 2026-01-31T00:00:00Z, of the curves below */
#define EVER  INT64_MAX
#define NONE  AHEAD_NO_DEGREES

/* Hours from START on, each a degree warmer; cloudy by day, nothing else known. */
static struct curve warming(size_t count)
{
    struct curve curve = curve_empty();
    curve.start_s = START;
    curve.count = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        curve.temperature_cdeg[i] = (int16_t)(100 * i);
        curve.condition[i] = curve_condition(3, 1);
    }
    return curve;
}

static struct ahead read_at(const struct curve *curve, int64_t now_s, int64_t until_s)
{
    struct ahead ahead;
    memset(&ahead, 0x5a, sizeof ahead);
    ahead_read(curve, &(struct ahead_day){0, 0}, now_s, until_s, &ahead);
    assert_true(ahead.known && ahead.high_ddeg == NONE && ahead.low_ddeg == NONE);
    return ahead;
}

TEST(the_next_hours_are_full_ones_and_no_more_than_are_held)
{
    static const struct {
        int64_t now_s, until_s;
        size_t first, count;
    } rows[] = {
        {START, EVER, 1, 12},
        {START + 1, EVER, 1, 12},
        {START + HOUR - 1, EVER, 1, 12},
        {START + HOUR, EVER, 2, 12},
        {START + 37 * HOUR, EVER, 38, 12},
        {START + 37 * HOUR + 1, EVER, 38, 12},
        {START + 38 * HOUR, EVER, 39, 11},
        {START + 48 * HOUR, EVER, 49, 1},
        {START + 48 * HOUR + 1, EVER, 49, 1},
        {START + 49 * HOUR, EVER, 50, 0}, /* the last point */
        /* What is kept ends before the curve does. */
        {START + HOUR, START + 5 * HOUR, 2, 3},
        {START + HOUR, START + 5 * HOUR + 1, 2, 4},
        {START + HOUR + 1, START + 2 * HOUR, 2, 0},
        {START + HOUR + 1, START + HOUR + 2, 2, 0},
    };
    struct curve curve = warming(50);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ahead ahead = read_at(&curve, rows[i].now_s, rows[i].until_s);
        if (ahead.first_s != START + (int64_t)rows[i].first * HOUR || ahead.hour_count != rows[i].count)
            fail_msg("row %zu: %zu hours", i, ahead.hour_count);
        for (size_t h = 0; h < ahead.hour_count; h++) {
            assert_int_equal(ahead.hours[h].temperature_ddeg, 10 * (rows[i].first + h));
            assert_int_equal(ahead.hours[h].code, 3);
            assert_int_equal(ahead.hours[h].is_day, 1);
            assert_int_equal(ahead.hours[h].rain_percent, -1);
        }
    }
}

TEST(hours_end_at_one_without_temperature)
{
    struct curve curve = warming(50);
    curve.temperature_cdeg[4] = CURVE_NO_TEMPERATURE;
    assert_int_equal(read_at(&curve, START, EVER).hour_count, 3);
    curve.condition[3] = CURVE_NO_CONDITION;
    struct ahead ahead = read_at(&curve, START, EVER);
    assert_true(ahead.hours[2].code == -1 && ahead.hours[2].is_day == -1);
}

TEST(how_it_feels_is_read_between_the_hours)
{
    struct curve curve = warming(50);
    assert_int_equal(read_at(&curve, START, EVER).feels_ddeg, NONE);
    curve.feels_cdeg[0] = -1250;
    assert_int_equal(read_at(&curve, START, EVER).feels_ddeg, -125);
    assert_int_equal(read_at(&curve, START + 1, EVER).feels_ddeg, NONE);
    curve.feels_cdeg[1] = 250;
    assert_int_equal(read_at(&curve, START + HOUR / 2, EVER).feels_ddeg, -50);
    assert_int_equal(read_at(&curve, START + HOUR, EVER).feels_ddeg, 25);
}

TEST(a_day_has_a_range_where_each_of_its_hours_is_held)
{
    static const struct {
        int64_t begin_s, end_s, until_s;
        int high_ddeg, low_ddeg;
    } rows[] = {
        {0, 24 * HOUR, EVER, 230, 0},
        {HOUR, 25 * HOUR, EVER, 240, 10},
        {-HOUR, 23 * HOUR, EVER, NONE, NONE}, /* an hour before the curve */
        {-1, 24 * HOUR - 1, EVER, 230, 0},
        {26 * HOUR, 50 * HOUR, EVER, 490, 260},
        {27 * HOUR, 51 * HOUR, EVER, NONE, NONE}, /* one past its end */
        {0, 23 * HOUR, EVER, 220, 0},             /* clocks are changed */
        {0, 25 * HOUR, EVER, 240, 0},
        {HOUR / 2, 24 * HOUR + HOUR / 2, EVER, 240, 10}, /* half an hour off, as in India */
        {-HOUR / 2, 23 * HOUR + HOUR / 2, EVER, 230, 0},
        {-HOUR - HOUR / 2, 22 * HOUR + HOUR / 2, EVER, NONE, NONE},
        {HOUR * 3 / 4, 24 * HOUR + HOUR * 3 / 4, EVER, 240, 10}, /* three quarters, as in Nepal */
        {0, 24 * HOUR, START + 24 * HOUR, 230, 0},
        {0, 24 * HOUR, START + 23 * HOUR + 1, 230, 0},
        {0, 24 * HOUR, START + 23 * HOUR, NONE, NONE}, /* its last hour is not kept */
        {-START, -START, EVER, NONE, NONE},            /* not known */
    };
    struct curve curve = warming(50);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ahead ahead;
        struct ahead_day day = {START + rows[i].begin_s, START + rows[i].end_s};
        ahead_read(&curve, &day, START + 20 * HOUR, rows[i].until_s, &ahead);
        if (ahead.high_ddeg != rows[i].high_ddeg || ahead.low_ddeg != rows[i].low_ddeg)
            fail_msg("row %zu: %d and %d", i, ahead.high_ddeg, ahead.low_ddeg);
    }
    curve.temperature_cdeg[12] = CURVE_NO_TEMPERATURE;
    struct ahead ahead;
    ahead_read(&curve, &(struct ahead_day){START, START + 24 * HOUR}, START + 20 * HOUR, EVER, &ahead);
    assert_int_equal(ahead.high_ddeg, NONE);
}

/* Now is twenty minutes past the second hour; an hour of the curve has a code and a probability of its own.
 */
TEST(rain_begins_in_the_first_hour_in_which_it_is_likely)
{
#define NR CURVE_NO_RAIN
    static const struct {
        size_t hour;
        int code, percent; /* of that hour */
        int begins;        /* hour, -1: none */
        int told;          /* its probability */
    } rows[] = {
        {4, 3, 50, 4, 50},    {4, 3, 49, -1, 0},  {4, 61, 49, -1, 0}, /* the probability decides, */
        {4, 61, NR, 4, -1},                                           /* where there is one */
        {4, 49, NR, -1, 0},   {4, 50, NR, 4, -1}, {4, 99, 100, 4, 100},
        {4, -1, 80, 4, 80},   {4, -1, NR, -1, 0}, {1, 3, 60, 1, 60},  /* now's hour, */
        {1, 61, 20, 1, 20},                                           /* in which what falls now counts */
        {1, 61, NR, 1, -1},   {1, 3, 20, -1, 0},  {0, 61, 90, -1, 0}, /* what has passed does not */
        {13, 61, 90, 13, 90},                                         /* the last of the twelve */
        {14, 61, 90, -1, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve = warming(50);
        curve.condition[rows[i].hour] = curve_condition(rows[i].code, 1);
        curve.rain_percent[rows[i].hour] = (uint8_t)rows[i].percent;
        struct ahead ahead = read_at(&curve, START + HOUR + 1200, EVER);
        int64_t expected_s = rows[i].begins < 0 ? 0 : START + rows[i].begins * HOUR;
        if (ahead.rain_s != expected_s || (expected_s > 0 && ahead.rain_percent != rows[i].told))
            fail_msg("row %zu: %lld", i, (long long)(ahead.rain_s - START) / HOUR);
    }
    struct curve wet = warming(50);
    memset(wet.rain_percent, 70, sizeof wet.rain_percent);
    assert_int_equal(read_at(&wet, START + 5 * HOUR + 59, EVER).rain_s, START + 5 * HOUR);
    wet.rain_percent[5] = 10;
    assert_int_equal(read_at(&wet, START + 5 * HOUR + 59, EVER).rain_s, START + 6 * HOUR);
    assert_int_equal(read_at(&wet, START + 5 * HOUR + 59, START + 6 * HOUR).rain_s, 0); /* not kept */
}

/* By the code of this hour, not by a probability. */
TEST(rain_that_has_begun)
{
    struct curve curve = warming(50);
    memset(curve.rain_percent, 70, sizeof curve.rain_percent);
    assert_false(read_at(&curve, START + HOUR, EVER).rain_has_begun);
    curve.condition[2] = curve_condition(61, 1);
    assert_false(read_at(&curve, START + HOUR, EVER).rain_has_begun);
    curve.condition[1] = curve_condition(61, 1);
    assert_true(read_at(&curve, START + HOUR, EVER).rain_has_begun);
}

TEST(what_falls_is_snow_by_its_code_and_else_by_the_temperature)
{
    static const struct {
        int code;
        int16_t cdeg;
        bool snow;
    } rows[] = {
        {61, -500, false}, {66, -500, false}, {69, 100, false}, {71, 300, true},   {77, 300, true},
        {80, 0, false},    {83, 0, false},    {85, 300, true},  {86, 300, true},   {95, 0, false},
        {3, 54, true},     {3, 55, false},    {-1, -500, true}, {-1, 2000, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve = warming(50);
        curve.condition[4] = curve_condition(rows[i].code, 1);
        curve.temperature_cdeg[4] = rows[i].cdeg;
        curve.rain_percent[4] = 80;
        struct ahead ahead = read_at(&curve, START + HOUR, EVER);
        if (ahead.rain_s != START + 4 * HOUR || ahead.rain_is_snow != rows[i].snow)
            fail_msg("row %zu", i);
    }
}

UNIT_MAIN(NULL, NULL)
