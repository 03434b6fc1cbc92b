/* The synthetic weather is what the simulator serves and what answers are compared with: it must stay in
 * bounds, give the same value each time, and be so smooth that hourly points joined by straight lines tell
 * it. */
#include "unit.h"

#include <math.h>

#include "synthetic/synthetic_weather.h"

#define DAY     86400
#define HOUR    3600
#define NEWYEAR 1767225600 /* 2026-01-01T00:00:00Z */
#define MARCH20 (NEWYEAR + 78 * DAY)
#define JUNE21  (NEWYEAR + 171 * DAY)
#define DEC21   (NEWYEAR + 354 * DAY)

/* Walks the earth every ten degrees and the year every five days, at hours that drift through the day. */
#define FOR_EARTH_AND_YEAR(latitude, longitude, at)                           \
    for (double latitude = -90.0; latitude <= 90.0; latitude += 10.0)         \
        for (double longitude = -180.0; longitude < 180.0; longitude += 10.0) \
            for (int64_t at = NEWYEAR; at < NEWYEAR + 366 * (int64_t)DAY; at += 5 * DAY + 5 * HOUR)

static void assert_close(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.6f and %.6f differ by more than %g", a, b, tolerance);
}

TEST(temperatures_stay_in_bounds)
{
    double least = 100.0, most = -100.0;
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        double celsius = synthetic_celsius(latitude, longitude, at);
        least = fmin(least, celsius);
        most = fmax(most, celsius);
    }
    assert_true(least > -60.0 && most < 50.0);
    assert_true(least < -20.0 && most > 30.0); /* and use them: a constant would be of no use to tests */
}

TEST(temperatures_stay_in_bounds_far_from_today)
{
    for (int64_t at = -100000000000; at <= 100000000000; at += 977777777) {
        double celsius = synthetic_celsius(19.1, 72.9, at);
        assert_true(celsius > 0.0 && celsius < 45.0);
    }
}

TEST(the_same_question_has_the_same_answer)
{
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        double celsius = synthetic_celsius(latitude, longitude, at);
        synthetic_celsius(-latitude, longitude + 1.0, at - 1);
        assert_true(celsius == synthetic_celsius(latitude, longitude, at));
    }
}

/* The service samples hourly values, rounded to 0.1 degree, and draws straight lines between them. */
TEST(hourly_points_tell_the_curve)
{
    double worst = 0.0;
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        int64_t hour = at - at % HOUR;
        double from = round(synthetic_celsius(latitude, longitude, hour) * 10.0) / 10.0;
        double to = round(synthetic_celsius(latitude, longitude, hour + HOUR) * 10.0) / 10.0;
        for (int s = 0; s <= HOUR; s += 600) {
            double line = from + (to - from) * s / HOUR;
            worst = fmax(worst, fabs(line - synthetic_celsius(latitude, longitude, hour + s)));
        }
    }
    assert_true(worst < 0.3);
}

TEST(the_unrounded_line_is_off_by_a_tenth_at_most)
{
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        double middle =
            (synthetic_celsius(latitude, longitude, at) + synthetic_celsius(latitude, longitude, at + HOUR)) /
            2.0;
        assert_close(middle, synthetic_celsius(latitude, longitude, at + HOUR / 2), 0.1);
    }
}

TEST(neighbours_in_time_and_space_agree)
{
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        double celsius = synthetic_celsius(latitude, longitude, at);
        assert_close(celsius, synthetic_celsius(latitude, longitude, at + 1), 0.01);
        assert_close(celsius, synthetic_celsius(latitude, longitude + 0.1, at), 0.6);
        assert_close(celsius, synthetic_celsius(latitude + (latitude < 90.0 ? 0.1 : -0.1), longitude, at),
                     0.6);
    }
}

TEST(it_feels_warmer_in_the_heat_and_colder_in_the_cold)
{
    double least = 100.0, most = -100.0;
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        double celsius = synthetic_celsius(latitude, longitude, at);
        double feels = synthetic_feels_like(latitude, longitude, at);
        assert_true(celsius > 20.0 ? feels > celsius : celsius < 10.0 ? feels < celsius : feels == celsius);
        least = fmin(least, feels);
        most = fmax(most, feels);
    }
    assert_true(least > -70.0 && most < 60.0);
}

