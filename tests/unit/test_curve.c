/* The curve: what is read between two hours is the straight line between them, exactly; outside the curve and
 * inside a hole too wide to bridge there is nothing. */
#include "unit.h"

#include "weather/cell/curve.h"

#define START 1769846400
#define HOUR  CURVE_STEP_S
#define GAP   CURVE_NO_TEMPERATURE

/* A curve of the given hundredths of a degree; by day and code 2 all along. */
static struct curve curve_of(const int16_t *cdeg, size_t count)
{
    struct curve curve = {.start_s = START, .count = (uint8_t)count};
    memcpy(curve.temperature_cdeg, cdeg, count * sizeof *cdeg);
    memset(curve.condition, 2 | CURVE_DAY, sizeof curve.condition);
    return curve;
}

#define CURVE(...) \
    curve_of((const int16_t[]){__VA_ARGS__}, sizeof((const int16_t[]){__VA_ARGS__}) / sizeof(int16_t))

TEST(temperatures_lie_on_the_line)
{
    static const struct {
        int16_t from, to; /* hundredths, at the hour and the next */
        int into_s;
        int ddeg;
    } rows[] = {
        {2000, 3000, 0, 200},
        {2000, 3000, 1800, 250},
        {2000, 3000, 900, 225},
        {2000, 3000, 3599, 300},
        {2000, 2000, 1234, 200},
        {3120, 3120, 0, 312},
        {3000, 2000, 360, 290},
        {-1000, 1000, 1800, 0},
        {-1000, -2000, 900, -125},
        {-1000, 1000, 1799, 0},
        {-9000, 6000, 1440, -300},
        /* Half away from zero, either way; just under a half stays. */
        {3125, 3125, 0, 313},
        {-3125, -3125, 0, -313},
        {3124, 3124, 0, 312},
        {-3124, -3124, 0, -312},
        {5, 5, 0, 1},
        {-5, -5, 0, -1},
        {4, 4, 0, 0},
        {-4, -4, 0, 0},
        {0, 10, 1800, 1},
        {0, 10, 1799, 0},
        {0, -10, 1800, -1},
        {0, -10, 1799, 0},
        {-10, 0, 1800, -1},
        {-10, 0, 1801, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve = CURVE(rows[i].from, rows[i].to);
        struct curve_value value;
        assert_true(curve_covers(&curve, START + rows[i].into_s));
        assert_true(curve_read(&curve, START + rows[i].into_s, &value));
        if (value.temperature_ddeg != rows[i].ddeg)
            fail_msg("row %zu: %d, expected %d", i, value.temperature_ddeg, rows[i].ddeg);
    }
}

static void assert_nothing_at(const struct curve *curve, int64_t unix_s)
{
    struct curve_value value = {.temperature_ddeg = 4242, .code = 4243, .is_day = 4244};
    if (curve_covers(curve, unix_s) || curve_read(curve, unix_s, &value))
        fail_msg("%lld s after the start: %d", (long long)(unix_s - START), value.temperature_ddeg);
    assert_int_equal(value.temperature_ddeg, 4242);
    assert_int_equal(value.code, 4243);
    assert_int_equal(value.is_day, 4244);
}

static void assert_value_at(const struct curve *curve, int64_t unix_s, int ddeg)
{
    struct curve_value value;
    assert_true(curve_covers(curve, unix_s));
    assert_true(curve_read(curve, unix_s, &value));
    assert_int_equal(value.temperature_ddeg, ddeg);
}

TEST(the_curve_ends_at_its_first_and_last_point)
{
    struct curve curve = CURVE(1000, 1100, 1200);
    assert_value_at(&curve, START, 100);
    assert_value_at(&curve, START + 2 * HOUR, 120);
    static const int64_t outside[] = {
        START - 1, START - HOUR,     START + 2 * HOUR + 1, START + 3 * HOUR,
        0,         START - 31536000, START + 31536000,     INT32_MAX,
        -1,        INT32_MIN,        INT64_MAX / 2,        INT64_MIN / 2,
    };
    for (size_t i = 0; i < COUNT(outside); i++)
        assert_nothing_at(&curve, outside[i]);

    curve.count = 1;
    assert_value_at(&curve, START, 100);
    assert_nothing_at(&curve, START + 1);
    curve.count = 0;
    assert_nothing_at(&curve, START);
}

TEST(the_longest_curve_is_read_to_its_end)
{
    int16_t cdeg[CURVE_POINTS];
    for (size_t i = 0; i < CURVE_POINTS; i++)
        cdeg[i] = (int16_t)(100 * (int)i);
    struct curve curve = curve_of(cdeg, CURVE_POINTS);
    for (int64_t i = 0; i < CURVE_POINTS; i++)
        assert_value_at(&curve, START + i * HOUR, (int)i * 10);
    assert_value_at(&curve, START + (CURVE_POINTS - 1) * HOUR - 360, (CURVE_POINTS - 1) * 10 - 1);
    assert_nothing_at(&curve, START + (CURVE_POINTS - 1) * HOUR + 1);
}

/* Beside a missing point only the known one itself can be read. */
TEST(a_missing_point_takes_both_hours_around_it)
{
    struct curve curve = CURVE(1000, GAP, 1200, GAP);
    assert_value_at(&curve, START, 100);
    assert_nothing_at(&curve, START + 1);
    assert_nothing_at(&curve, START + HOUR);
    assert_nothing_at(&curve, START + 2 * HOUR - 1);
    assert_value_at(&curve, START + 2 * HOUR, 120);
    assert_nothing_at(&curve, START + 2 * HOUR + 1);
    assert_nothing_at(&curve, START + 3 * HOUR);
}

TEST(the_sky_is_stepped_at_the_hour)
{
    static const struct {
        uint8_t condition;
        int code, is_day;
    } rows[] = {
        {0 | CURVE_DAY, 0, 1},
        {0, 0, 0},
        {99 | CURVE_DAY, 99, 1},
        {99, 99, 0},
        {CURVE_NO_CONDITION, -1, -1},
        {CURVE_NO_CODE, -1, 0},
        {45, 45, 0},
    };
    struct curve curve = CURVE(0, 0, 0, 0, 0, 0, 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        curve.condition[i] = rows[i].condition;
    for (int64_t at = 0; at <= (int64_t)(COUNT(rows) - 1) * HOUR; at += 1) {
        struct curve_value value;
        assert_true(curve_read(&curve, START + at, &value));
        assert_int_equal(value.code, rows[at / HOUR].code);
        assert_int_equal(value.is_day, rows[at / HOUR].is_day);
    }
}

TEST(short_gaps_are_bridged)
{
    static const struct {
        int16_t before[9], after[9];
    } rows[] = {
        {{100, 200, 300, 400, 500, 600, 700, 800, 900}, {100, 200, 300, 400, 500, 600, 700, 800, 900}},
        {{100, GAP, 300, 400, 500, 600, 700, 800, 900}, {100, 200, 300, 400, 500, 600, 700, 800, 900}},
        {{100, GAP, GAP, 400, 500, 600, 700, 800, 900}, {100, 200, 300, 400, 500, 600, 700, 800, 900}},
        {{100, GAP, GAP, GAP, 500, 600, 700, 800, 900}, {100, 200, 300, 400, 500, 600, 700, 800, 900}},
        {{100, GAP, GAP, GAP, GAP, 600, 700, 800, 900}, {100, GAP, GAP, GAP, GAP, 600, 700, 800, 900}},
        {{100, GAP, 300, GAP, GAP, 600, GAP, GAP, GAP}, {100, 200, 300, 400, 500, 600, GAP, GAP, GAP}},
        {{GAP, 200, GAP, GAP, GAP, 0, 700, GAP, 900}, {GAP, 200, 150, 100, 50, 0, 700, 800, 900}},
        {{GAP, GAP, GAP, GAP, 500, GAP, GAP, GAP, GAP}, {GAP, GAP, GAP, GAP, 500, GAP, GAP, GAP, GAP}},
        {{GAP, GAP, GAP, GAP, GAP, GAP, GAP, GAP, GAP}, {GAP, GAP, GAP, GAP, GAP, GAP, GAP, GAP, GAP}},
        {{-300, GAP, 300, GAP, -500, GAP, GAP, -200, 0}, {-300, 0, 300, -100, -500, -400, -300, -200, 0}},
        {{6000, GAP, GAP, GAP, -9000, 0, 0, 0, 0}, {6000, 2250, -1500, -5250, -9000, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve = curve_of(rows[i].before, 9);
        curve_bridge_gaps(&curve);
        for (size_t p = 0; p < 9; p++)
            if (curve.temperature_cdeg[p] != rows[i].after[p])
                fail_msg("row %zu, point %zu: %d", i, p, curve.temperature_cdeg[p]);
    }
}

/* What lies behind `count` is not part of the curve. */
TEST(bridging_stops_at_the_count)
{
    struct curve curve = CURVE(100, GAP, 300);
    curve.count = 2;
    curve_bridge_gaps(&curve);
    assert_int_equal(curve.temperature_cdeg[1], GAP);
    curve.count = 0;
    curve_bridge_gaps(&curve);
    assert_int_equal(curve.temperature_cdeg[1], GAP);
}

static struct curve count_up(int64_t start_s, size_t count, int16_t from)
{
    struct curve curve = curve_empty();
    curve.start_s = start_s;
    curve.count = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        curve.temperature_cdeg[i] = (int16_t)(from + (int16_t)i);
    return curve;
}

TEST(hours_that_have_passed_stay)
{
    static const struct {
        int64_t newer_h;
        size_t newer, older, hours, prepended;
    } rows[] = {
        {5, 50, 50, 24, 5},   {30, 50, 50, 24, 24},          {30, 50, 50, 0, 0}, /* as many as are wanted */
        {50, 50, 50, 24, 24}, {51, 50, 50, 24, 0},           /* an hour between the two is missing */
        {0, 50, 50, 24, 0},   {-3, 50, 50, 24, 0},           /* it begins no later */
        {40, 70, 50, 24, 6},  {40, CURVE_POINTS, 50, 24, 0}, /* no more than there is room for */
        {3, 50, 0, 24, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t start_s = 1769846400;
        struct curve older = count_up(start_s, rows[i].older, 1000);
        struct curve newer = count_up(start_s + rows[i].newer_h * CURVE_STEP_S, rows[i].newer, 2000);
        curve_prepend(&newer, &older, rows[i].hours);
        assert_int_equal(newer.count, rows[i].newer + rows[i].prepended);
        assert_int_equal(newer.start_s,
                         start_s + (rows[i].newer_h - (int64_t)rows[i].prepended) * CURVE_STEP_S);
        assert_int_equal(newer.temperature_cdeg[rows[i].prepended], 2000);
        for (size_t p = 0; p < rows[i].prepended; p++)
            assert_int_equal(newer.temperature_cdeg[p],
                             1000 + rows[i].newer_h - (int64_t)rows[i].prepended + (int64_t)p);
    }
    struct curve half = count_up(1800, 50, 0), whole = count_up(7200, 50, 0);
    curve_prepend(&whole, &half, 24); /* hours that are not the same */
    assert_int_equal(whole.count, 50);
}

UNIT_MAIN(NULL, NULL)
