/* Metrics and the log, the two things the service says about itself: the exposition is exact to the byte and
 * loses no count between threads; a log line is always one whole line, whatever stands in its values. */
#include "unit.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "capture.h"
#include "threads.h"

#define THREADS       8
#define ADDS          20000
#define LINES         200
#define WALL_MS       1769850012345
#define TIME_LOGFMT   "time=2026-01-31T09:00:12Z "
#define CAPTURE_BYTES (1 << 20)

/* --- Metrics --- */

static const char *const results[] = {"hit", "miss"};
static const char *const kinds[] = {"a", "b", "c"};
static const double bounds[] = {0.1, 0.5};

enum { PLAIN, TABLE, SPARSE, TIMES, SPARSE_TIMES, GAUGE, LABELLED, SILENT, ROWS };

static void collect_gauge(void *context, size_t row, struct metric_samples *samples)
{
    assert_int_equal(row, GAUGE);
    metric_value(samples, *(double *)context);
}

static void collect_labelled(void *context, size_t row, struct metric_samples *samples)
{
    (void)context, (void)row;
    metric_sample(samples, 1769850012, "a\"b\\c\nd", NULL);
    metric_sample(samples, -0.5, "S\xc3\xa3o", NULL);
}

static void collect_nothing(void *context, size_t row, struct metric_samples *samples)
{
    (void)context, (void)row, (void)samples;
}

static struct metric rows[ROWS] = {
    [PLAIN] = {.name = "t_plain_total", .help = "Plain.", .type = "counter"},
    [TABLE] = {.name = "t_table_total",
               .help = "Two labels.",
               .type = "counter",
               .labels = {{"result", results, 2}, {"kind", kinds, 3}}},
    [SPARSE] = {.name = "t_sparse_total",
                .help = "Sparse.",
                .type = "counter",
                .labels = {{"kind", kinds, 3}},
                .sparse = true},
    [TIMES] = {.name = "t_times_seconds",
               .help = "Times.",
               .type = "histogram",
               .bounds = bounds,
               .bound_count = 2,
               .scale = 0.001},
    [SPARSE_TIMES] = {.name = "t_sparse_seconds",
                      .help = "Sparse times.",
                      .type = "histogram",
                      .labels = {{"kind", kinds, 3}},
                      .bounds = bounds,
                      .bound_count = 2,
                      .scale = 0.001,
                      .sparse = true},
    [GAUGE] = {.name = "t_gauge", .help = "Gauge.", .type = "gauge", .collect = collect_gauge},
    [LABELLED] = {.name = "t_labelled",
                  .help = "Labelled.",
                  .type = "gauge",
                  .labels = {{"database", NULL, 0}},
                  .collect = collect_labelled},
    [SILENT] = {.name = "t_silent", .help = "No sample yet.", .type = "gauge", .collect = collect_nothing},
};

static const char *exposition(void)
{
    static char storage[8192];
    struct text text = text_init(storage, sizeof storage);
    metrics_write(&text);
    assert_false(text.overflow);
    return storage;
}

TEST(rows_that_are_not_registered_count_nothing)
{
    metric_add(&rows[PLAIN], 0, 0);
    metric_observe(&rows[TIMES], 0, 5);
    assert_string_equal(exposition(), "");
}

static double gauge = 2.5;

TEST(a_fresh_exposition_has_every_closed_series_at_zero)
{
    metrics_register(rows, ROWS, &gauge);
    assert_string_equal(exposition(),
                        "# HELP t_plain_total Plain.\n# TYPE t_plain_total counter\n"
                        "t_plain_total 0\n"
                        "# HELP t_table_total Two labels.\n# TYPE t_table_total counter\n"
                        "t_table_total{result=\"hit\",kind=\"a\"} 0\n"
                        "t_table_total{result=\"hit\",kind=\"b\"} 0\n"
                        "t_table_total{result=\"hit\",kind=\"c\"} 0\n"
                        "t_table_total{result=\"miss\",kind=\"a\"} 0\n"
                        "t_table_total{result=\"miss\",kind=\"b\"} 0\n"
                        "t_table_total{result=\"miss\",kind=\"c\"} 0\n"
                        "# HELP t_sparse_total Sparse.\n# TYPE t_sparse_total counter\n"
                        "# HELP t_times_seconds Times.\n# TYPE t_times_seconds histogram\n"
                        "t_times_seconds_bucket{le=\"0.1\"} 0\n"
                        "t_times_seconds_bucket{le=\"0.5\"} 0\n"
                        "t_times_seconds_bucket{le=\"+Inf\"} 0\n"
                        "t_times_seconds_sum 0\n"
                        "t_times_seconds_count 0\n"
                        "# HELP t_sparse_seconds Sparse times.\n# TYPE t_sparse_seconds histogram\n"
                        "# HELP t_gauge Gauge.\n# TYPE t_gauge gauge\n"
                        "t_gauge 2.5\n"
                        "# HELP t_labelled Labelled.\n# TYPE t_labelled gauge\n"
                        "t_labelled{database=\"a\\\"b\\\\c\\nd\"} 1769850012\n"
                        "t_labelled{database=\"S\xc3\xa3o\"} -0.5\n"
                        "# HELP t_silent No sample yet.\n# TYPE t_silent gauge\n");
}

