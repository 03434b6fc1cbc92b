/* The airports' corrections: right beside a station, fading with distance and time, the same over the 180th
 * meridian and at the poles; what is not believed is left out; and what they are worth on the weather of an
 * invented world. */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "sim/metar_file.h"
#include "synthetic/synthetic_weather.h"
#include "weather/earth/airports.h"

#define NOW    1789553400 /* 2026-09-16T10:10:00Z */
#define HOUR_S 3600
#define MINUTE 60

static struct station_report reports[METAR_STATIONS_MAX];
static float model[METAR_STATIONS_MAX];
static size_t count;
static struct airports *field;
static struct airports_counts counts;

static int close_field(void **state)
{
    (void)state;
    airports_free(field);
    field = NULL;
    count = 0;
    return 0;
}

#define FIELD(name) TEST_WITH(name, NULL, close_field)

/* A station whose report is `difference` warmer than the model. */
static struct station_report *add(double latitude, double longitude, double difference)
{
    struct station_report *report = &reports[count];
    *report = (struct station_report){.latitude = (float)latitude,
                                      .longitude = (float)longitude,
                                      .celsius = (float)(20 + difference),
                                      .observed_s = NOW,
                                      .condition = METAR_NO_CONDITION};
    snprintf(report->id, sizeof report->id, "S%05zu", count % 100000);
    model[count++] = 20;
    return report;
}

static void build(void)
{
    airports_free(field);
    field = airports_build(reports, model, count, NOW, &counts);
    assert_non_null(field);
}

static double kelvin(double latitude, double longitude)
{
    return airports_read(field, latitude, longitude, NOW).kelvin;
}

static void assert_close(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.6f and %.6f differ by more than %g", a, b, tolerance);
}

/* Degrees of latitude. */
static double north(double km)
{
    return km / 6371.0 * 180 / M_PI;
}

FIELD(nothing_is_corrected_without_a_station)
{
    build();
    struct airports_correction none = airports_read(field, 19.1, 72.9, NOW);
    assert_true(none.kelvin == 0 && none.stations == 0 && none.observed_s == 0);
    assert_int_equal(none.condition, METAR_NO_CONDITION);
    assert_int_equal(airports_leave_one_out(field).stations, 0);
    assert_true(isnan(airports_leave_one_out(field).rms_kelvin));
    struct airports_station station;
    assert_false(airports_at(field, 0, &station));
}

FIELD(one_station_fades_with_distance)
{
    add(19.09, 72.87, 4);
    build();
    assert_close(kelvin(19.09, 72.87), 4 / (1 + AIRPORTS_VOTE), 1e-3);
    double last = kelvin(19.09, 72.87);
    for (double km = 1; km < 80; km++) {
        double now = kelvin(19.09 + north(km), 72.87), w = (5625 - km * km) / (5625 + km * km);
        assert_close(now, km < 75 ? 4 * w / (AIRPORTS_VOTE + w) : 0, 1e-2);
        assert_true(now <= last && last - now < 0.4); /* no step */
        last = now;
    }
    assert_int_equal(airports_read(field, 19.09 + north(74.9), 72.87, NOW).stations, 1);
    assert_int_equal(airports_read(field, 19.09 + north(75.1), 72.87, NOW).stations, 0);
}

FIELD(several_stations_are_weighed)
{
    add(19.09, 72.87, 4);
    add(19.09 + north(40), 72.87, -2);
    build();
    double w = (5625.0 - 1600) / (5625 + 1600);
    assert_close(kelvin(19.09, 72.87), (4 - 2 * w) / (1 + w + AIRPORTS_VOTE), 1e-3);
    assert_close(kelvin(19.09 + north(20), 72.87), 2 / (2 + AIRPORTS_VOTE * (5625.0 + 400) / (5625 - 400)),
                 1e-3);
    assert_int_equal(airports_read(field, 19.1, 72.87, NOW).stations, 2);
}

