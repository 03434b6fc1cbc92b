/* Entries live in one array and never move. A chained hash finds them by key; a doubly linked list keeps them
 * in order of arrival for eviction by SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024): a hand
 * walks from the oldest to the newest, spares what was asked for since it last came by, and evicts the first
 * that was not. A cell in flight is never evicted. Times inside an entry are boot time, so that a step of the
 * wall clock neither ages nor revives it. */
#include "weather/cell/cache.h"

#include "base/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NONE             UINT32_MAX
#define BACKOFF_FIRST_MS 10000
#define BACKOFF_MAX_MS   600000
#define BACKOFF_LEAST_MS 1000
#define MEAN_OVER        64 /* curves */
#define COLD_STRETCH     1.5

const char *const cache_result_names[CACHE_RESULTS] = {
    [CACHE_HIT] = "hit",
    [CACHE_STALE] = "stale",
    [CACHE_MISS] = "miss",
    [CACHE_NEGATIVE] = "negative",
};

struct entry {
    uint64_t key;
    struct curve curve; /* count 0: none yet */
    int64_t fetched_ms, refresh_ms, retry_ms;
    uint32_t next_in_bucket, older, newer;
    uint32_t visits;  /* since its last curve */
    uint8_t failures; /* in a row */
    bool in_flight;
    bool visited; /* since the hand last came by */
};

struct cache {
    struct cache_options options;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    /* All below guarded by lock. */
    struct entry *entries;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t used;
    uint32_t oldest, newest, hand;
    size_t waiters;
    uint64_t evictions;
    double usual_visits; /* a cell's, between two curves: a moving mean */
};

enum { LOOKUPS, ENTRIES, CAPACITY, EVICTIONS, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [LOOKUPS] = COUNTER("masthead_cache_lookups_total", "Lookups of a cell's weather, by result.",
                        .labels = {{"result", cache_result_names, CACHE_RESULTS}}),
    [ENTRIES] = GAUGE("masthead_cache_entries", "Cells in the cache.", collect),
    [CAPACITY] = GAUGE("masthead_cache_capacity", "Cells that the cache can hold.", collect),
    [EVICTIONS] = COUNTER("masthead_cache_evictions_total", "Cells given up for others.", .collect = collect),
};

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct cache *cache = context;
    pthread_mutex_lock(&cache->lock);
    const double values[ROWS] = {[ENTRIES] = cache->used,
                                 [CAPACITY] = (double)cache->options.capacity,
                                 [EVICTIONS] = (double)cache->evictions};
    pthread_mutex_unlock(&cache->lock);
    metric_value(samples, values[row]);
}

struct cache *cache_open(const struct cache_options *options)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    size_t buckets = 16;
    while (buckets < options->capacity + options->capacity / 3)
        buckets *= 2;
    cache->options = *options;
    cache->bucket_mask = (uint32_t)(buckets - 1);
    cache->oldest = cache->newest = cache->hand = NONE;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->landed, NULL);
    cache->entries = calloc(options->capacity, sizeof *cache->entries);
    cache->buckets = malloc(buckets * sizeof *cache->buckets);
    if (!cache->entries || !cache->buckets) {
        cache_close(cache);
        return NULL;
    }
    memset(cache->buckets, 0xff, buckets * sizeof *cache->buckets);
    metrics_register(rows, ROWS, cache);
    return cache;
}