TEST(something_falls_where_that_is_likely)
{
    int least = 100, most = 0;
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        int percent = synthetic_rain_percent(latitude, longitude, at);
        assert_int_equal(percent >= 50, synthetic_weather_code(latitude, longitude, at) >= 51);
        least = percent < least ? percent : least;
        most = percent > most ? percent : most;
    }
    assert_true(least == 0 && most > 90 && most <= 100);
}

TEST(there_is_no_seam_at_midnight_or_new_year)
{
    for (int64_t at = NEWYEAR - 40 * DAY; at < NEWYEAR + 40 * DAY; at += DAY)
        assert_close(synthetic_celsius(51.5, -0.1, at - 1), synthetic_celsius(51.5, -0.1, at), 0.01);
}

TEST(there_is_no_seam_where_longitudes_meet)
{
    for (double latitude = -90.0; latitude <= 90.0; latitude += 5.0) {
        assert_close(synthetic_celsius(latitude, -180.0, JUNE21), synthetic_celsius(latitude, 180.0, JUNE21),
                     1e-6);
        assert_close(synthetic_celsius(latitude, 190.0, JUNE21), synthetic_celsius(latitude, -170.0, JUNE21),
                     1e-6);
        assert_int_equal(synthetic_is_day(latitude, 190.0, JUNE21),
                         synthetic_is_day(latitude, -170.0, JUNE21));
    }
    for (double longitude = -180.0; longitude < 180.0; longitude += 15.0) {
        assert_close(synthetic_celsius(90.0, longitude, JUNE21), synthetic_celsius(90.0, 0.0, JUNE21), 1e-6);
        assert_close(synthetic_celsius(-90.0, longitude, JUNE21), synthetic_celsius(-90.0, 0.0, JUNE21),
                     1e-6);
    }
}

TEST(winter_nights_freeze_in_leh_and_not_in_delhi)
{
    for (int night = 0; night < 31; night++) {
        assert_true(synthetic_celsius(34.2, 77.6, NEWYEAR + night * DAY + 21 * HOUR) < 0.0);
        assert_true(synthetic_celsius(28.7, 77.2, NEWYEAR + night * DAY + 21 * HOUR) > 0.0);
    }
}

static double mean_of_month(double latitude, double longitude, int64_t from)
{
    double sum = 0.0;
    for (int hour = 0; hour < 30 * 24; hour++)
        sum += synthetic_celsius(latitude, longitude, from + (int64_t)hour * HOUR);
    return sum / (30 * 24);
}

TEST(seasons_are_opposite_in_the_hemispheres)
{
    int64_t january = NEWYEAR, july = NEWYEAR + 181 * DAY;
    assert_true(mean_of_month(51.5, -0.1, july) > mean_of_month(51.5, -0.1, january) + 10.0);
    assert_true(mean_of_month(-33.9, 151.2, january) > mean_of_month(-33.9, 151.2, july) + 5.0);
    assert_close(mean_of_month(0.0, 0.0, january), mean_of_month(0.0, 0.0, july), 3.0);
}

TEST(afternoons_are_warmer_than_nights)
{
    int warmer = 0;
    for (int day = 0; day < 365; day++) {
        int64_t midnight = NEWYEAR + (int64_t)day * DAY;
        warmer += synthetic_celsius(20.0, 0.0, midnight + 15 * HOUR) >
                  synthetic_celsius(20.0, 0.0, midnight + 3 * HOUR);
    }
    assert_true(warmer > 350);
}

TEST(the_equator_has_noon_and_midnight)
{
    for (int day = 0; day < 365; day++) {
        int64_t midnight = NEWYEAR + (int64_t)day * DAY;
        assert_true(synthetic_is_day(0.0, 0.0, midnight + 12 * HOUR));
        assert_false(synthetic_is_day(0.0, 0.0, midnight));
        assert_true(
            synthetic_is_day(0.0, 90.0, midnight + 6 * HOUR)); /* local noon comes earlier in the east */
        assert_false(synthetic_is_day(0.0, -90.0, midnight + 6 * HOUR));
    }
}

TEST(polar_night_and_midnight_sun_are_opposite)
{
    for (int hour = 0; hour < 24; hour++) {
        int64_t later = (int64_t)hour * HOUR;
        assert_true(synthetic_is_day(78.2, 15.6, JUNE21 + later));
        assert_false(synthetic_is_day(78.2, 15.6, DEC21 + later));
        assert_true(synthetic_is_day(-77.8, 166.7, DEC21 + later));
        assert_false(synthetic_is_day(-77.8, 166.7, JUNE21 + later));
    }
}

