/* The thread owns the load, the airports' reports and the set of transfers. */
#include "weather/earth/earth_state.h"

#include "base/log.h"
#include "weather/earth/decode.h"
#include "weather/earth/earth_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_MS          250
#define TIMEOUT_MS       30000
#define BODY_BYTES       ((size_t)8 << 20) /* the airports' file has 3.5 MB where a server unpacks it */
#define USUAL_S          15600             /* after its time a run is there: 4 h 20 min */
#define RETRY_MS         INT64_C(1800000)  /* after a load that failed */
#define BACK_MAX         3                 /* runs before the newest that are tried where nothing is there */
#define OROGRAPHY_DAYS_S (30 * 86400)
#define RENEW_MS         INT64_C(900000) /* as old as reports may be judged by themselves */
#define FIRST_HOURS      4               /* of a run that are worth reading where there is nothing else */
#define BEGUN_HOURS      6 /* after which a file that was begun has lost too many of its hours */
#define PROGRESS         4 /* lines of progress for a run */

const struct credit earth_credit = {"Weather model and airport reports by NOAA/NWS",
                                    "https://www.weather.gov/"};

/* Makes fields, which it takes over, the present ones; without a grid, nothing is known. */
static void publish(struct earth *earth, const struct fields *fields)
{
    struct grid_facts facts = fields->grid ? grid_facts(fields->grid) : (struct grid_facts){.run_s = 0};
    struct earth_report *report = &earth->report;
    pthread_mutex_lock(&earth->lock);
    report->run_s = facts.run_s;
    report->first_s = facts.first_s;
    report->last_s = facts.last_s;
    report->missing = GRID_HOURS + GRID_STEPS - facts.hours - facts.steps;
    report->heights = facts.orography;
    report->loaded_s = fields->grid_loaded_s;
    report->expected_s = fields->grid ? facts.run_s + GFS_RUN_EVERY_S + USUAL_S : 0;
    report->stations = fields->counts;
    report->error = fields->error;
    pthread_mutex_unlock(&earth->lock);
    if (airports_verdict(&fields->counts) == AIRPORTS_AGREE)
        earth->agreed_s = facts.run_s;
    present_replace(&earth->present, fields);
}

/* --- Making a state --- */

static void set_failure(struct earth *earth, const char *what)
{
    pthread_mutex_lock(&earth->lock);
    snprintf(earth->report.failure, EARTH_FAILURE_BYTES, "%s", what);
    pthread_mutex_unlock(&earth->lock);
}

/* When a file was last changed; now, where a moved clock is behind that. */
static int64_t modified_s(const char *path, int64_t now_s)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_mtime < now_s ? status.st_mtime : now_s;
}

/* NULL, or why the fields of that grid cannot be the present ones (in `error`, as all of this file). */
static const char *judge(const struct earth *earth, const struct fields *fields,
                         char error[PLANES_ERROR_BYTES])
{
    const struct airports_counts *counts = &fields->counts;
    if (grid_facts(fields->grid).simulated != earth->options.load.simulated)
        return earth->options.load.simulated ? "it is real weather" : "it is simulated weather";
    if (airports_verdict(counts) != AIRPORTS_CONTRADICT)
        return NULL;
    snprintf(error, PLANES_ERROR_BYTES,
             "%zu of %zu airports' reports differ from the model by more than %.0f K", counts->far,
             counts->off + counts->used, AIRPORTS_FAR_K);
    return error;
}

/* Opens a run's file. False when it cannot be read, is of another world, or when the airports say that it is
 * not this earth's weather. */
static bool read_run(struct earth *earth, const char *path, int64_t loaded_s, int64_t now_s,
                     struct fields *out)
{
    char error[PLANES_ERROR_BYTES];
    *out = (struct fields){.grid = grid_open(path, earth->options.load.orography, error),
                           .grid_loaded_s = loaded_s};
    const char *fault = out->grid ? NULL : error;
    if (!fault) {
        fields_correct(out, &earth->feed.file, earth->feed.read_s, now_s);
        fault = judge(earth, out, error);
    }
    if (!fault)
        return true;
    fields_close(out);
    log_event(LOG_WARN, "weather of the whole earth not read", log_str("file", path),
              log_str("error", fault));
    set_failure(earth, fault);
    return false;
}

static bool open_run(struct earth *earth, const char *path, int64_t loaded_s, int64_t now_s)
{
    struct fields fields;
    if (!read_run(earth, path, loaded_s, now_s, &fields))
        return false;
    publish(earth, &fields);
    return true;
}

/* --- The model's runs --- */

