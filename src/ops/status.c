#include "ops/status.h"

#include "base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct status {
    struct status_sources sources;
    struct history *history;
    int64_t started_s;
    pthread_mutex_t lock;
    struct status_settings *settings; /* guarded by lock */
};

#define ROW(id, name, metric, label) {name, metric, label},
const struct status_counter_row status_counters[STATUS_COUNTERS] = {STATUS_COUNTER_LIST(ROW)};

struct status *status_open(const struct status_sources *sources)
{
    _Static_assert(STATUS_COUNTERS <= HISTORY_COUNTERS, "the history has room for all");
    struct instant now = clock_now();
    struct status *status = malloc(sizeof *status);
    if (!status)
        return NULL;
    *status =
        (struct status){.sources = *sources, .history = history_open(&now), .started_s = now.wall_ms / 1000};
    pthread_mutex_init(&status->lock, NULL);
    if (status->history)
        return status;
    status_close(status);
    return NULL;
}

void status_close(struct status *status)
{
    if (!status)
        return;
    history_close(status->history);
    pthread_mutex_destroy(&status->lock);
    free(status->settings);
    free(status);
}

void status_configure(struct status *status, struct status_settings *settings)
{
    pthread_mutex_lock(&status->lock);
    struct status_settings *old = status->settings;
    status->settings = settings;
    pthread_mutex_unlock(&status->lock);
    free(old);
}

/* What is left of a provider's scarcest budget; -1 without budgets. */
static int budget_percent(const struct weather_upstream *upstream)
{
    int64_t min = -1;
    for (size_t i = 0; i < upstream->window_count; i++) {
        int64_t percent = 100 * upstream->windows[i].remaining / upstream->windows[i].limit;
        min = min < 0 || percent < min ? percent : min;
    }
    return (int)min;
}

bool status_ready(const struct status *status)
{
    return !atomic_load(status->sources.draining) && places_loaded(status->sources.places);
}

void status_sample(struct status *status)
{
    struct instant now = clock_now();
    uint64_t totals[HISTORY_COUNTERS] = {0};
    struct weather_upstream upstreams[WEATHER_PROVIDERS];
    for (size_t i = 0; i < STATUS_COUNTERS; i++)
        totals[i] = metrics_sum(status_counters[i].metric, status_counters[i].label);
    totals[COUNT_FAILED] -= totals[COUNT_ANSWERED]; /* of all */
    totals[COUNT_TAKEN_MS] /= 1000;                 /* of microseconds */
    totals[COUNT_LOCAL] += metrics_sum("masthead_place_lookups_total", "unreadable");
    size_t count = weather_upstreams(status->sources.weather, &now, upstreams);
    history_sample(status->history, &now, totals, count > 0 ? budget_percent(&upstreams[0]) : -1);
}

/* Keeps the STATUS_CELLS oldest or hottest cells, in this order. */
static void insert_top(struct weather_cell kept[STATUS_CELLS], size_t *count, const struct weather_cell *cell,
                       bool hottest)
{
    size_t at = *count;
    while (at > 0 && (hottest ? cell->asks > kept[at - 1].asks : cell->fetched_s < kept[at - 1].fetched_s))
        at--;
    if (at == STATUS_CELLS)
        return;
    *count += *count < STATUS_CELLS;
    memmove(&kept[at + 1], &kept[at], (*count - 1 - at) * sizeof *kept);
    kept[at] = *cell;
}

/* Keeps the earlier instant; 0 is none. */
static void keep_earliest(int64_t *kept_s, int64_t unix_s)
{
    if (unix_s > 0 && (*kept_s == 0 || unix_s < *kept_s))
        *kept_s = unix_s;
}

static void gather_cells(struct weather *weather, const struct instant *now, struct status_report *report)
{
    struct weather_cell batch[WEATHER_CELLS];
    size_t cursor = 0, count;
    while ((count = weather_cells(weather, &cursor, now, batch, WEATHER_CELLS)) > 0)
        for (size_t i = 0; i < count; i++) {
            const struct weather_cell *cell = &batch[i];
            enum weather_state state = cell->state < STATUS_CELL_STATES ? cell->state : WEATHER_MISS;
            report->cells[state]++;
            report->cell_count++;
            report->cells_in_flight += cell->in_flight;
            keep_earliest(&report->retry_s, cell->retry_s);
            world_map_mark(report->map, cell->latitude, cell->longitude, (uint8_t)state);
            if (cell->fetched_s > 0)
                insert_top(report->oldest, &report->oldest_count, cell, false);
            if (cell->asks > 0)
                insert_top(report->hottest, &report->hottest_count, cell, true);
            if (cell->asks > 0 && state != WEATHER_MISS)
                keep_earliest(&report->curves_until_s, cell->until_s);
        }
    for (size_t i = 0; i < report->oldest_count; i++)
        weather_name_cell(weather, &report->oldest[i]);
    for (size_t i = 0; i < report->hottest_count; i++)
        weather_name_cell(weather, &report->hottest[i]);
}

