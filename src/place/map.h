/* A map from numbers to numbers that grows and is cheap to empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t value;
    uint32_t key;
    bool taken;
};

/* Empty when all zero. */
struct map {
    struct map_slot *slots; /* hashed */
    size_t slot_count;
    uint32_t *taken; /* the slots that are, in the order in which their keys came */
    size_t count;
};

/* The value of a key, which is 0 where the key is new; valid until the next call. NULL when out of memory. */
uint64_t *map_at(struct map *, uint32_t key);

/* Removes all keys and keeps the memory. */
void map_empty(struct map *);
void map_free(struct map *);
