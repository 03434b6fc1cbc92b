/* gazetteer_open builds everything, and nothing changes afterwards. The index of a city is that of its row.
 */
#include "place/gazetteer.h"

#include "place/city_search.h"
#include "place/fold.h"
#include "place/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The constants of the rule in gazetteer.h. */
#define RADIUS_KM_PER_ROOT 0.016
#define RADIUS_KM_MAX      30.0
#define SHARE_AT_CENTRE    0.1
#define UNKNOWN_PEOPLE     10000
#define NAME_REACH_KM      10.0
#define LARGE_PEOPLE       (int64_t)(UNKNOWN_PEOPLE / SHARE_AT_CENTRE) /* no smaller city has parts */

#define KM_PER_DEGREE 111.195 /* of a great circle, mean Earth radius 6371.0 km */
#define GRID_ROWS     180
#define GRID_COLUMNS  360
#define GRID_CELLS    (GRID_ROWS * GRID_COLUMNS)

struct gazetteer {
    struct city_table table;
    uint16_t *metropolis; /* of each city: the one it is a part of, itself where it is of none */
    size_t large_count;   /* the cities before it may have parts */
    uint16_t *grid;       /* all cities, cell by cell, the largest first */
    uint16_t *cell_begins;
};

static double radius_km(uint32_t population)
{
    return fmin(RADIUS_KM_MAX, RADIUS_KM_PER_ROOT * sqrt(population ? population : UNKNOWN_PEOPLE));
}

static size_t cell_of_degrees(int latitude, int longitude)
{
    int row = latitude + 90 < GRID_ROWS ? latitude + 90 : GRID_ROWS - 1;
    int column = ((longitude + 180) % GRID_COLUMNS + GRID_COLUMNS) % GRID_COLUMNS;
    return (size_t)(row * GRID_COLUMNS + column);
}

static size_t cell_of_row(const struct city_row *row)
{
    return cell_of_degrees((int)floorf(row->latitude), (int)floorf(row->longitude));
}

/* A counting sort of the cities: cell c is grid[cell_begins[c] .. cell_begins[c + 1]). */
static void fill_grid(struct gazetteer *g)
{
    for (size_t i = 0; i < g->table.row_count; i++)
        g->cell_begins[cell_of_row(&g->table.rows[i])]++;
    for (size_t cell = 1; cell <= GRID_CELLS; cell++) /* counts become ends */
        g->cell_begins[cell] = (uint16_t)(g->cell_begins[cell] + g->cell_begins[cell - 1]);
    for (size_t i = g->table.row_count; i-- > 0;) /* ends become begins */
        g->grid[--g->cell_begins[cell_of_row(&g->table.rows[i])]] = (uint16_t)i;
}

/* A point, with what every distance from it needs. Distances are plane trigonometry: within the 50 km that
 * matter here the error is less than a hundredth up to 70 degrees of latitude. */
struct point {
    double latitude, longitude, cosine;
    const char *country;
    uint16_t region; /* of city_row; 0 when not known */
};

static struct point point_at(double latitude, double longitude, const char *country, uint16_t region)
{
    return (struct point){latitude, longitude, cos(latitude * M_PI / 180), country, region};
}

static double distance_km(const struct point *from, const struct city_row *row)
{
    double north = row->latitude - from->latitude;
    double east = fabs(row->longitude - from->longitude);
    east = (east > 180 ? 360 - east : east) * from->cosine;
    return KM_PER_DEGREE * sqrt(north * north + east * east);
}

static bool same_country(const struct city_row *row, const char *country)
{
    return country[0] == row->country[0] && country[1] == row->country[1];
}

struct depth {
    size_t city;  /* CITY_NONE: the point lies in no disc */
    double ratio; /* distance over radius, below 1 */
};

