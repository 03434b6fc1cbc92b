/* The quota: budgets are never exceeded over any window, restarts and kills included; a provider that fails
 * is left alone, then asked once; what is left at the end is for cells without a curve. */
#include "unit.h"

#include "base/log.h"
#include "weather/point/quota_file.h"

#include <sys/stat.h>
#include <unistd.h>

#define MIDNIGHT_MS ((int64_t)1795305600 * 1000) /* 2026-11-22T00:00:00Z */

static char path[64];
static uint64_t instance; /* as the file had it */

static int new_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/masthead-quota-%d", (int)getpid());
    unlink(path);
    return 0;
}

static struct quota *quota; /* the test's */

static void end(void)
{
    quota_close(quota);
    quota = NULL;
}

static int drop_path(void **state)
{
    (void)state;
    end();
    unlink(path);
    return 0;
}

#define QUOTA_TEST(name) TEST_WITH(name, new_path, drop_path)

static struct instant at(int64_t s)
{
    return (struct instant){.wall_ms = MIDNIGHT_MS + s * 1000, .boot_ms = 5000000 + s * 1000};
}

static struct quota *open_with(int64_t minute, int64_t hour, int64_t day, const char *file, int64_t s)
{
    struct quota_options options = {.limits = {[PROVIDER_OPEN_METEO] = {minute, hour, day}},
                                    .used = {[PROVIDER_OPEN_METEO] = true}};
    struct instant now = at(s);
    snprintf(options.path, sizeof options.path, "%s", file);
    return quota_open(&options, &now);
}

/* Opens the test's, after the end of the one before. */
static void begin(int64_t minute, int64_t hour, int64_t day, const char *file, int64_t s)
{
    end();
    quota = open_with(minute, hour, day, file, s);
}

static struct quota_grant last; /* what was granted last */

static enum quota_answer acquire_flight(enum fetch_class class, int64_t requests, const struct instant *now)
{
    return quota_acquire(quota, PROVIDER_OPEN_METEO, class, requests, now, &last);
}

static void report_flight(const struct quota_grant *grant, enum outcome outcome, int64_t sent,
                          const struct instant *now)
{
    quota_report(quota, PROVIDER_OPEN_METEO, grant, &(struct quota_result){.outcome = outcome, .sent = sent},
                 now);
}

/* The same, with a new lease where the file does not cover it yet. */
static enum quota_answer acquire_leased(enum fetch_class class, int64_t requests, const struct instant *now)
{
    enum quota_answer answer = acquire_flight(class, requests, now);
    if (answer == QUOTA_UNLEASED && quota_renew(quota, now))
        answer = acquire_flight(class, requests, now);
    return answer;
}

static enum quota_answer acquire(enum fetch_class class, const struct instant *now)
{
    return acquire_leased(class, 1, now);
}

static void report_cell(enum outcome outcome, uint64_t cell, int64_t pause_s, const struct instant *now)
{
    quota_report(quota, PROVIDER_OPEN_METEO, &last,
                 &(struct quota_result){.outcome = outcome, .cell = cell, .sent = 1, .pause_s = pause_s},
                 now);
}

/* How many requests are granted in a row at one instant. */
static int granted_to(enum fetch_class class, int64_t s, int max)
{
    struct instant now = at(s);
    int count = 0;
    while (count < max && acquire(class, &now) == QUOTA_GRANTED) {
        report_cell(OUTCOME_OK, 0, 0, &now);
        count++;
    }
    return count;
}

static int granted(bool urgent, int64_t s, int max)
{
    return granted_to(urgent ? FETCH_URGENT : FETCH_REFRESH, s, max);
}

QUOTA_TEST(each_window_has_its_budget)
{
    begin(10, 25, 60, "", 0);
    assert_int_equal(granted(true, 0, 100), 10);
    assert_int_equal(granted(true, 59, 100), 0);
    assert_int_equal(granted(true, 60, 100), 10);
    assert_int_equal(granted(true, 120, 100), 5); /* the hour's */
    assert_int_equal(granted(true, 3599, 100), 0);
    assert_int_equal(granted(true, 3600, 100), 10);
    int rest = 0;
    for (int64_t s = 3660; s < 86400; s += 60)
        rest += granted(true, s, 100);
    assert_int_equal(rest, 60 - 25 - 10); /* the day's */
    assert_int_equal(granted(true, 86400, 100), 10);
}

