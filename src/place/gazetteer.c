/* Rows point into the embedded tables and are ordered by population, the largest first, as data/cities.tsv
 * is: a lower index is a larger city. Everything is built by gazetteer_open and only read afterwards. */
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
#define RADIUS_KM_MAX      30.0
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
#define GRID_CELLS    (GRID_ROWS * GRID_COLUMNS)

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
    uint16_t *grid; /* the large cities, cell by cell, the largest first */
    uint16_t *cell_begins;
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

static double radius_km(uint32_t population)
{
    return fmin(RADIUS_KM_MAX, RADIUS_KM_PER_ROOT * sqrt(population));
}

static void read_cities(struct gazetteer *g)
{
    const char *at = gazetteer_cities;
    struct span f[FIELDS_MAX];
    while (next_line(&at, gazetteer_cities_end, f)) { /* each number ends with a tab or a line's end */
        size_t city = g->row_count++;
        g->rows[city] = (struct row){
            .id = (uint32_t)strtoul(f[0].bytes, NULL, 10),
            .name = f[1],
            .country = {f[2].bytes[0], f[2].bytes[1]},
            .latitude = strtof(f[3].bytes, NULL),
            .longitude = strtof(f[4].bytes, NULL),
            .population = (uint32_t)strtoul(f[5].bytes, NULL, 10),
            .metropolis = (uint16_t)city,
        };
        g->large_count += g->rows[city].population >= LARGE_PEOPLE;
        g->by_id[city] = (uint16_t)city;
        add_name(g, f[1], city);
    }
}

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct row *rows = context;
    uint32_t x = rows[*(const uint16_t *)a].id, y = rows[*(const uint16_t *)b].id;
    return (x > y) - (x < y);
}

static size_t index_of(const struct gazetteer *g, int64_t id)
{
    size_t low = 0, high = g->row_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->rows[g->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->row_count && g->rows[g->by_id[low]].id == id ? g->by_id[low] : NONE;
}

static void add_aliases(struct gazetteer *g, struct span aliases, size_t city)
{
    const char *at = aliases.bytes, *end = at + aliases.length;
    while (at < end) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const char *stop = bar ? bar : end;
        add_name(g, (struct span){at, (size_t)(stop - at)}, city);
        at = bar ? bar + 1 : end;
    }
}

static void read_names(struct gazetteer *g)
{
    const char *at = gazetteer_names;
    struct span f[FIELDS_MAX];
    while (next_line(&at, gazetteer_names_end, f)) {
        size_t city = index_of(g, strtol(f[0].bytes, NULL, 10));
        if (city == NONE)
            continue;
        struct names *names = &g->names[++g->names_count];
        names->display = f[2];
        names->part_of = f[3].length ? (uint32_t)strtoul(f[3].bytes, NULL, 10) : 0;
        names->hindi = f[4];
        g->rows[city].names = (uint16_t)g->names_count;
        add_name(g, f[2], city);
        add_name(g, f[4], city);
        add_aliases(g, f[5], city);
    }
}

static int compare_keys(const void *a, const void *b, void *context)
{
    const struct key *x = a, *y = b;
    const char *folded = context;
    int order = strcmp(folded + x->text, folded + y->text);
    return order ? order : (x->city > y->city) - (x->city < y->city);
}

static size_t cell_of_degrees(int latitude, int longitude)
{
    int row = latitude + 90 < GRID_ROWS ? latitude + 90 : GRID_ROWS - 1;
    int column = ((longitude + 180) % GRID_COLUMNS + GRID_COLUMNS) % GRID_COLUMNS;
    return (size_t)(row * GRID_COLUMNS + column);
}

static size_t cell_of_row(const struct row *row)
{
    return cell_of_degrees((int)floorf(row->latitude), (int)floorf(row->longitude));
}

/* A counting sort of the large cities: cell c is grid[cell_begins[c] .. cell_begins[c + 1]). */
static void fill_grid(struct gazetteer *g)
{
    for (size_t i = 0; i < g->large_count; i++)
        g->cell_begins[cell_of_row(&g->rows[i])]++;
    for (size_t cell = 1; cell <= GRID_CELLS; cell++) /* counts become ends */
        g->cell_begins[cell] = (uint16_t)(g->cell_begins[cell] + g->cell_begins[cell - 1]);
    for (size_t i = g->large_count; i-- > 0;) /* ends become begins */
        g->grid[--g->cell_begins[cell_of_row(&g->rows[i])]] = (uint16_t)i;
}

/* A point, with what every distance from it needs. Plane trigonometry: within the 50 km that matter here it
 * is off by less than a hundredth up to 70 degrees of latitude. */
struct point {
    double latitude, longitude, cosine;
    const char *country;
};

static struct point point_at(double latitude, double longitude, const char *country)
{
    return (struct point){latitude, longitude, cos(latitude * M_PI / 180), country};
}

static double distance_km(const struct point *from, const struct row *row)
{
    double north = row->latitude - from->latitude;
    double east = fabs(row->longitude - from->longitude);
    east = (east > 180 ? 360 - east : east) * from->cosine;
    return KM_PER_DEGREE * sqrt(north * north + east * east);
}

