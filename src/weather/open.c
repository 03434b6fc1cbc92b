/* Ask, then pay: the cache lists what is to be fetched, the fetch thread takes the next, acquires it from the
 * quota and ends it in the cache. The fleet's thread, if any, stands between the two. The housekeeping thread
 * writes what must outlive the process: leases of the budgets ahead of need, snapshots at intervals of real
 * time. */
#include "weather/room.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL_USUAL  8
#define LEASE_MARGIN_MS 1000 /* that a lock of the fleet holds for longer than a request may take */
#define PRODUCT         "masthead/" MASTHEAD_VERSION

/* Chooses the providers that can be used. False when a key cannot be read, or when there is none. */
static bool choose_providers(const struct weather_options *options, struct fetch_options *fetch)
{
    for (size_t i = 0; i < options->provider_count; i++) {
        const char *name = options->providers[i];
        size_t id = provider_by_name(name);
        const char *reason = id == WEATHER_PROVIDERS
                                 ? "provider skipped: not built in"
                                 : provider_lacks(providers[id], &options->provider[id], options->contact);
        if (reason)
            log_event(LOG_WARN, reason, log_str("provider", name));
        else if (provider_prepare(providers[id], &options->provider[id], &fetch->access[id]))
            fetch->order[fetch->order_count++] = (enum provider_id)id;
        else
            return false;
    }
    bool grid = options->earth.grid != EARTH_NO_GRID;
    if (fetch->order_count == 0)
        log_line(grid ? LOG_INFO : LOG_ERROR,
                 grid ? "no point forecasts: the weather is that of the whole earth's model"
                      : "no usable weather provider");
    return fetch->order_count > 0 || grid;
}

static size_t parallel_for(const struct weather_options *options, const struct fetch_options *fetch)
{
    if (options->parallel > 0)
        return (size_t)options->parallel;
    for (size_t i = 0; i < fetch->order_count; i++)
        if (providers[fetch->order[i]]->one_at_a_time && !fetch->access[fetch->order[i]].key[0])
            return 1;
    return PARALLEL_USUAL;
}

static bool fetch_options_of(const struct weather_options *options, struct fetch_options *out)
{
    struct transfer_options *transfer = &out->transfer;
    *out = (struct fetch_options){.transfer = {.timeout_ms = options->timeout_ms}};
    if (!choose_providers(options, out))
        return false;
    transfer->parallel = parallel_for(options, out);
    _Static_assert(sizeof transfer->proxy >= sizeof options->proxy, "the proxy fits");
    snprintf(transfer->proxy, sizeof transfer->proxy, "%s", options->proxy);
    snprintf(transfer->user_agent, sizeof transfer->user_agent, options->contact[0] ? PRODUCT " %s" : PRODUCT,
             options->contact);
    return true;
}

/* Starts what knows the whole earth, if it is wanted. */
static bool open_earth(struct weather *weather, const struct transfer_options *transfer)
{
    struct earth_options options = weather->options.earth;
    if (options.grid == EARTH_NO_GRID)
        return true;
    _Static_assert(sizeof options.user_agent == sizeof transfer->user_agent &&
                       sizeof options.proxy == sizeof transfer->proxy,
                   "one is copied into the other");
    memcpy(options.user_agent, transfer->user_agent, sizeof options.user_agent);
    memcpy(options.proxy, transfer->proxy, sizeof options.proxy);
    weather->earth = earth_open(&options);
    return weather->earth;
}

/* True when none is wanted. */
static bool open_fleet(struct weather *weather, const struct fetch_options *fetch)
{
    struct fleet_options options = weather->options.fleet;
    if (options.server.host[0] == '\0' || fetch->order_count == 0)
        return true;
    options.keep_ms = weather->options.keep_ms;
    options.lease_ms = weather->options.timeout_ms + LEASE_MARGIN_MS;
    options.parallel = fetch->transfer.parallel;
    options.cell_udeg = (int32_t)weather->options.cell_udeg;
    options.simulated = weather->options.simulated;
    options.sources = (struct value_sources){provider_names, WEATHER_PROVIDERS};
    weather->fleet = fleet_open(&options, weather->cache);
    return weather->fleet;
}

static bool open_fetch(struct weather *weather, const struct fetch_options *options)
{
    if (options->order_count == 0)
        return true;
    weather->fetch = fetch_open(options, weather->cache, weather->quota, weather->fleet);
    return weather->fetch;
}