QUOTA_TEST(the_last_tenth_is_for_empty_cells)
{
    begin(0, 0, 100, "", 0);
    assert_int_equal(granted(false, 0, 1000), 90);
    assert_int_equal(granted(false, 1, 1000), 0);
    assert_int_equal(granted(true, 1, 1000), 10);
}

QUOTA_TEST(no_limit_is_no_limit)
{
    begin(0, 0, 0, "", 0);
    assert_int_equal(granted(false, 0, 5000), 5000);
}

QUOTA_TEST(a_clock_set_back_gives_nothing_twice)
{
    begin(10, 0, 0, "", 0);
    assert_int_equal(granted(true, 120, 100), 10);
    assert_int_equal(granted(true, 60, 100), 0);
    assert_int_equal(granted(true, -86400, 100), 0);
    assert_int_equal(granted(true, 180, 100), 10);
}

/* How many are granted when the wall clock is `step_s` off, and boot time is not. */
static int granted_off(int64_t step_s, int64_t s, int max)
{
    struct instant now = at(s);
    now.wall_ms += step_s * 1000;
    int count = 0;
    while (count < max && acquire(FETCH_URGENT, &now) == QUOTA_GRANTED)
        count++;
    return count;
}

/* However the wall clock is stepped, and back again: nothing is given twice, and soon all as usual. */
QUOTA_TEST(steps_of_the_wall_clock_neither_give_nor_take)
{
    static const int64_t steps_s[] = {3600,         -3600, 7 * 3600, 86400, -86400,  365 * 86400,
                                      -365 * 86400, 30,    -30,      600,   1234567, -1234567};
    for (size_t i = 0; i < COUNT(steps_s); i++) {
        begin(10, 0, 50, "", 43200);
        assert_int_equal(granted_off(0, 43200, 100), 10);
        assert_int_equal(granted_off(steps_s[i], 43201, 100), 0);
        assert_int_equal(granted_off(0, 43202, 100), 0);
        int day = 10;
        for (int64_t s = 43203; s < 46800; s += 10) {
            int now = granted_off(s % 50 == 3 ? steps_s[i] : 0, s, 100);
            assert_in_range(now, 0, 10);
            day += now;
        }
        assert_int_equal(day, 50);
        for (int64_t s = 86400 * 5 / 2; s < 86400 * 5 / 2 + 600; s += 60)
            day += granted_off(0, s, 100);
        assert_int_equal(day, 100);
    }
}

QUOTA_TEST(a_restart_gives_nothing_twice)
{
    begin(0, 0, 100, path, 0);
    assert_int_equal(granted(true, 0, 37), 37);
    begin(0, 0, 100, path, 10);
    assert_int_equal(granted(true, 10, 1000), 63); /* to the last one, after a clean end */
    begin(0, 0, 100, path, 86400);
    assert_int_equal(granted(true, 86400, 1000), 100);
}

QUOTA_TEST(after_a_kill_the_lease_counts_as_spent)
{
    for (int made = 1; made < 60; made += 7) {
        unlink(path);
        begin(0, 0, 100, path, 0);
        assert_int_equal(granted(true, 0, made), made);
        struct quota *killed = quota; /* not closed before the next: only its file outlives it */
        quota = open_with(0, 0, 100, path, 10);
        int after = granted(true, 10, 1000);
        assert_true(made + after <= 100);
        assert_true(made + after > 100 - 20); /* at max a lease is lost */
        end();
        unlink(path);
        quota_close(killed);
    }
}

/* What is booked for today, as the file tells it. */
static int64_t booked(void)
{
    struct quota_kept kept[WEATHER_PROVIDERS];
    quota_file_read(path, kept, &instance);
    return kept[PROVIDER_OPEN_METEO].spent[QUOTA_DAY];
}

/* Ends the quota as SIGKILL does: only its file outlives it, as it is. */
static void kill_it(void)
{
    struct quota_kept kept[WEATHER_PROVIDERS];
    quota_file_read(path, kept, &instance);
    end();
    quota_file_write(path, kept, instance);
}