static void assert_exposed(const char *lines)
{
    if (!strstr(exposition(), lines))
        fail_msg("expected\n%sin\n%s", lines, exposition());
}

TEST(counts_appear_in_their_series)
{
    metric_add(&rows[PLAIN], 0, 0);
    metric_add(&rows[PLAIN], 0, 0);
    metric_add(&rows[TABLE], 1, 2);
    metric_add(&rows[SPARSE], 1, 0);
    assert_exposed("\nt_plain_total 2\n");
    assert_exposed("t_table_total{result=\"hit\",kind=\"c\"} 0\n");
    assert_exposed("t_table_total{result=\"miss\",kind=\"b\"} 0\n"
                   "t_table_total{result=\"miss\",kind=\"c\"} 1\n");
    assert_exposed("# TYPE t_sparse_total counter\nt_sparse_total{kind=\"b\"} 1\n# HELP");
    assert_exposed("t_table_total{result=\"hit\",kind=\"a\"} 0\n");
    assert_int_equal(metrics_sum("t_table_total", "c"), 1);
    assert_int_equal(metrics_sum("t_table_total", "a"), 0);
    assert_int_equal(metrics_sum("t_table_total", NULL), 1);
    assert_int_equal(metrics_sum("t_no_such_total", NULL), 0);
}

/* A bound belongs to its bucket; buckets are cumulative; what is over the last bound is in +Inf only. */
TEST(observations_fall_into_their_buckets)
{
    static const uint64_t values_ms[] = {0, 100, 101, 500, 501, 700000};
    for (size_t i = 0; i < COUNT(values_ms); i++)
        metric_observe(&rows[TIMES], 0, values_ms[i]);
    assert_exposed("t_times_seconds_bucket{le=\"0.1\"} 2\n"
                   "t_times_seconds_bucket{le=\"0.5\"} 4\n"
                   "t_times_seconds_bucket{le=\"+Inf\"} 6\n"
                   "t_times_seconds_sum 701.202\n"
                   "t_times_seconds_count 6\n");
    metric_observe(&rows[SPARSE_TIMES], 2, 0); /* a zero counts as a first count */
    assert_exposed("# TYPE t_sparse_seconds histogram\n"
                   "t_sparse_seconds_bucket{kind=\"c\",le=\"0.1\"} 1\n"
                   "t_sparse_seconds_bucket{kind=\"c\",le=\"0.5\"} 1\n"
                   "t_sparse_seconds_bucket{kind=\"c\",le=\"+Inf\"} 1\n"
                   "t_sparse_seconds_sum{kind=\"c\"} 0\n"
                   "t_sparse_seconds_count{kind=\"c\"} 1\n# HELP");
}

static void *count_much(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < ADDS; i++) {
        metric_add(&rows[TABLE], 0, i % 2);
        metric_observe(&rows[SPARSE_TIMES], 0, i % 2 ? 200 : 600);
    }
    return NULL;
}

static void scrape(void)
{
    for (size_t i = 0; i < 10; i++)
        exposition();
}

