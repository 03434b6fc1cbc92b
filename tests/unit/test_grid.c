/* The weather of any place at any instant, out of a grid: around the date line, over the poles, between
 * hours, up a mountain, and none where none is known. */
#include "unit.h"

#include "earth_grid.h"
#include "folder.h"

#define COARSE 2500000
#define HOUR   3600

/* Linear in longitude from -180 to 180 and in latitude, so that bilinear interpolation is exact but at the
 * date line, and a smooth wave through it. */
static double kelvin(double latitude, double longitude, double hour)
{
    double wave = cos(longitude * M_PI / 180);
    return 273.15 + 10 + latitude / 3 + 8 * wave + hour / 4;
}

static double clear(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude, (void)hour;
    return 0;
}

/* Overcast on the eastern half of the earth, and later everywhere. */
static double cover(double latitude, double longitude, double hour)
{
    (void)latitude;
    return longitude > 0 && longitude < 180 ? 100 : hour >= 24 ? 50 : 0;
}

/* 1 mm an hour from hour 12 to 24. */
static double rain(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude;
    return hour >= 12 && hour <= 24 ? 1 / 3600.0 : 0;
}

static double ground(double latitude, double longitude, double hour)
{
    (void)latitude, (void)hour;
    return longitude <= 180 ? 1000 : 50;
}

static struct grid *grid;

static int make_run(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    struct planes *planes = begin_run(in_folder("grid"), COARSE);
    put_hours(planes, COARSE, kelvin);
    for (size_t step = 0; step < GRID_STEPS; step++)
        assert_null(put_step(planes, COARSE, step, cover, rain, clear));
    assert_true(planes_finish(planes, in_folder("grid")));
    planes_close(planes);
    put_ground(in_folder("ground"), COARSE, ground);
    grid = open_grid(in_folder("grid"), in_folder("ground"));
    return 0;
}

static int drop_run(void **state)
{
    grid_close(grid);
    return remove_folder(state);
}

static struct grid_value at(double latitude, double longitude, int height_m, int64_t unix_s)
{
    struct grid_value value;
    grid_read(grid, latitude, longitude, height_m, unix_s, 1, &value);
    return value;
}

static void assert_celsius(struct grid_value value, double celsius, double within)
{
    if (value.temperature_cdeg == GRID_NO_TEMPERATURE ||
        fabs(value.temperature_cdeg / 100.0 - celsius) > within)
        fail_msg("%d, not %f", value.temperature_cdeg, celsius);
}

TEST(what_is_there_is_told)
{
    struct grid_facts facts = grid_facts(grid);
    assert_int_equal(facts.run_s, RUN_S);
    assert_int_equal(facts.first_s, FIRST_S);
    assert_int_equal(facts.last_s, FIRST_S + 48 * HOUR);
    assert_int_equal(facts.spacing_udeg, COARSE);
    assert_int_equal(facts.hours, GRID_HOURS);
    assert_int_equal(facts.steps, GRID_STEPS);
    assert_true(facts.simulated && facts.orography);
}

TEST(at_a_point_of_the_grid_its_value_is_read)
{
    for (int latitude = -90; latitude <= 90; latitude += 15)
        for (int longitude = -180; longitude <= 360; longitude += 20)
            for (int hour = 0; hour < GRID_HOURS; hour += 6)
                assert_celsius(at(latitude, longitude, GRID_NO_HEIGHT, FIRST_S + hour * HOUR),
                               kelvin(latitude, longitude, hour) - 273.15, 0.0051);
}

TEST(between_points_and_hours_it_is_near)
{
    for (size_t i = 0; i < 20000; i++) {
        double latitude = (double)random_below(180001) / 1000 - 90;
        double longitude = (double)random_below(720001) / 1000 - 360;
        int64_t into_s = (int64_t)random_below(48 * HOUR + 1);
        assert_celsius(at(latitude, longitude, GRID_NO_HEIGHT, FIRST_S + into_s),
                       kelvin(latitude, longitude, (double)into_s / HOUR) - 273.15, 0.02);
    }
}