static bool same_country(const struct row *row, const char *country)
{
    return country[0] == row->country[0] && country[1] == row->country[1];
}

struct depth {
    size_t city;  /* NONE: the point lies in no disc */
    double ratio; /* distance over radius, below 1 */
};

/* Looks through one cell for a city of more than `population` people in whose disc the point lies deeper. */
static void look_in_cell(const struct gazetteer *g, size_t cell, const struct point *point,
                         int64_t population, struct depth *best)
{
    for (size_t i = g->cell_begins[cell]; i < g->cell_begins[cell + 1]; i++) {
        const struct row *row = &g->rows[g->grid[i]];
        if (row->population <= population)
            break; /* a cell's largest come first */
        if (row->metropolis != g->grid[i] || !same_country(row, point->country))
            continue;
        double ratio = distance_km(point, row) / radius_km(row->population);
        if (ratio < best->ratio)
            *best = (struct depth){g->grid[i], ratio};
    }
}

/* The city that a town of `population` people at the point is a part of, or NONE. */
static size_t metropolis_of(const struct gazetteer *g, const struct point *point, int64_t population)
{
    struct depth best = {NONE, 1};
    double north = RADIUS_KM_MAX / KM_PER_DEGREE, east = fmin(179, north / fmax(point->cosine, 1e-6));
    int south_end = (int)floor(fmax(point->latitude - north, -90));
    int north_end = (int)floor(fmin(point->latitude + north, 89));
    int west_end = (int)floor(point->longitude - east), east_end = (int)floor(point->longitude + east);
    for (int latitude = south_end; latitude <= north_end; latitude++)
        for (int longitude = west_end; longitude <= east_end; longitude++)
            look_in_cell(g, cell_of_degrees(latitude, longitude), point, population, &best);
    if (best.city == NONE)
        return NONE;
    double share = SHARE_AT_CENTRE * (1 - best.ratio) * (1 - best.ratio);
    return (double)population < share * g->rows[best.city].population ? best.city : NONE;
}

/* Settles what is a part of what. A larger city comes before its parts, so what it is itself is known by
 * then; only the table may make a city a part of a smaller one. */
static void find_parts(struct gazetteer *g)
{
    for (size_t i = 0; i < g->row_count; i++) {
        struct row *row = &g->rows[i];
        uint32_t part_of = g->names[row->names].part_of;
        if (part_of)
            row->metropolis = (uint16_t)index_of(g, part_of);
    }
    for (size_t i = 0; i < g->row_count; i++) {
        struct row *row = &g->rows[i];
        if (g->names[row->names].part_of)
            continue;
        struct point centre = point_at(row->latitude, row->longitude, row->country);
        size_t metropolis = metropolis_of(g, &centre, row->population);
        if (metropolis != NONE)
            row->metropolis = (uint16_t)metropolis;
    }
}

static void *shrunk(void *block, size_t size)
{
    void *smaller = realloc(block, size > 0 ? size : 1);
    return smaller ? smaller : block;
}

/* Ceilings from the tables' sizes: a line is a city or has its names, folding makes nothing longer, and a
 * word with what parts it from the next takes two bytes at least. */
static bool allocate(struct gazetteer *g)
{
    size_t cities = count_lines(gazetteer_cities, gazetteer_cities_end);
    size_t names = count_lines(gazetteer_names, gazetteer_names_end);
    size_t bytes =
        (size_t)(gazetteer_cities_end - gazetteer_cities) + (size_t)(gazetteer_names_end - gazetteer_names);
    if (cities > CITIES_MAX || names >= CITIES_MAX)
        return false;
    g->rows = calloc(cities, sizeof *g->rows);
    g->names = calloc(names + 1, sizeof *g->names);
    g->folded = malloc(bytes);
    g->keys = malloc(bytes / 2 * sizeof *g->keys);
    g->by_id = calloc(cities, sizeof *g->by_id);
    g->cell_begins = calloc(GRID_CELLS + 1, sizeof *g->cell_begins);
    return g->rows && g->names && g->folded && g->keys && g->by_id && g->cell_begins;
}

struct gazetteer *gazetteer_open(void)
{
    struct gazetteer *g = calloc(1, sizeof *g);
    if (!g || !allocate(g))
        goto failed;
    read_cities(g);
    qsort_r(g->by_id, g->row_count, sizeof *g->by_id, compare_ids, g->rows);
    read_names(g);
    g->folded = shrunk(g->folded, g->folded_bytes);
    g->keys = shrunk(g->keys, g->key_count * sizeof *g->keys);
    qsort_r(g->keys, g->key_count, sizeof *g->keys, compare_keys, g->folded);
    g->grid = malloc(g->large_count * sizeof *g->grid + 1);
    if (!g->grid)
        goto failed;
    fill_grid(g);
    find_parts(g);
    return g;

failed:
    gazetteer_close(g);
    return NULL;
}

void gazetteer_close(struct gazetteer *g)
{
    if (!g)
        return;
    free(g->rows);
    free(g->names);
    free(g->folded);
    free(g->keys);
    free(g->by_id);
    free(g->grid);
    free(g->cell_begins);
    free(g);
}

