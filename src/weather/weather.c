#include "weather/weather.h"

#include "base/log.h"
#include "weather/cache.h"
#include "weather/cell.h"
#include "weather/fetch.h"
#include "weather/provider.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE_BITS    8
#define PARALLEL_KEYED 8
#define CUSTOMER_HOST  "https://customer-api.open-meteo.com"
#define PRODUCT        "masthead/" MASTHEAD_VERSION

struct weather {
    struct weather_options options;
    struct cache *cache;
    struct fetch *fetch;
    atomic_int_fast64_t
        choices; /* the minute (since boot) shifted left by CHOICE_BITS, and the fetches in it */
};

static void landed(void *context, struct cell cell, const struct curve *curve)
{
    struct weather *weather = context;
    struct instant now = clock_now();
    if (curve)
        cache_put(weather->cache, cell_key(cell), &now, curve);
    else
        cache_fail(weather->cache, cell_key(cell), &now);
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

static bool set_up_open_meteo(const struct weather_options *options, struct fetch_options *fetch)
{
    struct provider_options *own = &fetch->providers[PROVIDER_OPEN_METEO];
    const char *url = options->open_meteo_url;
    if (options->open_meteo_key_file[0]) {
        if (!read_key(options->open_meteo_key_file, own->key))
            return false;
        if (strcmp(url, WEATHER_FREE_HOST) == 0)
            url = CUSTOMER_HOST; /* the keyless host answers a key with a redirect */
    }
    snprintf(own->url, sizeof own->url, "%s", url);
    return true;
}

static void choose_providers(const struct weather_options *options, struct fetch_options *fetch)
{
    for (size_t i = 0; i < options->provider_count; i++) {
        size_t id = 0;
        while (id < PROVIDERS && strcmp(providers[id]->name, options->providers[i]) != 0)
            id++;
        if (id < PROVIDERS)
            fetch->order[fetch->order_count++] = (enum provider_id)id;
        else
            log_event(LOG_WARN, "provider skipped: not built in", log_str("provider", options->providers[i]));
    }
}

static bool fetch_options_of(const struct weather_options *options, struct fetch_options *out)
{
    *out = (struct fetch_options){.timeout_ms = options->timeout_ms};
    choose_providers(options, out);
    if (out->order_count == 0) {
        log_line(LOG_ERROR, "no usable weather provider");
        return false;
    }
    if (!set_up_open_meteo(options, out))
        return false;
    bool keyed = out->providers[PROVIDER_OPEN_METEO].key[0] != '\0';
    out->parallel = options->parallel > 0 ? (size_t)options->parallel : keyed ? PARALLEL_KEYED : 1;
    snprintf(out->proxy, sizeof out->proxy, "%s", options->proxy);
    snprintf(out->user_agent, sizeof out->user_agent, options->contact[0] ? PRODUCT " %s" : PRODUCT,
             options->contact);
    return true;
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
        .timeout_ms = options->timeout_ms,
        .max_waiters = (size_t)options->max_waiters,
    });
    if (!weather->cache) {
        log_event(LOG_ERROR, "no memory for the cell cache", log_int("cells", options->capacity));
        goto fail;
    }
    weather->fetch = fetch_open(&fetch, landed, weather);
    if (!weather->fetch)
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
    cache_close(weather->cache);
    free(weather);
}

/* Hands a cell to the fetch thread; a full queue is a failure of the cell, so that it backs off. */
static void start_flight(struct weather *weather, struct cell cell, bool urgent)
{
    static struct log_throttle throttle;
    int64_t unsaid;
    if (fetch_submit(weather->fetch, cell, urgent))
        return;
    struct instant now = clock_now();
    cache_fail(weather->cache, cell_key(cell), &now);
    if (log_due(&throttle, &unsaid))
        log_event(LOG_WARN, "queue of weather fetches full", log_int("unsaid", unsaid));
}

static void fill(const struct cache_view *view, const struct instant *now, struct reading *out)
{
    struct curve_value value;
    out->refresh_in_s = view->refresh_in_ms / 1000;
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
    out->utc_offset_s = view->curve.utc_offset_s;
    memcpy(out->timezone, view->curve.timezone, sizeof out->timezone);
    out->provider = provider->name;
    out->credit = &provider->credit;
}

/* Whether one more missing cell may be fetched in this minute because somebody chose it; counts it if so. */
static bool spend_choice(struct weather *weather, const struct instant *now)
{
    int_fast64_t minute = now->boot_ms / 60000;
    int_fast64_t seen = atomic_load(&weather->choices);
    for (;;) {
        int_fast64_t spent = seen >> CHOICE_BITS == minute ? seen & ((1 << CHOICE_BITS) - 1) : 0;
        if (spent >= WEATHER_CHOICES_A_MINUTE)
            return false;
        if (atomic_compare_exchange_weak(&weather->choices, &seen, (minute << CHOICE_BITS) + spent + 1))
            return true;
    }
}

/* What a demand may do to the cache for a cell. A choice pays with its share of the minute only if the cell
 * is missing. */
static enum cache_insert insert_for(struct weather *weather, enum weather_demand demand, uint64_t key,
                                    const struct instant *now)
{
    struct cache_view view;
    if (demand == WEATHER_FOR_VISITOR || demand == WEATHER_SOON)
        return CACHE_EVICT;
    bool pays = demand == WEATHER_FOR_CHOICE && !cache_peek(weather->cache, key, now, &view);
    return pays && spend_choice(weather, now) ? CACHE_IF_ROOM : CACHE_NEVER;
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

void weather_read(struct weather *weather, enum weather_demand demand, double latitude, double longitude,
                  const struct instant *now, struct reading *out)
{
    static const enum weather_source sources[CACHE_RESULTS] = {
        [CACHE_HIT] = WEATHER_HIT,
        [CACHE_STALE] = WEATHER_HIT_STALE,
        [CACHE_MISS] = WEATHER_COLLAPSED,
        [CACHE_NEGATIVE] = WEATHER_NEGATIVE,
    };
    int32_t size = (int32_t)weather->options.cell_udeg;
    struct cell cell = cell_of(latitude, longitude, size);
    struct cache_view view;
    *out = (struct reading){.code = -1, .is_day = -1};
    cell_name(cell, size, out->cell);

    enum cache_insert insert = insert_for(weather, demand, cell_key(cell), now);
    cache_ask(weather->cache, cell_key(cell), insert, now, &view);
    bool missing = view.result == CACHE_MISS;
    out->source = missing && view.fetch ? WEATHER_FETCHED : sources[view.result];
    if (view.fetch)
        start_flight(weather, cell, missing);
    if (missing && demand != WEATHER_SOON &&
        cache_wait(weather->cache, cell_key(cell), clock_monotonic_ms() + weather->options.wait_ms)) {
        struct instant later = clock_now(); /* the curve may begin after the request came */
        if (cache_peek(weather->cache, cell_key(cell), &later, &view))
            now = &later;
        fill(&view, now, out);
        return;
    }
    fill(&view, now, out);
}
