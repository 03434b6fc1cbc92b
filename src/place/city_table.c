#include "place/city_table.h"

#include "base/embed.h"
#include "place/fold.h"

#include <stdlib.h>
#include <string.h>

EMBED(gazetteer_cities, "data/cities.tsv");
EMBED(gazetteer_names, "data/city-names.tsv");

#define FIELDS_MAX 7

/* Cuts off the next line that is neither empty nor a comment, and that into its fields; missing ones are
 * empty. */
static bool next_row(struct span *file, struct span fields[FIELDS_MAX])
{
    struct span line;
    while (span_cut(file, '\n', &line)) {
        if (line.length == 0 || line.bytes[0] == '#')
            continue;
        for (size_t i = 0; i < FIELDS_MAX; i++)
            span_cut(&line, '\t', &fields[i]);
        return true;
    }
    return false;
}

static struct span file_of(const char *begin, const char *end)
{
    return (struct span){begin, (size_t)(end - begin)};
}

static size_t count_lines(struct span file)
{
    size_t lines = 0;
    for (struct span line; span_cut(&file, '\n', &line);)
        lines++;
    return lines;
}

static void add_key(struct city_table *table, size_t text, size_t city, bool whole)
{
    table->keys[table->key_count++] = (struct name_key){(uint32_t)text, (uint16_t)city, whole};
}

/* Adds a name and its later words; one that folds to nothing or is longer than FOLD_BYTES is left out. */
static void add_name(struct city_table *table, struct span name, size_t city)
{
    char *text = table->folded + table->folded_bytes;
    size_t folded = fold(name.bytes, name.length, text);
    if (folded == 0)
        return;
    add_key(table, table->folded_bytes, city, true);
    for (size_t i = 1; i < folded; i++)
        if (text[i - 1] == ' ')
            add_key(table, table->folded_bytes + i, city, false);
    table->folded_bytes += folded + 1;
}

static void read_cities(struct city_table *table)
{
    struct span file = file_of(gazetteer_cities, gazetteer_cities_end), f[FIELDS_MAX];
    while (next_row(&file, f)) { /* each number ends with a tab or a line's end */
        size_t city = table->row_count++;
        table->rows[city] = (struct city_row){
            .id = (uint32_t)strtoul(f[0].bytes, NULL, 10),
            .name = f[1],
            .country = {f[2].bytes[0], f[2].bytes[1]},
            .latitude = strtof(f[4].bytes, NULL),
            .longitude = strtof(f[5].bytes, NULL),
            .population = (uint32_t)strtoul(f[6].bytes, NULL, 10),
        };
        memcpy(table->rows[city].region, f[3].bytes, f[3].length < CITY_REGION_BYTES ? f[3].length : 0);
        table->by_id[city] = (uint16_t)city;
        add_name(table, f[1], city);
    }
}

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct city_row *rows = context;
    uint32_t x = rows[*(const uint16_t *)a].id, y = rows[*(const uint16_t *)b].id;
    return (x > y) - (x < y);
}

size_t city_table_find(const struct city_table *table, int64_t id)
{
    size_t low = 0, high = table->row_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->rows[table->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->row_count && table->rows[table->by_id[low]].id == id ? table->by_id[low] : CITY_NONE;
}

static void read_names(struct city_table *table)
{
    struct span file = file_of(gazetteer_names, gazetteer_names_end), f[FIELDS_MAX], alias;
    while (next_row(&file, f)) {
        size_t city = city_table_find(table, strtol(f[0].bytes, NULL, 10));
        if (city == CITY_NONE)
            continue;
        struct city_names *other = &table->others[++table->other_count];
        other->display = f[2];
        other->part_of = f[3].length ? (uint32_t)strtoul(f[3].bytes, NULL, 10) : 0;
        other->hindi = f[4];
        table->rows[city].other = (uint16_t)table->other_count;
        add_name(table, f[2], city);
        add_name(table, f[4], city);
        while (span_cut(&f[5], '|', &alias))
            add_name(table, alias, city);
    }
}

/* Allocates by the number of lines: one is at most one city, or the names of one. Folding makes nothing
 * longer, and a word with its separator takes two bytes at least; fold writes FOLD_BYTES at most. */
static bool allocate(struct city_table *table)
{
    struct span city_file = file_of(gazetteer_cities, gazetteer_cities_end);
    struct span name_file = file_of(gazetteer_names, gazetteer_names_end);
    size_t cities = count_lines(city_file), names = count_lines(name_file);
    size_t bytes = city_file.length + name_file.length;
    if (cities >= CITY_NONE || names >= CITY_NONE)
        return false;
    table->rows = calloc(cities, sizeof *table->rows);
    table->others = calloc(names + 1, sizeof *table->others);
    table->by_id = calloc(cities, sizeof *table->by_id);
    table->folded = malloc(bytes + FOLD_BYTES);
    table->keys = malloc((bytes / 2 + 1) * sizeof *table->keys);
    return table->rows && table->others && table->by_id && table->folded && table->keys;
}

static int compare_keys(const void *a, const void *b, void *context)
{
    const struct name_key *x = a, *y = b;
    const char *folded = context;
    int order = strcmp(folded + x->text, folded + y->text);
    return order ? order : x->city - y->city;
}

/* Sorts the keys, and frees what was allocated in excess. */
static void sort_keys(struct city_table *table)
{
    char *folded = realloc(table->folded, table->folded_bytes + 1);
    struct name_key *keys = realloc(table->keys, (table->key_count + 1) * sizeof *keys);
    table->folded = folded ? folded : table->folded;
    table->keys = keys ? keys : table->keys;
    qsort_r(table->keys, table->key_count, sizeof *table->keys, compare_keys, table->folded);
}

bool city_table_open(struct city_table *table)
{
    if (!allocate(table))
        return false;
    read_cities(table);
    qsort_r(table->by_id, table->row_count, sizeof *table->by_id, compare_ids, table->rows);
    read_names(table);
    sort_keys(table);
    return true;
}

void city_table_close(struct city_table *table)
{
    free(table->rows);
    free(table->others);
    free(table->by_id);
    free(table->folded);
    free(table->keys);
}

struct span city_table_name(const struct city_table *table, size_t city, bool hindi)
{
    const struct city_row *row = &table->rows[city];
    const struct city_names *other = &table->others[row->other];
    if (hindi && other->hindi.length > 0)
        return other->hindi;
    return other->display.length > 0 ? other->display : row->name;
}

static int compare_key(const struct city_table *table, size_t key, const char *text, size_t length)
{
    return strncmp(table->folded + table->keys[key].text, text, length);
}

const struct name_key *city_table_keys(const struct city_table *table, const char *text, size_t length,
                                       size_t *count)
{
    size_t low = 0, high = table->key_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_key(table, middle, text, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (high < table->key_count && compare_key(table, high, text, length) == 0)
        high++;
    *count = high - low;
    return &table->keys[low];
}