static void log_progress(struct earth *earth, const struct load_facts *facts)
{
    unsigned fields = facts->hours + facts->steps, all = GRID_HOURS + GRID_STEPS;
    char run[CLOCK_RFC3339_BYTES];
    clock_format(facts->run_s, run);
    pthread_mutex_lock(&earth->lock);
    earth->report.loading_s = facts->run_s;
    earth->report.loading_fields = fields;
    if (facts->last_failure[0])
        snprintf(earth->report.failure, EARTH_FAILURE_BYTES, "%s", facts->last_failure);
    pthread_mutex_unlock(&earth->lock);
    if (fields * PROGRESS < (earth->progress + 1) * all)
        return;
    earth->progress = fields * PROGRESS / all;
    log_event(LOG_INFO, "weather of the whole earth is coming", log_str("run", run),
              log_int("fields", (int64_t)fields), log_int("of", (int64_t)all));
}

static void end_load(struct earth *earth)
{
    load_close(earth->load);
    earth->load = NULL;
    earth->published = earth->progress = 0;
    pthread_mutex_lock(&earth->lock);
    earth->report.loading_s = 0;
    earth->report.loading_fields = 0;
    pthread_mutex_unlock(&earth->lock);
}

/* A run that is refused is fetched once more, from another mirror. What came then stays where it is, to be
 * judged anew by later reports. */
static void refuse(struct earth *earth, int64_t run_s, const char *fresh)
{
    if (run_s != earth->refused_s)
        unlink(fresh);
    earth->refused_s = run_s;
    earth->mirror++;
}

/* The file takes the place of the old one only once it is known to be right. */
static void finish_load(struct earth *earth, const struct instant *now)
{
    char fresh[PATH_MAX];
    struct fields fields;
    int64_t now_s = now->wall_ms / 1000, run_s = load_facts(earth->load).run_s;
    planes_name_next(earth->options.load.path, fresh);
    bool right = read_run(earth, fresh, now_s, now_s, &fields), finished = right && load_finish(earth->load);
    if (right && !finished) {
        log_event(LOG_ERROR, "weather of the whole earth not written", log_str("file", fresh),
                  log_str("error", strerror(errno)));
        fields_close(&fields);
    }
    end_load(earth);
    earth->probe_ms = now->boot_ms + RETRY_MS;
    if (!right)
        refuse(earth, run_s, fresh);
    if (!finished)
        return;
    publish(earth, &fields);
    earth->probe_ms = 0;
    earth->back = 0;
    earth->have_s = run_s;
    set_failure(earth, "");
    log_line(LOG_INFO, "weather of the whole earth loaded");
}

/* Where nothing else is known, the first hours of a run are read before the rest has come. */
static void read_early(struct earth *earth, const struct load_facts *facts, int64_t now_s)
{
    char fresh[PATH_MAX];
    bool known = earth_number(earth, now_s) && earth->published == 0;
    if (known || facts->hours_in_a_row < (earth->published ? 4 * earth->published : FIRST_HOURS))
        return;
    planes_name_next(earth->options.load.path, fresh);
    open_run(earth, fresh, now_s, now_s);
    earth->published = facts->hours_in_a_row; /* or refused: it is not read again for each field */
}

/* Goes on after something of the load has ended. */
static void follow_load(struct earth *earth, const struct instant *now)
{
    struct load_facts facts = load_facts(earth->load);
    earth->mirror = facts.mirror;
    switch (facts.state) {
    case LOAD_ABSENT: /* an older one is better than nothing; else the next probe asks another mirror */
        end_load(earth);
        earth->mirror++;
        if (earth_number(earth, now->wall_ms / 1000) == 0 && earth->back < BACK_MAX) {
            earth->back++;
        } else {
            earth->back = 0;
            earth->probe_ms = now->boot_ms + EARTH_PROBE_MS;
        }
        break;
    case LOAD_FAILED:
        log_progress(earth, &facts);
        end_load(earth);
        earth->probe_ms = now->boot_ms + RETRY_MS;
        break;
    case LOAD_COMPLETE:
        log_progress(earth, &facts);
        finish_load(earth, now);
        break;
    default:
        log_progress(earth, &facts);
        read_early(earth, &facts, now->wall_ms / 1000);
    }
}

/* The hour from which a run is fetched: the one in which the oldest report that counts was made, since one
 * without a model's value corrects nothing; or that of a file that was begun, so that what it has counts. */