/* Searches one cell for a city of more than `population` people in whose disc the point lies deeper. */
static void search_cell(const struct gazetteer *g, size_t cell, const struct point *point, int64_t population,
                        struct depth *best)
{
    for (size_t i = g->cell_begins[cell]; i < g->cell_begins[cell + 1]; i++) {
        const struct city_row *row = &g->table.rows[g->grid[i]];
        if (g->grid[i] >= g->large_count || row->population <= population)
            break; /* a cell's largest come first */
        bool other_region = point->region && row->region && point->region != row->region;
        if (g->metropolis[g->grid[i]] != g->grid[i] || !same_country(row, point->country) || other_region)
            continue;
        double ratio = distance_km(point, row) / radius_km(row->population);
        if (ratio < best->ratio)
            *best = (struct depth){g->grid[i], ratio};
    }
}

/* The city that a town of `population` people at the point is a part of, or CITY_NONE. */
static size_t metropolis_of(const struct gazetteer *g, const struct point *point, int64_t population)
{
    struct depth best = {CITY_NONE, 1};
    double north = RADIUS_KM_MAX / KM_PER_DEGREE, east = fmin(179, north / fmax(point->cosine, 1e-6));
    int south_end = (int)floor(fmax(point->latitude - north, -90));
    int north_end = (int)floor(fmin(point->latitude + north, 89));
    int west_end = (int)floor(point->longitude - east), east_end = (int)floor(point->longitude + east);
    for (int latitude = south_end; latitude <= north_end; latitude++)
        for (int longitude = west_end; longitude <= east_end; longitude++)
            search_cell(g, cell_of_degrees(latitude, longitude), point, population, &best);
    if (best.city == CITY_NONE)
        return CITY_NONE;
    double share = SHARE_AT_CENTRE * (1 - best.ratio) * (1 - best.ratio);
    return (double)population < share * g->table.rows[best.city].population ? best.city : CITY_NONE;
}

/* Sets the metropolis of every city. A larger city comes before its parts, so that its own is known by then;
 * only the table may make a city a part of a smaller one. */
static void find_parts(struct gazetteer *g)
{
    const struct city_row *rows = g->table.rows;
    for (size_t i = 0; i < g->table.row_count; i++) {
        uint32_t part_of = g->table.others[rows[i].other].part_of;
        size_t city = part_of ? city_table_find(&g->table, part_of) : CITY_NONE;
        g->metropolis[i] = (uint16_t)(city != CITY_NONE ? city : i);
    }
    for (size_t i = 0; i < g->table.row_count; i++) {
        if (g->table.others[rows[i].other].part_of || rows[i].population == 0)
            continue;
        struct point centre = point_at(rows[i].latitude, rows[i].longitude, rows[i].country, rows[i].region);
        size_t city = metropolis_of(g, &centre, rows[i].population);
        if (city != CITY_NONE)
            g->metropolis[i] = (uint16_t)city;
    }
}

struct gazetteer *gazetteer_open(void)
{
    struct gazetteer *g = calloc(1, sizeof *g);
    if (!g || !city_table_open(&g->table))
        goto failed;
    while (g->large_count < g->table.row_count && g->table.rows[g->large_count].population >= LARGE_PEOPLE)
        g->large_count++;
    g->metropolis = calloc(g->table.row_count + 1, sizeof *g->metropolis);
    g->grid = calloc(g->table.row_count + 1, sizeof *g->grid);
    g->cell_begins = calloc(GRID_CELLS + 1, sizeof *g->cell_begins);
    if (!g->metropolis || !g->grid || !g->cell_begins)
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
    city_table_close(&g->table);
    free(g->metropolis);
    free(g->grid);
    free(g->cell_begins);
    free(g);
}

static void copy_span(char *to, size_t size, struct span from)
{
    memcpy(to, from.bytes, from.length < size ? from.length : size - 1); /* the rest of `to` is zero */
}

static void copy_out(const struct gazetteer *g, size_t city, const char *language, struct city *out)
{
    const struct city_row *row = &g->table.rows[city];
    *out = (struct city){
        .id = row->id,
        .country = {row->country[0], row->country[1]},
        .latitude = round((double)row->latitude * 1e4) / 1e4,
        .longitude = round((double)row->longitude * 1e4) / 1e4,
        .population = row->population,
        .height_m = row->height_m,
    };
    copy_span(out->name, sizeof out->name, city_table_name(&g->table, city, language));
    if (row->region)
        copy_span(out->region, sizeof out->region, g->table.divisions[row->region].name);
    copy_span(out->timezone, sizeof out->timezone, city_table_zone(&g->table, city));
}

