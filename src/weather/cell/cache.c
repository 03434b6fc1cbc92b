#include "weather/cell/cache.h"

#include "base/metrics.h"
#include "weather/cell/cache_inside.h"

#include <stdlib.h>

#define BACKOFF_FIRST_MS INT64_C(10000)
#define BACKOFF_MAX_MS   INT64_C(600000)
#define BACKOFF_DOUBLES  6 /* failures, after which it would be longer than that */
#define BACKOFF_MIN_MS   1000
#define PAST_S           90000 /* how far back hours are kept: the longest day has 25 */
#define CONFIRM_S        86400 /* a curve that ends sooner than this is not worth confirming */
#define MEAN_OVER        64    /* curves */
#define COLD_STRETCH     1.5

enum { LOOKUPS, ENTRIES, CAPACITY, EVICTIONS, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [LOOKUPS] = COUNTER("masthead_cache_lookups_total", "Lookups of a cell's weather, by result.",
                        .labels = {{"result", weather_state_names[WEATHER_AS_LOOKUP] + WEATHER_FRESH,
                                    WEATHER_STATES - WEATHER_FRESH}}),
    [ENTRIES] = GAUGE("masthead_cache_entries", "Cells in the cache.", collect),
    [CAPACITY] = GAUGE("masthead_cache_capacity", "Cells that the cache can hold.", collect),
    [EVICTIONS] = COUNTER("masthead_cache_evictions_total", "Cells given up for others.", .collect = collect),
};

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct cache *cache = context;
    pthread_mutex_lock(&cache->lock);
    const double values[ROWS] = {[ENTRIES] = cache->table.count,
                                 [CAPACITY] = (double)cache->judge.options.capacity,
                                 [EVICTIONS] = (double)cache->table.evictions};
    pthread_mutex_unlock(&cache->lock);
    metric_value(samples, values[row]);
}

struct cache *cache_open(const struct cache_options *options)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->judge.options = *options;
    cache->judge.stretch = 1;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->ended, NULL);
    metrics_register(rows, ROWS, cache);
    if (table_open(&cache->table, options->capacity))
        return cache;
    cache_close(cache);
    return NULL;
}