void cache_close(struct cache *cache)
{
    if (!cache)
        return;
    free(cache->entries);
    free(cache->buckets);
    pthread_cond_destroy(&cache->landed);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Mixes the key's bits (the finalizer of SplitMix64, Steele et al. 2014): neighbouring cells differ in few
 * bits. */
static uint32_t *bucket_of(struct cache *cache, uint64_t key)
{
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return &cache->buckets[(uint32_t)(key ^ key >> 31) & cache->bucket_mask];
}

static struct entry *find(struct cache *cache, uint64_t key)
{
    for (uint32_t i = *bucket_of(cache, key); i != NONE; i = cache->entries[i].next_in_bucket)
        if (cache->entries[i].key == key)
            return &cache->entries[i];
    return NULL;
}

static void link_newest(struct cache *cache, uint32_t i)
{
    struct entry *entry = &cache->entries[i];
    entry->older = cache->newest;
    entry->newer = NONE;
    if (cache->newest != NONE)
        cache->entries[cache->newest].newer = i;
    else
        cache->oldest = i;
    cache->newest = i;
}

static void unlink_entry(struct cache *cache, uint32_t i)
{
    struct entry *entry = &cache->entries[i];
    uint32_t *link = bucket_of(cache, entry->key);
    while (*link != i)
        link = &cache->entries[*link].next_in_bucket;
    *link = entry->next_in_bucket;
    if (entry->older != NONE)
        cache->entries[entry->older].newer = entry->newer;
    else
        cache->oldest = entry->newer;
    if (entry->newer != NONE)
        cache->entries[entry->newer].older = entry->older;
    else
        cache->newest = entry->older;
}

/* Frees one place by SIEVE and returns it, or NONE when every cell is in flight. */
static uint32_t evict(struct cache *cache)
{
    uint32_t i = cache->hand != NONE ? cache->hand : cache->oldest;
    for (uint64_t steps = 0; steps < 2 * (uint64_t)cache->used; steps++) {
        struct entry *entry = &cache->entries[i];
        uint32_t next = entry->newer != NONE ? entry->newer : cache->oldest;
        if (!entry->visited && !entry->in_flight) {
            cache->hand = entry->newer; /* NONE: start again from the oldest */
            unlink_entry(cache, i);
            cache->evictions++;
            return i;
        }
        entry->visited = false;
        i = next;
    }
    return NONE;
}

static struct entry *insert(struct cache *cache, uint64_t key, enum cache_insert how)
{
    uint32_t i = NONE;
    if (how <= CACHE_IF_ROOM && cache->used < cache->options.capacity)
        i = cache->used++;
    else if (how == CACHE_EVICT)
        i = evict(cache);
    if (i == NONE)
        return NULL;
    uint32_t *bucket = bucket_of(cache, key);
    cache->entries[i] = (struct entry){.key = key, .next_in_bucket = *bucket};
    *bucket = i;
    link_newest(cache, i);
    return &cache->entries[i];
}

/* How an entry stands with its readers. */
struct standing {
    enum cache_result result;
    int64_t age_ms, retry_in_ms;
};

static struct standing standing_of(const struct cache *cache, const struct entry *entry,
                                   const struct instant *now)
{
    int64_t age_ms = now->boot_ms > entry->fetched_ms ? now->boot_ms - entry->fetched_ms : 0;
    bool readable = entry->curve.count > 0 && age_ms < cache->options.keep_ms &&
                    curve_covers(&entry->curve, now->wall_ms / 1000);
    bool resting = entry->failures > 0 && now->boot_ms < entry->retry_ms;
    return (struct standing){
        .result = readable                       ? entry->failures > 0 ? CACHE_STALE : CACHE_HIT
                  : resting && !entry->in_flight ? CACHE_NEGATIVE
                                                 : CACHE_MISS,
        .age_ms = age_ms,
        .retry_in_ms = resting ? entry->retry_ms - now->boot_ms : 0,
    };
}

/* What a reader is told about an entry, without changing it. */
static void describe(const struct cache *cache, const struct entry *entry, const struct instant *now,
                     struct cache_view *out)
{
    struct standing standing = standing_of(cache, entry, now);
    bool readable = standing.result == CACHE_HIT || standing.result == CACHE_STALE;
    bool due = !readable || now->boot_ms >= entry->refresh_ms;
    *out = (struct cache_view){
        .result = standing.result,
        .fetch = due && standing.retry_in_ms == 0 && !entry->in_flight,
        .age_ms = standing.age_ms,
        .refresh_in_ms = readable ? entry->refresh_ms - now->boot_ms : standing.retry_in_ms,
        .retry_in_ms = standing.retry_in_ms,
        .in_flight = entry->in_flight,
    };
    if (readable)
        out->curve = entry->curve;
}

void cache_ask(struct cache *cache, uint64_t key, enum cache_insert how, const struct instant *now,
               struct cache_view *out)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, key);
    if (entry)
        entry->visited = true;
    else
        entry = insert(cache, key, how);
    if (entry) {
        if (entry->visits < UINT32_MAX)
            entry->visits++;
        describe(cache, entry, now, out);
        if (out->fetch && how == CACHE_LEAVE) {
            out->fetch = false;
            out->result = out->result == CACHE_MISS ? CACHE_NEGATIVE : CACHE_STALE;
        }
        entry->in_flight |= out->fetch;
    } else {
        *out = (struct cache_view){.result = CACHE_NEGATIVE};
    }
    pthread_mutex_unlock(&cache->lock);
    metric_add(&rows[LOOKUPS], out->result, 0);
}

