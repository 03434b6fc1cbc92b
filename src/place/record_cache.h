/* Records that were read and labelled before. Decoding a record takes twenty times as long as finding it in
 * the search tree, and labelling it a quarter of that; the readers of a site share few records. So each is
 * kept by its database and number: a set of RECORD_CACHE_WAYS for each hash, the oldest of it replaced first.
 *
 * Everything but opening and closing is thread-safe: a lock for every few sets guards their entries. No
 * allocation. */
#pragma once

#include "place/label.h"

#define RECORD_CACHE_ENTRIES 8192 /* about 7 MB, resident as they are used */
#define RECORD_CACHE_WAYS    4

struct record_cache;

/* Opens an empty one; NULL when out of memory. */
struct record_cache *record_cache_open(void);
void record_cache_close(struct record_cache *);

/* Which record. All bytes count: make it by record_key. */
struct record_key {
    uint32_t generation, record; /* of the databases, and its number in one of them */
    uint8_t database;            /* its index in the generation */
    char language[7];            /* a BCP 47 tag; "": one that is too long for the cache */
};
struct record_key record_key(uint32_t generation, size_t database, uint32_t record, const char *language);

/* Copies out a record with its label, if it is there. */
bool record_cache_get(struct record_cache *, const struct record_key *, struct record *, struct label *);

/* Keeps a copy of both. */
void record_cache_put(struct record_cache *, const struct record_key *, const struct record *,
                      const struct label *);