/* A short life has asked for little and has leased little, and the last requests of a day are not lost. */
QUOTA_TEST(a_hundred_kills_lose_little)
{
    int made = 0;
    for (int i = 0; i < 100; i++) {
        begin(600, 5000, 10000, path, i * 10);
        made += granted(true, i * 10, 5);
        kill_it();
    }
    assert_int_equal(made, 500);
    assert_in_range(booked(), made, made * 3 / 2);

    unlink(path);
    made = 0;
    for (int i = 0; i < 20 && booked() < 100; i++) { /* each asks for much, of a small budget */
        begin(0, 0, 100, path, i);
        made += granted(true, i, 30);
        kill_it();
    }
    assert_in_range(made, 80, 100);
}

/* A folder where the new file would be written, and no process may remove it by unlinking. */
static void block(bool blocked)
{
    char fresh[sizeof path + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    assert_int_equal(blocked ? mkdir(fresh, 0700) : rmdir(fresh), 0);
}

/* As on a full disk: one lease more is used, then nothing, so that a kill costs no more than that. */
QUOTA_TEST(what_cannot_be_written_is_not_spent)
{
    begin(0, 0, 1000, path, 0);
    assert_int_equal(granted(true, 0, 200), 200);
    int64_t in_file = booked();
    block(true);
    int unwritten = granted(true, 1, 1000);
    assert_in_range(200 + unwritten - in_file, 1, 20);
    assert_int_equal(booked(), in_file);
    assert_int_equal(
        acquire(FETCH_URGENT, &(struct instant){.wall_ms = MIDNIGHT_MS + 2000, .boot_ms = 5002000}),
        QUOTA_EXHAUSTED); /* the next provider may be asked */
    int64_t began = clock_monotonic_ms();
    assert_true(quota_wait(quota, began + 50)); /* not at once, again and again */
    assert_in_range(clock_monotonic_ms() - began, 50, 60000);
    block(false);
    struct instant now = at(3);
    assert_true(quota_renew(quota, &now));
    assert_int_equal(granted(true, 3, 1000), 800 - unwritten);

    unlink(path);
    block(true); /* from the start on */
    begin(0, 0, 1000, path, 10);
    assert_in_range(granted(true, 10, 1000), 1, 20);
    block(false);
}

QUOTA_TEST(a_damaged_file_is_survived)
{
    static const char *const contents[] = {
        "",
        "nonsense\n",
        "masthead-quota 2\nopen-meteo 1 1 1 1 1 1\n",
        "masthead-quota 1\nopen-meteo 1 -5 1 1\n",
        "masthead-quota 1\nopen-meteo 99999999999999999999 1 1 1 1 1\n",
        "masthead-quota 1\nyahoo 1 1 1 1 1 1\n",
    };
    for (size_t i = 0; i < COUNT(contents); i++) {
        end();
        FILE *file = fopen(path, "w");
        fputs(contents[i], file);
        fclose(file);
        begin(0, 0, 10, path, 0);
        assert_int_equal(granted(true, 0, 100), 10);
    }
}

/* A FIFO would hold the start until somebody writes, and a link would lead out of the folder. */
QUOTA_TEST(what_is_no_file_is_passed_over_and_replaced)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    begin(0, 0, 10, path, 0);
    assert_int_equal(granted(true, 0, 3), 3);
    end();
    begin(0, 0, 10, path, 0);
    assert_int_equal(granted(true, 0, 100), 7);
    end();
    unlink(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    begin(0, 0, 10, path, 0);
    assert_int_equal(granted(true, 0, 100), 10);
}

QUOTA_TEST(a_file_from_the_future_does_not_stop_everything)
{
    begin(0, 0, 10, path, 400 * 86400);
    granted(true, 400 * 86400, 10);
    begin(0, 0, 10, path, 0);
    assert_int_equal(granted(true, 0, 100), 0); /* spent, as far as anybody knows */
    assert_int_equal(granted(true, 86400, 100), 10);
}

static enum quota_answer acquire_at(int64_t s)
{
    struct instant now = at(s);
    return acquire(FETCH_URGENT, &now);
}

static void report(enum outcome outcome, int64_t pause_s, int64_t s)
{
    struct instant now = at(s);
    report_cell(outcome, 0, pause_s, &now);
}

QUOTA_TEST(a_failing_provider_is_left_alone_then_asked_once)
{
    begin(0, 0, 0, "", 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(acquire_at(0), QUOTA_GRANTED);
        report(OUTCOME_TIMEOUT, 0, 0);
    }
    assert_int_equal(acquire_at(9), QUOTA_PAUSED);
    assert_int_equal(acquire_at(11), QUOTA_GRANTED); /* the probe */
    assert_int_equal(acquire_at(11), QUOTA_PAUSED);  /* only one */
    report(OUTCOME_TIMEOUT, 0, 12);
    assert_int_equal(acquire_at(30), QUOTA_PAUSED); /* longer than before */
    assert_int_equal(acquire_at(33), QUOTA_GRANTED);
    report(OUTCOME_OK, 0, 33);
    assert_int_equal(acquire_at(33), QUOTA_GRANTED);
    assert_int_equal(acquire_at(33), QUOTA_GRANTED);
}

/* Of many requests that were under way when it failed, all but the first five tell nothing new. */
QUOTA_TEST(a_burst_of_failures_opens_the_breaker_once)
{
    begin(0, 0, 0, "", 0);
    for (int i = 0; i < 32; i++)
        assert_int_equal(acquire_at(0), QUOTA_GRANTED);
    for (int i = 0; i < 32; i++)
        report(OUTCOME_TIMEOUT, 0, 5);
    assert_int_equal(acquire_at(14), QUOTA_PAUSED);
    assert_int_equal(acquire_at(15), QUOTA_GRANTED);
}

/* Whatever else was under way when it was said. */
QUOTA_TEST(nothing_shortens_a_wish_to_be_left_alone)
{
    static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_TIMEOUT, OUTCOME_HTTP_429};
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        begin(0, 0, 0, "", 0);
        for (int n = 0; n < 3; n++)
            assert_int_equal(acquire_at(0), QUOTA_GRANTED);
        report(OUTCOME_HTTP_5XX, 3600, 0);
        report(outcomes[i], outcomes[i] == OUTCOME_HTTP_429 ? 60 : 0, 1);
        report(OUTCOME_OK, 0, 2);
        assert_int_equal(acquire_at(3599), QUOTA_PAUSED);
        assert_int_equal(acquire_at(3600), QUOTA_GRANTED);
    }
}

