/* What a place is told of a run and the airports' reports together: the correction whole around now and less
 * before and after, the sky by the corrected temperature, a station's own weather in the present hour alone,
 * and whose numbers they are. */
#include "unit.h"

#include "earth_grid.h"
#include "folder.h"

#include "weather/earth/fields.h"

#define SPACING  UINT32_C(10000000)
#define NOW      (FIRST_S + 3600 + 1200)
#define READ_S   (NOW - 60)
#define LOADED_S (FIRST_S + 60)
#define HOUR     3600

static const struct earth_place beside = {0, 20, GRID_NO_HEIGHT}, away = {0, 60, GRID_NO_HEIGHT};
static struct station_report report;
static struct metar_file reports;
static struct fields fields;
static struct curve curve;
static bool corrected;

/* 2 degrees everywhere, 30 beyond 100 degrees east, and 58 in the far south. */
static double kelvin(double latitude, double longitude, double hour)
{
    (void)hour;
    if (latitude < -50)
        return 273.15 + 58;
    return 273.15 + (longitude > 100 && longitude < 200 ? 30 : 2);
}

static double overcast(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude, (void)hour;
    return 100;
}

static double rain(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude, (void)hour;
    return 0.5 / 3600;
}

static double none(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude, (void)hour;
    return 0;
}

/* A run, and a station at 0, 20 whose report is 1 degree warmer. */
static int open_fields(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    const char *path = in_folder("earth.grid");
    struct planes *planes = begin_run(path, SPACING);
    put_hours(planes, SPACING, kelvin);
    for (size_t step = 0; step < GRID_STEPS; step++)
        assert_null(put_step(planes, SPACING, step, overcast, rain, none));
    assert_true(planes_finish(planes, path));
    planes_close(planes);
    fields = (struct fields){.grid = open_grid(path, in_folder("none")), .grid_loaded_s = LOADED_S};
    report = (struct station_report){.id = "BESIDE",
                                     .longitude = 20,
                                     .height_m = 0,
                                     .celsius = 3,
                                     .observed_s = NOW,
                                     .condition = METAR_NO_CONDITION};
    reports = (struct metar_file){.reports = &report, .count = 1};
    return 0;
}

static int close_fields(void **state)
{
    fields_close(&fields);
    return remove_folder(state);
}

#define FIELDS(name) TEST_WITH(name, open_fields, close_fields)

static void read_at(const struct earth_place *place, int64_t now_s)
{
    assert_true(fields_read(&fields, place, now_s, &curve, &corrected));
    assert_true(curve_valid(&curve));
}

static int code_at(size_t hour)
{
    return curve.condition[hour] & CURVE_NO_CODE;
}

FIELDS(a_run_alone_is_a_curve_of_all_its_hours)
{
    read_at(&beside, NOW);
    assert_true(curve.start_s == FIRST_S && curve.count == GRID_HOURS && !corrected);
    assert_true(curve.fetched_s == LOADED_S && curve.stale_s == RUN_S + FIELDS_STALE_S);
    for (size_t hour = 0; hour < GRID_HOURS; hour++) {
        assert_int_equal(curve.temperature_cdeg[hour], 200);
        assert_int_equal(code_at(hour), 63);
    }
    assert_true(fields_read(&fields, &beside, FIRST_S + 48 * HOUR, &curve, &corrected));
    assert_false(fields_read(&fields, &beside, FIRST_S - 1, &curve, &corrected));
    assert_false(fields_read(&fields, &beside, FIRST_S + 48 * HOUR + 1, &curve, &corrected));
}

FIELDS(a_correction_is_whole_around_now_and_fades_before_and_after)
{
    double kelvin_now = 1 / (1 + AIRPORTS_VOTE);
    fields_correct(&fields, &reports, READ_S, NOW);
    assert_int_equal(fields.counts.used, 1);
    read_at(&beside, NOW);
    assert_true(corrected && curve.fetched_s == READ_S);
    for (int hour = 0; hour < GRID_HOURS; hour++) {
        int64_t away_s = llabs(FIRST_S + (int64_t)hour * HOUR - NOW) - HOUR;
        assert_in_range(
            curve.temperature_cdeg[hour] + 1 - lrint(200 + 100 * kelvin_now * airports_fade(away_s)), 0, 2);
    }
    assert_int_equal(curve.temperature_cdeg[1], curve.temperature_cdeg[2]); /* on both sides of now */
    assert_true(curve.temperature_cdeg[6] < curve.temperature_cdeg[2] && curve.temperature_cdeg[48] == 200);
    read_at(&away, NOW);
    assert_true(!corrected && curve.fetched_s == LOADED_S && curve.temperature_cdeg[1] == 200);
}