TEST(longitudes_are_the_same_all_the_way_round)
{
    static const double longitudes[] = {-180, -179.999, -1.25, -0.0001, 0,
                                        1.25, 179.9,    180,   358.75,  359.9999};
    for (size_t i = 0; i < COUNT(longitudes); i++)
        for (int turn = -3; turn <= 3; turn++) {
            int cdeg = at(40, longitudes[i], GRID_NO_HEIGHT, FIRST_S).temperature_cdeg;
            int turned = at(40, longitudes[i] + 360 * turn, GRID_NO_HEIGHT, FIRST_S).temperature_cdeg;
            assert_true(abs(cdeg - turned) <= 1);
        }
    int west = at(40, -1e-9, GRID_NO_HEIGHT, FIRST_S).temperature_cdeg;
    assert_true(abs(west - at(40, 1e-9, GRID_NO_HEIGHT, FIRST_S).temperature_cdeg) <= 1);
    at(40, -1e-300, GRID_NO_HEIGHT, FIRST_S); /* which is 360 degrees when turned once */
    at(40, 1e300, GRID_NO_HEIGHT, FIRST_S);
}

TEST(poles_are_read_and_passed)
{
    for (int longitude = -180; longitude < 180; longitude += 7) {
        assert_celsius(at(90, longitude, GRID_NO_HEIGHT, FIRST_S), kelvin(90, longitude, 0) - 273.15, 0.02);
        assert_celsius(at(-90, longitude, GRID_NO_HEIGHT, FIRST_S), kelvin(-90, longitude, 0) - 273.15, 0.02);
        assert_celsius(at(-89.99, longitude, GRID_NO_HEIGHT, FIRST_S), kelvin(-89.99, longitude, 0) - 273.15,
                       0.02);
    }
}

TEST(before_the_first_hour_and_past_the_last_there_is_nothing)
{
    struct grid_value values[GRID_HOURS + 4];
    assert_int_equal(grid_read(grid, 10, 20, GRID_NO_HEIGHT, FIRST_S - 2 * HOUR, COUNT(values), values),
                     GRID_HOURS);
    for (size_t i = 0; i < COUNT(values); i++) {
        bool inside = i >= 2 && i < 2 + GRID_HOURS;
        assert_int_equal(values[i].temperature_cdeg != GRID_NO_TEMPERATURE, inside);
        assert_int_equal(values[i].sky != SKY_UNKNOWN, inside);
    }
    assert_int_equal(at(0, 0, GRID_NO_HEIGHT, FIRST_S - 1).temperature_cdeg, GRID_NO_TEMPERATURE);
    assert_int_equal(at(0, 0, GRID_NO_HEIGHT, FIRST_S + 48 * HOUR + 1).temperature_cdeg, GRID_NO_TEMPERATURE);
    assert_int_equal(at(0, 0, GRID_NO_HEIGHT, 0).temperature_cdeg, GRID_NO_TEMPERATURE);
    assert_int_equal(at(0, 0, GRID_NO_HEIGHT, 99999999999).temperature_cdeg, GRID_NO_TEMPERATURE);
    assert_true(at(0, 0, GRID_NO_HEIGHT, FIRST_S + 48 * HOUR).temperature_cdeg != GRID_NO_TEMPERATURE);
    assert_int_equal(grid_read(grid, 0, 0, GRID_NO_HEIGHT, FIRST_S + 47 * HOUR + 1, 49, values), 1);
}

TEST(height_counts_within_bounds)
{
    struct grid_value flat = at(0, 90, GRID_NO_HEIGHT, FIRST_S);
    static const struct {
        int height_m, difference_cdeg; /* the ground is at 1,000 m */
    } rows[] = {{1000, 0},    {901, 0},     {900, 65},    {1099, 0},   {1100, -65},  {0, 650},
                {2000, -650}, {2500, -975}, {9000, -975}, {-400, 910}, {-5000, 975}, {INT_MAX, -975}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int difference = at(0, 90, rows[i].height_m, FIRST_S).temperature_cdeg - flat.temperature_cdeg;
        if (abs(difference - rows[i].difference_cdeg) > 1)
            fail_msg("%d m: %d", rows[i].height_m, difference);
    }
    assert_int_equal(grid_height_m(grid, 0, 90), 1000);
    assert_int_equal(grid_height_m(grid, 0, -90), 50);
    assert_int_equal(grid_height_m(grid, 0, 181.25), 525);
}

TEST(without_orography_no_height_counts)
{
    struct grid_value with, without;
    struct grid *bare = open_grid(in_folder("grid"), in_folder("missing"));
    assert_false(grid_facts(bare).orography);
    assert_int_equal(grid_height_m(bare, 0, 90), GRID_NO_HEIGHT);
    grid_read(bare, 0, 90, 0, FIRST_S, 1, &without);
    grid_read(grid, 0, 90, GRID_NO_HEIGHT, FIRST_S, 1, &with);
    assert_int_equal(with.temperature_cdeg, without.temperature_cdeg);
    grid_close(bare);
}