static void gather_upstreams(struct weather *weather, const struct instant *now, struct status_report *report)
{
    report->stretch = 1;
    report->upstream_count = weather_upstreams(weather, now, report->upstreams);
    for (size_t i = 0; i < report->upstream_count; i++) {
        const struct weather_upstream *upstream = &report->upstreams[i];
        if (upstream->stretch > report->stretch)
            report->stretch = upstream->stretch;
        for (size_t w = 0; w < upstream->window_count; w++)
            report->windows[report->window_count++] =
                (struct status_window){upstream->name, upstream->windows[w]};
    }
}

static void gather_earth(struct weather *weather, const struct instant *now, struct status_report *report)
{
    struct airports_station station;
    struct status_earth *earth = &report->earth;
    const struct earth_report *said = &earth->report;
    earth->wanted = weather_earth(weather, &earth->report);
    earth->missing = said->missing;
    earth->loading_fields = said->loading_fields;
    earth->used = (int64_t)said->stations.used;
    earth->off = (int64_t)said->stations.off;
    earth->old = (int64_t)said->stations.old;
    earth->modelless = (int64_t)said->stations.modelless;
    earth->judged = (int64_t)said->error.stations;
    earth->error_kelvin = earth->judged > 0 ? said->error.rms_kelvin : NAN;
    earth->model_error_kelvin = earth->judged > 0 ? said->error.model_rms_kelvin : NAN;
    weather_map(weather, now, STATUS_MAP_COLUMNS, STATUS_MAP_ROWS, report->cdeg[0]);
    for (size_t i = 0; weather_station(weather, i, &station); i++)
        world_map_mark(report->stations, station.latitude, station.longitude,
                       fabs(station.difference) > AIRPORTS_OFF_K ? STATUS_STATION_OFF : STATUS_STATION_USED);
}

static void gather_process(struct status *status, struct status_report *report)
{
    const struct status_sources *sources = &status->sources;
    report->version = MASTHEAD_VERSION;
    report->started_s = status->started_s;
    report->draining = atomic_load(sources->draining);
    report->ready = status_ready(status);
    report->reload_refusal = atomic_load(sources->reload_refusal);
    report->reload_ok = !report->reload_refusal;
    report->dev = sources->dev;
    report->simulated = sources->simulated;
    report->keyless = sources->keyless;
    http_threads(sources->public, &report->threads_busy, &report->threads);
    pthread_mutex_lock(&status->lock);
    if (status->settings)
        report->settings = *status->settings;
    pthread_mutex_unlock(&status->lock);
}

int64_t status_recent(const struct status_report *r, enum status_counter counter, enum history_span span,
                      size_t slots)
{
    int64_t sum = 0;
    size_t all = history_rings[span].slots;
    for (size_t i = slots < all ? all - slots : 0; i < all; i++)
        sum += (int64_t)r->history.slots[span][i].grown[counter];
    return sum;
}

/* The rows are the counters of places, in words. */
static void gather_places(struct status_report *report)
{
    static const struct {
        enum status_counter counter;
        const char *words;
    } rows[STATUS_PLACES] = {
        {COUNT_CHOICE, "chose their city"},
        {COUNT_CONFIRMED, "city, confirmed"},
        {COUNT_CLAIMED, "city, claimed by one database"},
        {COUNT_OFFICE, "no city: the operator's office"},
        {COUNT_CONFLICT, "no city: databases contradict each other"},
        {COUNT_LISTED, "no city: a listed network or carrier"},
        {COUNT_RADIUS, "no city: the radius is too large"},
        {COUNT_ANYCAST, "no city: anycast"},
        {COUNT_UNCONFIRMED, "no city: not confirmed"},
        {COUNT_NO_CITY, "no city in any record"},
        {COUNT_NOT_FOUND, "no record"},
        {COUNT_NO_DATABASE, "a database is missing"},
        {COUNT_LOCAL, "private or unreadable address"},
    };
    double hours = 0, days = 0;
    for (size_t i = 0; i < STATUS_PLACES; i++) {
        enum status_counter counter = rows[i].counter;
        struct status_place *place = &report->places[report->place_count++];
        place->name = status_counters[counter].name;
        place->words = rows[i].words;
        hours += (double)(place->hour = status_recent(report, counter, HISTORY_HOUR, HISTORY_SLOTS_MAX));
        days += (double)(place->day = status_recent(report, counter, HISTORY_DAY, HISTORY_SLOTS_MAX));
    }
    for (struct status_place *place = report->places; place < report->places + STATUS_PLACES; place++) {
        place->hour_share = hours > 0 ? (double)place->hour / hours : 0;
        place->day_share = days > 0 ? (double)place->day / days : 0;
    }
}

struct status_report *status_gather(struct status *status)
{
    const struct status_sources *sources = &status->sources;
    struct instant now = clock_now();
    struct status_report *report = calloc(1, sizeof *report);
    if (!report)
        return NULL;
    report->now_s = now.wall_ms / 1000;
    status_sample(status);
    history_read(status->history, &now, &report->history);
    gather_process(status, report);
    gather_places(report);
    gather_cells(sources->weather, &now, report);
    gather_upstreams(sources->weather, &now, report);
    gather_earth(sources->weather, &now, report);
    weather_report(sources->weather, &report->weather);
    report->database_count = places_databases(sources->places, report->now_s, report->databases);
    status_judge(report);
    return report;
}
