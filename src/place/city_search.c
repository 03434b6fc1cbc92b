#include "place/city_search.h"

#include "place/fold.h"

#include <string.h>

/* A hit is a number, and the lower the better: the bit of a city that is not of the asked country, the bit of
 * one that is found by a later word of its name, then the city. */
#define HIT_ABROAD  ((uint32_t)2 << 16)
#define HIT_WITHIN  ((uint32_t)1 << 16)
#define HIT_CITY(h) ((uint16_t)(h))

#define TYPO_LETTERS 5 /* of shorter names too many differ by one letter */

struct search {
    const struct city_table *table;
    const char *country;
    bool forgiving;         /* of one typo, and then in the beginning of a name only */
    const uint8_t *allowed; /* by division: whether the city may lie in it; NULL: anywhere */
    uint32_t hits[CITY_SEARCH_MAX];
    size_t count, max;
};

/* Inserts a hit among the best, in order; a city that several keys find counts once, as its best. */
static void insert(struct search *search, uint32_t hit)
{
    uint32_t *hits = search->hits;
    for (size_t i = 0; i < search->count; i++)
        if (HIT_CITY(hits[i]) == HIT_CITY(hit)) {
            if (hits[i] <= hit)
                return;
            memmove(&hits[i], &hits[i + 1], (--search->count - i) * sizeof *hits);
        }
    if (search->count == search->max && hits[--search->count] < hit) {
        search->count++;
        return;
    }
    size_t at = search->count++;
    for (; at > 0 && hit < hits[at - 1]; at--)
        hits[at] = hits[at - 1];
    hits[at] = hit;
}

/* The keys of `index` that begin with a text, as an index of their own. */
static struct name_index narrow(const struct search *search, const struct name_index *index, const char *text,
                                size_t length)
{
    struct name_index part = {.keys = NULL};
    part.keys = (struct name_key *)city_table_keys(search->table, index, text, length, &part.count);
    return part;
}

static void take(struct search *search, const struct name_index *found)
{
    const struct city_table *table = search->table;
    const struct name_key *keys = found->keys;
    for (size_t i = 0; i < found->count; i++) {
        const struct city_row *row = &table->rows[keys[i].of];
        bool home = memcmp(search->country, row->country, 2) == 0;
        bool there = !search->allowed || search->allowed[row->region] || search->allowed[row->nation];
        if (there && (keys[i].whole || !search->forgiving))
            insert(search, keys[i].of | (home ? 0 : HIT_ABROAD) | (keys[i].whole ? 0 : HIT_WITHIN));
    }
}

/* Searches `length` letters that stand at `at` in place of `given` ones, among the keys with the letters
 * before it. */
static void search_edited(struct search *search, const struct name_index *before, const char *text, size_t at,
                          const char *letters, size_t length, size_t given)
{
    char edited[FOLD_BYTES + 1];
    size_t rest = strlen(text + at + given);
    memcpy(edited, text, at);
    memcpy(edited + at, letters, length);
    memcpy(edited + at + length, text + at + given, rest);
    struct name_index found = narrow(search, before, edited, at + length + rest);
    take(search, &found);
}

/* Searches with one typo forgiven. Each step narrows the keys to those with one letter more, so that the cost
 * is that of some hundred look-ups at the first letters and hardly grows with the length. */
static void search_with_typo(struct search *search, const char *text)
{
    struct name_index before = search->table->names;
    for (size_t at = 0; before.count > 0; at++) {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            search_edited(search, &before, text, at, &letter, 1, 0);
            if (text[at])
                search_edited(search, &before, text, at, &letter, 1, 1);
        }
        if (!text[at])
            return;
        search_edited(search, &before, text, at, "", 0, 1);
        if (text[at + 1])
            search_edited(search, &before, text, at, (char[]){text[at + 1], text[at]}, 2, 2);
        before = narrow(search, &before, text, at + 1);
    }
}