static int first_hour_of(const struct earth *earth, int64_t run_s, int64_t now_s)
{
    char fresh[PATH_MAX], error[PLANES_ERROR_BYTES];
    int hour = gfs_first_hour(run_s, now_s - AIRPORTS_OLD_S, GRID_HOURS);
    planes_name_next(earth->options.load.path, fresh);
    struct planes *begun = planes_open(fresh, error);
    const struct planes_shape *shape = begun ? planes_shape(begun) : NULL;
    if (shape && shape->run_s == run_s && shape->first_hour <= hour &&
        shape->first_hour + BEGUN_HOURS >= hour)
        hour = shape->first_hour;
    planes_close(begun);
    return hour;
}

/* Begins the download of the newest run that may be there, unless it is at hand: once the airports' reports
 * were asked for, which judge it. */
static void begin_load(struct earth *earth, const struct instant *now)
{
    int64_t now_s = now->wall_ms / 1000, run_s = gfs_run_s(now_s, earth->back);
    bool judged = !earth->options.metar || earth->feed.due_ms > 0;
    if (earth->load || !judged || now->boot_ms < earth->probe_ms)
        return;
    int first_hour = run_s == earth->have_s ? -1 : first_hour_of(earth, run_s, now_s);
    if (first_hour < 0) {
        earth->back = 0;
        return;
    }
    bool orography =
        !earth->report.heights || now_s - modified_s(earth->options.load.orography, now_s) > OROGRAPHY_DAYS_S;
    earth->load = load_begin(&earth->options.load, run_s, first_hour, orography, earth->mirror);
}

/* --- The airports' reports --- */

/* Gives up the present run, which no report has agreed with yet and the first ones contradict. */
static void unseat(struct earth *earth, const char *fault)
{
    int64_t run_s = earth->report.run_s;
    log_event(LOG_WARN, "weather of the whole earth given up", log_str("error", fault));
    publish(earth, &(struct fields){.grid = NULL});
    set_failure(earth, fault);
    if (earth->have_s != run_s) /* its file is being loaded, and will be judged */
        return;
    unlink(earth->options.load.path);
    earth->refused_s = run_s;
    earth->have_s = earth->probe_ms = 0;
    earth->mirror++;
}

/* Makes a state anew with the reports that are at hand, which are new or have aged, so that both are judged
 * again: where they contradict a run that earlier ones agreed with, they are at fault. */
static void renew_airports(struct earth *earth, const struct instant *now)
{
    char error[PLANES_ERROR_BYTES];
    struct held *held = present_hold(&earth->present);
    earth->renew_ms = now->boot_ms + RENEW_MS;
    if (held && earth->feed.file.count > 0) {
        struct fields next = {.grid = grid_hold(held->fields.grid),
                              .grid_loaded_s = held->fields.grid_loaded_s};
        fields_correct(&next, &earth->feed.file, earth->feed.read_s, now->wall_ms / 1000);
        const char *fault = judge(earth, &next, error);
        if (fault && earth->agreed_s != earth->report.run_s) {
            fields_close(&next);
            unseat(earth, fault);
        } else {
            if (fault) {
                log_throttled(LOG_WARN, "airports' reports not believed", log_str("error", fault));
                fields_disbelieve(&next);
            }
            publish(earth, &next);
        }
    }
    present_release(&earth->present, held);
}

static void end_reports(struct earth *earth, const struct transfer_answer *answer, const struct instant *now)
{
    char error[FEED_ERROR_BYTES];
    const char *fault = feed_end(&earth->feed, answer, earth->options.metar_every_ms, now, error);
    earth_count(EARTH_AIRPORTS, !fault, answer->received);
    if (fault)
        log_throttled(LOG_WARN, "airports' reports not read", log_str("url", earth->options.metar_url),
                      log_str("error", fault));
    pthread_mutex_lock(&earth->lock);
    earth->report.metar_s = earth->feed.read_s;
    earth->report.metar_expected_s = (now->wall_ms + earth->feed.due_ms - now->boot_ms) / 1000;
    snprintf(earth->report.metar_failure, EARTH_FAILURE_BYTES, "%s", fault ? fault : "");
    pthread_mutex_unlock(&earth->lock);
    renew_airports(earth, now);
}

/* --- The thread --- */

/* Counts what came in this day of UTC. Whether there may be more. */
static bool may_fetch(struct earth *earth, size_t received, int64_t now_s)
{
    bool may = allowance_take(&earth->allowance, (int64_t)received, now_s);
    if (!may)
        log_throttled(LOG_ERROR, "the weather of the whole earth has taken more bytes today than it may",
                      log_int("bytes", earth->allowance.bytes));
    pthread_mutex_lock(&earth->lock);
    earth->report.bytes_today = earth->allowance.bytes;
    earth->report.stopped = !may;
    pthread_mutex_unlock(&earth->lock);
    return may;
}

