#include "place/city_table.h"

#include "base/embed.h"
#include "place/fold.h"

#include <stdlib.h>
#include <string.h>

EMBED(gazetteer_cities, "data/cities.tsv");
EMBED(gazetteer_names, "data/city-names.tsv");
EMBED(gazetteer_india, "data/india-names.tsv");
EMBED(gazetteer_locals, "data/local-names.tsv");
EMBED(gazetteer_regions, "data/regions.tsv");
EMBED(gazetteer_countries, "data/countries.tsv");

#define FIELDS_MAX 13

/* The languages that cities have names in: the first in data/city-names.tsv, the others in the order of their
 * columns in data/india-names.tsv and data/local-names.tsv. */
static const char *const languages[] = {"hi", "bn", "ta", "te", "mr", "gu", "kn", "ml", "pa", "ur", "ar"};
#define LANGUAGES (sizeof languages / sizeof languages[0])

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

static size_t count_lines(struct span file)
{
    size_t lines = 0;
    for (struct span line; span_cut(&file, '\n', &line);)
        lines++;
    return lines;
}

/* An array with room for `needed` elements; the same one, and noted, when out of memory. */
static void *reserve(struct city_table *table, void *array, size_t size, size_t needed, size_t *capacity)
{
    size_t wanted = *capacity ? 2 * *capacity : 1 << 16;
    void *grown = needed > *capacity ? realloc(array, wanted * size) : array;
    if (!grown)
        table->out_of_memory = true;
    else if (needed > *capacity)
        *capacity = wanted;
    return grown ? grown : array;
}

static void add_key(struct city_table *table, struct name_index *index, size_t text, size_t of, bool whole)
{
    index->keys = reserve(table, index->keys, sizeof *index->keys, index->count + 1, &index->capacity);
    if (!table->out_of_memory)
        index->keys[index->count++] = (struct name_key){(uint32_t)text, (uint16_t)of, whole};
}

size_t city_table_article(const char *folded)
{
    static const char *const articles[] = {"the ", "l ",   "la ",  "le ",  "les ", "el ", "los ",
                                           "las ", "den ", "der ", "die ", "al ",  "ad ", "an ",
                                           "ar ",  "as ",  "ash ", "at ",  "az "};
    for (size_t i = 0; i < sizeof articles / sizeof articles[0]; i++)
        if (folded[0] == articles[i][0] && strncmp(folded, articles[i], strlen(articles[i])) == 0)
            return strlen(articles[i]);
    return 0;
}

/* Adds a folded name and its later words. */
static void add_words(struct city_table *table, struct name_index *index, const char *folded, size_t length,
                      size_t of)
{
    size_t begin = table->folded_bytes, article = city_table_article(folded);
    table->folded = reserve(table, table->folded, 1, begin + FOLD_BYTES, &table->folded_capacity);
    if (table->out_of_memory)
        return;
    memcpy(table->folded + begin, folded, length + 1);
    table->folded_bytes += length + 1;
    add_key(table, index, begin, of, true);
    for (size_t i = 1; i < length; i++)
        if (folded[i - 1] == ' ')
            add_key(table, index, begin + i, of, i == article);
}

/* Whether a name may have several spellings: only apostrophes, hyphens and marks of Latin letters do. */
static bool has_spellings(struct span name)
{
    enum { LATIN_FIRST = 0xc2, LATIN_LAST = 0xcd, GENERAL_FIRST = 0xe1, GENERAL_LAST = 0xe2 }; /* in UTF-8 */
    for (size_t i = 0; i < name.length; i++) {
        unsigned char byte = (unsigned char)name.bytes[i];
        if (byte == '\'' || byte == '-' || (byte >= LATIN_FIRST && byte <= LATIN_LAST) ||
            (byte >= GENERAL_FIRST && byte <= GENERAL_LAST))
            return true;
    }
    return false;
}

/* Adds a name in all its spellings; one that folds to nothing or is longer than FOLD_BYTES is left out. */
static void add_name(struct city_table *table, struct name_index *index, struct span name, size_t of)
{
    char spellings[FOLD_VARIANTS][FOLD_BYTES];
    for (unsigned i = 0, count = has_spellings(name) ? FOLD_VARIANTS : 1; i < count; i++) {
        size_t length = fold_variant(name.bytes, name.length, i, spellings[i]);
        bool known = length == 0;
        for (unsigned j = 0; j < i; j++)
            known = known || strcmp(spellings[j], spellings[i]) == 0;
        if (!known)
            add_words(table, index, spellings[i], length, of);
    }
}