QUOTA_TEST(a_tenth_is_for_what_anyone_may_name)
{
    begin(50, 70, 0, "", 0);
    assert_int_equal(granted_to(FETCH_PUBLIC, 0, 1000), 5);
    assert_int_equal(granted_to(FETCH_PUBLIC, 60, 1000), 2); /* the hour's */
    assert_int_equal(granted_to(FETCH_PUBLIC, 120, 1000), 0);
    assert_int_equal(granted_to(FETCH_PUBLIC, 3600, 1000), 5);
    assert_int_equal(granted(true, 3600, 100), 45); /* it is spent like all else */
    begin(4, 0, 0, "", 0);
    assert_int_equal(granted_to(FETCH_PUBLIC, 0, 1000), 1);
    begin(0, 0, 0, "", 0);
    assert_int_equal(granted_to(FETCH_PUBLIC, 0, 1000), 60);
    assert_int_equal(granted_to(FETCH_PUBLIC, 60, 1000), 60);
}

QUOTA_TEST(a_wish_to_be_left_alone_is_obeyed_to_a_day)
{
    begin(0, 0, 0, "", 0);
    assert_int_equal(acquire_at(0), QUOTA_GRANTED);
    report(OUTCOME_HTTP_429, 3600, 0);
    assert_int_equal(acquire_at(3599), QUOTA_PAUSED);
    assert_int_equal(acquire_at(3600), QUOTA_GRANTED);
    report(OUTCOME_HTTP_429, (int64_t)1000000000000, 3600);
    assert_int_equal(acquire_at(3600 + 86399), QUOTA_PAUSED);
    assert_int_equal(acquire_at(3600 + 86400), QUOTA_GRANTED);
}

/* A flight that takes two requests is acquired whole, and what it did not send is given back. */
QUOTA_TEST(budgets_are_granted_per_flight)
{
    struct instant now = at(0);
    begin(0, 0, 5, path, 0);
    for (int i = 0; i < 4; i++) { /* only the first request of each was sent */
        assert_int_equal(acquire_leased(FETCH_URGENT, 2, &now), QUOTA_GRANTED);
        report_flight(&last, OUTCOME_PARSE, 1, &now);
    }
    assert_int_equal(acquire_flight(FETCH_URGENT, 2, &now), QUOTA_EXHAUSTED);
    assert_int_equal(granted(true, 0, 100), 1);
    begin(0, 0, 10, path, 86400);
    now = at(86400);
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_GRANTED);
    report_flight(&last, OUTCOME_OK, 3, &now);
    assert_int_equal(granted(true, 86400, 100), 7);
}