bool gazetteer_by_id(const struct gazetteer *g, int64_t id, const char *language, struct city *out)
{
    size_t city = city_table_find(&g->table, id);
    if (city == CITY_NONE)
        return false;
    copy_out(g, city, language, out);
    return true;
}

size_t gazetteer_strip_qualifier(const char *recorded)
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

/* The city of that whole name in whose disc, or near it, the point lies deepest, or CITY_NONE. */
static size_t find_by_name(const struct gazetteer *g, const char *name, const struct point *point)
{
    struct depth best = {CITY_NONE, INFINITY};
    size_t count;
    const struct name_key *keys = city_table_keys(&g->table, &g->table.names, name, strlen(name) + 1, &count);
    for (size_t i = 0; i < count; i++) {
        size_t city = keys[i].of;
        if (!keys[i].whole || !same_country(&g->table.rows[city], point->country))
            continue;
        double distance = distance_km(point, &g->table.rows[city]),
               radius = radius_km(g->table.rows[city].population);
        if (distance <= radius + NAME_REACH_KM && distance / radius < best.ratio)
            best = (struct depth){city, distance / radius};
    }
    return best.city;
}

/* Strips the word for "city" that records of some countries add: "Sharjah city", "Goyang-si". */
static bool strip_suffix(char *name, size_t length)
{
    static const char *const tails[] = {" city", " district", " shi", " si"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t tail = strlen(tails[i]);
        if (length > tail && strcmp(name + length - tail, tails[i]) == 0) {
            name[length - tail] = '\0';
            return true;
        }
    }
    return false;
}

/* The city that a record names, or that the point is a part of, or CITY_NONE; *rule becomes the part of the
 * rule that chose it. */
static size_t city_at(const struct gazetteer *g, struct point *point, const char *recorded,
                      const char *region, const char **rule)
{
    char name[FOLD_BYTES], joined[FOLD_BYTES];
    size_t length = fold(recorded, gazetteer_strip_qualifier(recorded), name);
    if (length == 0)
        return CITY_NONE;
    size_t city = find_by_name(g, name, point);
    if (city == CITY_NONE && fold_variant(recorded, strlen(recorded), FOLD_JOINED, joined) > 0)
        city = find_by_name(g, joined, point);
    if (city == CITY_NONE && strip_suffix(name, length))
        city = find_by_name(g, name, point);
    *rule = "the recorded name is this city's, in one of its spellings";
    if (city != CITY_NONE && g->metropolis[city] != city)
        *rule = "the recorded name is that of a part of this city";
    if (city != CITY_NONE)
        return g->metropolis[city];
    *rule = "the recorded name is not a city's, and this is the city around it";
    if (fold(region, strlen(region), name) > 0 && (city = find_by_name(g, name, point)) != CITY_NONE)
        point->region = g->table.rows[city].region;
    return metropolis_of(g, point, UNKNOWN_PEOPLE);
}

const char *gazetteer_name_point(const struct gazetteer *g, double latitude, double longitude,
                                 const char *country, const char *region, const char *recorded,
                                 const char *language, struct city *out)
{
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180)) /* nor is it for NaN */
        return NULL;
    const char *rule;
    struct point point = point_at(latitude, longitude, country, 0);
    size_t city = city_at(g, &point, recorded, region, &rule);
    if (city == CITY_NONE)
        return NULL;
    copy_out(g, city, language, out);
    return rule;
}

/* Searches one cell for a city that is nearer than the best so far, which counts in radii within a disc, and
 * from there on 1 and the kilometres to it. `plane`: the cell is near, and far from the poles. */
static void search_cell_for_nearest(const struct gazetteer *g, size_t cell, const struct point *point,
                                    bool plane, struct depth *best)
{
    for (size_t i = g->cell_begins[cell]; i < g->cell_begins[cell + 1]; i++) {
        const struct city_row *row = &g->table.rows[g->grid[i]];
        double radius = radius_km(row->population);
        double distance =
            plane ? distance_km(point, row)
                  : great_circle_km(point->latitude, point->longitude, row->latitude, row->longitude);
        double ratio = distance < radius ? distance / radius : 1 + distance - radius;
        if (ratio < best->ratio)
            *best = (struct depth){g->grid[i], ratio};
    }
}