TEST(threads_lose_no_count)
{
    run_threads(count_much, THREADS, scrape);
    assert_exposed("t_table_total{result=\"hit\",kind=\"a\"} 80000\n"
                   "t_table_total{result=\"hit\",kind=\"b\"} 80000\n");
    assert_int_equal(metrics_sum("t_table_total", "b"), THREADS * ADDS / 2);
    assert_int_equal(metrics_sum("t_sparse_seconds", "a"), 64000000);
    assert_exposed("t_sparse_seconds_bucket{kind=\"a\",le=\"0.1\"} 0\n"
                   "t_sparse_seconds_bucket{kind=\"a\",le=\"0.5\"} 80000\n"
                   "t_sparse_seconds_bucket{kind=\"a\",le=\"+Inf\"} 160000\n"
                   "t_sparse_seconds_sum{kind=\"a\"} 64000\n"
                   "t_sparse_seconds_count{kind=\"a\"} 160000\n");
}

TEST(an_exposition_that_does_not_fit_says_so)
{
    char storage[100];
    struct text text = text_init(storage, sizeof storage);
    metrics_write(&text);
    assert_true(text.overflow);
}

/* --- The log --- */

static char caught[CAPTURE_BYTES];

/* Logs one event as configured and gives what came out on standard error. */
static const char *logged(enum log_format format, enum log_level level, const char *message,
                          const struct log_field *fields)
{
    log_configure(&(struct log_options){.level = LOG_INFO, .format = (int)format});
    struct capture capture = capture_begin(STDERR_FILENO);
    log_write(level, message, fields);
    capture_end(&capture, caught, sizeof caught);
    return caught;
}

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.key = NULL}})

TEST(a_logfmt_line_is_exact)
{
    assert_string_equal(logged(LOG_LOGFMT, LOG_INFO, "ready", FIELDS(log_str("public", "127.0.0.1:8080"))),
                        TIME_LOGFMT "level=info msg=ready public=127.0.0.1:8080\n");
    assert_string_equal(logged(LOG_LOGFMT, LOG_WARN, "two words",
                               FIELDS(log_int("least", INT64_MIN), log_int("most", INT64_MAX),
                                      log_str("none", NULL), log_str("empty", ""))),
                        TIME_LOGFMT "level=warn msg=\"two words\" least=-9223372036854775808 "
                                    "most=9223372036854775807 none=\"\" empty=\"\"\n");
    assert_string_equal(
        logged(LOG_LOGFMT, LOG_ERROR, "m", FIELDS(log_str("k", "a\nlevel=error \"b\\\r\x1b[0m"))),
        TIME_LOGFMT "level=error msg=m k=\"a\\x0alevel=error \\\"b\\\\\\x0d\\x1b[0m\"\n");
}

TEST(a_json_line_is_exact)
{
    assert_string_equal(
        logged(LOG_JSON, LOG_INFO, "ready", FIELDS(log_str("public", "127.0.0.1:8080"), log_int("n", -7))),
        "{\"time\":\"2026-01-31T09:00:12Z\",\"level\":\"info\",\"msg\":\"ready\","
        "\"public\":\"127.0.0.1:8080\",\"n\":-7}\n");
}

TEST(events_below_the_level_are_dropped)
{
    for (int threshold = LOG_DEBUG; threshold <= LOG_ERROR; threshold++) {
        log_configure(&(struct log_options){.level = threshold, .format = LOG_LOGFMT});
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            struct capture capture = capture_begin(STDERR_FILENO);
            log_line((enum log_level)level, "x");
            capture_end(&capture, caught, sizeof caught);
            assert_int_equal(caught[0] != '\0', level >= threshold);
        }
    }
}

/* The one JSON object that was logged; the caller drops it. */
static json_t *logged_json(const char *first, const char *second)
{
    const char *line =
        logged(LOG_JSON, LOG_INFO, "m", FIELDS(log_str("first", first), log_str("second", second)));
    json_t *object = json_loads(line, 0, NULL);
    if (!object)
        fail_msg("not JSON: %s", line);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

static const char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "(missing)";
}

TEST(json_values_come_back)
{
    static const char *const values[] = {
        "",     "plain", "\"quoted\" \\ and </script>", "S\xc3\xa3o \xe2\x82\xac \xf0\x9f\x98\x80",
        "a\nb", "a\tb",
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        json_t *object = logged_json(values[i], "after");
        assert_string_equal(member(object, "first"), values[i]);
        assert_string_equal(member(object, "second"), "after");
        json_decref(object);
    }
}

