/* Rows point into the embedded tables and are ordered by population, the largest first, as data/cities.tsv is:
 * a lower index is a larger city. Everything is built by gazetteer_open and only read afterwards. */
#include "place/gazetteer.h"

#include "base/embed.h"
#include "place/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

EMBED(gazetteer_cities, "data/cities.tsv");
EMBED(gazetteer_names, "data/city-names.tsv");

/* The rule's constants; gazetteer.h tells what they mean. */
#define RADIUS_KM_PER_ROOT 0.016
#define RADIUS_KM_MAX      40.0
#define SHARE_AT_CENTRE    0.1
#define UNKNOWN_PEOPLE     10000
#define NAME_REACH_KM      10.0
#define LARGE_PEOPLE       (int64_t)(UNKNOWN_PEOPLE / SHARE_AT_CENTRE) /* no smaller city has parts */

#define KM_PER_DEGREE 111.195 /* of a great circle, mean Earth radius 6371.0 km */
#define FIELDS_MAX    6
#define CITIES_MAX    UINT16_MAX
#define NONE          UINT16_MAX
#define GRID_ROWS     180
#define GRID_COLUMNS  360

struct span {
    const char *bytes;
    size_t length;
};

struct row {
    struct span name;
    uint32_t id, population;
    float latitude, longitude; /* 4 decimals need 21 bits */
    char country[2];
    uint16_t metropolis; /* the city it is a part of; itself where it is of none */
    uint16_t names;      /* index into `names`, 0: none */
};

struct names {
    struct span display, hindi;
    uint32_t part_of; /* an id, 0: by the rule */
};

/* A folded name, or the rest of one from a word inside it on. */
struct key {
    uint32_t text; /* offset into `folded` */
    uint16_t city;
    bool whole;
};

struct gazetteer {
    struct row *rows;
    size_t row_count, large_count; /* rows[0..large_count) may have parts */
    struct names *names;           /* [0] is empty */
    size_t names_count;
    char *folded;
    size_t folded_bytes;
    struct key *keys; /* by text, then by city */
    size_t key_count;
    uint16_t *by_id;
    uint16_t *grid;      /* cities without a metropolis and large enough for parts, cell by cell */
    uint16_t *cell_ends; /* of each cell in `grid` */
};

/* Reads the next line that is neither empty nor a comment into its fields; those missing are empty. */
static bool next_line(const char **at, const char *end, struct span fields[FIELDS_MAX])
{
    while (*at < end) {
        const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        *at = stop < end ? stop + 1 : end;
        if (line == stop || *line == '#')
            continue;
        for (size_t i = 0; i < FIELDS_MAX; i++) {
            const char *tab = line < stop ? memchr(line, '\t', (size_t)(stop - line)) : NULL;
            const char *field_end = tab ? tab : stop;
            fields[i] = (struct span){line, (size_t)(field_end - line)};
            line = tab ? tab + 1 : stop;
        }
        return true;
    }
    return false;
}

static size_t count_lines(const char *at, const char *end)
{
    size_t lines = 0;
    for (; at < end; at++)
        lines += *at == '\n';
    return lines;
}

static void add_key(struct gazetteer *g, size_t text, size_t city, bool whole)
{
    g->keys[g->key_count++] = (struct key){(uint32_t)text, (uint16_t)city, whole};
}

/* Room for keys was made for one per byte that can begin a word: see gazetteer_open. */
static void add_name(struct gazetteer *g, struct span name, size_t city)
{
    char text[FOLD_BYTES];
    size_t length = fold(name.bytes, name.length, text), start = g->folded_bytes;
    if (length == 0)
        return;
    memcpy(g->folded + start, text, length + 1);
    g->folded_bytes += length + 1;
    add_key(g, start, city, true);
    for (size_t i = 1; i < length; i++)
        if (text[i - 1] == ' ')
            add_key(g, start + i, city, false);
}