static void read_divisions(struct city_table *table, struct span file)
{
    struct span f[FIELDS_MAX], other;
    while (next_row(&file, f)) {
        size_t of = ++table->division_count;
        table->divisions[of] = (struct city_division){{f[0].bytes[0], f[0].bytes[1]}, f[1], f[2]};
        add_name(table, &table->division_names, f[1].length > 0 ? f[1] : f[0], of);
        add_name(table, &table->division_names, f[2], of);
        while (span_cut(&f[3], '|', &other))
            add_name(table, &table->division_names, other, of);
    }
}

/* Countries come before regions, each in the order of their codes. */
static int compare_division(const struct city_division *division, const char *country, struct span code)
{
    size_t length = division->code.length < code.length ? division->code.length : code.length;
    int order = (division->code.length > 0) - (code.length > 0);
    order = order ? order : memcmp(division->country, country, 2);
    order = order ? order : memcmp(division->code.bytes, code.bytes, length);
    return order ? order : (division->code.length > length) - (code.length > length);
}

static uint16_t find_division(const struct city_table *table, const char *country, struct span code)
{
    size_t low = 1, high = table->division_count + 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_division(&table->divisions[middle], country, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low <= table->division_count && compare_division(&table->divisions[low], country, code) == 0;
    return (uint16_t)(found ? low : 0);
}

static void read_cities(struct city_table *table)
{
    struct span file = span_between(gazetteer_cities, gazetteer_cities_end), f[FIELDS_MAX];
    while (next_row(&file, f)) { /* each number ends with a tab */
        size_t city = table->row_count++;
        table->rows[city] = (struct city_row){
            .id = (uint32_t)strtoul(f[0].bytes, NULL, 10),
            .name = f[1],
            .country = {f[2].bytes[0], f[2].bytes[1]},
            .nation = find_division(table, f[2].bytes, span_after(f[2], f[2].length)),
            .region = f[3].length > 0 ? find_division(table, f[2].bytes, f[3]) : 0,
            .latitude = strtof(f[4].bytes, NULL),
            .longitude = strtof(f[5].bytes, NULL),
            .population = f[6].length > 0 ? (uint32_t)strtoul(f[6].bytes, NULL, 10) : 0,
            .height_m = f[7].length > 0 ? (int16_t)strtol(f[7].bytes, NULL, 10) : CITY_HEIGHT_UNKNOWN,
            .zone = (uint32_t)(f[8].bytes - gazetteer_cities),
        };
        table->by_id[city] = (uint16_t)city;
        add_name(table, &table->names, f[1], city);
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

/* Adds the name of a city in a language, if it is not empty. */
static void add_local(struct city_table *table, size_t city, size_t language, struct span name)
{
    if (name.length == 0)
        return;
    table->locals =
        reserve(table, table->locals, sizeof *table->locals, table->local_count + 1, &table->local_capacity);
    if (!table->out_of_memory)
        table->locals[table->local_count++] = (struct city_local){(uint16_t)city, (uint16_t)language, name};
    add_name(table, &table->names, name, city);
}

static void add_aliases(struct city_table *table, size_t city, struct span aliases)
{
    for (struct span alias; span_cut(&aliases, '|', &alias);)
        add_name(table, &table->names, alias, city);
}

static void read_locals(struct city_table *table, struct span file)
{
    struct span f[FIELDS_MAX];
    while (next_row(&file, f)) {
        size_t city = city_table_find(table, strtol(f[0].bytes, NULL, 10));
        if (city == CITY_NONE)
            continue;
        for (size_t i = 1; i < LANGUAGES; i++)
            add_local(table, city, i, f[i + 1]);
        add_aliases(table, city, f[LANGUAGES + 1]);
    }
}

static int compare_locals(const void *a, const void *b)
{
    const struct city_local *x = a, *y = b;
    return x->city != y->city ? x->city - y->city : x->language - y->language;
}

static void read_names(struct city_table *table)
{
    struct span file = span_between(gazetteer_names, gazetteer_names_end), f[FIELDS_MAX];
    while (next_row(&file, f)) {
        size_t city = city_table_find(table, strtol(f[0].bytes, NULL, 10));
        if (city == CITY_NONE)
            continue;
        struct city_names *other = &table->others[++table->other_count];
        other->display = f[2];
        other->part_of = f[3].length ? (uint32_t)strtoul(f[3].bytes, NULL, 10) : 0;
        table->rows[city].other = (uint16_t)table->other_count;
        add_name(table, &table->names, f[2], city);
        add_local(table, city, 0, f[4]);
        add_aliases(table, city, f[5]);
    }
}

/* Allocates by the number of lines: one is at most one city, the names of one, or a division. */
static bool allocate(struct city_table *table)
{
    size_t cities = count_lines(span_between(gazetteer_cities, gazetteer_cities_end));
    size_t names = count_lines(span_between(gazetteer_names, gazetteer_names_end));
    size_t divisions = count_lines(span_between(gazetteer_regions, gazetteer_regions_end)) +
                       count_lines(span_between(gazetteer_countries, gazetteer_countries_end));
    if (cities >= CITY_NONE || names >= CITY_NONE || divisions >= CITY_DIVISIONS_MAX)
        return false;
    table->rows = calloc(cities, sizeof *table->rows);
    table->others = calloc(names + 1, sizeof *table->others);
    table->divisions = calloc(divisions + 1, sizeof *table->divisions);
    table->by_id = calloc(cities, sizeof *table->by_id);
    return table->rows && table->others && table->divisions && table->by_id;
}

static int compare_keys(const void *a, const void *b, void *context)
{
    const struct name_key *x = a, *y = b;
    const char *folded = context;
    int order = strcmp(folded + x->text, folded + y->text);
    return order ? order : x->of - y->of;
}

/* Gives back what was allocated in excess. */
static void *trim(void *array, size_t bytes)
{
    void *trimmed = realloc(array, bytes + 1);
    if (trimmed)
        array = trimmed;
    return array;
}

static void sort_keys(struct name_index *index, char *folded)
{
    index->keys = trim(index->keys, index->count * sizeof *index->keys);
    qsort_r(index->keys, index->count, sizeof *index->keys, compare_keys, folded);
}

bool city_table_open(struct city_table *table)
{
    if (!allocate(table))
        return false;
    read_divisions(table, span_between(gazetteer_countries, gazetteer_countries_end));
    read_divisions(table, span_between(gazetteer_regions, gazetteer_regions_end));
    read_cities(table);
    qsort_r(table->by_id, table->row_count, sizeof *table->by_id, compare_ids, table->rows);
    read_names(table);
    read_locals(table, span_between(gazetteer_india, gazetteer_india_end));
    read_locals(table, span_between(gazetteer_locals, gazetteer_locals_end));
    if (table->out_of_memory)
        return false;
    table->folded = trim(table->folded, table->folded_bytes);
    table->locals = trim(table->locals, table->local_count * sizeof *table->locals);
    qsort(table->locals, table->local_count, sizeof *table->locals, compare_locals);
    sort_keys(&table->names, table->folded);
    sort_keys(&table->division_names, table->folded);
    return true;
}

void city_table_close(struct city_table *table)
{
    free(table->rows);
    free(table->others);
    free(table->locals);
    free(table->divisions);
    free(table->by_id);
    free(table->folded);
    free(table->names.keys);
    free(table->division_names.keys);
}

struct span city_table_name(const struct city_table *table, size_t city, const char *language)
{
    const struct city_row *row = &table->rows[city];
    const struct city_names *other = &table->others[row->other];
    size_t length = strcspn(language, "-"), i = 0;
    while (i < LANGUAGES && (strncmp(languages[i], language, length) != 0 || languages[i][length]))
        i++;
    struct city_local wanted = {(uint16_t)city, (uint16_t)i, {NULL, 0}};
    const struct city_local *local =
        i == LANGUAGES ? NULL
                       : bsearch(&wanted, table->locals, table->local_count, sizeof wanted, compare_locals);
    if (local)
        return local->name;
    return other->display.length > 0 ? other->display : row->name;
}

struct span city_table_zone(const struct city_table *table, size_t city)
{
    const char *begin = gazetteer_cities + table->rows[city].zone;
    struct span rest = span_between(begin, gazetteer_cities_end), zone;
    span_cut(&rest, '\n', &zone);
    return zone;
}

const struct name_key *city_table_keys(const struct city_table *table, const struct name_index *index,
                                       const char *text, size_t length, size_t *count)
{
    const struct name_key *keys = index->keys;
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strncmp(table->folded + keys[middle].text, text, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (high < index->count && strncmp(table->folded + keys[high].text, text, length) == 0)
        high++;
    *count = high - low;
    return &keys[low];
}