FIELD(a_correction_fades_with_time)
{
    add(19.09, 72.87, 4)->observed_s = NOW - 20 * MINUTE;
    add(19.2, 72.87, 4);
    build();
    double now = kelvin(19.1, 72.9);
    for (int64_t later = 0; later <= 49 * HOUR_S; later += HOUR_S) {
        struct airports_correction then = airports_read(field, 19.1, 72.9, NOW + later);
        assert_close(then.kelvin, now * airports_fade(later), 1e-9);
        assert_int_equal(then.observed_s, NOW);
    }
    assert_close(airports_fade(AIRPORTS_FADE_S), exp(-1), 1e-12);
    assert_true(airports_fade(0) == 1 && airports_fade(-HOUR_S) == 1 && airports_fade(INT64_MAX) == 0);
}

FIELD(what_is_not_believed_is_left_out)
{
    add(1, 1, 8);
    add(1, 1, 8.001);
    add(1, 1, -9);
    add(1, 1, 1)->observed_s = NOW - AIRPORTS_OLD_S;
    add(1, 1, 1)->observed_s = NOW - AIRPORTS_OLD_S - 1;
    add(1, 1, 1)->observed_s = INT64_MIN / 2;
    add(1, 1, 1);
    model[count - 1] = NAN;
    add(1, 1, 1);
    model[count - 1] = INFINITY;
    build();
    assert_int_equal(counts.used, 2);
    assert_int_equal(counts.off, 3);
    assert_int_equal(counts.old, 2);
    assert_int_equal(counts.modelless, 1);
    assert_int_equal(airports_read(field, 1, 1, NOW).stations, 2);
}

FIELD(enough_reports_judge_the_model_as_a_whole)
{
    for (int i = 0; i < AIRPORTS_JUDGES; i++) {
        build();
        assert_int_equal(airports_verdict(&counts), AIRPORTS_SILENT);
        add(i, 1, i % 2 ? 3.9 : -4.1 - i); /* some of them off */
    }
    build();
    assert_int_equal(airports_verdict(&counts), AIRPORTS_AGREE); /* half of them are far */
    add(1, 1, 4.1);
    build();
    assert_int_equal(airports_verdict(&counts), AIRPORTS_CONTRADICT);
    for (size_t i = 0; i < count; i++)
        reports[i].observed_s = NOW - AIRPORTS_OLD_S - 1;
    build();
    assert_int_equal(airports_verdict(&counts), AIRPORTS_SILENT);
}

FIELD(the_earth_is_round)
{
    static const struct {
        double latitude, longitude, other_latitude, other_longitude, km;
    } rows[] = {
        {-17.5, 179.9, -17.5, -179.9, 21.2},
        {-17.5, 180, -17.5, -180, 0},
        {10, -180, 10, 179.5, 54.8},
        {10, 359.9, 10, 0.1, 21.9},
        {10, -719.9, 10, 0.1, 0},
        {89.9, 0, 89.9, 180, 22.2},
        {89.7, 10, 89.7, -80, 47.2},
        {-90, 0, -89.5, 123, 55.6},
        {90, 0, 90, 99, 0},
        {88.9, 0, 88.9, 30, 63.3},
        {-88, -179.9, -88, 179.9, 0.8},
        {89.99, 45, 89.4, -135, 67.8},
        {0, 0, 0, 0.6, 66.7},
        {0, -0.3, 0, 0.3, 66.7},
        {-0.3, 12, 0.3, 12, 66.7},
        {60, 25, 60, 26.2, 66.7},
        {60, 25, 60, 26.5, 83.4},
        {89.4, 0, 89.4, 180, 133.4},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        close_field(NULL);
        float longitude = (float)(rows[i].other_longitude);
        add(rows[i].other_latitude, longitude, 5);
        build();
        struct airports_station station;
        size_t found = airports_explain(field, rows[i].latitude, rows[i].longitude, NOW, &station, 1);
        if (found != (rows[i].km < 75) || (found && fabs(station.distance_km - rows[i].km) > 0.1))
            fail_msg("row %zu: %zu stations, %.1f km", i, found, found ? station.distance_km : 0);
    }
}

