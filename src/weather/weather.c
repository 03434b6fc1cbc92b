#include "weather/weather.h"

#include "base/log.h"
#include "synthetic/synthetic_weather.h"
#include "weather/cell/cache.h"
#include "weather/cell/cell.h"
#include "weather/cell/snapshot.h"
#include "weather/point/fetch.h"
#include "weather/point/provider.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL_USUAL  8
#define FORESEEN_POINTS 51 /* the hour before, and fifty from then on */
#define CUSTOMER_HOST   "https://customer-api.open-meteo.com"
#define PRODUCT         "masthead/" MASTHEAD_VERSION

struct weather {
    struct weather_options options;
    struct cache *cache;
    struct fetch *fetch;
    struct snapshot *snapshot; /* NULL: none is kept */
};

static void landed(void *context, struct cell cell, const struct curve *curve)
{
    struct weather *weather = context;
    struct instant now = clock_now();
    if (curve)
        cache_put(weather->cache, cell_key(cell), &now, curve,
                  fetch_stretch(weather->fetch, curve->provider, &now));
    else
        cache_fail(weather->cache, cell_key(cell), &now);
}

static bool known(void *context, struct cell cell, struct curve *out)
{
    struct weather *weather = context;
    struct instant now = clock_now();
    struct cache_view view;
    bool readable = cache_peek(weather->cache, cell_key(cell), &now, &view) &&
                    (view.result == CACHE_HIT || view.result == CACHE_STALE);
    if (readable)
        *out = view.curve;
    return readable;
}

/* Reads the one line of a key file. */
static bool read_key(const char *path, char out[PROVIDER_KEY_BYTES])
{
    FILE *file = fopen(path, "re");
    char line[PROVIDER_KEY_BYTES + 1] = "";
    bool there = file != NULL;
    if (file && !fgets(line, sizeof line, file))
        line[0] = '\0';
    if (!file)
        log_event(LOG_ERROR, "cannot read key file", log_str("file", path),
                  log_str("error", strerror(errno)));
    else
        fclose(file);
    size_t length = strcspn(line, "\r\n");
    line[length] = '\0';
    if (there && (length == 0 || length >= PROVIDER_KEY_BYTES || strspn(line, "\t ") > 0)) {
        log_event(LOG_ERROR, "the key file must hold the key in its first line", log_str("file", path));
        there = false;
    }
    if (there)
        memcpy(out, line, length + 1);
    return there;
}

/* What each provider needs to know, from the options. */
static const struct setting {
    size_t url, key_file, budget; /* offsets in struct weather_options; a key_file of 0: takes no key */
    bool needs_key, needs_contact;
} settings[PROVIDERS] = {
#define AT(member) offsetof(struct weather_options, member)
    [PROVIDER_OPEN_METEO] = {.url = AT(open_meteo_url),
                             .key_file = AT(open_meteo_key_file),
                             .budget = AT(open_meteo_budget)},
    [PROVIDER_MET_NORWAY] = {.url = AT(met_norway_url),
                             .budget = AT(met_norway_budget),
                             .needs_contact = true},
    [PROVIDER_OPENWEATHERMAP] = {.url = AT(openweathermap_url),
                                 .key_file = AT(openweathermap_key_file),
                                 .budget = AT(openweathermap_budget),
                                 .needs_key = true},
#undef AT
};

/* Why a provider cannot be used as things are configured; NULL when it can. */
static const char *lacking(size_t id, const struct weather_options *options)
{
    if (id == PROVIDERS)
        return "provider skipped: not built in";
    if (settings[id].needs_contact && !options->contact[0])
        return "provider skipped: it wants to know who asks, set weather.contact";
    if (settings[id].needs_key && !((const char *)options + settings[id].key_file)[0])
        return "provider skipped: no key file is set";
    return NULL;
}

static bool set_up(enum provider_id id, const struct weather_options *options, struct provider_options *out)
{
    const char *url = (const char *)options + settings[id].url;
    const char *key_file = settings[id].key_file ? (const char *)options + settings[id].key_file : "";
    if (key_file[0] && !read_key(key_file, out->key))
        return false;
    if (key_file[0] && strcmp(url, WEATHER_FREE_HOST) == 0)
        url = CUSTOMER_HOST; /* the keyless host answers a key with a redirect */
    snprintf(out->url, sizeof out->url, "%s", url);
    return true;
}