static void copy_out(const struct gazetteer *g, size_t city, const char *language, struct city *out)
{
    const struct row *row = &g->rows[city];
    const struct names *names = &g->names[row->names];
    struct span name = strcmp(language, "hi") == 0 && names->hindi.length > 0 ? names->hindi
                       : names->display.length > 0                            ? names->display
                                                                              : row->name;
    size_t length = name.length < sizeof out->name ? name.length : sizeof out->name - 1;
    *out = (struct city){
        .id = row->id,
        .country = {row->country[0], row->country[1]},
        .latitude = round((double)row->latitude * 1e4) / 1e4,
        .longitude = round((double)row->longitude * 1e4) / 1e4,
        .population = row->population,
    };
    memcpy(out->name, name.bytes, length);
}

bool gazetteer_find(const struct gazetteer *g, int64_t id, const char *language, struct city *out)
{
    size_t city = index_of(g, id);
    if (city == NONE)
        return false;
    copy_out(g, city, language, out);
    return true;
}

size_t gazetteer_bare(const char *recorded)
{
    size_t length = strlen(recorded);
    if (length == 0 || recorded[length - 1] != ')')
        return length;
    const char *bracket = strchr(recorded, '(');
    size_t bare = bracket ? (size_t)(bracket - recorded) : length;
    while (bare > 0 && recorded[bare - 1] == ' ')
        bare--;
    return bare > 0 ? bare : length;
}

/* The first key that does not sort before all that begin with `text`. */
static size_t first_key(const struct gazetteer *g, const char *text, size_t length)
{
    size_t low = 0, high = g->key_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strncmp(g->folded + g->keys[middle].text, text, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The city of that whole name in whose disc, or near it, the point lies; the deepest of several. NONE: none.
 */
static size_t named(const struct gazetteer *g, const char *name, size_t length, const struct point *point)
{
    struct depth best = {NONE, INFINITY};
    for (size_t i = first_key(g, name, length);
         i < g->key_count && strcmp(g->folded + g->keys[i].text, name) == 0; i++) {
        const struct row *row = &g->rows[g->keys[i].city];
        if (!g->keys[i].whole || !same_country(row, point->country))
            continue;
        double distance = distance_km(point, row), radius = radius_km(row->population);
        if (distance <= radius + NAME_REACH_KM && distance / radius < best.ratio)
            best = (struct depth){g->keys[i].city, distance / radius};
    }
    return best.city;
}

bool gazetteer_label(const struct gazetteer *g, double latitude, double longitude, const char *country,
                     const char *recorded, const char *language, struct city *out)
{
    char name[FOLD_BYTES];
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180)) /* nor is it for NaN */
        return false;
    size_t length = fold(recorded, gazetteer_bare(recorded), name);
    if (length == 0)
        return false;
    struct point point = point_at(latitude, longitude, country);
    size_t city = named(g, name, length, &point);
    city = city != NONE ? g->rows[city].metropolis : metropolis_of(g, &point, UNKNOWN_PEOPLE);
    if (city == NONE)
        return false;
    copy_out(g, city, language, out);
    return true;
}

struct hit {
    size_t city;
    bool abroad, within; /* not of the asked country; found by a word within the name */
};

static bool before(const struct hit *a, const struct hit *b)
{
    if (a->abroad != b->abroad)
        return b->abroad;
    if (a->within != b->within)
        return b->within;
    return a->city < b->city;
}

/* Keeps the best `max` hits in order; a city that several keys found counts once, as its best. */
static size_t keep(struct hit hits[], size_t count, size_t max, struct hit hit)
{
    size_t at = count, end = count;
    while (at > 0 && before(&hit, &hits[at - 1]))
        at--;
    for (size_t i = 0; i < count; i++)
        if (hits[i].city == hit.city) {
            if (i < at)
                return count; /* already there, and no worse */
            end = i;
        }
    if (end == max)
        end--;
    if (at > end || at == max)
        return count;
    memmove(&hits[at + 1], &hits[at], (end - at) * sizeof *hits);
    hits[at] = hit;
    return end == count ? count + 1 : count;
}

size_t gazetteer_search(const struct gazetteer *g, const char *query, const char *country,
                        const char *language, struct city *out, size_t max)
{
    char text[FOLD_BYTES];
    struct hit hits[GAZETTEER_FOUND_MAX];
    size_t count = 0, length = fold(query, strlen(query), text);
    max = max < GAZETTEER_FOUND_MAX ? max : GAZETTEER_FOUND_MAX;
    if (length == 0 || max == 0)
        return 0;
    for (size_t i = first_key(g, text, length);
         i < g->key_count && strncmp(g->folded + g->keys[i].text, text, length) == 0; i++) {
        size_t city = g->keys[i].city;
        struct hit hit = {city, !same_country(&g->rows[city], country), !g->keys[i].whole};
        count = keep(hits, count, max, hit);
    }
    for (size_t i = 0; i < count; i++)
        copy_out(g, hits[i].city, language, &out[i]);
    return count;
}