/* Whether a typo in a folded text may be forgiven. */
static bool is_forgivable(const char *text)
{
    size_t letters = 0;
    for (; *text; text++) {
        if (*text != ' ' && !(*text >= 'a' && *text <= 'z'))
            return false;
        letters += *text != ' ';
    }
    return letters >= TYPO_LETTERS;
}

static void search_folded(struct search *search, const char *text, size_t length)
{
    struct name_index found = {.keys = NULL};
    if (!search->forgiving) {
        found = narrow(search, &search->table->names, text, length);
        take(search, &found);
    } else if (is_forgivable(text)) {
        search_with_typo(search, text);
    }
}

/* Searches a name in all its spellings; without its article where it is not found with it. */
static void search_name(struct search *search, struct span name)
{
    char text[FOLD_BYTES];
    for (unsigned variant = 0; variant < FOLD_VARIANTS; variant++) {
        size_t length = fold_variant(name.bytes, name.length, variant, text);
        if (length > 0)
            search_folded(search, text, length);
    }
    size_t length = fold(name.bytes, name.length, text), article = city_table_article(text);
    if (search->count == 0 && length > article && article > 0)
        search_folded(search, text + article, length - article);
}

/* Allows the countries and regions whose name begins so, or whose code it is. */
static void allow(const struct city_table *table, struct span name, uint8_t allowed[CITY_DIVISIONS_MAX])
{
    char text[FOLD_BYTES];
    size_t count, length = fold(name.bytes, name.length, text);
    const struct name_key *keys = city_table_keys(table, &table->division_names, text, length, &count);
    for (size_t i = 0; i < count; i++)
        if (keys[i].whole)
            allowed[keys[i].of] = 1;
}

/* Searches a name in the countries and regions whose name begins with `division`, or whose code it is. */
static void search_in(struct search *search, struct span name, struct span division)
{
    uint8_t allowed[CITY_DIVISIONS_MAX] = {0};
    allow(search->table, division, allowed);
    search->allowed = allowed;
    search_name(search, name);
    search->allowed = NULL;
}

/* Searches a name, in a division if one is given; without one, the name's last word may be it. */
static void search_all(struct search *search, struct span name, struct span division)
{
    if (span_trim(division).length > 0)
        search_in(search, name, division);
    else
        search_name(search, name);
    const char *space = memrchr(name.bytes, ' ', name.length);
    size_t first = space ? (size_t)(space - name.bytes) : 0;
    if (search->count == 0 && division.length == 0 && first > 0 && first + 1 < name.length)
        search_in(search, (struct span){name.bytes, first},
                  span_after(name, first + 1)); /* "springfield il" */
}

/* The largest cities of a country: the table's rows stand in that order. */
static size_t largest_of(const struct city_table *table, const char *country, size_t found[CITY_SEARCH_MAX],
                         size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < table->row_count && count < max; i++)
        if (memcmp(country, table->rows[i].country, 2) == 0)
            found[count++] = i;
    return count;
}

size_t city_search(const struct city_table *table, const char *query, const char *country,
                   size_t found[CITY_SEARCH_MAX], size_t max)
{
    struct span rest = {query, strlen(query)}, name, division;
    struct search search = {.table = table, .country = country[0] ? country : "--"};
    search.max = max < CITY_SEARCH_MAX ? max : CITY_SEARCH_MAX;
    if (!query[0])
        return largest_of(table, search.country, found, search.max);
    span_cut(&rest, ',', &name);
    span_cut(&rest, ',', &division); /* of "springfield, illinois, usa" the region tells most */
    for (int typos = 0; typos <= 1 && search.max > 0 && search.count == 0; typos++) {
        search.forgiving = typos > 0;
        search_all(&search, name, division);
    }
    for (size_t i = 0; i < search.count; i++)
        found[i] = HIT_CITY(search.hits[i]);
    return search.count;
}