void cache_close(struct cache *cache)
{
    if (!cache)
        return;
    table_close(&cache->table);
    pthread_cond_destroy(&cache->ended);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Lists the fetch of a cell that is due, or promotes it. Whether it was not listed before. */
static bool list(struct cache *cache, struct entry *entry, enum fetch_class class, bool is_due,
                 const struct instant *now)
{
    bool was_in_flight = judge_in_flight(entry);
    if (cache->judge.options.fetchless)
        return false;
    if (is_due && entry->refused < class && judge_refused_ms(&cache->judge, class, now) > 0)
        entry->refused = (uint8_t) class; /* as it would be if it were listed */
    if (!is_due || entry->class >= class || judge_blocked_ms(&cache->judge, entry, class, now) > 0)
        return false;
    if (entry->active) {
        entry->joined |= class > FETCH_PUBLIC;
        return false;
    }
    table_list(&cache->table, entry, class);
    if (!was_in_flight)
        entry->listed_s = (uint32_t)(now->boot_ms / 1000);
    return !was_in_flight;
}

static void get_entry(struct cache *cache, struct entry *entry, enum weather_client client,
                      const struct instant *now, struct cache_view *out)
{
    bool has_ground = cache->judge.ground != 0;
    bool is_readable = judge_readable(&cache->judge, entry, now);
    enum fetch_class class = judge_class(client, is_readable || has_ground);
    bool listed = false;
    if (client != WEATHER_PEEK) {
        bool is_due = !is_readable || now->boot_ms >= entry->refresh_ms;
        entry->visits += entry->visits < UINT32_MAX;
        listed = list(cache, entry, class,
                      is_due && (!has_ground || judge_worth_fetching(&cache->judge, entry)), now);
    }
    *out = judge_view(&cache->judge, entry, class, now);
    out->listed = listed;
    out->wants_ground = judge_wants_ground(&cache->judge, entry, now);
}

bool cache_get(struct cache *cache, uint64_t key, enum weather_client client, uint32_t ground,
               const struct instant *now, struct cache_view *out)
{
    pthread_mutex_lock(&cache->lock);
    cache->judge.ground = ground;
    struct entry *entry = table_find(&cache->table, key);
    if (entry && client != WEATHER_PEEK)
        entry->visited = true;
    else if (!entry &&
             (client == WEATHER_FOR_VISITOR ||
              (client == WEATHER_FOR_CHOICE && judge_refused_ms(&cache->judge, FETCH_PUBLIC, now) == 0)))
        entry = table_insert(&cache->table, key, client == WEATHER_FOR_VISITOR);
    if (entry)
        get_entry(cache, entry, client, now, out);
    else
        *out = (struct cache_view){.state = client == WEATHER_PEEK ? WEATHER_MISS : WEATHER_NEGATIVE,
                                   .wants_ground = ground != 0};
    pthread_mutex_unlock(&cache->lock);
    if (client != WEATHER_PEEK)
        metric_add(&rows[LOOKUPS], out->wants_ground ? 0 : out->state - WEATHER_FRESH, 0);
    return entry != NULL;
}

void cache_replace_curve(struct entry *entry, const struct curve *curve, const struct instant *now)
{
    struct curve older = entry->curve;
    int64_t since_s = now->wall_ms / 1000 - PAST_S, wanted = (curve->start_s - since_s) / CURVE_STEP_S;
    entry->curve = *curve;
    if (wanted > 0)
        curve_prepend(&entry->curve, &older, (size_t)wanted);
}

void cache_lay(struct cache *cache, uint64_t key, enum weather_client client, uint32_t ground,
               const struct curve *curve, const struct instant *now, struct cache_view *out)
{
    bool listed = out->listed;
    int64_t age = now->wall_ms - curve->fetched_s * 1000;
    pthread_mutex_lock(&cache->lock);
    cache->judge.ground = ground;
    struct entry *entry = table_find(&cache->table, key), apart = {.key = key};
    if (entry)
        apart = *entry;
    if (!entry || client == WEATHER_PEEK)
        entry = &apart;
    if (judge_wants_ground(&cache->judge, entry, now)) {
        cache_replace_curve(entry, curve, now);
        entry->ground = ground;
        entry->fetched_ms = now->boot_ms - (age > 0 ? age : 0);
    }
    *out = judge_view(&cache->judge, entry, FETCH_REFRESH, now);
    pthread_mutex_unlock(&cache->lock);
    out->listed = listed;
}

struct cache_view cache_simulate(const struct cache *cache, const struct curve *curve, int64_t age,
                                 int64_t retry_in_ms, const struct instant *now)
{
    struct entry entry = {.curve = *curve,
                          .fetched_ms = now->boot_ms - age,
                          .refresh_ms = now->boot_ms - age + cache->judge.options.refresh_ms,
                          .retry_ms = now->boot_ms + retry_in_ms,
                          .failures = retry_in_ms > 0};
    const struct judge apart = {.options = cache->judge.options};
    struct cache_view view = judge_view(&apart, &entry, FETCH_URGENT, now);
    view.listed = view.state == WEATHER_MISS;
    return view;
}

bool cache_wait(struct cache *cache, uint64_t key, int64_t until_ms)
{
    struct timespec deadline = clock_timespec(until_ms);
    bool ended = false;
    pthread_mutex_lock(&cache->lock);
    if (cache->waiters < cache->judge.options.max_waiters) {
        cache->waiters++;
        int status = 0;
        while (!ended && status == 0) {
            const struct entry *entry = table_find(&cache->table, key);
            ended = !entry || !judge_in_flight(entry);
            if (!ended)
                status = pthread_cond_clockwait(&cache->ended, &cache->lock, CLOCK_MONOTONIC, &deadline);
        }
        cache->waiters--;
    }
    pthread_mutex_unlock(&cache->lock);
    return ended;
}

static enum fetch_class next_class(const struct cache *cache)
{
    enum fetch_class next = FETCH_UNLISTED;
    for (enum fetch_class class = FETCH_URGENT; class > FETCH_UNLISTED; class --) {
        const struct table_list *list = &cache->table.classes[class];
        if (list->first == TABLE_NONE)
            continue;
        next = class;
        if (list->in_a_row < CACHE_IN_A_ROW)
            break;
    }
    return next;
}

bool cache_next(struct cache *cache, const struct instant *now, struct cache_fetch *out)
{
    pthread_mutex_lock(&cache->lock);
    enum fetch_class class = next_class(cache);
    if (class != FETCH_UNLISTED) {
        struct entry *entry = &cache->table.entries[cache->table.classes[class].first];
        bool leads_on = !entry->ground && judge_readable(&cache->judge, entry, now) &&
                        curve_covers(&entry->curve, now->wall_ms / 1000 + CONFIRM_S);
        *out = (struct cache_fetch){.key = entry->key,
                                    .class = class,
                                    .provider = entry->curve.provider,
                                    .modified_s = leads_on ? entry->curve.modified_s : 0};
        table_list(&cache->table, entry, FETCH_UNLISTED);
        entry->active = true;
        entry->joined = false;
        cache->table.classes[class].in_a_row++;
        for (enum fetch_class higher = class + 1; higher < FETCH_CLASSES; higher++)
            cache->table.classes[higher].in_a_row = 0;
    }
    pthread_mutex_unlock(&cache->lock);
    return class != FETCH_UNLISTED;
}

/* A tenth either way, so that cells fetched together do not come due together. When budgets press, a cell
 * that fewer ask for than usual waits longer still. */
static int64_t life_ms(struct cache *cache, const struct entry *entry, double stretch)
{
    bool cold = stretch > 1 && entry->visits < cache->judge.usual_visits;
    double jitter = 0.9 + 0.2 * (double)arc4random() / (double)UINT32_MAX;
    cache->judge.usual_visits += (entry->visits - cache->judge.usual_visits) / MEAN_OVER;
    return (int64_t)((double)cache->judge.options.refresh_ms * stretch * (cold ? COLD_STRETCH : 1) * jitter);
}

/* Returns the entry whose fetch ends, or NULL when it is gone, with the lock held. */
static struct entry *begin_end(struct cache *cache, uint64_t key)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = table_find(&cache->table, key);
    if (entry) {
        table_list(&cache->table, entry, FETCH_UNLISTED);
        entry->active = false;
    }
    return entry;
}

