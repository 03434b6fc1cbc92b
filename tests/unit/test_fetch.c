/* The fetch thread against a server that does to it what servers do: answers, refuses, redirects, floods,
 * breaks off, stays silent. Each accepted flight lands exactly once, with weather or without; who waits goes
 * first; nothing holds up the end.
 *
 * The server runs inside the test, see upstream.h. */
#include "unit.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "capture.h"
#include "upstream.h"
#include "weather/point/fetch.h"
#include "weather/weather.h"

#define PATIENT_MS 20000 /* no test comes near it unless something hangs */
#define HASTY_MS   200
#define DAY_MS     86400000
#define PROMPT_MS  5000 /* what must not take long takes less, even under a sanitizer */

/* --- A room to fetch for --- */

static struct cache *cache;
static struct quota *quota;
static int last_id;

/* `id` is in the hundredths of the longitude. */
static struct cell cell_for(enum behaviour behaviour, int id)
{
    return (struct cell){.latitude_udeg = (int32_t)behaviour * CELL_MICRODEGREES,
                         .longitude_udeg = id * 10000};
}

static uint64_t key_for(enum behaviour behaviour, int id)
{
    return cell_key(cell_for(behaviour, id));
}

static struct cache_view look(enum behaviour behaviour, int id)
{
    struct instant now = clock_now();
    struct cache_view view;
    cache_get(cache, key_for(behaviour, id), WEATHER_PEEK, 0, &now, &view);
    return view;
}

/* Waits until the fetch of a cell has ended. */
static bool wait_ended(enum behaviour behaviour, int id, int64_t within_ms)
{
    return cache_wait(cache, key_for(behaviour, id), clock_monotonic_ms() + within_ms);
}

static struct fetch_options options_for(size_t parallel, int64_t timeout_ms)
{
    struct fetch_options options = {
        .order = {PROVIDER_OPEN_METEO},
        .order_count = 1,
        .transfer = {.user_agent = "masthead/test (unit)", .timeout_ms = timeout_ms, .parallel = parallel}};
    snprintf(options.access[0].url, sizeof options.access[0].url, "http://127.0.0.1:%d", upstream.port);
    return options;
}

static struct fetch *open_fetch(const struct fetch_options *options)
{
    struct fetch *fetch = fetch_open(options, cache, quota, NULL);
    assert_non_null(fetch);
    return fetch;
}

static struct fetch *open_usual(size_t parallel, int64_t timeout_ms)
{
    struct fetch_options options = options_for(parallel, timeout_ms);
    return open_fetch(&options);
}