/* The index finds what a look at every station finds. */
FIELD(no_station_in_reach_is_missed)
{
    for (size_t i = 0; i < 3000; i++) {
        double sine = (double)random_below(2000001) / 1e6 - 1;
        double latitude =
            i % 8 ? asin(sine) * 180 / M_PI : (i % 2 ? 90 : -90) * (1 - (double)random_below(100) / 4e3);
        add(latitude, (double)random_below(3600001) / 1e4 - 180, 1);
    }
    build();
    for (size_t i = 0; i < 3000; i++) {
        double latitude = i % 8 ? reports[i].latitude : (double)random_below(180001) / 1e3 - 90;
        double longitude = (double)random_below(3600001) / 1e4 - 180;
        double lat = latitude * M_PI / 180;
        int expected = 0, doubtful = 0;
        for (size_t s = 0; s < count; s++) {
            double lat2 = reports[s].latitude * M_PI / 180,
                   east = (reports[s].longitude - longitude) * M_PI / 180;
            double half = pow(sin((lat2 - lat) / 2), 2) + cos(lat) * cos(lat2) * pow(sin(east / 2), 2);
            double km = 2 * 6371.0 * asin(fmin(1, sqrt(half)));
            expected += km < 75;
            doubtful += fabs(km - 75) < 0.01;
        }
        int found = airports_read(field, latitude, longitude, NOW).stations;
        if (abs(found - expected) > doubtful)
            fail_msg("%.3f,%.3f: %d instead of %d", latitude, longitude, found, expected);
    }
}

FIELD(a_crowd_costs_no_more_than_its_share)
{
    for (size_t i = 0; i < METAR_STATIONS_MAX; i++)
        add(19.09, 72.87, 4);
    build();
    assert_int_equal(counts.used, METAR_STATIONS_MAX);
    assert_int_equal(airports_read(field, 19.09, 72.87, NOW).stations, AIRPORTS_SEEN_MAX);
    assert_close(kelvin(19.09, 72.87), 4, 1e-2);
    assert_int_equal(airports_leave_one_out(field).stations, METAR_STATIONS_MAX);
}

FIELD(the_nearest_stations_weather_is_told)
{
    add(19.09, 72.87, 0)->condition = METAR_HAZE;
    add(19.09 + north(10), 72.87, 0)->condition = 63;
    add(19.09 + north(2), 72.87, 0); /* says nothing */
    struct station_report *old = add(19.09 + north(1), 72.87, 0);
    old->condition = 95;
    old->observed_s = NOW - AIRPORTS_OLD_S;
    build();
    struct airports_correction c = airports_read(field, 19.09, 72.87, NOW);
    assert_int_equal(c.condition, METAR_HAZE);
    assert_int_equal(c.condition_at_s, NOW);
    assert_int_equal(airports_read(field, 19.09 + north(1), 72.87, NOW).condition, 95);
    assert_int_equal(airports_read(field, 19.09 + north(1), 72.87, NOW + 1).condition, METAR_HAZE);
    assert_int_equal(airports_read(field, 19.09 + north(34.9), 72.87, NOW).condition, 63);
    c = airports_read(field, 19.09 + north(35.1), 72.87, NOW);
    assert_int_equal(c.condition, METAR_NO_CONDITION);
    assert_int_equal(c.condition_at_s, 0);
    c = airports_read(field, 19.09, 72.87, NOW + AIRPORTS_OLD_S + 1);
    assert_int_equal(c.condition, METAR_NO_CONDITION);
    assert_true(c.stations == 4);
}

FIELD(a_correction_is_explained)
{
    for (int i = 0; i < 20; i++)
        add(19.09 + north((i * 7) % 20 * 3), 72.87, i % 5)->observed_s = NOW - i * MINUTE;
    add(25, 72.87, 1);
    build();
    struct airports_station all[32], few[5];
    struct airports_correction c = airports_read(field, 19.09, 72.87, NOW);
    size_t found = airports_explain(field, 19.09, 72.87, NOW, all, COUNT(all));
    assert_int_equal(found, c.stations);
    assert_int_equal(found, 20);
    double sum = 0, weights = 0;
    for (size_t i = 0; i < found; i++) {
        assert_true(i == 0 || all[i].distance_km >= all[i - 1].distance_km);
        assert_close(all[i].kelvin,
                     all[i].weight * all[i].difference * airports_fade(NOW - all[i].observed_s), 1e-9);
        assert_close(all[i].celsius - all[i].difference, 20, 1e-5);
        sum += all[i].kelvin;
        weights += all[i].weight;
    }
    assert_close(sum, c.kelvin, 1e-9);
    assert_true(weights > 0.9 && weights < 1);
    assert_string_equal(all[0].id, "S00000");
    assert_int_equal(airports_explain(field, 19.09, 72.87, NOW, few, COUNT(few)), COUNT(few));
    assert_memory_equal(few, all, sizeof few);
    assert_int_equal(airports_explain(field, 19.09, 72.87, NOW, few, 0), 0);
    size_t listed = 0;
    while (airports_at(field, listed, &all[0]))
        listed++;
    assert_int_equal(listed, 21);
}