/* False when a key cannot be read. */
static bool choose_providers(const struct weather_options *options, struct fetch_options *fetch)
{
    for (size_t id = 0; id < PROVIDERS; id++)
        memcpy(fetch->quota.limits[id], (const char *)options + settings[id].budget,
               sizeof fetch->quota.limits[id]);
    snprintf(fetch->quota.path, sizeof fetch->quota.path, "%s", options->budgets);
    for (size_t i = 0; i < options->provider_count; i++) {
        size_t id = 0;
        while (id < PROVIDERS && strcmp(providers[id]->name, options->providers[i]) != 0)
            id++;
        const char *why = lacking(id, options);
        if (why)
            log_event(LOG_WARN, why, log_str("provider", options->providers[i]));
        else if (set_up((enum provider_id)id, options, &fetch->providers[id]))
            fetch->order[fetch->order_count++] = (enum provider_id)id;
        else
            return false;
    }
    return true;
}

/* Open-Meteo's free host wants one request at a time. */
static size_t parallel_for(const struct fetch_options *fetch)
{
    for (size_t i = 0; i < fetch->order_count; i++)
        if (fetch->order[i] == PROVIDER_OPEN_METEO && !fetch->providers[PROVIDER_OPEN_METEO].key[0])
            return 1;
    return PARALLEL_USUAL;
}

static bool fetch_options_of(const struct weather_options *options, struct fetch_options *out)
{
    *out = (struct fetch_options){.timeout_ms = options->timeout_ms, .known = known};
    if (!choose_providers(options, out))
        return false;
    if (out->order_count == 0) {
        log_line(LOG_ERROR, "no usable weather provider");
        return false;
    }
    out->parallel = options->parallel > 0 ? (size_t)options->parallel : parallel_for(out);
    snprintf(out->proxy, sizeof out->proxy, "%s", options->proxy);
    snprintf(out->user_agent, sizeof out->user_agent, options->contact[0] ? PRODUCT " %s" : PRODUCT,
             options->contact);
    return true;
}

/* True when there is none to open. */
static bool open_snapshot(struct weather *weather)
{
    const struct weather_options *options = &weather->options;
    struct snapshot_options own = {.every_ms = options->snapshot_every_ms,
                                   .cell_udeg = (int32_t)options->cell_udeg,
                                   .simulated = options->simulated};
    _Static_assert(sizeof own.path == sizeof options->snapshot, "one path is copied into the other");
    memcpy(own.path, options->snapshot, sizeof own.path);
    return own.path[0] == '\0' || (weather->snapshot = snapshot_open(&own, weather->cache));
}

bool weather_usable(const struct weather_options *options)
{
    struct fetch_options fetch;
    return fetch_options_of(options, &fetch);
}

struct weather *weather_open(const struct weather_options *options)
{
    struct fetch_options fetch;
    if (!fetch_options_of(options, &fetch))
        return NULL;
    struct weather *weather = calloc(1, sizeof *weather);
    if (!weather)
        return NULL;
    weather->options = *options;
    weather->cache = cache_open(&(struct cache_options){
        .capacity = (size_t)options->capacity,
        .refresh_ms = options->refresh_ms,
        .keep_ms = options->keep_ms,
        .max_waiters = (size_t)options->max_waiters,
    });
    if (!weather->cache) {
        log_event(LOG_ERROR, "no memory for the cell cache", log_int("cells", options->capacity));
        goto fail;
    }
    weather->fetch = fetch_open(&fetch, landed, weather);
    if (!weather->fetch || !open_snapshot(weather))
        goto fail;
    return weather;

fail:
    weather_close(weather);
    return NULL;
}

void weather_close(struct weather *weather)
{
    if (!weather)
        return;
    fetch_close(weather->fetch);
    snapshot_close(weather->snapshot);
    cache_close(weather->cache);
    free(weather);
}

/* Hands a cell to the fetch thread; a full queue is a failure of the cell, so that it backs off. */
static void start_flight(struct weather *weather, struct cell cell, bool urgent)
{
    static struct log_throttle throttle;
    int64_t suppressed;
    if (fetch_submit(weather->fetch, cell, urgent))
        return;
    struct instant now = clock_now();
    cache_fail(weather->cache, cell_key(cell), &now);
    if (log_due(&throttle, &suppressed))
        log_event(LOG_WARN, "queue of weather fetches full", log_int("suppressed", suppressed));
}

