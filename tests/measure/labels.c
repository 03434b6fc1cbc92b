/* What the gazetteer makes of the names in a city database: how many change, and which. To read, not to pass.
 *
 *   labels [--short] DATABASE.mmdb DRAWS [ROWS]
 *
 * Draws addresses evenly from IPv4 until it has that many with a city in India, then that many of the world,
 * always the same ones; prints a table for each and the ROWS commonest changes (40 unless given). */
#include "measure.h"
#include "place/city_table.h"
#include "place/fold.h"
#include "place/gazetteer.h"

#include <math.h>

enum outcome { SAME, BRACKET, SPELLING, CITY, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {
    "the record's name",
    "the same without its bracket",
    "the same city, spelled as readers do",
    "the city around it",
};

struct change {
    char line[3 * GAZETTEER_NAME_BYTES];
    double distance_km; /* sum, of `count` */
    unsigned count;
};

struct tally {
    unsigned outcomes[OUTCOMES];
    struct change *changes;
    size_t change_count;
};

static void draw(const struct mmdb *db, const char *country, struct record *record)
{
    bool located = false;
    while (!located || (country[0] && strcmp(country, record->country) != 0)) {
        struct address address = random_address(ADDRESS_V4);
        located = mmdb_find(db, &address, "en", record) && record->located && record->city[0];
    }
}

static bool is_name_of(const struct city_table *table, const char *name, int64_t id)
{
    char text[FOLD_BYTES];
    size_t count, length = fold(name, strlen(name), text);
    const struct name_key *keys = city_table_keys(table, &table->names, text, length + 1, &count);
    for (size_t i = 0; i < count; i++)
        if (keys[i].whole && table->rows[keys[i].of].id == id)
            return true;
    return false;
}

static void count_change(struct tally *tally, const char *line, double distance_km)
{
    size_t i = 0;
    while (i < tally->change_count && strcmp(tally->changes[i].line, line) != 0)
        i++;
    if (i == tally->change_count)
        snprintf(tally->changes[tally->change_count++].line, sizeof tally->changes->line, "%s", line);
    tally->changes[i].count++;
    tally->changes[i].distance_km += distance_km;
}

static void judge(const struct gazetteer *gazetteer, const struct city_table *table,
                  const struct record *record, struct tally *tally)
{
    struct city city;
    char bare[GAZETTEER_NAME_BYTES], line[sizeof tally->changes->line];
    snprintf(bare, sizeof bare, "%.*s", (int)gazetteer_strip_qualifier(record->city), record->city);
    bool found = gazetteer_name_point(gazetteer, record->latitude, record->longitude, record->country,
                                      record->region, record->city, "en", &city);
    const char *label = found ? city.name : bare;
    if (strcmp(label, record->city) == 0) {
        tally->outcomes[SAME]++;
    } else if (strcmp(label, bare) == 0) {
        tally->outcomes[BRACKET]++;
    } else {
        double north = city.latitude - record->latitude, east = city.longitude - record->longitude;
        double distance_km = 111.2 * hypot(north, east * cos(record->latitude * M_PI / 180));
        bool spelling = is_name_of(table, bare, city.id);
        tally->outcomes[spelling ? SPELLING : CITY]++;
        snprintf(line, sizeof line, "%s  %s -> %s", record->country, bare, label);
        count_change(tally, line, distance_km);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static void report(const char *whose, struct tally *tally, unsigned draws, size_t rows)
{
    printf("%u random addresses of %s\n", draws, whose);
    for (size_t i = 0; i < OUTCOMES; i++)
        printf("  %5.1f %%  %s\n", 100.0 * tally->outcomes[i] / draws, outcome_names[i]);
    qsort(tally->changes, tally->change_count, sizeof *tally->changes, by_count);
    printf("  commonest of %zu changes: count, mean distance from the record to the city\n",
           tally->change_count);
    for (size_t i = 0; i < tally->change_count && i < rows; i++) {
        const struct change *change = &tally->changes[i];
        printf("  %5u %4.0f km  %s\n", change->count, change->distance_km / change->count, change->line);
    }
}

static void measure(const struct mmdb *db, const char *country, const char *whose, unsigned draws,
                    size_t rows)
{
    struct gazetteer *gazetteer = gazetteer_open();
    struct city_table table = {0};
    struct tally tally = {.changes = calloc(draws, sizeof *tally.changes)};
    if (!gazetteer || !city_table_open(&table) || !tally.changes)
        abort();
    for (unsigned i = 0; i < draws; i++) {
        struct record record;
        draw(db, country, &record);
        judge(gazetteer, &table, &record, &tally);
    }
    report(whose, &tally, draws, rows);
    free(tally.changes);
    city_table_close(&table);
    gazetteer_close(gazetteer);
}

int main(int count, char **arguments)
{
    read_arguments(&count, &arguments, 2, "labels [--short] DATABASE DRAWS [ROWS]");
    struct mmdb *db = open_database(arguments[1]);
    unsigned draws = (unsigned)strtoul(arguments[2], NULL, 10);
    size_t rows = count > 3 ? strtoul(arguments[3], NULL, 10) : 40;
    measure(db, "IN", "India", draws, rows);
    measure(db, "", "the world", draws, rows);
    mmdb_close(db);
    return 0;
}