static int minutes_of_daylight(double latitude, int64_t midnight)
{
    int minutes = 0;
    for (int m = 0; m < 24 * 60; m++)
        minutes += synthetic_is_day(latitude, 0.0, midnight + (int64_t)m * 60);
    return minutes;
}

TEST(days_have_the_known_length)
{
    assert_in_range(minutes_of_daylight(0.0, MARCH20), 715, 735);
    assert_in_range(minutes_of_daylight(51.5, MARCH20), 715, 745);
    assert_in_range(minutes_of_daylight(51.5, JUNE21), 16 * 60 + 25, 16 * 60 + 50); /* London: 16 h 38 min */
    assert_in_range(minutes_of_daylight(51.5, DEC21), 7 * 60 + 35, 8 * 60 + 5);     /* London: 7 h 50 min */
}

TEST(codes_are_known_and_fit_the_temperature)
{
    static const int known[] = {0,  1,  2,  3,  45, 48, 51, 53, 55, 56, 57, 61, 63, 65,
                                66, 67, 71, 73, 75, 77, 80, 81, 82, 85, 86, 95, 96, 99};
    bool seen[100] = {false};
    FOR_EARTH_AND_YEAR(latitude, longitude, at)
    {
        int code = synthetic_weather_code(latitude, longitude, at);
        double celsius = synthetic_celsius(latitude, longitude, at);
        bool frozen =
            code == 48 || code == 56 || code == 57 || (code >= 66 && code <= 77) || code == 85 || code == 86;
        bool plain_rain =
            (code >= 51 && code <= 55) || (code >= 61 && code <= 65) || (code >= 80 && code <= 82);
        assert_in_range(code, 0, 99);
        assert_false(plain_rain && celsius < 1.0);
        assert_false(frozen && celsius >= 1.0);
        assert_false(code >= 95 && celsius < 16.0);
        seen[code] = true;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_true(seen[known[i]]); /* each kind of weather is there to be tested with */
        seen[known[i]] = false;
    }
    for (int code = 0; code < 100; code++)
        assert_false(seen[code]);
}

static void assert_zone(double latitude, double longitude, int offset_s, const char *name,
                        const char *abbreviation)
{
    struct synthetic_zone zone = synthetic_zone(latitude, longitude);
    assert_int_equal(zone.offset_s, offset_s);
    assert_string_equal(zone.name, name);
    assert_string_equal(zone.abbreviation, abbreviation);
}

TEST(india_has_its_own_zone)
{
    assert_zone(19.1, 72.9, 19800, "Asia/Kolkata", "GMT+5:30");
    assert_zone(28.6, 77.2, 19800, "Asia/Kolkata", "GMT+5:30");
    assert_zone(8.1, 77.5, 19800, "Asia/Kolkata", "GMT+5:30");
    assert_zone(22.6, 88.4 - 360.0, 19800, "Asia/Kolkata", "GMT+5:30");
}

TEST(some_zones_differ_by_part_of_an_hour)
{
    assert_zone(27.7, 85.3, 20700, "Asia/Kathmandu", "GMT+5:45");
    assert_zone(35.7, 51.4, 12600, "Asia/Tehran", "GMT+3:30");
    assert_zone(-12.5, 130.8, 34200, "Australia/Darwin", "GMT+9:30");
    assert_zone(47.6, -52.7, -12600, "America/St_Johns", "GMT-3:30");
    assert_zone(-43.9, -176.5, 45900, "Pacific/Chatham", "GMT+12:45");
}

TEST(elsewhere_zones_go_by_longitude)
{
    assert_zone(51.5, -0.1, 0, "Etc/GMT", "GMT");
    assert_zone(60.0, 72.9, 5 * HOUR, "Etc/GMT-5", "GMT+5");
    assert_zone(40.7, -74.0, -5 * HOUR, "Etc/GMT+5", "GMT-5");
    assert_zone(-17.7, 178.1, 12 * HOUR, "Etc/GMT-12", "GMT+12");
    assert_zone(0.0, -180.0, -12 * HOUR, "Etc/GMT+12", "GMT-12");
    assert_zone(0.0, 7.4, 0, "Etc/GMT", "GMT");
    assert_zone(0.0, 7.5, HOUR, "Etc/GMT-1", "GMT+1");
}

UNIT_MAIN(NULL, NULL)
