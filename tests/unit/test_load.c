/* The download of a run as it asks and as it is answered, up to the point where fields are unpacked, which
 * tests/service/test_earth.py has: which mirror, which hour, after which pause, and when it gives up. */
#include "unit.h"

#include "weather/earth/load.h"

#define RUN_S   INT64_C(1780272000) /* 2026-06-01 00:00 */
#define FIRST   3
#define LAST    (FIRST + GRID_HOURS - 1)
#define MINUTES INT64_C(60000)

static struct load *load;
static struct instant now;

static void begin(size_t mirrors, size_t first_mirror)
{
    struct load_options options = {.mirror_count = mirrors, .path = "/nonexistent/earth.grid"};
    for (size_t i = 0; i < mirrors; i++)
        snprintf(options.mirrors[i], LOAD_URL_BYTES, "http://mirror%zu", i);
    now = (struct instant){.wall_ms = (RUN_S + 5 * 3600) * 1000, .boot_ms = 1000000};
    load = load_begin(&options, RUN_S, FIRST, false, first_mirror);
    assert_non_null(load);
}

static int end(void **state)
{
    (void)state;
    load_close(load);
    load = NULL;
    return 0;
}

#define LOAD(name) TEST_WITH(name, NULL, end)

static void assert_asks(struct transfer_request *request, size_t mirror, int hour, bool index)
{
    char path[GFS_PATH_BYTES], url[LOAD_URL_BYTES];
    assert_true(load_next(load, &now, request));
    gfs_path(RUN_S, hour, index, path);
    snprintf(url, sizeof url, "http://mirror%zu%s", mirror, path);
    assert_string_equal(request->url, url);
    assert_true(load_owns(load, request->tag));
}

static void assert_waits(void)
{
    struct transfer_request request;
    assert_false(load_next(load, &now, &request));
}

static bool answer(const struct transfer_request *request, int status, const char *body)
{
    struct transfer_answer given = {.tag = request->tag,
                                    .error = "",
                                    .status = status,
                                    .body = body,
                                    .length = strlen(body),
                                    .last_modified_s = now.wall_ms / 1000 - GFS_SETTLED_S};
    return load_end(load, &given, &now);
}

/* An index of an hour that has all that is wanted. */
static const char *index_of(int hour)
{
    static const char *const records[] = {"TMP:2 m above ground", "PRATE:surface", "CFRZR:surface",
                                          "TCDC:entire atmosphere", "TMP:80 m above ground"};
    static char text[1024];
    char *at = text;
    for (size_t i = 0; i < COUNT(records); i++)
        at += sprintf(at, "%zu:%zu:d=2026060100:%s:%d hour fcst:\n", i + 1, 1000 * i, records[i], hour);
    return text;
}

static void probe(size_t mirror)
{
    struct transfer_request request;
    assert_asks(&request, mirror, LAST, true);
    assert_waits(); /* for that answer */
    assert_true(answer(&request, 200, index_of(LAST)));
    assert_int_equal(load_facts(load).state, LOAD_GOING);
}

LOAD(whether_a_run_is_complete_is_asked_first)
{
    begin(2, 1);
    assert_int_equal(load_facts(load).state, LOAD_PROBING);
    probe(1);
    assert_int_equal(load_facts(load).mirror, 1);
}

LOAD(a_run_that_is_not_there_yet_is_absent)
{
    static const int statuses[] = {403, 404};
    struct transfer_request request;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        begin(2, 0);
        assert_asks(&request, 0, LAST, true);
        assert_true(answer(&request, statuses[i], ""));
        assert_int_equal(load_facts(load).state, LOAD_ABSENT);
        assert_true(load_idle(load));
        assert_waits();
        end(NULL);
    }
    begin(1, 0);
    assert_asks(&request, 0, LAST, true);
    struct transfer_answer young = {.tag = request.tag,
                                    .error = "",
                                    .status = 200,
                                    .body = index_of(LAST),
                                    .length = strlen(index_of(LAST)),
                                    .last_modified_s = now.wall_ms / 1000 - GFS_SETTLED_S + 1};
    assert_true(load_end(load, &young, &now));
    assert_int_equal(load_facts(load).state, LOAD_ABSENT);
}

LOAD(two_at_a_time_are_asked_for_what_was_begun_first)
{
    struct transfer_request last, first;
    begin(1, 0);
    probe(0);
    assert_asks(&last, 0, LAST, false);
    assert_int_equal(last.first, 0);
    assert_int_equal(last.last, 999);
    assert_asks(&first, 0, FIRST, true);
    assert_waits();
    assert_false(load_idle(load));
    assert_false(load_owns(load, &first));
}

LOAD(a_failure_goes_to_the_next_mirror_at_once_and_after_a_round_waits)
{
    struct transfer_request request;
    int64_t pause_ms = MINUTES / 2;
    begin(3, 1);
    for (int round = 1; round < 12; round++) {
        for (size_t i = 0; i < 3; i++) {
            assert_asks(&request, (1 + i) % 3, LAST, true);
            assert_false(answer(&request, 503, ""));
        }
        assert_non_null(strstr(load_facts(load).last_failure, "status 503"));
        now.boot_ms += pause_ms - 1;
        assert_waits();
        now.boot_ms++;
        pause_ms = 2 * pause_ms < 10 * MINUTES && round < 5 ? 2 * pause_ms : 10 * MINUTES;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(load_facts(load).state, LOAD_PROBING);
        assert_asks(&request, (1 + i) % 3, LAST, true);
        load_fail(load, request.tag, &now);
    }
    assert_int_equal(load_facts(load).state, LOAD_FAILED);
    now.boot_ms += 1000 * MINUTES;
    assert_waits();
}

LOAD(the_mirror_of_a_request_under_way_stays_its_own)
{
    struct transfer_request last, first, second;
    begin(2, 0);
    probe(0);
    assert_asks(&last, 0, LAST, false);
    assert_asks(&first, 0, FIRST, true);
    assert_false(answer(&last, 206, "no message"));
    assert_asks(&second, 0, FIRST + 1, true);
    assert_false(answer(&second, 500, ""));
    assert_asks(&second, 1, FIRST + 1, true);
    assert_true(answer(&second, 200, index_of(FIRST + 1))); /* others that are not under way follow */
    assert_int_equal(load_facts(load).mirror, 1);
    assert_false(answer(&first, 500, ""));
    assert_non_null(strstr(load_facts(load).last_failure, "http://mirror0"));
    assert_asks(&second, 1, FIRST + 1, false);
    assert_asks(&first, 1, FIRST, true);
}

LOAD(an_index_or_a_message_that_is_none_is_a_failure_in_words)
{
    struct transfer_request request;
    begin(2, 0);
    assert_asks(&request, 0, LAST, true);
    assert_false(answer(&request, 200, "no index\n"));
    assert_string_equal(load_facts(load).last_failure,
                        "index, of http://mirror0, hour 51: a line of its index is none");
    assert_asks(&request, 1, LAST, true);
    assert_false(answer(&request, 206, index_of(LAST))); /* a part in place of the whole */
    assert_non_null(strstr(load_facts(load).last_failure, "status 206"));
}

UNIT_MAIN(NULL, NULL)
