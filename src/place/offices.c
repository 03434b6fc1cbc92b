#include "place/offices.h"

#include "place/map.h"

#include <math.h>
#include <stdlib.h>

/* The constants of the rule in offices.h. */
#define V4_SMALL_BITS   12
#define V4_SMALL_LIMIT  ((UINT64_C(1) << 20) / 10)
#define V4_LARGE_BITS   10
#define V4_LARGE_LIMIT  ((UINT64_C(1) << 22) / 20)
#define V6_BITS         28
#define V6_UNIT         (UINT64_C(1) << 16) /* a /48, counted in /64s */
#define V6_LIMIT        (V6_UNIT * (UINT64_C(1) << 20) / 100)
#define V6_SPARED_LIMIT (V6_UNIT * 70000)
#define V6_LOCAL_BITS   32
#define V6_LOCAL_POINTS 9
#define V6_LOCAL_COUNT  (1 << (V6_LOCAL_BITS - V6_BITS))

/* A key is its kind, the number of the block, and, but for the last kind, the point and whether it is spared
 * where the /32 is local. */
enum kind { V4_SMALL, V4_LARGE, V6_BLOCK, V6_LOCAL, KINDS };
#define KIND_SHIFT  62
#define BLOCK_SHIFT 32
#define POINT_SHIFT 1
#define SPARED      UINT64_C(1)

static const struct {
    enum address_family family;
    unsigned width, bits; /* of the base of a network, and of the block */
    uint64_t limit;       /* in addresses, or in /64s: a point that holds more is an office */
} blocks[] = {[V4_SMALL] = {ADDRESS_V4, 32, V4_SMALL_BITS, V4_SMALL_LIMIT},
              [V4_LARGE] = {ADDRESS_V4, 32, V4_LARGE_BITS, V4_LARGE_LIMIT},
              [V6_BLOCK] = {ADDRESS_V6, 64, V6_BITS, V6_LIMIT}};

struct block {
    uint64_t number;   /* of the block that is being counted */
    struct map points; /* the space that each holds in it, with a flag */
};
#define NOT_LOCAL (UINT64_C(1) << 63) /* the flag: a /32 that is not local names the point */

/* A /32 with the points that it names, as far as they tell whether it is local. */
struct local {
    uint64_t number;
    uint32_t points[V6_LOCAL_POINTS];
    size_t count;
};

struct office_tally {
    struct block blocks[V6_LOCAL];
    struct local locals[V6_LOCAL_COUNT]; /* of the present /28; the last one is being counted */
    size_t local_count;
    struct offices found;
    size_t room;
};

static uint64_t block_key(enum kind kind, uint64_t block, uint32_t point)
{
    return (uint64_t)kind << KIND_SHIFT | block << BLOCK_SHIFT | (uint64_t)point << POINT_SHIFT;
}

static uint64_t local_key(uint64_t local)
{
    return (uint64_t)V6_LOCAL << KIND_SHIFT | local;
}

/* By way of 32 bits, which is what some databases hold: both then round alike. */
uint32_t office_point(const struct record *record)
{
    uint32_t row = (uint32_t)lround((double)(float)record->latitude * 100 + 9000);
    uint32_t column = (uint32_t)lround((double)(float)record->longitude * 100 + 18000);
    return row << 16 | column;
}

struct office_tally *office_tally_open(void)
{
    return calloc(1, sizeof(struct office_tally));
}

void office_tally_close(struct office_tally *tally)
{
    if (!tally)
        return;
    for (size_t i = 0; i < V6_LOCAL; i++)
        map_free(&tally->blocks[i].points);
    offices_free(&tally->found);
    free(tally);
}

static bool push(struct office_tally *tally, uint64_t key)
{
    struct offices *found = &tally->found;
    if (found->count == OFFICE_KEYS_MAX)
        return false;
    if (found->count == tally->room) {
        size_t room = tally->room > 0 ? 2 * tally->room : 1024;
        uint64_t *keys = reallocarray(found->keys, room, sizeof *keys);
        if (!keys)
            return false;
        found->keys = keys;
        tally->room = room;
    }
    found->keys[found->count++] = key;
    return true;
}

/* Whether the point is spared in some of the present /28, and an office in the rest of it. One that is spared
 * wherever it is named needs no key. */
static bool partly_spared(uint64_t space)
{
    return (space & NOT_LOCAL) && (space & ~NOT_LOCAL) > V6_LIMIT && (space & ~NOT_LOCAL) <= V6_SPARED_LIMIT;
}

/* Notes the local /32s of the present /28 in which a point is spared that is an office in the rest. */
static bool end_locals(struct office_tally *tally)
{
    bool ok = true;
    for (size_t i = 0; i < tally->local_count && ok; i++) {
        const struct local *local = &tally->locals[i];
        bool spares = false;
        for (size_t j = 0; j < local->count && local->count < V6_LOCAL_POINTS; j++) {
            const uint64_t *space = map_at(&tally->blocks[V6_BLOCK].points, local->points[j]);
            spares = spares || (space && partly_spared(*space));
        }
        ok = !spares || push(tally, local_key(local->number));
    }
    tally->local_count = 0;
    return ok;
}