TEST(the_sky_is_that_of_the_nearest_point_and_step)
{
    assert_int_equal(at(10, 90, GRID_NO_HEIGHT, FIRST_S).code, 3);
    assert_int_equal(at(10, -90, GRID_NO_HEIGHT, FIRST_S).code, 0);
    assert_int_equal(at(10, 1.2, GRID_NO_HEIGHT, FIRST_S).code, 0); /* nearer to 0 than to 2.5 degrees */
    assert_int_equal(at(10, 1.3, GRID_NO_HEIGHT, FIRST_S).code, 3);
    assert_int_equal(at(10, 90, GRID_NO_HEIGHT, FIRST_S + 10 * HOUR).code, 3);
    assert_int_equal(at(10, 90, GRID_NO_HEIGHT, FIRST_S + 11 * HOUR).code, 65);
    assert_int_equal(at(10, -90, GRID_NO_HEIGHT, FIRST_S + 12 * HOUR).code, 82);
    assert_int_equal(at(10, -90, GRID_NO_HEIGHT, FIRST_S + 48 * HOUR).code, 2);
    assert_int_equal(at(-85, 90, GRID_NO_HEIGHT, FIRST_S + 12 * HOUR).code, 75); /* and cold */
    assert_int_equal(at(10, 90, 9000, FIRST_S + 12 * HOUR).code, 65);
    assert_int_equal(at(-30, 90, 2500, FIRST_S + 12 * HOUR).code, 75); /* which is snow up there only */
    assert_int_equal(at(-30, 90, 1000, FIRST_S + 12 * HOUR).code, 65);
}

/* --- Between hours: steps, peaks and flat stretches --- */

static double jumps[GRID_HOURS];

static double jumping(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude;
    return 273.15 + jumps[(size_t)hour];
}

TEST(no_curve_leaves_the_range_of_its_two_hours)
{
    for (size_t hour = 0; hour < GRID_HOURS; hour++)
        jumps[hour] = random_below(3) ? (double)random_below(30) : hour ? jumps[hour - 1] : 0;
    struct planes *planes = begin_run(in_folder("jumps"), 10000000);
    put_hours(planes, 10000000, jumping);
    planes_close(planes);
    struct grid *jumpy = open_grid(in_folder("jumps.new"), "");
    for (int hour = 0; hour + 1 < GRID_HOURS; hour++) {
        int last = (int)lrint(jumps[hour] * 100);
        for (int second = 0; second <= HOUR; second += 90) {
            struct grid_value value;
            grid_read(jumpy, 12, 34, GRID_NO_HEIGHT, FIRST_S + hour * HOUR + second, 1, &value);
            assert_true(value.temperature_cdeg >= lrint(fmin(jumps[hour], jumps[hour + 1]) * 100) &&
                        value.temperature_cdeg <= lrint(fmax(jumps[hour], jumps[hour + 1]) * 100));
            assert_true(jumps[hour + 1] >= jumps[hour] ? value.temperature_cdeg >= last
                                                       : value.temperature_cdeg <= last);
            last = value.temperature_cdeg;
        }
    }
    grid_close(jumpy);
}

/* --- What is missing --- */

static double holed(double latitude, double longitude, double hour)
{
    return latitude == 10 && longitude == 20     ? (double)NAN
           : latitude == -10 && longitude == 350 ? 9.999e20
                                                 : kelvin(latitude, longitude, hour);
}

static double mostly_missing(double latitude, double longitude, double hour)
{
    return latitude > 80 ? (double)NAN : kelvin(latitude, longitude, hour);
}