bool cache_peek(struct cache *cache, uint64_t key, const struct instant *now, struct cache_view *out)
{
    pthread_mutex_lock(&cache->lock);
    const struct entry *entry = find(cache, key);
    if (entry)
        describe(cache, entry, now, out);
    pthread_mutex_unlock(&cache->lock);
    return entry != NULL;
}

struct cache_view cache_imagine(const struct cache *cache, const struct curve *curve, int64_t age_ms,
                                int64_t retry_in_ms, const struct instant *now)
{
    struct cache_view view;
    struct entry entry = {.curve = *curve,
                          .fetched_ms = now->boot_ms - age_ms,
                          .refresh_ms = now->boot_ms - age_ms + cache->options.refresh_ms,
                          .retry_ms = now->boot_ms + retry_in_ms,
                          .failures = retry_in_ms > 0};
    describe(cache, &entry, now, &view);
    return view;
}

bool cache_wait(struct cache *cache, uint64_t key, int64_t until_ms)
{
    struct timespec deadline = clock_timespec(until_ms);
    bool landed = false;
    pthread_mutex_lock(&cache->lock);
    if (cache->waiters < cache->options.max_waiters) {
        cache->waiters++;
        int status = 0;
        while (!landed && status == 0) {
            const struct entry *entry = find(cache, key);
            landed = !entry || !entry->in_flight;
            if (!landed)
                status = pthread_cond_clockwait(&cache->landed, &cache->lock, CLOCK_MONOTONIC, &deadline);
        }
        cache->waiters--;
    }
    pthread_mutex_unlock(&cache->lock);
    return landed;
}

/* A tenth either way, so that cells fetched together do not come due together. */
static int64_t with_jitter(int64_t ms)
{
    double share = 0.9 + 0.2 * (double)arc4random() / (double)UINT32_MAX;
    return (int64_t)((double)ms * share);
}

/* How long a new curve is to live. When budgets press, a cell that fewer ask for than usual waits longer
 * still, so that what is left goes to the others. */
static int64_t life_ms(struct cache *cache, const struct entry *entry, double stretch)
{
    bool cold = entry->visits < cache->usual_visits;
    cache->usual_visits += (entry->visits - cache->usual_visits) / MEAN_OVER;
    return with_jitter((int64_t)((double)cache->options.refresh_ms *
                                 (stretch > 1 && cold ? stretch * COLD_STRETCH : stretch)));
}

void cache_put(struct cache *cache, uint64_t key, const struct instant *now, const struct curve *curve,
               double stretch)
{
    int64_t wish_ms = now->boot_ms + curve->expires_s * 1000 - now->wall_ms;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, key);
    if (entry) {
        int64_t refresh_ms = now->boot_ms + life_ms(cache, entry, stretch);
        entry->curve = *curve;
        entry->visits = 0;
        entry->fetched_ms = now->boot_ms;
        entry->refresh_ms = curve->expires_s > 0 && wish_ms > refresh_ms ? wish_ms : refresh_ms;
        entry->failures = 0;
        entry->in_flight = false;
    }
    pthread_cond_broadcast(&cache->landed);
    pthread_mutex_unlock(&cache->lock);
}