static void finish_end(struct cache *cache)
{
    pthread_cond_broadcast(&cache->ended);
    pthread_mutex_unlock(&cache->lock);
}

/* What a curve that is new or confirmed has in common. */
static void renew(struct cache *cache, struct entry *entry, const struct instant *now, int64_t expires_s,
                  double stretch)
{
    int64_t stated_ms = now->boot_ms + expires_s * 1000 - now->wall_ms;
    int64_t refresh_ms = now->boot_ms + life_ms(cache, entry, stretch);
    entry->visits = 0;
    entry->ground = 0;
    cache->judge.stretch = stretch;
    entry->fetched_ms = now->boot_ms;
    entry->refresh_ms = expires_s > 0 && stated_ms > refresh_ms ? stated_ms : refresh_ms;
    entry->failures = 0;
    entry->postponed = false;
    entry->refused = FETCH_UNLISTED;
}

void cache_put(struct cache *cache, uint64_t key, const struct instant *now, const struct curve *curve,
               double stretch)
{
    struct entry *entry = begin_end(cache, key);
    if (entry) {
        cache_replace_curve(entry, curve, now);
        renew(cache, entry, now, curve->expires_s, stretch);
    }
    finish_end(cache);
}

void cache_confirm(struct cache *cache, uint64_t key, const struct instant *now, int64_t expires_s,
                   double stretch)
{
    struct entry *entry = begin_end(cache, key);
    if (entry) {
        entry->curve.fetched_s = now->wall_ms / 1000;
        entry->curve.expires_s = expires_s;
        renew(cache, entry, now, expires_s, stretch);
    }
    finish_end(cache);
}