/* Lists a cell: urgent, or as one that anyone may name. */
static int submit(struct fetch *fetch, enum behaviour behaviour, bool urgent)
{
    struct instant now = clock_now();
    struct cache_view view;
    int id = ++last_id;
    cache_get(cache, key_for(behaviour, id), urgent ? WEATHER_FOR_VISITOR : WEATHER_FOR_CHOICE, 0, &now,
              &view);
    assert_true(view.listed);
    fetch_wake(fetch);
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

/* Fetches once, and expects it to end so. */
static int check_flight(struct fetch *fetch, enum behaviour behaviour, const char *outcome)
{
    unsigned long before = count_of(outcome);
    int id = submit(fetch, behaviour, true);
    if (!wait_ended(behaviour, id, PROMPT_MS))
        fail_msg("behaviour %d has not ended", behaviour);
    struct cache_view view = look(behaviour, id);
    assert_int_equal(view.state, strcmp(outcome, "ok") == 0 ? WEATHER_FRESH : WEATHER_NEGATIVE);
    if (count_of(outcome) != before + 1)
        fail_msg("behaviour %d, id %d did not end as %s", behaviour, id, outcome);
    clock_advance(REST_MS);
    return id;
}

TEST(each_kind_of_answer_has_its_outcome)
{
    struct fetch *fetch = open_usual(1, PATIENT_MS);
    static const struct {
        enum behaviour behaviour;
        const char *outcome;
    } rows[] = {
        {OK, "ok"},
        {PADDED, "ok"},
        {BIG, "too_large"},
        {GZIP, "ok"},
        {BOMB, "too_large"},
        {TRAILERS, "too_large"},
        {FLOOD, "too_large"},
        {CUT, "transfer"},
        {RESET, "transfer"},
        {EMPTY, "transfer"},
        {GARBAGE, "transfer"},
        {HEADER_FLOOD, "too_large"},
        {OK, "ok"},
        {EXTENSION, "too_large"},
        {EMPTY_BLOCKS, "too_large"},
        {INTERIM, "too_large"},
        {TO_FLOOD, "too_large"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_flight(fetch, rows[i].behaviour, rows[i].outcome);

    static const char *const by_status[] = {"http_429",      "http_5xx",      "http_5xx",
                                            "http_4xx_cell", "http_4xx_cell", "http_3xx",
                                            "http_3xx",      "parse",         "parse"};
    for (size_t i = 0; i < COUNT(by_status); i++) {
        last_id = (last_id / 9 + 1) * 9 + (int)i - 1;
        check_flight(fetch, STATUS, by_status[i]);
    }
    close_promptly(fetch);
}

TEST(a_curve_knows_where_it_comes_from)
{
    struct fetch *fetch = open_usual(2, PATIENT_MS);
    int64_t before = clock_now().wall_ms / 1000;
    int id = submit(fetch, OK, true);
    assert_true(wait_ended(OK, id, PROMPT_MS));
    struct curve curve = look(OK, id).curve;
    assert_int_equal(curve.provider, PROVIDER_OPEN_METEO);
    assert_in_range(curve.fetched_s, before, before + PROMPT_MS / 1000 + 1);
    assert_true(curve_covers(&curve, before));
    assert_int_equal(curve.temperature_cdeg[0], 3120);
    close_promptly(fetch);
}

/* An upstream on the same machine answers in much less than a millisecond. */
TEST(the_time_a_request_takes_is_counted_to_the_microsecond)
{
    static const char sum[] = "masthead_upstream_request_duration_seconds_sum{provider=\"open-meteo\"} ";
    struct fetch *fetch = open_usual(1, PATIENT_MS);
    for (int i = 0; i < 10; i++) {
        double before = exposed(sum);
        check_flight(fetch, OK, "ok");
        assert_true(exposed(sum) > before);
    }
    close_promptly(fetch);
}

TEST(a_redirect_is_followed_twice_at_most)
{
    struct fetch *fetch = open_usual(1, PATIENT_MS);
    upstream_forget();
    last_id = (last_id / 9 + 1) * 9 + 4; /* the next is a 301 to itself */
    check_flight(fetch, STATUS, "http_3xx");
    assert_int_equal(upstream_requests(), 3);
    check_flight(fetch, OK, "ok");
    assert_int_equal(upstream_requests(), 4);
    close_promptly(fetch);
}

TEST(a_redirect_leads_to_the_same_host_or_nowhere)
{
    struct fetch *fetch = open_usual(1, PATIENT_MS);
    for (size_t i = 0; i < UPSTREAM_LOCATIONS; i++) {
        upstream_forget();
        last_id = (last_id / (int)UPSTREAM_LOCATIONS + 1) * (int)UPSTREAM_LOCATIONS + (int)i - 1;
        check_flight(fetch, MOVED, i == 0 ? "ok" : "http_3xx");
        assert_int_equal(upstream_requests(), i == 0 ? 2 : 1);
    }
    close_promptly(fetch);
}

/* How many requests the quota of a day has left. */
static int64_t budget_left(void)
{
    struct weather_upstream view;
    struct instant now = clock_now();
    quota_get_stats(quota, PROVIDER_OPEN_METEO, &now, &view);
    return view.windows[0].remaining;
}

/* As any server may close it that has waited for long enough. Nobody can tell whether it had read the
 * request, so both count against the budget; the provider's health is what the second one says. */
TEST(a_request_that_meets_the_end_of_its_connection_is_sent_again_once)
{
    static const struct {
        enum behaviour before, behaviour;
        const char *outcome;
        size_t requests;
    } rows[] = {
        {KEPT, OK, "ok", 2},
        {KEPT, EMPTY, "transfer", 2},
        {OK, KEPT_MOVED, "ok", 3},
        {KEPT, KEPT_MOVED, "ok", 4}, /* libcurl's own repetition, then ours */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetch *fetch = open_usual(1, PATIENT_MS);
        unsigned long failed = count_of("transfer");
        check_flight(fetch, rows[i].before, "ok");
        int64_t before = budget_left();
        upstream_forget();
        check_flight(fetch, rows[i].behaviour, rows[i].outcome);
        assert_int_equal(upstream_requests(), rows[i].requests);
        assert_int_equal(before - budget_left(), rows[i].requests);
        assert_int_equal(count_of("transfer") - failed, strcmp(rows[i].outcome, "transfer") == 0);
        close_promptly(fetch);
    }
}

TEST(the_key_and_the_name_are_in_headers)
{
    struct fetch_options options = options_for(1, PATIENT_MS);
    strcpy(options.access[0].key, "s3cret");
    struct fetch *fetch = open_fetch(&options);
    check_flight(fetch, OK, "ok");
    close_promptly(fetch);
    assert_non_null(strstr(upstream.request, "\r\nX-Api-Key: s3cret\r\n"));
    assert_non_null(strstr(upstream.request, "\r\nUser-Agent: masthead/test (unit)\r\n"));
    assert_non_null(strstr(upstream.request, "\r\nAccept-Encoding: gzip\r\n"));
    assert_non_null(strstr(upstream.request, "weather_code,is_day&past_hours=24&"));
    *strchr(upstream.request, '\r') = '\0';
    assert_null(strstr(upstream.request, "s3cret"));
}

TEST(silence_ends_at_the_timeout)
{
    struct fetch *fetch = open_usual(2, HASTY_MS);
    unsigned long before = count_of("timeout");
    int64_t began = clock_monotonic_ms();
    int first = last_id + 1;
    for (int i = 0; i < 4; i++) /* a fifth would open the breaker */
        submit(fetch, SILENT, i % 2);
    for (int id = first; id <= last_id; id++)
        assert_true(wait_ended(SILENT, id, 2 * PROMPT_MS));
    assert_in_range(clock_monotonic_ms() - began, 2 * (HASTY_MS - 10), 2 * PROMPT_MS); /* two at a time */
    assert_int_equal(count_of("timeout"), before + 4);
    close_promptly(fetch);
}

TEST(nobody_there_is_a_failed_connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* bound but not listening: refused for sure */
    assert_int_equal(bind(bound, (struct sockaddr *)&address, size), 0);
    getsockname(bound, (struct sockaddr *)&address, &size);
    struct fetch_options options = options_for(1, PATIENT_MS);
    snprintf(options.access[0].url, sizeof options.access[0].url, "http://127.0.0.1:%d",
             ntohs(address.sin_port));
    struct fetch *fetch = open_fetch(&options);
    int64_t before = budget_left();
    check_flight(fetch, OK, "connect");
    assert_int_equal(budget_left(), before); /* it has counted nothing */
    close_promptly(fetch);
    close(bound);
}

/* Without any further submission, timer or event that would wake the thread by chance. */
TEST(a_list_is_worked_off)
{
    for (size_t parallel = 1; parallel <= 3; parallel += 2) {
        struct fetch *fetch = open_usual(parallel, PATIENT_MS);
        check_flight(fetch, OK, "ok"); /* the breaker is closed, whatever was before */
        int first = last_id + 1;
        for (int i = 0; i < 20; i++)
            submit(fetch, i % 5 ? OK : EMPTY, i % 3 == 0);
        for (int i = 0; i < 20; i++)
            if (!wait_ended(i % 5 ? OK : EMPTY, first + i, PROMPT_MS))
                fail_msg("%zu at a time: number %d has not ended", parallel, i);
        close_promptly(fetch);
        clock_advance(REST_MS);
    }
}

TEST(who_waits_goes_before_who_names_a_place)
{
    struct fetch *fetch = open_usual(1, PATIENT_MS);
    upstream_forget();
    upstream_gate(false);
    int gate = submit(fetch, GATE, false);
    upstream_await(1);
    for (int i = 0; i < 3; i++)
        submit(fetch, OK, false);
    for (int i = 0; i < 3; i++)
        submit(fetch, OK, true);

    upstream_gate(true);
    assert_true(wait_ended(OK, gate + 3, 4 * PROMPT_MS));
    close_promptly(fetch);
    static const int order[] = {0, 4, 5, 6, 1, 2, 3};
    for (size_t i = 0; i < COUNT(order); i++)
        assert_int_equal(upstream.order[i], gate + order[i]);
}

/* And everything behind it, without a word. */
TEST(closing_gives_up_what_is_under_way)
{
    struct fetch *fetch = open_usual(TRANSFER_PARALLEL_MAX, PATIENT_MS);
    upstream_forget();
    int first = last_id + 1;
    for (int i = 0; i < 2 * TRANSFER_PARALLEL_MAX; i++)
        submit(fetch, SILENT, true);
    upstream_await(TRANSFER_PARALLEL_MAX);
    close_promptly(fetch);
    for (int id = first; id <= last_id; id++)
        assert_true(look(SILENT, id).in_flight);
    fetch_close(NULL);
}

TEST(a_room_that_cannot_open_says_why)
{
    struct weather_options options = {.providers = {"open-meteo"},
                                      .provider_count = 1,
                                      .provider[PROVIDER_OPEN_METEO].url = "https://api.open-meteo.com",
                                      .cell_udeg = 100000,
                                      .capacity = 16};
    char said[4096];
    char fifo[] = "/tmp/masthead-fetch-XXXXXX";
    assert_non_null(mkdtemp(fifo));
    assert_int_equal(rmdir(fifo), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0); /* nobody writes */
    const char *const key_files[] = {"/nonexistent/key", "/dev/null", "/", fifo};
    for (size_t i = 0; i < COUNT(key_files); i++) {
        strcpy(options.provider[PROVIDER_OPEN_METEO].key_file, key_files[i]);
        struct capture capture = capture_begin(STDERR_FILENO);
        struct weather *weather = weather_open(&options, NULL);
        capture_end(&capture, said, sizeof said);
        assert_null(weather);
        if (!strstr(said, key_files[i]))
            fail_msg("not a word about %s", key_files[i]);
    }
    unlink(fifo);
}

static int set_up(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* what the environment says must not matter */
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    log_configure(&(struct log_options){.level = LOG_ERROR});
    clock_advance(DAY_MS - clock_now().wall_ms % DAY_MS); /* no test comes near the next midnight */
    struct instant now = clock_now();
    cache = cache_open(&(struct cache_options){
        .capacity = 10000, .refresh_ms = 7200000, .keep_ms = 172800000, .max_waiters = 8});
    quota = quota_open(&(struct quota_options){.limits = {[PROVIDER_OPEN_METEO] = {[QUOTA_DAY] = 100000}},
                                               .used = {[PROVIDER_OPEN_METEO] = true}},
                       &now);
    return cache && quota && upstream_start() ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    upstream_stop();
    quota_close(quota);
    cache_close(cache);
    return 0;
}

UNIT_MAIN(set_up, tear_down)