FIELDS(rain_turns_to_snow_by_the_corrected_temperature)
{
    report.celsius = -2;
    fields_correct(&fields, &reports, READ_S, NOW);
    read_at(&beside, NOW);
    assert_true(curve.temperature_cdeg[1] < -100);
    assert_int_equal(code_at(1), 73);
    assert_int_equal(code_at(48), 63);
}

FIELDS(the_weather_of_a_station_close_by_is_told_in_the_present_hour_alone)
{
    report.condition = METAR_HAZE;
    fields_correct(&fields, &reports, READ_S, NOW);
    read_at(&beside, NOW);
    for (size_t hour = 0; hour < GRID_HOURS; hour++)
        assert_int_equal(code_at(hour), hour == 1 ? METAR_HAZE : 63);
    read_at(&(struct earth_place){0, 20.3, GRID_NO_HEIGHT}, NOW); /* 33 km */
    assert_int_equal(code_at(1), 63);
    read_at(&beside, NOW + AIRPORTS_OLD_S + 1);
    assert_int_equal(code_at(2), 63);
}

FIELDS(a_correction_makes_no_temperature_that_there_is_not)
{
    report.latitude = -60;
    report.celsius = 64;
    fields_correct(&fields, &reports, READ_S, NOW);
    assert_int_equal(fields.counts.used, 1);
    read_at(&(struct earth_place){-60, 20, GRID_NO_HEIGHT}, NOW);
    assert_int_equal(curve.temperature_cdeg[1], CURVE_HOTTEST_CDEG);
    assert_int_equal(curve.temperature_cdeg[48], 5800);
}

FIELDS(a_report_without_a_models_value_corrects_nothing)
{
    report.height_m = NAN;
    fields_correct(&fields, &reports, READ_S, NOW);
    assert_true(fields.counts.modelless == 1 && fields.counts.used == 0);
    fields.airports = (airports_free(fields.airports), NULL);
    report.height_m = 0;
    report.observed_s = FIRST_S - 1; /* before the first hour */
    fields_correct(&fields, &reports, READ_S, NOW);
    assert_true(fields.counts.modelless == 1 && fields.counts.used == 0);
    read_at(&beside, NOW);
    assert_false(corrected);
}

FIELDS(without_reports_there_are_no_airports)
{
    fields_correct(&fields, &(struct metar_file){.count = 0}, READ_S, NOW);
    assert_true(!fields.airports && fields.airports_loaded_s == 0);
}

FIELDS(reports_that_are_not_believed_say_nothing_and_are_counted)
{
    fields_correct(&fields, &reports, READ_S, NOW);
    fields_disbelieve(&fields);
    assert_true(fields.counts.used == 0 && fields.counts.off == 1 && fields.error.stations == 0);
    read_at(&beside, NOW);
    assert_true(!corrected && curve.fetched_s == LOADED_S && curve.temperature_cdeg[1] == 200);
}

FIELDS(what_is_told_of_a_number_makes_it_up)
{
    struct earth_reason reason;
    struct curve_value value;
    fields_correct(&fields, &reports, READ_S, NOW);
    fields_explain(&fields, &beside, NOW, &reason);
    read_at(&beside, NOW);
    assert_true(curve_read(&curve, NOW, &value));
    assert_true(reason.known && reason.run_s == RUN_S && reason.station_count == 1);
    assert_true(fabs(reason.model_celsius - 2) < 0.01 && reason.ground_m == GRID_NO_HEIGHT);
    assert_int_equal(value.temperature_ddeg, lround(10 * (reason.model_celsius + reason.correction_kelvin)));
    fields_explain(&fields, &beside, FIRST_S - 1, &reason);
    assert_true(!reason.known && isnan(reason.model_celsius));
}

FIELDS(the_map_begins_in_the_north_west)
{
    int16_t map[2][36];
    fields_map(&fields, NOW, 36, 2, map[0]);
    for (size_t column = 0; column < 36; column++) {
        double east = 10 * ((double)column + 0.5) - 180;
        bool hot = east > 110 || east < -170;
        if (hot || (east < 100 && east > -160))
            assert_int_equal(map[0][column], hot ? 3000 : 200);
    }
    fields_map(NULL, NOW, 36, 2, map[0]);
    for (size_t column = 0; column < 36; column++)
        assert_int_equal(map[1][column], GRID_NO_TEMPERATURE);
}

UNIT_MAIN(NULL, NULL)