/* Bytes that are no text, such as a file name in another encoding, are shown in some form. */
TEST(json_values_may_hold_any_bytes)
{
    static const char *const values[] = {"/etc/caf\xe9.mmdb", "\xff\xfe", "a\xe2\x80", "\xed\xa0\x80",
                                         "\x80"};
    for (size_t i = 0; i < COUNT(values); i++) {
        json_t *object = logged_json(values[i], "after");
        if (member(object, "first")[0] == '\0')
            fail_msg("row %zu: nothing is left of the value", i);
        assert_string_equal(member(object, "second"), "after");
        json_decref(object);
    }
}

/* The cut may fall inside a character, which is no reason to lose the whole value. */
TEST(long_json_values_are_cut_not_dropped)
{
    char value[2000] = "";
    for (size_t shift = 0; shift < 3; shift++) {
        memset(value, 'x', shift);
        for (size_t at = shift; at + 3 < sizeof value; at += 3)
            memcpy(value + at, "\xe2\x82\xac", 4);
        json_t *object = logged_json(value, "after");
        size_t length = strlen(member(object, "first"));
        if (length < 400 || length > 512 || strncmp(member(object, "first"), value, length) != 0)
            fail_msg("shift %zu: %zu bytes are left", shift, length);
        json_decref(object);
    }
}

/* However much an event says, what comes out is one line, and in JSON one object. */
TEST(lines_stay_whole_when_they_are_full)
{
    static const char fillers[] = "x<\"\n\x7f\xe9";
    char value[600];
    for (const char *filler = fillers; *filler; filler++) {
        memset(value, *filler, sizeof value);
        value[sizeof value - 1] = '\0';
        struct log_field fields[13] = {{.key = NULL}};
        for (size_t i = 0; i + 1 < COUNT(fields); i++)
            fields[i] = log_str("key", value);
        const char *line = logged(LOG_LOGFMT, LOG_INFO, "m", fields);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        line = logged(LOG_JSON, LOG_INFO, "m", fields);
        json_t *object = json_loads(line, 0, NULL);
        if (!object)
            fail_msg("filled with 0x%02x: no JSON, ends with '%s'", *filler, line + strlen(line) - 40);
        json_decref(object);
    }
}

static void *log_much(void *argument)
{
    (void)argument;
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "thread", log_int("i", i), log_str("text", "some words to make it longer"));
    return NULL;
}

TEST(lines_of_threads_do_not_mix)
{
    log_configure(&(struct log_options){.level = LOG_INFO, .format = LOG_LOGFMT});
    struct capture capture = capture_begin(STDERR_FILENO);
    run_threads(log_much, 4, scrape);
    capture_end(&capture, caught, sizeof caught);
    size_t count = 0;
    for (char *line = strtok(caught, "\n"); line; line = strtok(NULL, "\n"), count++) {
        int i, end = 0;
        sscanf(line, TIME_LOGFMT "level=info msg=thread i=%d text=\"some words to make it longer\"%n", &i,
               &end);
        if (end == 0 || line[end] != '\0')
            fail_msg("mixed: %s", line);
    }
    assert_int_equal(count, 4 * LINES);
}

/* --- The throttle --- */

TEST(a_throttle_lets_one_through_and_counts_the_rest)
{
    struct log_throttle throttle = {0};
    int64_t suppressed = -1;
    assert_true(log_due(&throttle, &suppressed));
    assert_int_equal(suppressed, 0);
    for (int i = 0; i < 5; i++)
        assert_false(log_due(&throttle, &suppressed));
    int64_t wait_ms = throttle.next_ms - clock_monotonic_ms();
    assert_in_range(wait_ms, 50000, 60000);

    throttle.next_ms = clock_monotonic_ms(); /* the minute is over */
    assert_true(log_due(&throttle, &suppressed));
    assert_int_equal(suppressed, 5);
    assert_false(log_due(&throttle, &suppressed));
}

static struct log_throttle shared_throttle;
static atomic_int let_through;

static void *throttle_much(void *argument)
{
    int64_t suppressed;
    (void)argument;
    for (int i = 0; i < 1000; i++)
        let_through += log_due(&shared_throttle, &suppressed);
    return NULL;
}

TEST(a_throttle_lets_one_thread_through)
{
    run_threads(throttle_much, THREADS, scrape);
    assert_int_equal(let_through, 1);
    assert_in_range(shared_throttle.held_back, 1, THREADS * 1000 - 1);
}

static int freeze(void **state)
{
    (void)state;
    clock_freeze(WALL_MS);
    return 0;
}

UNIT_MAIN(freeze, NULL)