/* A lease is for the windows in which it was written, and what a flight did not send is given back to no
 * other. */
QUOTA_TEST(a_new_window_begins_with_no_lease_and_no_gift)
{
    struct instant evening = at(86399), midnight = at(86400);
    begin(60, 0, 1000, path, 86000);
    assert_int_equal(acquire(FETCH_URGENT, &evening), QUOTA_GRANTED);
    report_flight(&last, OUTCOME_OK, 1, &evening);
    assert_int_equal(acquire_leased(FETCH_URGENT, 2, &evening), QUOTA_GRANTED);
    struct quota_grant before = last;
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &midnight), QUOTA_UNLEASED);
    report_flight(&before, OUTCOME_PARSE, 1, &midnight);
    assert_true(quota_renew(quota, &midnight));
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &midnight), QUOTA_GRANTED);
    report_flight(&last, OUTCOME_OK, 1, &midnight);
    struct quota *killed = quota;
    quota = open_with(60, 0, 1000, path, 86410); /* the file covers today's */
    struct weather_upstream view;
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &midnight, &view);
    assert_in_range(view.windows[1].remaining, 1000 - 21, 1000 - 1);
    end();
    unlink(path);
    quota_close(killed);
    begin(60, 0, 1000, path, 86420); /* every line of the file can be read again */
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &midnight, &view);
    assert_int_equal(view.windows[1].remaining, 999);
}

/* Nothing is granted that the file does not cover, and no acquire writes it. */
QUOTA_TEST(a_lease_is_written_before_it_is_used)
{
    struct instant now = at(0);
    begin(0, 0, 1000, path, 0);
    granted(true, 0, 100); /* who has asked for much gets more at once */
    while (quota_renew(quota, &now))
        ;
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    int count = 0;
    while (acquire_flight(FETCH_URGENT, 1, &now) == QUOTA_GRANTED)
        count++;
    assert_in_range(count, 11, 20);
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_UNLEASED);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(quota_wait(quota, clock_monotonic_ms() + 60000)); /* at once: they are low */
    assert_true(quota_renew(quota, &now));
    assert_false(quota_renew(quota, &now));
    assert_int_equal(stat(path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_GRANTED);
    assert_true(quota_wait(quota, clock_monotonic_ms()));
    quota_stop(quota);
    assert_false(quota_wait(quota, clock_monotonic_ms() + 60000));
}

/* The breaker's probe alone decides: what was under way before it tells nothing, however late it ends. */
QUOTA_TEST(an_old_flight_is_not_taken_for_the_probe)
{
    begin(0, 0, 0, "", 0);
    struct quota_grant old[7], probe;
    struct instant now = at(0);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_GRANTED);
        old[i] = last;
    }
    for (size_t i = 0; i < 5; i++)
        report_flight(&old[i], OUTCOME_TIMEOUT, 1, &now);
    now = at(11);
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_GRANTED);
    probe = last;
    report_flight(&old[5], OUTCOME_TIMEOUT, 1, &now);
    assert_int_equal(acquire_flight(FETCH_URGENT, 1, &now), QUOTA_PAUSED); /* it is still under way */
    report_flight(&probe, OUTCOME_TIMEOUT, 1, &now);
    assert_int_equal(acquire_at(30), QUOTA_PAUSED);
    assert_int_equal(acquire_at(32), QUOTA_GRANTED); /* twice ten seconds after the probe, not four times */
}

/* Who refuses one cell has answered; who does not answer has refused none. */
QUOTA_TEST(a_row_is_of_one_kind)
{
    begin(0, 0, 0, "", 0);
    struct instant now = at(0);
    for (uint64_t i = 0; i < 40; i++) {
        assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED);
        report_cell(i % 5 == 4 ? OUTCOME_HTTP_4XX_CELL : OUTCOME_TIMEOUT, i, 0, &now);
    }
}

