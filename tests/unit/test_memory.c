/* No memory: each allocation of each room fails in turn, alone and together with those that follow. Whatever
 * fails, it is said and nothing has changed, or the result is right; and the next attempt succeeds. */
#include "place_rooms.h"
#include "snapshot_files.h"
#include "upstream.h"

#include "../failing_memory.h"

#include "base/metrics.h"
#include "config/config.h"
#include "http/server.h"
#include "ops/history.h"
#include "place/carriers.h"
#include "place/survey.h"
#include "place/vague.h"
#include "place/zone.h"
#include "weather/point/quota.h"
#include "weather/weather.h"

#define SEVERAL    20
#define REPLY_S    INT64_C(1795305600) /* 2026-11-22T00:00:00Z, of which the fuzz targets' replies are */
#define TIMEOUT_MS 1000
#define BODY_BYTES 65536

static struct failing_memory memory;

/* Does something while memory fails, and checks it once memory_suffices. Returns whether it succeeded. */
typedef bool trial(void);

static bool memory_suffices(void)
{
    failing_memory = NULL;
    return true;
}

/* Fails the allocation `first` of the act and those after it, `count` in all. Whether it came to that. */
static bool fail_from(int64_t first, int64_t count, trial *try)
{
    memory.first = first;
    memory.count = count;
    memory.asked = 0;
    failing_memory = &memory;
    bool succeeded = try();
    memory_suffices();
    if (memory.asked < first)
        assert_true(succeeded);
    return memory.asked >= first;
}

/* Fails `count` allocations from each on in turn; at least `least` there must be. */
static void fail_each(int64_t count, int64_t least, trial *try)
{
    int64_t first = 1;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    while (fail_from(first, count, try))
        first++;
    assert_true(first > least);
}

static void fail_in_turn(int64_t least, trial *try)
{
    fail_each(1, least, try);
    fail_each(SEVERAL, least, try);
}

/* --- What is counted: first, as the rooms that are told of are there or have never been --- */

static struct metric unlucky[] = {COUNTER("masthead_unlucky_total", "x")};

static bool count_once(void)
{
    static char storage[1 << 16];
    struct text out = text_init(storage, sizeof storage);
    free(unlucky[0].cells);
    unlucky[0].cells = NULL;
    metrics_register(unlucky, COUNT(unlucky), NULL);
    metric_add(&unlucky[0], 0, 0);
    metrics_write(&out);
    memory_suffices();
    assert_int_equal(metrics_sum("masthead_unlucky_total", NULL), unlucky[0].cells ? 1 : 0);
    assert_int_equal(strstr(out.bytes, "\nmasthead_unlucky_total 1\n") != NULL, unlucky[0].cells != NULL);
    assert_true(unlucky[0].cells || !metrics_complete());
    return unlucky[0].cells;
}

TEST(metrics_without_cells)
{
    fail_in_turn(1, count_once);
}

/* --- The weather --- */

static char *reply;
static size_t reply_bytes;
static const struct provider *replying;

static bool read_replies(void)
{
    struct curve curve = {.count = 0}, before;
    char reason[PROVIDER_REASON_BYTES];
    const char *body = reply;
    bool read = true;
    for (size_t i = 0; i < replying->step_count && read; i++) {
        bool last = i + 1 == replying->step_count;
        size_t length = last ? strlen(body) : strcspn(body, "\x1e");
        before = curve;
        enum outcome outcome = replying->steps[i].read(body, length, REPLY_S, &curve);
        read = outcome == OUTCOME_OK;
        if (!read)
            assert_int_equal(outcome, OUTCOME_PARSE);
        if (!read)
            assert_memory_equal(&curve, &before, sizeof curve);
        body += length + 1;
    }
    replying->reason("{\"error\":true,\"reason\":\"no\",\"message\":\"no\"}", 41, reason);
    return read && curve_valid(&curve) && curve_covers(&curve, REPLY_S);
}

TEST(replies)
{
    static const char *const files[WEATHER_PROVIDERS] = {[PROVIDER_OPEN_METEO] = "open_meteo/four-hours",
                                                         [PROVIDER_MET_NORWAY] = "met_norway/three-points",
                                                         [PROVIDER_OPENWEATHERMAP] =
                                                             "openweathermap/two-steps"};
    for (size_t i = 0; i < WEATHER_PROVIDERS; i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/fuzz/corpus/%s", files[i]);
        replying = providers[i];
        reply = read_file(path, &reply_bytes);
        fail_in_turn(20, read_replies);
        free(reply);
    }
}

static struct cache *cache;

static bool write_snapshot(void)
{
    bool written = snapshot_write(&options, cache) && memory_suffices();
    memory_suffices();
    assert_false(there(beside(".new")));
    check_restored(FEW, 0, 0); /* the new one or the old one */
    return written;
}