FIELD(each_station_is_left_out_once)
{
    add(19.09, 72.87, 3);
    add(19.09, 72.87, 1);
    add(50, 8, 7); /* alone */
    build();
    struct airports_error error = airports_leave_one_out(field);
    assert_int_equal(error.stations, 2);
    double a = 3 - 1 / (1 + AIRPORTS_VOTE), b = 1 - 3 / (1 + AIRPORTS_VOTE);
    assert_close(error.rms_kelvin, sqrt((a * a + b * b) / 2), 1e-3);
    assert_close(error.model_rms_kelvin, sqrt((9 + 1) / 2.0), 1e-3);
}

/* ---- an invented world ---- */

/* How wrong the model is: smooth over some hundred kilometres, in place and time; about 1.4 K. */
static double model_error(double latitude, double longitude, int64_t unix_s)
{
    return (synthetic_celsius(latitude, longitude, unix_s) -
            synthetic_celsius(latitude, longitude, unix_s + 11 * 365 * 86400)) /
           2;
}

static void read_world(int64_t now_s, enum corruption corruption)
{
    static char text[API_REPLY_BYTES];
    struct text written = text_init(text, sizeof text);
    struct metar_file file;
    metar_file_write(&written, &(struct forecast){.now_s = now_s}, corruption);
    assert_false(written.overflow);
    assert_null(metar_read(text, written.length, now_s, &file));
    assert_true(file.count <= COUNT(reports));
    for (count = 0; count < file.count; count++) {
        struct station_report *r = &reports[count];
        *r = file.reports[count];
        model[count] = (float)(metar_file_celsius(r->latitude, r->longitude, r->height_m, r->observed_s) +
                               model_error(r->latitude, r->longitude, r->observed_s));
    }
    metar_free(&file);
    airports_free(field);
    field = airports_build(reports, model, count, now_s, &counts);
    assert_non_null(field);
}

FIELD(airports_halve_the_error_in_an_invented_world)
{
    double squares = 0, model_squares = 0, stations = 0;
    for (int day = 0; day < 12; day++) {
        read_world(NOW + day * (30 * 86400 + 5 * HOUR_S), HONEST);
        assert_true(counts.used > 290);
        assert_int_equal(counts.old, 0);
        struct airports_error error = airports_leave_one_out(field);
        assert_true(error.stations > 100);
        stations += (double)error.stations;
        squares += error.rms_kelvin * error.rms_kelvin * (double)error.stations;
        model_squares += error.model_rms_kelvin * error.model_rms_kelvin * (double)error.stations;
    }
    double rms = sqrt(squares / stations), model_rms = sqrt(model_squares / stations);
    print_message("leave-one-out: %.2f K (RMS), %.2f K without airports, %.0f predictions\n", rms, model_rms,
                  stations);
    assert_true(model_rms > 1 && rms < model_rms / 2);
}

FIELD(stuck_sensors_are_left_out)
{
    read_world(NOW, STUCK);
    struct airports_station station;
    assert_true(counts.off > 50 && counts.used > 150);
    for (size_t i = 0; i < counts.used + counts.off; i++) { /* a map shows both */
        assert_true(airports_at(field, i, &station));
        assert_int_equal(fabs(station.difference) > AIRPORTS_OFF_K, i >= counts.used);
    }
    assert_false(airports_at(field, counts.used + counts.off, &station));
    assert_true(airports_leave_one_out(field).rms_kelvin < 2.5);
}

UNIT_MAIN(NULL, NULL)