TEST(missing_points_and_hours_leave_the_rest)
{
    struct planes *planes = begin_run(in_folder("holes"), 5000000);
    assert_null(put_hour(planes, 5000000, 0, holed));
    assert_null(put_hour(planes, 5000000, 1, kelvin));
    assert_null(put_hour(planes, 5000000, 3, kelvin));
    assert_string_equal(put_hour(planes, 5000000, 4, mostly_missing), "too many of its values are missing");
    assert_null(put_step(planes, 5000000, 1, cover, rain, clear));
    assert_true(planes_finish(planes, in_folder("holes")));
    planes_close(planes);
    struct grid *holes = open_grid(in_folder("holes"), "");
    struct grid_value values[5];
    assert_int_equal(grid_read(holes, 50, 20, GRID_NO_HEIGHT, FIRST_S, 5, values), 3);
    assert_int_equal(values[2].temperature_cdeg, GRID_NO_TEMPERATURE);
    assert_int_equal(values[0].code, 3); /* of the step at hour 3, for want of the one at 0 */
    assert_int_equal(values[1].code, 3);
    assert_int_equal(values[3].code, 3);
    assert_int_equal(grid_read(holes, 10, 20, GRID_NO_HEIGHT, FIRST_S, 1, values), 0);
    assert_int_equal(grid_read(holes, -10, -10, GRID_NO_HEIGHT, FIRST_S, 1, values), 0);
    assert_int_equal(grid_read(holes, 10.1, 20.1, GRID_NO_HEIGHT, FIRST_S, 1, values),
                     1); /* of its neighbours */
    assert_int_equal(grid_read(holes, 50, 20, GRID_NO_HEIGHT, FIRST_S + 1800, 3, values), 1);
    assert_int_equal(grid_facts(holes).hours, 3);
    assert_int_equal(grid_facts(holes).steps, 1);
    grid_close(holes);
}

TEST(what_is_of_something_else_is_not_written)
{
    struct planes *planes = begin_run(in_folder("strict"), 5000000);
    struct grib_field field = earth_field(5000000, 0);
    float *values = earth_values(&field, 0, kelvin);
    struct grid_layer layer = {&field, values};
    assert_string_equal(grid_put_temperature(planes, 1, &layer), "of another hour");
    field.run_s++;
    assert_string_equal(grid_put_temperature(planes, 0, &layer), "of another run");
    field = earth_field(5000000, GRID_HOURS);
    assert_string_equal(grid_put_temperature(planes, GRID_HOURS, &layer), "of another hour");
    field = earth_field(10000000, 0);
    assert_string_equal(grid_put_temperature(planes, 0, &layer), "of another grid");
    field = earth_field(5000000, 0);
    field.columns--;
    assert_string_equal(grid_put_temperature(planes, 0, &layer), "of another grid");
    field = earth_field(5000000, 0);
    assert_null(grid_put_temperature(planes, 0, &layer));
    assert_string_equal(grid_put_temperature(planes, 0, &layer), "cannot be written"); /* twice */
    assert_string_equal(grid_put_sky(planes, 0, &layer, &layer, NULL),
                        "too many of its values are missing"); /* kelvin */
    assert_string_equal(grid_put_sky(planes, GRID_STEPS, &layer, &layer, NULL), "of another hour");
    planes_close(planes);
    free(values);
}

static double freezing(double latitude, double longitude, double hour)
{
    (void)longitude, (void)hour;
    return latitude < 0 ? 1 : 0;
}

TEST(freezing_rain_where_it_is_known)
{
    struct planes *planes = begin_run(in_folder("ice"), 5000000);
    struct grib_field field = earth_field(5000000, 12);
    float *covers = earth_values(&field, 12, cover), *rates = earth_values(&field, 12, rain);
    struct grid_layer layers[] = {{&field, covers}, {&field, rates}};
    assert_null(put_hour(planes, 5000000, 12, kelvin));
    assert_null(put_hour(planes, 5000000, 15, kelvin));
    assert_null(grid_put_sky(planes, 4, &layers[0], &layers[1], NULL));
    assert_null(put_step(planes, 5000000, 5, cover, rain, freezing));
    planes_close(planes);
    free(covers);
    free(rates);
    struct grid *ice = open_grid(in_folder("ice.new"), "");
    struct grid_value value;
    grid_read(ice, -85, 90, GRID_NO_HEIGHT, FIRST_S + 12 * HOUR, 1, &value);
    assert_int_equal(value.code, 75);
    grid_read(ice, -85, 90, GRID_NO_HEIGHT, FIRST_S + 15 * HOUR, 1, &value);
    assert_int_equal(value.code, 67);
    grid_read(ice, 5, 90, GRID_NO_HEIGHT, FIRST_S + 15 * HOUR, 1, &value);
    assert_int_equal(value.code, 65);
    grid_close(ice);
}

TEST(an_orography_is_no_run)
{
    char error[PLANES_ERROR_BYTES];
    assert_null(grid_open(in_folder("ground"), in_folder("ground"), error));
    assert_string_equal(error, "of another kind");
    assert_null(grid_open(in_folder("missing"), in_folder("ground"), error));
    assert_string_equal(error, "No such file or directory");
    struct grid *odd = open_grid(in_folder("grid"), in_folder("grid"));
    assert_false(grid_facts(odd).orography);
    grid_close(odd);
}

UNIT_MAIN(make_run, drop_run)