static bool read_snapshot(void)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache *empty = cache_open(
        &(struct cache_options){.capacity = MANY, .refresh_ms = REFRESH, .keep_ms = KEEP, .max_waiters = 1});
    if (empty)
        snapshot_read(&options, empty, counts);
    memory_suffices();
    cache_close(empty);
    if (there(beside(".unread"))) /* which could not be opened is not lost */
        assert_int_equal(rename(beside(".unread"), options.path), 0);
    check_restored(FEW, 0, 0);
    return empty && counts[SNAPSHOT_RESTORED] == FEW;
}

IN_FOLDER(snapshots)
{
    cache = filled_cache(FEW);
    assert_true(snapshot_write(&options, cache));
    fail_in_turn(1, write_snapshot);
    fail_in_turn(3, read_snapshot);
    cache_close(cache);
}

static const struct quota_options budgets = {.limits = {[PROVIDER_OPEN_METEO] = {0, 0, 1000}},
                                             .used = {[PROVIDER_OPEN_METEO] = true}};

/* A budget of which ten were spent, whether or not the file could be written again. */
static bool open_budgets(void)
{
    struct quota_options own = budgets;
    struct instant now = {.wall_ms = REPLY_S * 1000, .boot_ms = 1000000};
    struct weather_upstream stats;
    snprintf(own.path, sizeof own.path, "%s/budgets", folder);
    struct quota *quota = quota_open(&own, &now);
    if (quota) {
        quota_get_stats(quota, PROVIDER_OPEN_METEO, &now, &stats);
        memory_suffices();
        assert_int_equal(stats.windows[0].remaining, 990);
    }
    memory_suffices();
    quota_close(quota);
    return quota;
}

IN_FOLDER(what_was_spent)
{
    struct quota_options own = budgets;
    struct instant now = {.wall_ms = REPLY_S * 1000, .boot_ms = 1000000};
    struct quota_grant grant;
    snprintf(own.path, sizeof own.path, "%s/budgets", folder);
    struct quota *quota = quota_open(&own, &now);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(quota_acquire(quota, PROVIDER_OPEN_METEO, FETCH_URGENT, 1, &now, &grant),
                         QUOTA_GRANTED);
        quota_renew(quota, &now);
    }
    quota_close(quota);
    fail_in_turn(2, open_budgets);
}

static const char *upstream_url(void)
{
    static char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", upstream.port);
    return url;
}

static bool transfer(void)
{
    const struct transfer_options own = {
        .user_agent = "x", .timeout_ms = TIMEOUT_MS, .parallel = 1, .body_bytes = BODY_BYTES};
    const struct transfer_answer *answer = NULL;
    char url[128];
    snprintf(url, sizeof url, "%s/v1/forecast?latitude=%d&longitude=0", upstream_url(), OK);
    struct transfers *set = transfers_open(&own);
    struct transfer_request request = {.url = url, .header = "X-Some: header"};
    bool started = set && transfers_start(set, &request);
    int64_t until_ms = clock_monotonic_ms() + 10 * TIMEOUT_MS;
    while (started && !answer && clock_monotonic_ms() < until_ms)
        answer = transfers_wait(set, TIMEOUT_MS);
    bool answered = answer && answer->end == TRANSFER_ANSWERED && answer->status == 200;
    memory_suffices();
    assert_true(!started || answer); /* in whatever way it ended */
    transfers_close(set);
    return answered;
}

static bool open_weather(void)
{
    struct weather_options own = {.providers = {"open-meteo"},
                                  .provider_count = 1,
                                  .cell_udeg = SIZE_UDEG,
                                  .refresh_ms = REFRESH,
                                  .keep_ms = KEEP,
                                  .timeout_ms = TIMEOUT_MS,
                                  .capacity = FEW,
                                  .max_waiters = 1,
                                  .snapshot_every_ms = HOUR};
    snprintf(own.provider[PROVIDER_OPEN_METEO].url, WEATHER_URL_BYTES, "%s", upstream_url());
    snprintf(own.snapshot, sizeof own.snapshot, "%s", in_folder("cache.snapshot"));
    snprintf(own.budgets, sizeof own.budgets, "%s", in_folder("budgets"));
    struct weather *weather = weather_open(&own, NULL);
    memory_suffices();
    weather_close(weather);
    return weather;
}

IN_FOLDER(requests_and_the_room_that_makes_them)
{
    assert_true(upstream_start());
    /* libcurl is prepared once: its libraries ask for memory some thousand times. */
    struct transfers *first = transfers_open(&(struct transfer_options){.parallel = 1, .body_bytes = 1});
    fail_in_turn(20, transfer);
    fail_in_turn(10, open_weather);
    transfers_close(first);
    upstream_stop();
}

/* --- The place --- */

static bool open_gazetteer(void)
{
    struct gazetteer *gazetteer = gazetteer_open();
    struct city city;
    size_t count = 0;
    memory_suffices();
    if (gazetteer)
        count = gazetteer_search(gazetteer, "mumbai", "", "en", &city, 1);
    gazetteer_close(gazetteer);
    assert_true(!gazetteer || (count == 1 && strcmp(city.name, "Mumbai") == 0));
    return gazetteer;
}

