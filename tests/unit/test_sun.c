/* Where the sun stands, and so whether it is day. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "weather/cell/sun.h"

TEST(the_sun_stands_where_it_does)
{
    static const struct {
        double latitude, longitude;
        int64_t unix_s;
        double deg, within;
    } rows[] = {
        {0, 0, 1710936444, 90, 0.2},         /* the equinox of 2024, noon at Greenwich by the sun */
        {90, 0, 1718916660, 23.44, 0.02},    /* the solstice, 2024-06-20 20:51 */
        {-90, 77, 1718916660, -23.44, 0.02}, /* at a pole whatever the longitude */
        {-90, 0, 1734772800, 23.44, 0.02},   /* 2024-12-21 09:20 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double deg = sun_elevation_deg(rows[i].latitude, rows[i].longitude, rows[i].unix_s);
        assert_true(fabs(deg - rows[i].deg) < rows[i].within);
    }
}

/* The instant at which a place's day begins or ends, to the minute. */
static int64_t turn_s(double latitude, double longitude, int64_t from_s)
{
    bool day = sun_is_up(latitude, longitude, from_s);
    int64_t at_s = from_s;
    while (sun_is_up(latitude, longitude, at_s) == day && at_s < from_s + 86400)
        at_s += 60;
    return at_s;
}

/* Almanacs' times: Mumbai 2026-01-31 07:13 and 18:33 IST; London 2026-06-21 04:43 and 21:21 BST; Quito
 * 2026-03-20 06:19 local time. */
TEST(day_begins_and_ends_as_almanacs_have_it)
{
    static const struct {
        double latitude, longitude;
        int64_t from_s, turn_s;
    } rows[] = {
        {19.076, 72.878, 1769817600, 1769823780},  /* from 2026-01-31 00:00 UTC: 01:43 */
        {19.076, 72.878, 1769850000, 1769864580},  /* 13:03 */
        {51.507, -0.128, 1782000000, 1782013380},  /* 2026-06-21 00:00: 03:43 */
        {51.507, -0.128, 1782043200, 1782073260},  /* 20:21 */
        {-0.220, -78.512, 1773997200, 1774005540}, /* 2026-03-20 09:00: 11:19 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t turn = turn_s(rows[i].latitude, rows[i].longitude, rows[i].from_s);
        if (llabs(turn - rows[i].turn_s) > 120)
            fail_msg("row %zu: %lld s off", i, (long long)(turn - rows[i].turn_s));
    }
}

TEST(the_polar_day_has_no_night)
{
    for (int64_t hour = 0; hour < 24; hour++) {
        assert_true(sun_is_up(78.22, 15.65, 1782000000 + hour * 3600)); /* Longyearbyen in June */
        assert_false(sun_is_up(78.22, 15.65, 1766275200 + hour * 3600));
        assert_true(sun_is_up(69.65, 18.96 + 360, 1782000000 + hour * 3600));
    }
}

UNIT_MAIN(NULL, NULL)