static enum weather_source source_of(const struct cache_view *view)
{
    static const enum weather_source sources[CACHE_RESULTS] = {
        [CACHE_HIT] = WEATHER_HIT,
        [CACHE_STALE] = WEATHER_HIT_STALE,
        [CACHE_MISS] = WEATHER_COLLAPSED,
        [CACHE_NEGATIVE] = WEATHER_NEGATIVE,
    };
    return view->result == CACHE_MISS && view->fetch ? WEATHER_FETCHED : sources[view->result];
}

static void fill(const struct cache_view *view, const struct instant *now, struct reading *out)
{
    struct curve_value value;
    out->source = source_of(view);
    out->refresh_in_s = view->refresh_in_ms / 1000;
    out->retry_in_s = view->retry_in_ms / 1000;
    out->in_flight = view->in_flight;
    bool readable = view->result == CACHE_HIT || view->result == CACHE_STALE;
    if (!readable || !curve_read(&view->curve, now->wall_ms / 1000, &value))
        return;
    const struct provider *provider = providers[view->curve.provider];
    out->state = view->result == CACHE_STALE ? WEATHER_STALE : WEATHER_FRESH;
    out->temperature_ddeg = value.temperature_ddeg;
    out->code = value.code;
    out->is_day = value.is_day;
    out->fetched_s = view->curve.fetched_s;
    out->age_s = view->age_ms / 1000;
    _Static_assert(WEATHER_NO_OFFSET == CURVE_NO_OFFSET, "the offset is handed on as it is");
    out->utc_offset_s = view->curve.utc_offset_s;
    memcpy(out->timezone, view->curve.timezone, sizeof out->timezone);
    out->provider = provider->name;
    out->credit = &provider->credit;
}

/* What a demand may do to the cache for a cell. Who may name any place pays for the fetch that it starts. */
static enum cache_insert insert_for(struct weather *weather, enum weather_client client, uint64_t key,
                                    const struct instant *now)
{
    struct cache_view view;
    if (client == WEATHER_FOR_VISITOR)
        return CACHE_EVICT;
    bool there = cache_peek(weather->cache, key, now, &view);
    bool due = there ? view.fetch : client == WEATHER_FOR_CHOICE;
    if (!due)
        return CACHE_NEVER;
    return fetch_admit(weather->fetch, now) ? CACHE_IF_ROOM : CACHE_LEAVE;
}

bool weather_cell(const struct weather *weather, const char *name, double *latitude, double *longitude)
{
    char again[CELL_NAME_BYTES];
    char *end;
    int32_t size = (int32_t)weather->options.cell_udeg;
    *latitude = strtod(name, &end);
    if (end == name || *end != ',')
        return false;
    *longitude = strtod(end + 1, &end);
    if (!(fabs(*latitude) <= 90 && fabs(*longitude) <= 180))
        return false;
    cell_name(cell_of(*latitude, *longitude, size), size, again);
    return strcmp(again, name) == 0;
}

/* A reading of the cell around a point, with nothing in it yet but the cell's name. */
static struct cell begin(const struct weather *weather, double latitude, double longitude,
                         struct reading *out)
{
    int32_t size = (int32_t)weather->options.cell_udeg;
    struct cell cell = cell_of(latitude, longitude, size);
    *out = (struct reading){.code = -1, .is_day = -1};
    cell_name(cell, size, out->cell);
    return cell;
}

/* The curve that Open-Meteo would have given for a cell at `fetched_s`, if it foresaw the synthetic truth. */
static struct curve forecast_from_model(struct cell cell, int64_t fetched_s)
{
    double latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES;
    double longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES;
    struct synthetic_zone zone = synthetic_zone(latitude, longitude);
    struct curve curve = {.start_s = fetched_s - fetched_s % CURVE_STEP_S - CURVE_STEP_S,
                          .fetched_s = fetched_s,
                          .utc_offset_s = zone.offset_s,
                          .count = FORESEEN_POINTS,
                          .provider = PROVIDER_OPEN_METEO};
    for (int i = 0; i < FORESEEN_POINTS; i++) {
        int64_t at = curve.start_s + (int64_t)i * CURVE_STEP_S;
        curve.temperature_cdeg[i] = (int16_t)(10 * lround(10 * synthetic_celsius(latitude, longitude, at)));
        curve.sky[i] = (uint8_t)(synthetic_weather_code(latitude, longitude, at) |
                                 (synthetic_is_day(latitude, longitude, at) ? CURVE_DAY : 0));
    }
    snprintf(curve.timezone, sizeof curve.timezone, "%s", zone.name);
    return curve;
}

