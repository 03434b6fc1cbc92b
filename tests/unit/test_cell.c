/* Cells: every point has one, the nearest; the date line and the poles are no exception; each has one name,
 * never with a negative zero, and one key. */
#include "unit.h"

#include <math.h>

#include "weather/cell/cell.h"

#define TENTH   100000
#define QUARTER 250000
#define HALF    500000
#define ONE     1000000

static const int32_t sizes[] = {10000,   20000, 50000, TENTH,   160000,  200000,
                                QUARTER, HALF,  ONE,   2500000, 4800000, 5000000};

TEST(points_are_in_the_nearest_cell)
{
    static const struct {
        double latitude, longitude;
        int32_t size;
        const char *name;
    } rows[] = {
        {19.0760, 72.8777, TENTH, "19.1,72.9"},
        {19.0760, 72.8777, QUARTER, "19.00,73.00"},
        {19.0760, 72.8777, HALF, "19.0,73.0"},
        {19.0760, 72.8777, ONE, "19,73"},
        {19.0760, 72.8777, 10000, "19.08,72.88"},
        {51.5074, -0.1278, TENTH, "51.5,-0.1"},
        {-33.8688, 151.2093, TENTH, "-33.9,151.2"},
        {0, 0, TENTH, "0.0,0.0"},
        {-0.0, -0.0, TENTH, "0.0,0.0"},

        /* Halves go away from zero, by the decimals that a person would write and not by what a double makes
         * of them. */
        {19.05, 72.85, TENTH, "19.1,72.9"},
        {-19.05, -72.85, TENTH, "-19.1,-72.9"},
        {0.05, -0.05, TENTH, "0.1,-0.1"},
        {0.15, 0.25, TENTH, "0.2,0.3"},
        {0.35, 1.005, TENTH, "0.4,1.0"},
        {8.35, 8.45, TENTH, "8.4,8.5"},
        {0.125, -0.375, QUARTER, "0.25,-0.50"},
        {0.5, -1.5, ONE, "1,-2"},

        /* Never -0. */
        {-0.04, -0.049999, TENTH, "0.0,0.0"},
        {-0.0000001, -0.4999999, ONE, "0,-1"}, /* a millionth is the finest: -0.5 */
        {-0.4, -0.499999, ONE, "0,0"},

        /* The date line: longitude in [-180, 180). */
        {0, 180, TENTH, "0.0,-180.0"},
        {0, -180, TENTH, "0.0,-180.0"},
        {0, 179.95, TENTH, "0.0,-180.0"},
        {0, 179.949999, TENTH, "0.0,179.9"},
        {0, -179.95, TENTH, "0.0,-180.0"},
        {0, -179.949999, TENTH, "0.0,-179.9"},
        {0, 179.9, ONE, "0,-180"},
        {0, 177.5, 5000000, "0,-180"},
        {0, -177.5, 5000000, "0,-180"},

        /* The poles. */
        {90, 0, TENTH, "90.0,0.0"},
        {-90, -0.0, TENTH, "-90.0,0.0"},
        {89.95, 180, TENTH, "90.0,-180.0"},
        {90, 0, 160000, "89.92,0.00"}, /* where 90 is no multiple, the last one before it */
        {-90, 0, 160000, "-89.92,0.00"},
        {89.9, 0, 5000000, "90,0"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[CELL_NAME_BYTES];
        cell_name(cell_of(rows[i].latitude, rows[i].longitude, rows[i].size), rows[i].size, name);
        if (strcmp(name, rows[i].name) != 0)
            fail_msg("row %zu (%g, %g at %d): '%s', expected '%s'", i, rows[i].latitude, rows[i].longitude,
                     rows[i].size, name, rows[i].name);
    }
}

TEST(sizes_must_divide_the_circle)
{
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_true(cell_size_valid(sizes[i]));
    static const int32_t bad[] = {0, -1, -TENTH, 70000, 110000, 700000, 7000000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(cell_size_valid(bad[i]));
}

/* Uniform in [-most, most]. */
static double pick(double most)
{
    return ((double)random_below(UINT64_C(1) << 53) / (double)(UINT64_C(1) << 53) * 2 - 1) * most;
}

/* Degrees between two longitudes, the short way round. */
static double apart(double a, double b)
{
    double d = fabs(a - b);
    return d > 180 ? 360 - d : d;
}

/* For any point and size: in range, a multiple, within half a size, with a name that leads back to it. */
static void check_point(double latitude, double longitude, int32_t size)
{
    struct cell cell = cell_of(latitude, longitude, size);
    double half = (double)size / 2 + 1, lat = (double)cell.latitude_udeg, lon = (double)cell.longitude_udeg;
    assert_in_range(cell.latitude_udeg + 90000000, 0, 180000000);
    assert_in_range(cell.longitude_udeg + 180000000, 0, 359999999);
    assert_int_equal(cell.latitude_udeg % size, 0);
    assert_int_equal(((int64_t)cell.longitude_udeg + 360000000) % size, 360000000 % size);
    if (fabs(latitude) * 1e6 < 90e6 - half || 90000000 % size == 0)
        assert_true(fabs(lat - latitude * 1e6) <= half);
    assert_true(apart(lon / 1e6, longitude) * 1e6 <= half);

    char name[CELL_NAME_BYTES], *end;
    cell_name(cell, size, name);
    struct cell again = {.latitude_udeg = (int32_t)lround(strtod(name, &end) * 1e6)};
    assert_int_equal(*end, ',');
    again.longitude_udeg = (int32_t)lround(strtod(end + 1, &end) * 1e6);
    assert_int_equal(*end, '\0');
    assert_true(cell_key(again) == cell_key(cell));
    if (strncmp(name, "-0,", 3) == 0 || strncmp(name, "-0.0,", 5) == 0 || strstr(name, ",-0.0") == name + 5)
        fail_msg("negative zero: %s", name);
}

TEST(random_points_of_every_size)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int n = 0; n < 5000; n++)
            check_point(pick(90), pick(180), sizes[i]);
        for (int n = 0; n < 5000; n++)
            check_point(pick(0.2), copysign(180 - fabs(pick(0.2)), pick(1)), sizes[i]);
    }
}

/* Cells map onto themselves, or a reader's cell would depend on how often it was rounded. */
TEST(centres_stay_where_they_are)
{
    for (int32_t lat = -900; lat <= 900; lat += 7)
        for (int32_t lon = -1800; lon < 1800; lon++) {
            struct cell cell = cell_of(lat / 10.0, lon / 10.0, TENTH);
            assert_int_equal(cell.latitude_udeg, lat * TENTH);
            assert_int_equal(cell.longitude_udeg, lon * TENTH);
        }
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

TEST(every_cell_of_the_globe_has_its_own_key)
{
    enum { CELLS = 181 * 360 };
    uint64_t *keys = calloc(CELLS, sizeof *keys);
    assert_non_null(keys);
    size_t count = 0;
    for (int latitude = -90; latitude <= 90; latitude++)
        for (int longitude = -180; longitude < 180; longitude++)
            keys[count++] = cell_key(cell_of(latitude, longitude, ONE));
    qsort(keys, count, sizeof *keys, by_value);
    for (size_t i = 1; i < count; i++)
        assert_true(keys[i - 1] < keys[i]);
    free(keys);
}

UNIT_MAIN(NULL, NULL)
