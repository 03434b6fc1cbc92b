/* The fetch thread against a server that does to it what servers do: answers, refuses, redirects, floods,
 * breaks off, stays silent. Each accepted flight lands exactly once, with weather or without; who waits goes
 * first; nothing holds up the end.
 *
 * The server runs inside the test, see upstream.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "capture.h"
#include "upstream.h"
#include "weather/point/fetch.h"
#include "weather/weather.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATIENT_MS   20000 /* no test comes near it unless something hangs */
#define HASTY_MS     200
#define PROMPT_MS    5000 /* what must not take long takes less, even under a sanitizer */
#define IDS_MAX      16384

/* --- What has landed --- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count;           /* guarded by lock, as all below */
    uint8_t times[IDS_MAX]; /* by id */
    bool with_curve[IDS_MAX];
    struct curve last;
} landings = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int last_id;

/* `id` is in the hundredths of the longitude. */
static struct cell cell_for(enum behaviour behaviour, int id)
{
    return (struct cell){.latitude_udeg = (int32_t)behaviour * CELL_MICRODEGREES,
                         .longitude_udeg = id * 10000};
}

static void landed(void *context, struct cell cell, const struct curve *curve)
{
    int id = cell.longitude_udeg / 10000;
    pthread_mutex_lock(&landings.lock);
    landings.count++;
    landings.times[id]++;
    landings.with_curve[id] = curve != NULL;
    if (curve)
        landings.last = *curve;
    pthread_cond_broadcast(&landings.changed);
    pthread_mutex_unlock(&landings.lock);
    assert_ptr_equal(context, &landings);
}

/* Waits until `count` flights have landed in all. */
static bool wait_landed(size_t count, int64_t within_ms)
{
    struct timespec deadline = clock_timespec(clock_monotonic_ms() + within_ms);
    int status = 0;
    pthread_mutex_lock(&landings.lock);
    while (landings.count < count && status == 0)
        status = pthread_cond_clockwait(&landings.changed, &landings.lock, CLOCK_MONOTONIC, &deadline);
    bool enough = landings.count >= count;
    pthread_mutex_unlock(&landings.lock);
    return enough;
}

static size_t landed_so_far(void)
{
    pthread_mutex_lock(&landings.lock);
    size_t count = landings.count;
    pthread_mutex_unlock(&landings.lock);
    return count;
}

/* --- Flights --- */

static struct fetch_options options_for(size_t parallel, int64_t timeout_ms)
{
    struct fetch_options options = {.order = {PROVIDER_OPEN_METEO},
                                    .order_count = 1,
                                    .user_agent = "masthead/test (unit)",
                                    .timeout_ms = timeout_ms,
                                    .parallel = parallel};
    snprintf(options.providers[0].url, sizeof options.providers[0].url, "http://127.0.0.1:%d", upstream.port);
    return options;
}

static struct fetch *open_fetch(const struct fetch_options *options)
{
    struct fetch *fetch = fetch_open(options, landed, &landings);
    assert_non_null(fetch);
    return fetch;
}

static int submit(struct fetch *fetch, enum behaviour behaviour, bool urgent)
{
    int id = ++last_id;
    assert_true(fetch_submit(fetch, cell_for(behaviour, id), urgent));
    return id;
}

static void close_promptly(struct fetch *fetch)
{
    int64_t began = clock_monotonic_ms();
    fetch_close(fetch);
    assert_in_range(clock_monotonic_ms() - began, 0, PROMPT_MS);
}

/* The value of a series in the exposition, 0 without it. */
static double exposed(const char *series)
{
    static char storage[1 << 18];
    struct text text = text_init(storage, sizeof storage);
    metrics_write(&text);
    const char *found = strstr(storage, series);
    return found ? strtod(found + strlen(series), NULL) : 0;
}

/* How many requests ended so. */
static unsigned long count_of(const char *outcome)
{
    char series[128];
    snprintf(series, sizeof series,
             "masthead_upstream_requests_total{provider=\"open-meteo\",outcome=\"%s\"} ", outcome);
    return (unsigned long)exposed(series);
}

#define REST_MS 301000 /* longer than the breaker leaves a failing provider alone */

/* Flies once, and expects it to end so. */
static void check_flight(struct fetch *fetch, enum behaviour behaviour, const char *outcome)
{
    unsigned long before = count_of(outcome);
    size_t count = landed_so_far();
    int id = submit(fetch, behaviour, true);
    if (!wait_landed(count + 1, PROMPT_MS))
        fail_msg("behaviour %d has not landed", behaviour);
    assert_int_equal(landings.times[id], 1);
    assert_int_equal(landings.with_curve[id], strcmp(outcome, "ok") == 0);
    if (count_of(outcome) != before + 1)
        fail_msg("behaviour %d did not end as %s", behaviour, outcome);
    clock_advance(REST_MS);
}