/* What is wrong with one cell says little of the provider; with ten different ones in a row, it does. */
QUOTA_TEST(ten_different_cells_in_a_row_open_the_breaker)
{
    static const enum outcome outcomes[] = {OUTCOME_HTTP_4XX_CELL, OUTCOME_IMPLAUSIBLE};
    struct instant now = at(0);
    for (size_t i = 0; i < 2; i++) {
        begin(0, 0, 0, "", 0);
        for (int n = 0; n < 50; n++) { /* the same nine, again and again */
            assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED);
            report_cell(outcomes[i], (uint64_t)n % 9, 0, &now);
        }
        assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED);
        report_cell(OUTCOME_OK, 100, 0, &now); /* the row is broken */
        for (uint64_t cell = 0; cell < 10; cell++) {
            assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED);
            report_cell(outcomes[i], cell, 0, &now);
        }
        assert_int_equal(acquire_at(9), QUOTA_PAUSED);
        now = at(11);
        assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED); /* the probe */
        assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_PAUSED);
        report_cell(outcomes[i], 55, 0, &now);
        assert_int_equal(acquire_at(30), QUOTA_PAUSED); /* longer than before */
        now = at(0);
    }
}

static double stretch_at(const struct instant *now)
{
    struct weather_upstream stats;
    quota_get_stats(quota, PROVIDER_OPEN_METEO, now, &stats);
    return stats.stretch;
}

QUOTA_TEST(curves_live_longer_when_the_budget_runs_down)
{
    begin(0, 0, 1000, "", 0);
    struct instant noon = at(43200), evening = at(80000);
    assert_true(stretch_at(&noon) == 1);
    granted(true, 43200, 400);
    assert_true(stretch_at(&noon) == 1); /* in step with the day */
    granted(true, 43200, 500);
    double pressed = stretch_at(&noon);
    assert_true(pressed > 1.5 && pressed <= 8);
    assert_true(stretch_at(&evening) < pressed);
}

TEST(windows_end_on_the_minute_the_hour_and_the_day)
{
    assert_int_equal(quota_window_end_s(QUOTA_MINUTE, 1795305600 + 61), 1795305600 + 120);
    assert_int_equal(quota_window_end_s(QUOTA_HOUR, 1795305600), 1795305600 + 3600);
    assert_int_equal(quota_window_end_s(QUOTA_DAY, 1795305600 + 86399), 1795305600 + 86400);
}

/* What an operator is told: since when it fails and how, when it is asked again, and why not before. */
QUOTA_TEST(how_things_stand_is_told)
{
    begin(0, 0, 100, "", 0);
    struct weather_upstream view;
    struct instant now = at(0);
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &now, &view);
    assert_false(view.asked || view.breaker_open || view.next_try_s || view.last_success_s ||
                 view.failing_since_s);

    granted(true, 10, 1);
    for (int i = 0; i < 5; i++) {
        now = at(20 + i);
        assert_int_equal(acquire(FETCH_URGENT, &now), QUOTA_GRANTED);
        report_cell(i == 4 ? OUTCOME_TIMEOUT : OUTCOME_PARSE, 0, 0, &now);
    }
    now = at(25);
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &now, &view);
    assert_true(view.asked && view.breaker_open);
    assert_int_equal(view.last_success_s, MIDNIGHT_MS / 1000 + 10);
    assert_int_equal(view.failing_since_s, MIDNIGHT_MS / 1000 + 20);
    assert_int_equal(view.last_failure_s, MIDNIGHT_MS / 1000 + 24);
    assert_string_equal(view.last_failure, outcome_words[OUTCOME_TIMEOUT]);
    assert_int_equal(view.next_try_s, MIDNIGHT_MS / 1000 + 34);
    assert_int_equal(view.window_count, 1);
    assert_string_equal(view.windows[0].name, "day");
    assert_int_equal(view.windows[0].limit, 100);
    assert_int_equal(view.windows[0].remaining, 94);

    assert_int_equal(granted(true, 100, 1000), 94);
    now = at(101);
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &now, &view);
    assert_false(view.breaker_open);
    assert_int_equal(view.failing_since_s, 0);
    assert_string_equal(view.last_failure, outcome_words[OUTCOME_TIMEOUT]);
    assert_int_equal(view.windows[0].remaining, 0);
    assert_int_equal(view.windows[0].reset_s, MIDNIGHT_MS / 1000 + 86400);
    assert_int_equal(view.next_try_s, MIDNIGHT_MS / 1000 + 86400);
}

UNIT_MAIN(NULL, NULL)
