/* Cells of the cache as records: what outlives the process, and what goes from one to another. */
#include "weather/cell/cache_inside.h"

static struct cache_record record_of(const struct entry *entry)
{
    return (struct cache_record){
        .key = entry->key, .curve = entry->curve, .refresh_after_ms = entry->refresh_ms - entry->fetched_ms};
}

bool cache_record(struct cache *cache, uint64_t key, struct cache_record *out)
{
    pthread_mutex_lock(&cache->lock);
    const struct entry *entry = table_find(&cache->table, key);
    bool found = entry && cache_own_curve(entry);
    if (found)
        *out = record_of(entry);
    pthread_mutex_unlock(&cache->lock);
    return found;
}

bool cache_copy(struct cache *cache, size_t *cursor, struct cache_record out[CACHE_BATCH], size_t *count)
{
    *count = 0;
    pthread_mutex_lock(&cache->lock);
    for (size_t looked = 0; looked < CACHE_BATCH && *cursor < cache->table.used; looked++) {
        const struct entry *entry = &cache->table.entries[(*cursor)++];
        if (cache_own_curve(entry))
            out[(*count)++] = record_of(entry);
    }
    bool more = *cursor < cache->table.used;
    pthread_mutex_unlock(&cache->lock);
    return more;
}

/* When a refresh is due after the fetch, by the record, but not later than the present options and the
 * upstream's Expires make it. */
static int64_t refresh_after_ms(const struct cache *cache, const struct cache_record *record)
{
    int64_t latest = cache->judge.options.refresh_ms + cache->judge.options.refresh_ms / 10;
    int64_t stated = (record->curve.expires_s - record->curve.fetched_s) * 1000;
    if (stated > latest)
        latest = stated;
    int64_t after = record->refresh_after_ms > 0 ? record->refresh_after_ms : 0;
    return after < latest ? after : latest;
}

static bool record_of_use(const struct cache *cache, const struct cache_record *record,
                          const struct instant *now)
{
    int64_t age = now->wall_ms - record->curve.fetched_s * 1000;
    return age >= 0 && age < cache->judge.options.keep_ms &&
           curve_covers(&record->curve, now->wall_ms / 1000);
}

/* The times that go with the curve of a record, whose age is as the wall clock has it. */
static void set_times(const struct cache *cache, struct entry *entry, const struct cache_record *record,
                      const struct instant *now)
{
    entry->ground = 0;
    entry->fetched_ms = now->boot_ms - (now->wall_ms - record->curve.fetched_s * 1000);
    entry->refresh_ms = entry->fetched_ms + refresh_after_ms(cache, record);
}

bool cache_restore(struct cache *cache, const struct cache_record *record, const struct instant *now)
{
    if (!record_of_use(cache, record, now))
        return false;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = table_find(&cache->table, record->key);
    if (!entry)
        entry = table_insert(&cache->table, record->key, false);
    if (entry) {
        entry->curve = record->curve;
        set_times(cache, entry, record, now);
    }
    pthread_mutex_unlock(&cache->lock);
    return entry != NULL;
}

bool cache_adopt(struct cache *cache, const struct cache_record *record, const struct instant *now)
{
    bool ends = false;
    if (!record_of_use(cache, record, now))
        return false;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = table_find(&cache->table, record->key);
    if (entry && (!cache_own_curve(entry) || entry->curve.fetched_s < record->curve.fetched_s)) {
        cache_replace_curve(entry, &record->curve, now);
        set_times(cache, entry, record, now);
        entry->visits = 0;
        entry->failures = 0;
        entry->postponed = false;
        entry->refused = FETCH_UNLISTED;
        ends = now->boot_ms < entry->refresh_ms;
    }
    if (ends) {
        table_list(&cache->table, entry, FETCH_UNLISTED);
        entry->active = false;
        pthread_cond_broadcast(&cache->ended);
    }
    pthread_mutex_unlock(&cache->lock);
    return ends;
}