/* The nearest city in a window that holds every point within `reach_km`. */
static struct depth nearest_within(const struct gazetteer *g, const struct point *point, double reach_km)
{
    struct depth best = {CITY_NONE, INFINITY};
    double north = reach_km / KM_PER_DEGREE;
    bool plane = reach_km <= 2 * RADIUS_KM_MAX && fabs(point->latitude) < 70;
    double edge = fabs(point->latitude) + north; /* meridians are closest there */
    double east = edge < 89 ? fmin(180, north / cos(edge * M_PI / 180)) : 180;
    int south_end = (int)floor(fmax(point->latitude - north, -90));
    int north_end = (int)floor(fmin(point->latitude + north, 89));
    int west_end = (int)floor(point->longitude - east);
    int columns = (int)fmin(GRID_COLUMNS, floor(point->longitude + east) - west_end + 1);
    for (int latitude = south_end; latitude <= north_end; latitude++)
        for (int i = 0; i < columns; i++)
            search_cell_for_nearest(g, cell_of_degrees(latitude, west_end + i), point, plane, &best);
    return best;
}

bool gazetteer_nearest(const struct gazetteer *g, double latitude, double longitude, const char *language,
                       struct city *out)
{
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180)) /* nor is it for NaN */
        return false;
    struct point point = point_at(latitude, longitude, "", 0);
    double reach_km = 2 * RADIUS_KM_MAX, end_km = GAZETTEER_NEAREST_KM + RADIUS_KM_MAX;
    struct depth best = nearest_within(g, &point, reach_km);
    /* The disc of a city outside the window begins further off than this. */
    while (best.ratio > 1 + reach_km - RADIUS_KM_MAX && reach_km < end_km) {
        reach_km = fmin(2 * reach_km, end_km);
        best = nearest_within(g, &point, reach_km);
    }
    if (!(best.ratio <= 1 + GAZETTEER_NEAREST_KM))
        return false;
    copy_out(g, g->metropolis[best.city], language, out);
    return true;
}

size_t gazetteer_search(const struct gazetteer *g, const char *query, const char *country,
                        const char *language, struct city *out, size_t max)
{
    size_t found[CITY_SEARCH_MAX], count = city_search(&g->table, query, country, found, max);
    _Static_assert(CITY_SEARCH_MAX == GAZETTEER_FOUND_MAX, "one ceiling");
    for (size_t i = 0; i < count; i++)
        copy_out(g, found[i], language, &out[i]);
    return count;
}

bool gazetteer_point(const struct gazetteer *g, size_t i, double *latitude, double *longitude)
{
    if (i >= g->table.row_count)
        return false;
    *latitude = g->table.rows[i].latitude;
    *longitude = g->table.rows[i].longitude;
    return true;
}

static double degrees_east(double longitude, double from)
{
    return remainder(longitude - from, 360);
}

int gazetteer_height_m(const struct gazetteer *g, double latitude, double longitude, double half_deg)
{
    const struct city_row *largest = NULL;
    for (int south = (int)floor(latitude - half_deg); south <= latitude + half_deg; south++) {
        if (south < -90 || south > 90)
            continue;
        for (int west = (int)floor(longitude - half_deg); west <= longitude + half_deg; west++) {
            size_t cell = cell_of_degrees(south, west);
            for (size_t i = g->cell_begins[cell]; i < g->cell_begins[cell + 1]; i++) {
                const struct city_row *row = &g->table.rows[g->grid[i]];
                if (fabs((double)row->latitude - latitude) <= half_deg &&
                    fabs(degrees_east((double)row->longitude, longitude)) <= half_deg &&
                    (!largest || row < largest))
                    largest = row;
            }
        }
    }
    return largest ? largest->height_m : CITY_HEIGHT_UNKNOWN;
}
