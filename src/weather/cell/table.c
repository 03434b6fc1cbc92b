#include "weather/cell/table.h"

#include <stdlib.h>
#include <string.h>

#define EVICT_STEPS 256 /* of the hand, for one eviction */

enum { BY_ARRIVAL, BY_CLASS };

bool table_open(struct table *table, size_t capacity)
{
    const struct table_list empty = {TABLE_NONE, TABLE_NONE, 0};
    size_t buckets = 16;
    while (buckets < capacity + capacity / 3)
        buckets *= 2;
    *table = (struct table){
        .entries = calloc(capacity, sizeof *table->entries),
        .capacity = (uint32_t)capacity,
        .buckets = malloc(buckets * sizeof *table->buckets),
        .bucket_mask = (uint32_t)(buckets - 1),
        .spare = TABLE_NONE,
        .arrivals = empty,
        .hand = TABLE_NONE,
    };
    for (size_t i = 0; i < FETCH_CLASSES; i++)
        table->classes[i] = empty;
    if (table->buckets)
        memset(table->buckets, 0xff, buckets * sizeof *table->buckets);
    return table->entries && table->buckets;
}

void table_close(struct table *table)
{
    free(table->entries);
    free(table->buckets);
}

/* Mixes the key's bits (the finalizer of SplitMix64, Steele et al. 2014): neighbouring cells differ in few
 * bits. */
static uint32_t *bucket_of(const struct table *table, uint64_t key)
{
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return &table->buckets[(uint32_t)(key ^ key >> 31) & table->bucket_mask];
}

struct entry *table_find(const struct table *table, uint64_t key)
{
    for (uint32_t i = *bucket_of(table, key); i != TABLE_NONE; i = table->entries[i].next_in_bucket)
        if (table->entries[i].key == key)
            return &table->entries[i];
    return NULL;
}

static void append(struct table *table, struct table_list *list, int kind, uint32_t i)
{
    table->entries[i].links[kind] = (struct table_link){.before = list->last, .behind = TABLE_NONE};
    if (list->last != TABLE_NONE)
        table->entries[list->last].links[kind].behind = i;
    else
        list->first = i;
    list->last = i;
}

static void take_out(struct table *table, struct table_list *list, int kind, uint32_t i)
{
    struct table_link link = table->entries[i].links[kind];
    if (link.before != TABLE_NONE)
        table->entries[link.before].links[kind].behind = link.behind;
    else
        list->first = link.behind;
    if (link.behind != TABLE_NONE)
        table->entries[link.behind].links[kind].before = link.before;
    else
        list->last = link.before;
}

void table_list(struct table *table, struct entry *entry, enum fetch_class class)
{
    uint32_t i = (uint32_t)(entry - table->entries);
    if (entry->class != FETCH_UNLISTED)
        take_out(table, &table->classes[entry->class], BY_CLASS, i);
    if (class != FETCH_UNLISTED)
        append(table, &table->classes[class], BY_CLASS, i);
    entry->class = (uint8_t) class;
}

static void forget(struct table *table, uint32_t i)
{
    struct entry *entry = &table->entries[i];
    uint32_t *bucket = bucket_of(table, entry->key);
    while (*bucket != i)
        bucket = &table->entries[*bucket].next_in_bucket;
    *bucket = entry->next_in_bucket;
    table_list(table, entry, FETCH_UNLISTED);
    take_out(table, &table->arrivals, BY_ARRIVAL, i);
    table->count--;
}

void table_remove(struct table *table, struct entry *entry)
{
    uint32_t i = (uint32_t)(entry - table->entries);
    if (table->hand == i)
        table->hand = entry->links[BY_ARRIVAL].behind;
    forget(table, i);
    *entry = (struct entry){.key = TABLE_NO_KEY, .next_in_bucket = table->spare};
    table->spare = i;
}

/* Frees one place by SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024) and returns it: a hand
 * walks from the oldest to the newest, spares what was asked for since it last came by, and evicts the first
 * that was not. A cell whose fetch is under way, or listed as urgent, stays. Where EVICT_STEPS find
 * none that was not asked for, the last one goes that may; TABLE_NONE when none may.
 */
static uint32_t evict(struct table *table)
{
    uint32_t victim = TABLE_NONE, i = table->hand;
    for (size_t steps = 0; steps < EVICT_STEPS; steps++) {
        i = i != TABLE_NONE ? i : table->arrivals.first;
        struct entry *entry = &table->entries[i];
        bool may_go = !entry->active && entry->class != FETCH_URGENT;
        bool unvisited = !entry->visited;
        victim = may_go ? i : victim;
        entry->visited = false;
        i = entry->links[BY_ARRIVAL].behind;
        if (may_go && unvisited)
            break;
    }
    table->hand = i;
    if (victim == TABLE_NONE)
        return TABLE_NONE;
    if (table->hand == victim)
        table->hand = table->entries[victim].links[BY_ARRIVAL].behind;
    forget(table, victim);
    table->evictions++;
    return victim;
}

struct entry *table_insert(struct table *table, uint64_t key, bool may_evict)
{
    uint32_t i = table->spare;
    if (i != TABLE_NONE)
        table->spare = table->entries[i].next_in_bucket;
    else if (table->used < table->capacity)
        i = table->used++;
    else if (may_evict)
        i = evict(table);
    if (i == TABLE_NONE)
        return NULL;
    uint32_t *bucket = bucket_of(table, key);
    table->entries[i] = (struct entry){.key = key, .next_in_bucket = *bucket};
    *bucket = i;
    append(table, &table->arrivals, BY_ARRIVAL, i);
    table->count++;
    return &table->entries[i];
}