static void start_requests(struct earth *earth, const struct instant *now)
{
    struct transfer_request request;
    if (earth->options.metar && feed_next(&earth->feed, earth->options.metar_url, now, &request))
        earth->feed.active = transfers_start(earth->transfers, &request);
    bool outdated = earth->load && load_facts(earth->load).run_s < gfs_run_s(now->wall_ms / 1000, BACK_MAX);
    if (outdated && load_idle(earth->load))
        end_load(earth);
    begin_load(earth, now);
    while (earth->load && !outdated && load_next(earth->load, now, &request))
        if (!transfers_start(earth->transfers, &request)) {
            load_fail(earth->load, request.tag, now);
            break;
        }
}

static void finish_request(struct earth *earth, const struct transfer_answer *answer)
{
    struct instant now = clock_now();
    may_fetch(earth, answer->received, now.wall_ms / 1000);
    if (answer->tag == &earth->feed) {
        end_reports(earth, answer, &now);
    } else if (earth->load && load_owns(earth->load, answer->tag)) {
        bool good = load_end(earth->load, answer, &now);
        earth_count(EARTH_MODEL, good, answer->received);
        follow_load(earth, &now);
    }
}

static void *run(void *context)
{
    struct earth *earth = context;
    while (!atomic_load(&earth->stopping)) {
        struct instant now = clock_now();
        if (may_fetch(earth, 0, now.wall_ms / 1000))
            start_requests(earth, &now);
        if (now.boot_ms >= earth->renew_ms && !earth->feed.active) /* else those that come are judged */
            renew_airports(earth, &now);
        const struct transfer_answer *answer = transfers_wait(earth->transfers, POLL_MS);
        if (answer)
            finish_request(earth, answer);
    }
    return NULL;
}

/* Reads the run that is on disk, if one is, and says what is on. */
static void open_kept(struct earth *earth)
{
    int64_t now_s = clock_now().wall_ms / 1000;
    struct stat status;
    earth->report.missing = GRID_HOURS + GRID_STEPS;
    earth->report.grid = earth->options.grid == EARTH_GFS && decode_possible();
    earth->report.metar = earth->report.grid && earth->options.metar;
    if (!earth->report.grid)
        log_line(LOG_WARN, "no weather of the whole earth: the program masthead-grib is not installed");
    if (stat(earth->options.load.path, &status) == 0 &&
        open_run(earth, earth->options.load.path, modified_s(earth->options.load.path, now_s), now_s))
        earth->have_s = earth->report.run_s;
}

struct earth *earth_open(const struct earth_options *options)
{
    struct transfer_options transfer = {
        .timeout_ms = TIMEOUT_MS, .parallel = LOAD_FLIGHTS + 1, .body_bytes = BODY_BYTES};
    struct earth *earth = calloc(1, sizeof *earth);
    if (!earth)
        return NULL;
    earth->options = *options;
    pthread_mutex_init(&earth->lock, NULL);
    memcpy(transfer.user_agent, options->user_agent, sizeof transfer.user_agent);
    memcpy(transfer.proxy, options->proxy, sizeof transfer.proxy);
    present_open(&earth->present);
    earth_register_metrics(earth);
    open_kept(earth);
    if (!earth->report.grid || options->kept)
        return earth;
    allowance_open(&earth->allowance, earth->options.bytes, EARTH_BYTES_A_DAY, clock_now().wall_ms / 1000);
    earth->transfers = transfers_open(&transfer);
    int status = earth->transfers ? pthread_create(&earth->thread, NULL, run, earth) : ENOMEM;
    if (status == 0) {
        pthread_setname_np(earth->thread, "earth");
        return earth;
    }
    log_event(LOG_ERROR, "cannot start the thread for the whole earth", log_str("error", strerror(status)));
    transfers_close(earth->transfers);
    earth->transfers = NULL;
    earth_close(earth);
    return NULL;
}

void earth_close(struct earth *earth)
{
    if (!earth)
        return;
    if (earth->transfers) {
        atomic_store(&earth->stopping, true);
        transfers_wake(earth->transfers);
        pthread_join(earth->thread, NULL);
        allowance_close(&earth->allowance);
        transfers_close(earth->transfers);
    }
    load_close(earth->load);
    metar_free(&earth->feed.file);
    present_close(&earth->present);
    pthread_mutex_destroy(&earth->lock);
    free(earth);
}
