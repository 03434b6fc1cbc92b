/* The cells' entries: found by key, evicted by SIEVE, listed by class while they wait for a fetch. They live
 * in one array and never move. Private to the cache, which locks around every call; no call takes more than a
 * bounded number of steps. */
#pragma once

#include "weather/cell/curve.h"
#include "weather/cell/state.h"

#include <stddef.h>

#define TABLE_NONE   UINT32_MAX
#define TABLE_NO_KEY UINT64_MAX /* of an entry that was removed; no cell has it */

/* Times are boot time, so that a step of the wall clock neither ages nor revives a cell. */
struct entry {
    uint64_t key;
    struct curve curve; /* count 0: none yet */
    int64_t fetched_ms, refresh_ms;
    int64_t retry_ms; /* after a failure, or where postponed: not listed before */
    uint32_t ground;  /* the number of the ground that the curve is of; 0: it was fetched */
    uint32_t next_in_bucket;
    struct table_link {
        uint32_t before, behind;
    } links[2];         /* by arrival, by class */
    uint32_t listed_s;  /* boot time at which its fetch was listed, modulo 2^32 */
    uint32_t visits;    /* since its last curve */
    uint8_t failures;   /* in a row */
    uint8_t class;      /* enum fetch_class: the list it stands on */
    uint8_t refused;    /* enum fetch_class: the highest that was refused since its last curve */
    bool active : 1;    /* its fetch is under way */
    bool postponed : 1; /* another process fetches it */
    bool joined : 1;    /* a visitor asked while it was */
    bool visited : 1;   /* since the hand last came by */
};

struct table_list {
    uint32_t first, last; /* indices of entries, or TABLE_NONE */
    unsigned in_a_row;    /* of a class: fetches taken from it since one of a lower class was; the cache's */
};

struct table {
    struct entry *entries;
    uint32_t capacity, count;
    uint32_t used;  /* entries from here on were never used */
    uint32_t spare; /* the first of those removed, which are chained as in a bucket; or TABLE_NONE */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct table_list arrivals; /* the oldest first */
    struct table_list classes[FETCH_CLASSES];
    uint32_t hand; /* of SIEVE; TABLE_NONE: starts from the oldest */
    uint64_t evictions;
};

/* Reserves the memory, which is touched as cells come. False when there is none. */
bool table_open(struct table *, size_t capacity);
void table_close(struct table *);

/* NULL when there is no such entry. */
struct entry *table_find(const struct table *, uint64_t key);

/* Makes an entry for a key that has none, at the cost of another if the table is full and it may evict. NULL
 * when there is no room. An entry stays while its fetch is under way, or listed as urgent. */
struct entry *table_insert(struct table *, uint64_t key, bool may_evict);

/* Removes an entry that is on no list. */
void table_remove(struct table *, struct entry *);

/* Moves an entry to the end of a class's list; off the lists with FETCH_UNLISTED. */
void table_list(struct table *, struct entry *, enum fetch_class);
