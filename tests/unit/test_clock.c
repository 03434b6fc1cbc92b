/* The clock: written instants come back, what is not one is refused, and tests and developers can move now
 * without anything else noticing. */
#include "unit.h"

#include "base/clock.h"
#include "threads.h"

#define YEAR_0     (-62167219200)
#define YEAR_10000 253402300800
#define HOUR_MS    INT64_C(3600000)

TEST(instants_are_written_as_rfc_3339)
{
    static const struct {
        int64_t unix_s;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1769850012, "2026-01-31T09:00:12Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {951868799, "2000-02-29T23:59:59Z"},
        {1709164800, "2024-02-29T00:00:00Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {4107542399, "2100-02-28T23:59:59Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {2147483648, "2038-01-19T03:14:08Z"},
        {YEAR_10000 - 1, "9999-12-31T23:59:59Z"},
        {-30610224001, "0999-12-31T23:59:59Z"},
        {YEAR_0, "0000-01-01T00:00:00Z"},
        /* Out of the range that four digits can write. */
        {YEAR_0 - 1, ""},
        {YEAR_10000, ""},
        {INT64_MAX, ""},
        {INT64_MIN, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[CLOCK_RFC3339_BYTES];
        clock_format(rows[i].unix_s, out);
        assert_string_equal(out, rows[i].text);
    }
}

TEST(what_was_written_comes_back)
{
    for (int64_t at = YEAR_0; at < YEAR_10000; at += 7654321) {
        char out[CLOCK_RFC3339_BYTES];
        int64_t again = at + 1;
        clock_format(at, out);
        if (!clock_parse(out, &again) || again != at)
            fail_msg("%s came back as %lld", out, (long long)(again - at));
    }
}

TEST(what_is_not_an_instant_is_refused)
{
    /* clang-format off */
    static const char *const texts[] = {
        "", "now", "2026-01-31", "2026-01-31T09:00:12", "2026-01-31T09:00:12z", "2026-01-31 09:00:12Z",
        "2026-01-31T09:00:12+00:00", "2026-01-31T09:00:12.5Z", "2026-01-31T09:00:12Z ", " 2026-01-31T09:00:12Z",
        "2026-01-31T09:00:12ZZ", "2026-1-31T09:00:12Z", "26-01-31T09:00:12Z", "12026-01-31T09:00:12Z",
        "-2026-01-31T09:00:12Z", "2026-00-31T09:00:12Z", "2026-13-01T09:00:12Z", "2026-01-00T09:00:12Z",
        "2026-01-32T09:00:12Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T09:60:00Z", "2026-01-31T09:00:60Z", "2026-01-31T09:00:61Z",
        "2026-01-31T 9:00:12Z", "2026-01-31T09:00:12Z\n", "1769850012",
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t unix_s = 42;
        if (clock_parse(texts[i], &unix_s) || unix_s != 42)
            fail_msg("'%s' was read as %lld", texts[i], (long long)unix_s);
    }
}

TEST(durations_have_a_unit)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"250ms", 250},
        {"10s", 10000},
        {"5m", 300000},
        {"1h", 3600000},
        {"2d", 172800000},
        {"-90m", -5400000},
        {"0s", 0},
        {"007s", 7000},
        {"9223372036854775807ms", INT64_MAX},
        {"106751991167d", 9223372036828800000},
    };
    static const char *const bad[] = {
        "",
        "10",
        "s",
        "-s",
        "--1s",
        "+1s",
        " 1s",
        "1s ",
        "1 s",
        "1.5h",
        "0x10s",
        "1S",
        "1min",
        "1sm",
        "1w",
        "9223372036854775808ms",
        "106751991168d",
        "-106751991168d",
        "1h30m",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t ms = 42;
        if (!clock_parse_duration(good[i].text, &ms) || ms != good[i].ms)
            fail_msg("'%s' was read as %lld", good[i].text, (long long)ms);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms;
        if (clock_parse_duration(bad[i], &ms))
            fail_msg("'%s' was read as %lld", bad[i], (long long)ms);
    }
}

TEST(milliseconds_become_a_timespec)
{
    struct timespec t = clock_timespec(1234567);
    assert_int_equal(t.tv_sec, 1234);
    assert_int_equal(t.tv_nsec, 567000000);
    t = clock_timespec(0);
    assert_int_equal(t.tv_sec, 0);
    assert_int_equal(t.tv_nsec, 0);
}

/* Wall and boot time move together, so that an age is the same by either; bounded waits do not notice. */
TEST(the_running_clock_can_be_moved_both_ways)
{
    static const int64_t steps[] = {3 * HOUR_MS, -3 * HOUR_MS, 365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS};
    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t real = clock_monotonic_ms();
        struct instant before = clock_now();
        clock_advance(steps[i]);
        struct instant after = clock_now();
        int64_t passed = clock_monotonic_ms() - real;
        assert_in_range(passed, 0, HOUR_MS / 2);
        assert_in_range(after.boot_ms - before.boot_ms - steps[i] + HOUR_MS, HOUR_MS, HOUR_MS + passed + 1);
        assert_in_range(after.wall_ms - before.wall_ms - steps[i] + HOUR_MS, HOUR_MS - 1000,
                        HOUR_MS + passed + 1000); /* the machine's own clock may be corrected meanwhile */
    }
}

static void *advance_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++) {
        clock_advance(1);
        clock_now();
    }
    return NULL;
}

/* Last, since a frozen clock stays frozen. */
TEST(a_frozen_clock_moves_only_by_hand)
{
    clock_freeze(1769850012000);
    struct instant first = clock_now();
    assert_int_equal(first.wall_ms, 1769850012000);
    run_threads(advance_often, 4, NULL);
    struct instant later = clock_now();
    assert_int_equal(later.wall_ms - first.wall_ms, 4000);
    assert_int_equal(later.boot_ms - first.boot_ms, 4000);
    clock_advance(-5000);
    assert_int_equal(clock_now().wall_ms, 1769850011000);
}

UNIT_MAIN(NULL, NULL)