static void each_kind_of_answer_has_its_outcome(void **state)
{
    (void)state;
    struct fetch_options options = options_for(1, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    static const struct {
        enum behaviour behaviour;
        const char *outcome;
    } rows[] = {
        {OK, "ok"},           {PADDED, "ok"},        {BIG, "too_large"},
        {FLOOD, "too_large"}, {CUT, "transfer"},     {RESET, "transfer"},
        {EMPTY, "transfer"},  {GARBAGE, "transfer"}, {HEADER_FLOOD, "transfer"},
        {OK, "ok"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_flight(fetch, rows[i].behaviour, rows[i].outcome);

    static const char *const by_status[] = {"http_429", "http_5xx", "http_5xx", "http_4xx", "http_4xx",
                                            "http_3xx", "http_3xx", "parse",    "parse"};
    for (size_t i = 0; i < COUNT(by_status); i++) {
        last_id = (last_id / 9 + 1) * 9 + (int)i - 1;
        check_flight(fetch, STATUS, by_status[i]);
    }
    close_promptly(fetch);
}

static void a_curve_knows_where_it_comes_from(void **state)
{
    (void)state;
    struct fetch_options options = options_for(2, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    int64_t before = clock_now().wall_ms / 1000;
    check_flight(fetch, OK, "ok");
    assert_int_equal(landings.last.provider, PROVIDER_OPEN_METEO);
    assert_in_range(landings.last.fetched_s, before, before + PROMPT_MS / 1000 + 1);
    assert_true(curve_covers(&landings.last, before));
    assert_int_equal(landings.last.temperature_cdeg[0], 3120);
    close_promptly(fetch);
}

/* An upstream on the same machine answers in much less than a millisecond. */
static void the_time_a_request_takes_is_counted_to_the_microsecond(void **state)
{
    (void)state;
    static const char sum[] = "masthead_upstream_request_duration_seconds_sum{provider=\"open-meteo\"} ";
    struct fetch_options options = options_for(1, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    for (int i = 0; i < 10; i++) {
        double before = exposed(sum);
        check_flight(fetch, OK, "ok");
        assert_true(exposed(sum) > before);
    }
    close_promptly(fetch);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    struct fetch_options options = options_for(1, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    upstream_forget();
    last_id = (last_id / 9 + 1) * 9 + 4; /* the next is a 301 */
    check_flight(fetch, STATUS, "http_3xx");
    check_flight(fetch, OK, "ok");
    assert_int_equal(upstream.order_count, 2);
    close_promptly(fetch);
}

static void the_key_and_the_name_are_in_headers(void **state)
{
    (void)state;
    struct fetch_options options = options_for(1, PATIENT_MS);
    strcpy(options.providers[0].key, "s3cret");
    struct fetch *fetch = open_fetch(&options);
    check_flight(fetch, OK, "ok");
    close_promptly(fetch);
    assert_non_null(strstr(upstream.request, "\r\nX-Api-Key: s3cret\r\n"));
    assert_non_null(strstr(upstream.request, "\r\nUser-Agent: masthead/test (unit)\r\n"));
    assert_non_null(strstr(upstream.request, "&hourly=temperature_2m,weather_code,is_day&past_hours=1"));
    *strchr(upstream.request, '\r') = '\0';
    assert_null(strstr(upstream.request, "s3cret"));
}

static void silence_ends_at_the_timeout(void **state)
{
    (void)state;
    struct fetch_options options = options_for(2, HASTY_MS);
    struct fetch *fetch = open_fetch(&options);
    size_t count = landed_so_far();
    unsigned long before = count_of("timeout");
    int64_t began = clock_monotonic_ms();
    for (int i = 0; i < 6; i++)
        submit(fetch, SILENT, i % 2);
    assert_true(wait_landed(count + 6, 2 * PROMPT_MS));
    assert_in_range(clock_monotonic_ms() - began, 3 * (HASTY_MS - 10), 2 * PROMPT_MS); /* two at a time */
    assert_int_equal(count_of("timeout"), before + 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(landings.times[last_id - i], 1);
        assert_false(landings.with_curve[last_id - i]);
    }
    close_promptly(fetch);
}

static void nobody_there_is_a_failed_connection(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* bound but not listening: refused for sure */
    assert_int_equal(bind(bound, (struct sockaddr *)&address, size), 0);
    getsockname(bound, (struct sockaddr *)&address, &size);
    struct fetch_options options = options_for(1, PATIENT_MS);
    snprintf(options.providers[0].url, sizeof options.providers[0].url, "http://127.0.0.1:%d",
             ntohs(address.sin_port));
    struct fetch *fetch = open_fetch(&options);
    check_flight(fetch, OK, "connect");
    close_promptly(fetch);
    close(bound);
}

/* Without any further submission, timer or event that would wake the thread by chance. */
static void a_queue_is_worked_off(void **state)
{
    (void)state;
    for (size_t parallel = 1; parallel <= 3; parallel += 2) {
        struct fetch_options options = options_for(parallel, PATIENT_MS);
        struct fetch *fetch = open_fetch(&options);
        size_t count = landed_so_far();
        int first = last_id + 1;
        for (int i = 0; i < 20; i++)
            submit(fetch, i % 5 ? OK : EMPTY, i % 3 == 0);
        if (!wait_landed(count + 20, PROMPT_MS))
            fail_msg("%zu at a time: %zu of 20 have landed", parallel, landed_so_far() - count);
        for (int id = first; id <= last_id; id++)
            assert_int_equal(landings.times[id], 1);
        close_promptly(fetch);
    }
}

static void who_waits_goes_before_who_refreshes(void **state)
{
    (void)state;
    struct fetch_options options = options_for(1, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    size_t count = landed_so_far();
    upstream_forget();
    upstream_gate(false);
    int gate = submit(fetch, GATE, false);
    upstream_await(1);
    for (int i = 0; i < 3; i++)
        submit(fetch, OK, false);
    for (int i = 0; i < 3; i++)
        submit(fetch, OK, true);

    upstream_gate(true);
    assert_true(wait_landed(count + 7, 4 * PROMPT_MS));
    close_promptly(fetch);
    static const int order[] = {0, 4, 5, 6, 1, 2, 3};
    for (size_t i = 0; i < COUNT(order); i++)
        assert_int_equal(upstream.order[i], gate + order[i]);
}

/* And fetch_close gives up the flight and everything behind it, without a word. */
static void a_full_queue_says_so(void **state)
{
    (void)state;
    for (int urgent = 0; urgent <= 1; urgent++) {
        struct fetch_options options = options_for(1, PATIENT_MS);
        struct fetch *fetch = open_fetch(&options);
        size_t count = landed_so_far(), accepted = 0;
        while (accepted < 6000 && fetch_submit(fetch, cell_for(SILENT, last_id), urgent))
            accepted++;
        assert_in_range(accepted, 1000, 5999);
        assert_false(fetch_submit(fetch, cell_for(SILENT, last_id), urgent) &&
                     fetch_submit(fetch, cell_for(SILENT, last_id), urgent));
        assert_true(fetch_submit(fetch, cell_for(SILENT, last_id), !urgent)); /* each queue for itself */
        close_promptly(fetch);
        assert_int_equal(landed_so_far(), count);
    }
}

static void closing_gives_up_what_is_in_the_air(void **state)
{
    (void)state;
    struct fetch_options options = options_for(FETCH_PARALLEL_MAX, PATIENT_MS);
    struct fetch *fetch = open_fetch(&options);
    size_t count = landed_so_far();
    upstream_forget();
    for (int i = 0; i < 2 * FETCH_PARALLEL_MAX; i++)
        submit(fetch, SILENT, true);
    upstream_await(FETCH_PARALLEL_MAX);
    close_promptly(fetch);
    assert_int_equal(landed_so_far(), count);
    fetch_close(NULL);
}

static void a_room_that_cannot_open_says_why(void **state)
{
    (void)state;
    struct weather_options options = {.providers = {"open-meteo"},
                                      .provider_count = 1,
                                      .open_meteo_url = "https://api.open-meteo.com",
                                      .cell_udeg = 100000,
                                      .capacity = 16};
    char said[4096];
    static const char *const key_files[] = {"/nonexistent/key", "/dev/null", "/"};
    for (size_t i = 0; i < COUNT(key_files); i++) {
        strcpy(options.open_meteo_key_file, key_files[i]);
        struct capture capture = capture_begin(STDERR_FILENO);
        struct weather *weather = weather_open(&options);
        capture_end(&capture, said, sizeof said);
        assert_null(weather);
        if (!strstr(said, key_files[i]))
            fail_msg("not a word about %s", key_files[i]);
    }
}

static int set_up(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* what the environment says must not matter */
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    log_configure(&(struct log_options){.level = LOG_ERROR});
    return upstream_start() ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    upstream_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_answer_has_its_outcome),
        cmocka_unit_test(a_curve_knows_where_it_comes_from),
        cmocka_unit_test(the_time_a_request_takes_is_counted_to_the_microsecond),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(the_key_and_the_name_are_in_headers),
        cmocka_unit_test(silence_ends_at_the_timeout),
        cmocka_unit_test(nobody_there_is_a_failed_connection),
        cmocka_unit_test(a_queue_is_worked_off),
        cmocka_unit_test(who_waits_goes_before_who_refreshes),
        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(closing_gives_up_what_is_in_the_air),
        cmocka_unit_test(a_room_that_cannot_open_says_why),
    };
    return cmocka_run_group_tests_name("fetch", tests, set_up, tear_down);
}