static bool open_zones(void)
{
    struct zones *zones = zones_open(ZONES_FOLDER);
    int32_t offset_s = 0;
    bool known = zones && zones_offset(zones, "Asia/Kolkata", REPLY_S, &offset_s);
    memory_suffices();
    assert_true(!zones || (known && offset_s == 19800));
    zones_close(zones);
    return zones;
}

static bool read_lists(void)
{
    struct vague vague = {.count = 0};
    struct carriers carriers = {.count = 0};
    uint32_t added = 64512;
    bool ok = vague_read(&vague, in_folder("vague")) && carriers_open(&carriers, &added, 1);
    memory_suffices();
    struct address last = address_of("10.0.199.1");
    assert_true(!ok || (vague_contains(&vague, &last) && carriers_contain(&carriers, added)));
    vague_free(&vague);
    carriers_close(&carriers);
    return ok;
}

IN_FOLDER(tables)
{
    FILE *file = fopen(in_folder("vague"), "w");
    for (int i = 0; i < 200; i++)
        fprintf(file, "10.0.%d.0/24\n", i);
    fclose(file);
    fail_in_turn(4, read_lists);
    fail_in_turn(10, open_gazetteer);
    fail_in_turn(300, open_zones);
}

static bool survey(void)
{
    char error[PLACE_ERROR_BYTES] = "";
    struct survey taken, kept;
    struct survey_subject subject = {.file_bytes = 1};
    struct mmdb *db = mmdb_map(VISITORS, error);
    bool ok = db && survey_take(db, true, &taken, error);
    FILE *file = ok ? fopen(in_folder("survey"), "w+") : NULL;
    bool written = file && survey_write(&taken, &subject, file) && fseek(file, 0, SEEK_SET) == 0;
    bool read = written && survey_read(&kept, &subject, file);
    memory_suffices();
    if (read) {
        assert_int_equal(kept.offices.count, taken.offices.count);
        survey_free(&kept);
    }
    if (file)
        fclose(file);
    if (ok)
        survey_free(&taken);
    mmdb_close(db);
    assert_true(ok || error[0]);
    return read;
}

static bool reload_places(void)
{
    struct place_options own = options_with(VISITORS);
    bool reloaded = places_reload(room, &own);
    memory_suffices();
    struct place place = find_in(room, "192.0.2.1", "en");
    assert_string_equal(place.name, "Mumbai");
    assert_true(places_loaded(room));
    return reloaded;
}

static int open_places(void **state)
{
    (void)state;
    struct place_options own = options_with(VISITORS);
    room = make_folder(state) == 0 ? places_open(&own) : NULL;
    return room ? 0 : -1;
}

TEST_WITH(databases, open_places, close_room)
{
    fail_in_turn(5, survey);
    fail_in_turn(10, reload_places);
}

/* --- What people configure and see --- */

static struct config config;
static size_t config_errors;

static void count_error(const char *line)
{
    config_errors += line[0] != '\0';
}

static bool load_config(void)
{
    config_errors = 0;
    bool loaded =
        config_load(&(struct config_sources){.file = "widget.conf", .on_error = count_error}, &config);
    memory_suffices();
    assert_int_equal(loaded, config_errors == 0);
    return loaded;
}

TEST(configuration)
{
    fail_in_turn(2, load_config);
}

static const struct http_route routes[] = {
    {.path = "/healthz", .endpoint = "healthz", .handle = http_serve_health},
    {.path = NULL},
};

static bool listen_once(void)
{
    const struct http_options own = {.host = "127.0.0.1",
                                     .threads = 2,
                                     .request_timeout_ms = TIMEOUT_MS,
                                     .keep_alive_ms = TIMEOUT_MS,
                                     .body_bytes = 4096};
    struct http_listener *listener = http_open(&own, routes, NULL);
    memory_suffices();
    bool serves = listener && http_alive(listener);
    http_close(listener);
    assert_true(!listener || serves);
    return listener;
}

/* One alone: civetweb crashes where memory is short for an option and then for its default, too. */
TEST(a_listener)
{
    fail_each(1, 20, listen_once);
}

static bool open_history(void)
{
    struct instant now = clock_now();
    struct history *history = history_open(&now);
    history_close(history);
    return history;
}

TEST(the_history)
{
    fail_in_turn(1, open_history);
}

/* What the libraries themselves do not free where memory was short. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libmaxminddb\nleak:mg_start2\n";
}

static int be_quiet(void **state)
{
    (void)state;
    log_configure(&(struct log_options){.level = LOG_ERROR + 1});
    return 0;
}

int main(int argc, char **argv)
{
    IF_VALIDATOR(argc, argv);
    return unit_run(be_quiet, NULL);
}