void weather_simulate(const struct weather *weather, const struct weather_scenario *scenario, double latitude,
                      double longitude, const struct instant *now, struct reading *out)
{
    struct cell cell = begin(weather, latitude, longitude, out);
    struct curve curve = {.count = 0};
    if (scenario->age_s != WEATHER_NEVER)
        curve = forecast_from_model(cell, now->wall_ms / 1000 - scenario->age_s);
    struct cache_view view =
        cache_imagine(weather->cache, &curve, scenario->age_s * 1000, scenario->retry_s * 1000, now);
    fill(&view, now, out);
}

void weather_read(struct weather *weather, enum weather_client client, bool may_wait, double latitude,
                  double longitude, const struct instant *now, struct reading *out)
{
    struct cell cell = begin(weather, latitude, longitude, out);
    struct cache_view view = {.result = CACHE_MISS, .fetch = true};
    if (client == WEATHER_PEEK) {
        cache_peek(weather->cache, cell_key(cell), now, &view);
        fill(&view, now, out);
        return;
    }
    enum cache_insert insert = insert_for(weather, client, cell_key(cell), now);
    cache_ask(weather->cache, cell_key(cell), insert, now, &view);
    bool missing = view.result == CACHE_MISS;
    enum weather_source source = source_of(&view);
    if (view.fetch) /* what anyone may name does not eat into the last tenth of a budget */
        start_flight(weather, cell, missing && client == WEATHER_FOR_VISITOR);
    struct instant later;
    if (missing && may_wait &&
        cache_wait(weather->cache, cell_key(cell), clock_monotonic_ms() + weather->options.wait_ms)) {
        later = clock_now(); /* the curve may begin after the request came */
        if (cache_peek(weather->cache, cell_key(cell), &later, &view))
            now = &later;
    }
    fill(&view, now, out);
    out->source = source; /* whatever came of waiting */
}

size_t weather_upstreams(struct weather *weather, const struct instant *now,
                         struct weather_upstream out[WEATHER_PROVIDERS])
{
    return fetch_look(weather->fetch, now, out);
}

size_t weather_cells(struct weather *weather, size_t *cursor, const struct instant *now,
                     struct weather_cell *out, size_t max)
{
    static const enum weather_state states[CACHE_RESULTS] = {
        [CACHE_HIT] = WEATHER_FRESH, [CACHE_STALE] = WEATHER_STALE};
    struct cache_sight sights[WEATHER_CELLS];
    size_t count =
        cache_survey(weather->cache, cursor, now, sights, max < WEATHER_CELLS ? max : WEATHER_CELLS);
    for (size_t i = 0; i < count; i++) {
        const struct cache_sight *sight = &sights[i];
        struct cell cell = cell_of_key(sight->key);
        out[i] = (struct weather_cell){
            .latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES,
            .longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES,
            .state = states[sight->result],
            .fetched_s = sight->fetched_s,
            .until_s = sight->until_s,
            .retry_s = sight->retry_in_ms > 0 ? (now->wall_ms + sight->retry_in_ms + 999) / 1000 : 0,
            .in_flight = sight->in_flight,
            .asks = sight->visits,
            .provider = sight->fetched_s > 0 ? providers[sight->provider]->name : "",
        };
    }
    return count;
}

void weather_name_cell(const struct weather *weather, struct weather_cell *cell)
{
    int32_t size = (int32_t)weather->options.cell_udeg;
    cell_name(cell_of(cell->latitude, cell->longitude, size), size, cell->name);
}

void weather_report(struct weather *weather, struct weather_report *out)
{
    *out = (struct weather_report){.capacity = weather->options.capacity,
                                   .snapshot_kept = weather->snapshot != NULL};
    int error = weather->snapshot ? snapshot_error(weather->snapshot, &out->snapshot_s) : 0;
    if (error)
        snprintf(out->snapshot_error, sizeof out->snapshot_error, "%s", strerror(error));
}
