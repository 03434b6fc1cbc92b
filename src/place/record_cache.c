#include "place/record_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS  (RECORD_CACHE_ENTRIES / RECORD_CACHE_WAYS)
#define LOCKS 64

struct entry {
    struct record_key key; /* no language: empty */
    struct record record;
    struct label label;
};

struct set {
    struct entry entries[RECORD_CACHE_WAYS];
    unsigned oldest;
};

struct record_cache {
    pthread_mutex_t locks[LOCKS]; /* of the sets whose index leaves the same rest */
    struct set sets[SETS];
};

struct record_cache *record_cache_open(void)
{
    struct record_cache *cache = calloc(1, sizeof *cache);
    for (size_t i = 0; cache && i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    return cache;
}

void record_cache_close(struct record_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    free(cache);
}

struct record_key record_key(uint32_t generation, size_t database, uint32_t record, const char *language)
{
    struct record_key key = {.generation = generation, .record = record, .database = (uint8_t)database};
    size_t length = strnlen(language, sizeof key.language);
    _Static_assert(sizeof key == 16, "without padding");
    if (length < sizeof key.language)
        memcpy(key.language, language, length);
    return key;
}

static bool keys_equal(const struct record_key *a, const struct record_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Multiplicative hashing (Knuth, The Art of Computer Programming, volume 3, 6.4). */
static size_t set_of(const struct record_key *key)
{
    uint64_t halves[2];
    memcpy(halves, key, sizeof halves);
    uint64_t hash = (halves[0] ^ halves[1] * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) % SETS;
}

bool record_cache_get(struct record_cache *cache, const struct record_key *key, struct record *record,
                      struct label *label)
{
    size_t i = set_of(key);
    struct entry *entry = cache->sets[i].entries, *end = entry + RECORD_CACHE_WAYS;
    pthread_mutex_lock(&cache->locks[i % LOCKS]);
    while (entry < end && !keys_equal(&entry->key, key))
        entry++;
    bool found = entry < end && key->language[0];
    if (found) {
        *record = entry->record;
        *label = entry->label;
    }
    pthread_mutex_unlock(&cache->locks[i % LOCKS]);
    return found;
}

void record_cache_put(struct record_cache *cache, const struct record_key *key, const struct record *record,
                      const struct label *label)
{
    size_t i = set_of(key);
    struct set *set = &cache->sets[i];
    if (!key->language[0])
        return;
    pthread_mutex_lock(&cache->locks[i % LOCKS]);
    set->entries[set->oldest] = (struct entry){*key, *record, *label};
    set->oldest = (set->oldest + 1) % RECORD_CACHE_WAYS;
    pthread_mutex_unlock(&cache->locks[i % LOCKS]);
}
