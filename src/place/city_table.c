#include "place/city_table.h"

#include "base/embed.h"

#include <stdlib.h>
#include <string.h>

EMBED(gazetteer_cities, "data/cities.tsv");
EMBED(gazetteer_names, "data/city-names.tsv");

#define FIELDS_MAX 7

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

static size_t size_of(const char *file, const char *end)
{
    return (size_t)(end - file);
}

/* One too many where the last line has its end, as it should. */
static size_t count_lines(const char *at, const char *end)
{
    size_t lines = 1;
    for (; at < end; at++)
        lines += *at == '\n';
    return lines;
}

static void add_name(struct city_table *table, struct span name, size_t city)
{
    name_index_add(&table->index, name.bytes, name.length, (uint16_t)city);
}

static void read_cities(struct city_table *table)
{
    const char *at = gazetteer_cities;
    struct span f[FIELDS_MAX];
    while (next_line(&at, gazetteer_cities_end, f)) { /* each number ends with a tab or a line's end */
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

static void add_aliases(struct city_table *table, struct span aliases, size_t city)
{
    const char *at = aliases.bytes, *end = at + aliases.length;
    while (at < end) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const char *stop = bar ? bar : end;
        add_name(table, (struct span){at, (size_t)(stop - at)}, city);
        at = bar ? bar + 1 : end;
    }
}

static void read_names(struct city_table *table)
{
    const char *at = gazetteer_names;
    struct span f[FIELDS_MAX];
    while (next_line(&at, gazetteer_names_end, f)) {
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
        add_aliases(table, f[5], city);
    }
}

/* Ceilings from the size of the tables: a line is at most one city, or the names of one. */
static bool allocate(struct city_table *table)
{
    size_t cities = count_lines(gazetteer_cities, gazetteer_cities_end);
    size_t names = count_lines(gazetteer_names, gazetteer_names_end);
    size_t bytes =
        size_of(gazetteer_cities, gazetteer_cities_end) + size_of(gazetteer_names, gazetteer_names_end);
    if (cities >= CITY_NONE || names >= CITY_NONE)
        return false;
    table->rows = calloc(cities, sizeof *table->rows);
    table->others = calloc(names + 1, sizeof *table->others);
    table->by_id = calloc(cities, sizeof *table->by_id);
    return table->rows && table->others && table->by_id && name_index_allocate(&table->index, bytes);
}

bool city_table_open(struct city_table *table)
{
    if (!allocate(table))
        return false;
    read_cities(table);
    qsort_r(table->by_id, table->row_count, sizeof *table->by_id, compare_ids, table->rows);
    read_names(table);
    name_index_sort(&table->index);
    return true;
}

void city_table_close(struct city_table *table)
{
    free(table->rows);
    free(table->others);
    free(table->by_id);
    name_index_free(&table->index);
}

struct span city_table_name(const struct city_table *table, size_t city, bool hindi)
{
    const struct city_row *row = &table->rows[city];
    const struct city_names *other = &table->others[row->other];
    if (hindi && other->hindi.length > 0)
        return other->hindi;
    return other->display.length > 0 ? other->display : row->name;
}
