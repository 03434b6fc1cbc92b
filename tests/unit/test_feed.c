/* The airports' file as it is asked for: when, with which condition, and what becomes of what is there when
 * something else comes. */
#include "unit.h"

#include "weather/earth/feed.h"

#define NOW_S    INT64_C(1789553400) /* 2026-09-16T10:10:00Z */
#define EVERY    INT64_C(600000)
#define MODIFIED (NOW_S - 30)
#define FILE_TEXT                                                         \
    "station_id,observation_time,latitude,longitude,temp_c,elevation_m\n" \
    "VABB,2026-09-16T10:00:00Z,19.09,72.87,30,11\n"

static struct feed feed;
static struct instant now;
static char error[FEED_ERROR_BYTES];

static int begin(void **state)
{
    (void)state;
    metar_free(&feed.file);
    feed = (struct feed){.modified_s = 0};
    now = (struct instant){.wall_ms = NOW_S * 1000, .boot_ms = 5000};
    return 0;
}

static int end(void **state)
{
    return begin(state);
}

#define FEED(name) TEST_WITH(name, begin, end)

static void move(int64_t ms)
{
    now.wall_ms += ms;
    now.boot_ms += ms;
}

static bool asks(void)
{
    struct transfer_request request;
    return feed_next(&feed, "http://metar", &now, &request);
}

/* A request is due, on that condition, and no second one beside it. */
static void assert_asks(int64_t modified_s)
{
    struct transfer_request request;
    assert_true(feed_next(&feed, "http://metar", &now, &request));
    assert_string_equal(request.url, "http://metar");
    assert_ptr_equal(request.tag, &feed);
    assert_int_equal(request.modified_s, modified_s);
    assert_true(request.first == 0 && request.last == 0);
    assert_false(asks());
}

static const char *answer(enum transfer_end how, int status, const char *body)
{
    struct transfer_answer given = {.end = how,
                                    .error = how == TRANSFER_ANSWERED ? "" : "it broke",
                                    .status = status,
                                    .body = body,
                                    .length = strlen(body),
                                    .last_modified_s = MODIFIED};
    return feed_end(&feed, &given, EVERY, &now, error);
}

FEED(a_file_is_taken_and_asked_for_again_when_it_has_changed)
{
    assert_asks(0);
    assert_null(answer(TRANSFER_ANSWERED, 200, FILE_TEXT));
    assert_int_equal(feed.file.count, 1);
    assert_string_equal(feed.file.reports[0].id, "VABB");
    assert_int_equal(feed.read_s, NOW_S);
    move(EVERY - 1);
    assert_false(asks());
    move(1);
    assert_asks(MODIFIED);
    assert_null(answer(TRANSFER_ANSWERED, 304, ""));
    assert_int_equal(feed.file.count, 1);
    assert_int_equal(feed.read_s, NOW_S + EVERY / 1000);
}

FEED(whatever_else_comes_leaves_what_is_there)
{
    static const struct {
        enum transfer_end how;
        int status;
        const char *body, *fault;
    } rows[] = {
        {TRANSFER_ANSWERED, 503, FILE_TEXT, "status 503"},
        {TRANSFER_ANSWERED, 206, FILE_TEXT, "status 206"},
        {TRANSFER_ANSWERED, 204, "", "status 204"},
        {TRANSFER_ANSWERED, 200, "",
         "no header line with station_id, observation_time, latitude, longitude and temp_c"},
        {TRANSFER_ANSWERED, 200, "\x1f\x8b", "gzip cut short"},
        {TRANSFER_ANSWERED, 200, "station_id,observation_time,latitude,longitude,temp_c\nVABB,,,,\n",
         "it has no usable report"},
        {TRANSFER_TIMEOUT, 0, "", "it broke"},
        {TRANSFER_BROKEN, 200, FILE_TEXT, "it broke"},
        {TRANSFER_TOO_LARGE, 200, FILE_TEXT, "it is too large"},
    };
    assert_asks(0);
    assert_null(answer(TRANSFER_ANSWERED, 200, FILE_TEXT));
    move(EVERY);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_asks(MODIFIED);
        assert_string_equal(answer(rows[i].how, rows[i].status, rows[i].body), rows[i].fault);
        assert_int_equal(feed.file.count, 1);
        assert_true(feed.read_s == NOW_S && feed.modified_s == MODIFIED);
        move(FEED_RETRY_MS - 1);
        assert_false(asks());
        move(1);
    }
    assert_asks(MODIFIED);
}

FEED(the_first_file_is_tried_for_at_once_and_then_each_minute)
{
    for (int i = 1; i <= FEED_FIRST_TRIES; i++) {
        assert_asks(0);
        assert_non_null(answer(TRANSFER_CONNECT, 0, ""));
    }
    assert_false(asks());
    move(FEED_RETRY_MS);
    assert_asks(0);
    assert_non_null(answer(TRANSFER_ANSWERED, 304, "")); /* of nothing */
    assert_false(asks());
    move(FEED_RETRY_MS);
    assert_asks(0);
    assert_null(answer(TRANSFER_ANSWERED, 200, FILE_TEXT));
}

FEED(who_wants_it_more_often_than_each_minute_has_it_so_after_a_failure)
{
    struct transfer_answer given = {.end = TRANSFER_TIMEOUT, .error = "late", .body = ""};
    for (int i = 0; i < FEED_FIRST_TRIES; i++) {
        assert_asks(0);
        assert_string_equal(feed_end(&feed, &given, FEED_RETRY_MS / 6, &now, error), "late");
    }
    move(FEED_RETRY_MS / 6 - 1);
    assert_false(asks());
    move(1);
    assert_asks(0);
}

UNIT_MAIN(NULL, NULL)