/* Exponential with full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog 2015). */
static int64_t backoff_ms(unsigned failures)
{
    int64_t ceiling = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < failures && ceiling < BACKOFF_MAX_MS; i++)
        ceiling *= 2;
    if (ceiling > BACKOFF_MAX_MS)
        ceiling = BACKOFF_MAX_MS;
    return BACKOFF_LEAST_MS + (int64_t)arc4random_uniform((uint32_t)(ceiling - BACKOFF_LEAST_MS));
}

void cache_fail(struct cache *cache, uint64_t key, const struct instant *now)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, key);
    if (entry) {
        if (entry->failures < UINT8_MAX)
            entry->failures++;
        entry->retry_ms = now->boot_ms + backoff_ms(entry->failures);
        entry->in_flight = false;
    }
    pthread_cond_broadcast(&cache->landed);
    pthread_mutex_unlock(&cache->lock);
}

bool cache_copy(struct cache *cache, size_t *cursor, struct cache_record out[CACHE_BATCH], size_t *count)
{
    *count = 0;
    pthread_mutex_lock(&cache->lock);
    for (size_t looked = 0; looked < CACHE_BATCH && *cursor < cache->used; looked++) {
        const struct entry *entry = &cache->entries[(*cursor)++];
        if (entry->curve.count > 0)
            out[(*count)++] =
                (struct cache_record){.key = entry->key,
                                      .curve = entry->curve,
                                      .refresh_after_ms = entry->refresh_ms - entry->fetched_ms};
    }
    bool more = *cursor < cache->used;
    pthread_mutex_unlock(&cache->lock);
    return more;
}

size_t cache_survey(struct cache *cache, size_t *cursor, const struct instant *now, struct cache_sight *out,
                    size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&cache->lock);
    for (; count < max && *cursor < cache->used; (*cursor)++) {
        const struct entry *entry = &cache->entries[*cursor];
        int64_t end_s = curve_end_s(&entry->curve);
        struct standing standing = standing_of(cache, entry, now);
        int64_t kept_s = (now->wall_ms - standing.age_ms + cache->options.keep_ms) / 1000;
        out[count++] = (struct cache_sight){.key = entry->key,
                                            .result = standing.result,
                                            .fetched_s = entry->curve.fetched_s,
                                            .until_s = end_s < kept_s ? end_s : kept_s,
                                            .retry_in_ms = standing.retry_in_ms,
                                            .in_flight = entry->in_flight,
                                            .visits = entry->visits,
                                            .provider = entry->curve.provider};
    }
    pthread_mutex_unlock(&cache->lock);
    return count;
}

/* When a refresh is due after the fetch, by the record, but not later than present options and the upstream's
 * wish make it. */
static int64_t refresh_after_ms(const struct cache *cache, const struct cache_record *record)
{
    int64_t latest = cache->options.refresh_ms + cache->options.refresh_ms / 10;
    int64_t wish = (record->curve.expires_s - record->curve.fetched_s) * 1000;
    if (wish > latest)
        latest = wish;
    int64_t after = record->refresh_after_ms > 0 ? record->refresh_after_ms : 0;
    return after < latest ? after : latest;
}

bool cache_restore(struct cache *cache, const struct cache_record *record, const struct instant *now)
{
    int64_t age_ms = now->wall_ms - record->curve.fetched_s * 1000;
    if (age_ms < 0 || age_ms >= cache->options.keep_ms || !curve_covers(&record->curve, now->wall_ms / 1000))
        return false;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, record->key);
    if (!entry)
        entry = insert(cache, record->key, CACHE_IF_ROOM);
    if (entry) {
        entry->curve = record->curve;
        entry->fetched_ms = now->boot_ms - age_ms;
        entry->refresh_ms = entry->fetched_ms + refresh_after_ms(cache, record);
    }
    pthread_mutex_unlock(&cache->lock);
    return entry != NULL;
}