static bool open_quota(struct weather *weather, const struct fetch_options *fetch)
{
    const struct weather_options *options = &weather->options;
    struct instant now = clock_now();
    struct quota_options quota = {.fleet = weather->fleet, .instances = options->instances};
    _Static_assert(sizeof quota.path == sizeof options->budgets, "one path is copied into the other");
    memcpy(quota.path, options->budgets, sizeof quota.path);
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++)
        memcpy(quota.limits[id], options->provider[id].budget, sizeof quota.limits[id]);
    for (size_t i = 0; i < fetch->order_count; i++)
        quota.used[fetch->order[i]] = true;
    weather->quota = quota_open(&quota, &now);
    return weather->quota;
}

/* True when there is none to open. */
static bool open_snapshot(struct weather *weather)
{
    const struct weather_options *options = &weather->options;
    struct snapshot_options own = {.cell_udeg = (int32_t)options->cell_udeg,
                                   .simulated = options->simulated,
                                   .providers = provider_names,
                                   .provider_count = WEATHER_PROVIDERS};
    _Static_assert(sizeof own.path == sizeof options->snapshot, "one path is copied into the other");
    memcpy(own.path, options->snapshot, sizeof own.path);
    return own.path[0] == '\0' || (weather->snapshot = snapshot_open(&own, weather->cache));
}

static void *run_housekeeping(void *context)
{
    struct weather *weather = context;
    int64_t every_ms = weather->options.snapshot_every_ms, due_ms = clock_monotonic_ms() + every_ms;
    while (quota_wait(weather->quota, due_ms)) {
        struct instant now = clock_now();
        if (quota_renew(weather->quota, &now) && weather->fetch)
            fetch_wake(weather->fetch);
        if (clock_monotonic_ms() < due_ms)
            continue;
        if (weather->snapshot)
            snapshot_save(weather->snapshot);
        due_ms = clock_monotonic_ms() + every_ms;
    }
    return NULL;
}

static void *run_sharing(void *context)
{
    struct weather *weather = context;
    while (fleet_wait(weather->fleet))
        if (fleet_step(weather->fleet))
            fetch_wake(weather->fetch);
    return NULL;
}

/* True when both threads run, or the one that is needed. */
static bool start_threads(struct weather *weather)
{
    weather->sharing_runs =
        weather->fleet && pthread_create(&weather->sharing, NULL, run_sharing, weather) == 0;
    weather->housekeeping_runs = pthread_create(&weather->housekeeping, NULL, run_housekeeping, weather) == 0;
    return weather->housekeeping_runs && weather->sharing_runs == (weather->fleet != NULL);
}

bool weather_usable(const struct weather_options *options)
{
    struct fetch_options fetch;
    return fetch_options_of(options, &fetch);
}

struct weather *weather_open(const struct weather_options *options, const struct gazetteer *cities)
{
    struct fetch_options fetch;
    if (!fetch_options_of(options, &fetch))
        return NULL;
    struct weather *weather = calloc(1, sizeof *weather);
    if (!weather) {
        log_line(LOG_ERROR, "no memory for the weather room");
        return NULL;
    }
    weather->options = *options;
    weather->cities = cities;
    memcpy(weather->order, fetch.order, sizeof weather->order);
    weather->order_count = fetch.order_count;
    weather->cache = cache_open(&(struct cache_options){
        .capacity = (size_t)options->capacity,
        .refresh_ms = options->refresh_ms,
        .keep_ms = options->keep_ms,
        .max_waiters = (size_t)options->max_waiters,
        .fetchless = fetch.order_count == 0,
    });
    if (!weather->cache)
        log_event(LOG_ERROR, "no memory for the cell cache", log_int("cells", options->capacity));
    if (weather->cache && open_snapshot(weather) && open_fleet(weather, &fetch) &&
        open_quota(weather, &fetch) && open_earth(weather, &fetch.transfer) && open_fetch(weather, &fetch) &&
        start_threads(weather))
        return weather;
    log_line(LOG_ERROR, "cannot start the weather room");
    weather_close(weather);
    return NULL;
}

void weather_close(struct weather *weather)
{
    if (!weather)
        return;
    if (weather->housekeeping_runs) {
        quota_stop(weather->quota);
        pthread_join(weather->housekeeping, NULL);
    }
    if (weather->sharing_runs) {
        fleet_stop(weather->fleet);
        pthread_join(weather->sharing, NULL);
    }
    fetch_close(weather->fetch);
    earth_close(weather->earth);
    quota_close(weather->quota);
    fleet_close(weather->fleet);
    snapshot_close(weather->snapshot);
    cache_close(weather->cache);
    free(weather);
}
