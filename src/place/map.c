#include "place/map.h"

#include <stdlib.h>

#define SLOTS_AT_FIRST 1024

/* Finds the slot of a key or the free one for it, from where multiplicative hashing puts it: a part of the
 * product with 2^32 over the golden ratio (Knuth, The Art of Computer Programming 6.4). */
static struct map_slot *find(const struct map *map, uint32_t key)
{
    uint64_t hash = (uint32_t)(key * UINT32_C(2654435769));
    size_t i = (size_t)(hash * map->slot_count >> 32);
    while (map->slots[i].taken && map->slots[i].key != key)
        i = i + 1 < map->slot_count ? i + 1 : 0;
    return &map->slots[i];
}

/* Doubles the room: half of the slots stay free. */
static bool grow(struct map *map)
{
    struct map old = *map;
    size_t slot_count = old.slot_count > 0 ? 2 * old.slot_count : SLOTS_AT_FIRST;
    struct map_slot *slots = calloc(slot_count, sizeof *slots);
    uint32_t *taken = reallocarray(old.taken, slot_count / 2, sizeof *taken);
    map->taken = taken ? taken : old.taken;
    if (!slots || !taken) {
        free(slots);
        return false;
    }
    map->slots = slots;
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->count; i++) {
        const struct map_slot *from = &old.slots[map->taken[i]];
        struct map_slot *to = find(map, from->key);
        *to = *from;
        map->taken[i] = (uint32_t)(to - map->slots);
    }
    free(old.slots);
    return true;
}

uint64_t *map_at(struct map *map, uint32_t key)
{
    if (map->count == map->slot_count / 2 && !grow(map))
        return NULL;
    struct map_slot *slot = find(map, key);
    if (!slot->taken) {
        *slot = (struct map_slot){.key = key, .taken = true};
        map->taken[map->count++] = (uint32_t)(slot - map->slots);
    }
    return &slot->value;
}

void map_empty(struct map *map)
{
    for (size_t i = 0; i < map->count; i++)
        map->slots[map->taken[i]].taken = false;
    map->count = 0;
}

void map_free(struct map *map)
{
    free(map->slots);
    free(map->taken);
    *map = (struct map){0};
}