/* Ends the present block of a kind: finds its offices. */
static bool end_block(struct office_tally *tally, enum kind kind)
{
    struct block *block = &tally->blocks[kind];
    bool ok = kind != V6_BLOCK || end_locals(tally);
    for (size_t i = 0; i < block->points.count && ok; i++) {
        const struct map_slot *entry = &block->points.slots[block->points.taken[i]];
        uint64_t key = block_key(kind, block->number, entry->key), space = entry->value & ~NOT_LOCAL;
        bool spared = kind == V6_BLOCK && space <= V6_SPARED_LIMIT;
        if (space > blocks[kind].limit && (!spared || partly_spared(entry->value)))
            ok = push(tally, spared ? key | SPARED : key);
    }
    map_empty(&block->points);
    return ok;
}

/* Notes that a /32 names a point of the present /28. */
static void add_local(struct office_tally *tally, uint64_t number, uint32_t point)
{
    struct map *points = &tally->blocks[V6_BLOCK].points;
    size_t last = tally->local_count - 1, i = 0;
    if (tally->local_count == 0 || tally->locals[last].number != number) {
        last = tally->local_count < V6_LOCAL_COUNT ? tally->local_count++ : last;
        tally->locals[last] = (struct local){.number = number};
    }
    struct local *local = &tally->locals[last];
    while (i < local->count && local->points[i] != point)
        i++;
    if (i == local->count && local->count < V6_LOCAL_POINTS)
        local->points[local->count++] = point;
    if (local->count < V6_LOCAL_POINTS)
        return;
    for (i = 0; i < V6_LOCAL_POINTS; i++) /* all are in the map: nothing is allocated */
        *map_at(points, local->points[i]) |= NOT_LOCAL;
    *map_at(points, point) |= NOT_LOCAL;
}

/* Adds a network to the block of a kind that it lies in. One as long as a block fills it: offices_contain
 * needs no count for that. */
static bool add_to_block(struct office_tally *tally, enum kind kind, const struct mmdb_network *network,
                         uint32_t point)
{
    struct block *block = &tally->blocks[kind];
    unsigned width = blocks[kind].width;
    uint64_t number = network->base >> (width - blocks[kind].bits);
    if (blocks[kind].family != network->family || network->bits <= blocks[kind].bits)
        return true;
    if (number != block->number && !end_block(tally, kind))
        return false;
    block->number = number;
    uint64_t *space = map_at(&block->points, point);
    if (space)
        *space += network->bits < width ? UINT64_C(1) << (width - network->bits) : 1;
    return space;
}

bool office_tally_add(struct office_tally *tally, const struct mmdb_network *network, uint32_t point)
{
    for (enum kind kind = 0; kind < V6_LOCAL; kind++)
        if (!add_to_block(tally, kind, network, point))
            return false;
    if (network->family == ADDRESS_V6 && network->bits >= V6_LOCAL_BITS) /* a larger one is never spared */
        add_local(tally, network->base >> V6_LOCAL_BITS, point);
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bool office_tally_finish(struct office_tally *tally, struct offices *out)
{
    for (enum kind kind = 0; kind < V6_LOCAL; kind++)
        if (!end_block(tally, kind))
            return false;
    *out = tally->found;
    tally->found = (struct offices){NULL, 0};
    tally->room = 0;
    if (out->count > 0)
        qsort(out->keys, out->count, sizeof *out->keys, compare_keys);
    return true;
}

void offices_free(struct offices *offices)
{
    free(offices->keys);
    *offices = (struct offices){NULL, 0};
}

/* The first key that is not less; 0 where there is none, which is no key of a block with a city. */
static uint64_t search(const struct offices *offices, uint64_t key)
{
    size_t low = 0, high = offices->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (offices->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < offices->count ? offices->keys[low] : 0;
}

static bool contain_v4(const struct offices *offices, uint32_t base, uint32_t point)
{
    uint64_t small = block_key(V4_SMALL, base >> (32 - V4_SMALL_BITS), point);
    uint64_t large = block_key(V4_LARGE, base >> (32 - V4_LARGE_BITS), point);
    return search(offices, small) == small || search(offices, large) == large;
}

static bool contain_v6(const struct offices *offices, uint64_t base, uint32_t point)
{
    uint64_t key = block_key(V6_BLOCK, base >> (64 - V6_BITS), point);
    uint64_t local = local_key(base >> V6_LOCAL_BITS), found = search(offices, key);
    if (found == key)
        return true;
    return found == (key | SPARED) && search(offices, local) != local;
}

bool offices_contain(const struct offices *offices, const struct address *address,
                     const struct record *record)
{
    bool is_v4 = address->family == ADDRESS_V4;
    uint64_t base = 0;
    if (record->prefix_bits <= (is_v4 ? V4_SMALL_BITS : V6_BITS))
        return true;
    for (size_t i = 0; i < (is_v4 ? 4 : 8); i++)
        base = base << 8 | address->bytes[i];
    return is_v4 ? contain_v4(offices, (uint32_t)base, office_point(record))
                 : contain_v6(offices, base, office_point(record));
}