/* Exponential with full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog 2015). */
static int64_t backoff_ms(unsigned failures)
{
    int64_t ceiling = failures <= BACKOFF_DOUBLES ? BACKOFF_FIRST_MS << (failures - 1) : BACKOFF_MAX_MS;
    return BACKOFF_MIN_MS + (int64_t)arc4random_uniform((uint32_t)(ceiling - BACKOFF_MIN_MS));
}

/* Lists a fetch of that class anew for a visitor who has joined it and whose own would be of a higher one. */
static bool list_for_visitor(struct cache *cache, struct entry *entry, enum fetch_class class,
                             const struct instant *now)
{
    enum fetch_class again = judge_class(WEATHER_FOR_VISITOR, judge_readable(&cache->judge, entry, now));
    if (!entry->joined || again <= class)
        return false;
    table_list(&cache->table, entry, again);
    return true;
}

void cache_fail(struct cache *cache, uint64_t key, enum fetch_class class, const struct instant *now)
{
    struct entry *entry = begin_end(cache, key);
    if (entry && !list_for_visitor(cache, entry, class, now)) {
        entry->failures = (uint8_t)(entry->failures + (entry->failures < UINT8_MAX));
        entry->retry_ms = now->boot_ms + backoff_ms(entry->failures);
    }
    finish_end(cache);
}

void cache_release(struct cache *cache, uint64_t key, enum fetch_class class, const struct instant *now)
{
    struct entry *entry = begin_end(cache, key);
    for (size_t refused = FETCH_PUBLIC; refused <= class; refused++)
        cache->judge.refused_until_ms[refused] = now->boot_ms + JUDGE_REFUSED_MS;
    if (entry && !list_for_visitor(cache, entry, class, now)) {
        entry->refused = entry->refused > class ? entry->refused : (uint8_t) class;
        if (class == FETCH_PUBLIC && !cache_own_curve(entry) && entry->failures == 0)
            table_remove(&cache->table, entry);
    }
    finish_end(cache);
}

void cache_postpone(struct cache *cache, uint64_t key, int64_t pause_ms, const struct instant *now)
{
    struct entry *entry = begin_end(cache, key);
    if (entry) {
        entry->postponed = true;
        entry->retry_ms = now->boot_ms + pause_ms;
    }
    finish_end(cache);
}

size_t cache_scan(struct cache *cache, size_t *cursor, const struct instant *now, struct weather_cell *out,
                  size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&cache->lock);
    for (; count < max && *cursor < cache->table.used; (*cursor)++) {
        const struct entry *entry = &cache->table.entries[*cursor];
        if (entry->key == TABLE_NO_KEY)
            continue;
        int64_t end_s = curve_end_s(&entry->curve);
        int64_t kept_s = (now->wall_ms - judge_age_ms(entry, now) + cache->judge.options.keep_ms) / 1000;
        enum fetch_class class = judge_class(WEATHER_PEEK, judge_readable(&cache->judge, entry, now));
        int64_t retry_in_ms = entry->failures > 0 ? judge_blocked_ms(&cache->judge, entry, class, now) : 0;
        struct cell cell = cell_of_key(entry->key);
        out[count++] =
            (struct weather_cell){.latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES,
                                  .longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES,
                                  .state = judge_state(&cache->judge, entry, class, now),
                                  .fetched_s = entry->curve.fetched_s,
                                  .until_s = end_s < kept_s ? end_s : kept_s,
                                  .retry_s = retry_in_ms > 0 ? (now->wall_ms + retry_in_ms + 999) / 1000 : 0,
                                  .in_flight = judge_in_flight(entry),
                                  .asks = entry->visits,
                                  .provider_id = entry->curve.provider};
    }
    pthread_mutex_unlock(&cache->lock);
    return count;
}
