/* What the sky is called: MET Norway's classes, and whether it is day. */
#include "unit.h"

#include <math.h>

#include "weather/earth/condition.h"

#define WARM 2000
#define COLD (-500)

TEST(clouds_have_four_classes)
{
    static const struct {
        double cover;
        int code;
    } rows[] = {{0, 0}, {13, 0}, {13.1, 1}, {38, 1}, {38.1, 2}, {86, 2}, {86.1, 3}, {100, 3}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(condition_code(condition_sky(rows[i].cover, 0.1, NAN), WARM), rows[i].code);
}

/* By cover, rate in mm an hour, whether it freezes, temperature. */
TEST(precipitation_has_a_kind_and_a_strength)
{
    static const struct {
        double cover, rate, freezing;
        int cdeg, code;
    } rows[] = {
        {100, 0.11, 0, WARM, 61}, {100, 0.25, 0, WARM, 61},     {100, 0.26, 0, WARM, 63},
        {100, 0.95, 0, WARM, 63}, {100, 0.96, 0, WARM, 65},     {100, 99, 0, WARM, 65},
        {100, 0.2, 0, 151, 61},   {100, 0.2, 0, 150, 68},       {100, 0.5, 0, 51, 69},
        {100, 5, 0, 100, 69},     {100, 0.2, 0, 50, 71},        {100, 0.5, 0, COLD, 73},
        {100, 5, 0, COLD, 75},    {100, 0.2, 1, COLD, 66},      {100, 0.5, 1, COLD, 67},
        {100, 5, 1, 150, 67},     {100, 5, 1, 151, 65},         {86, 0.2, 0, WARM, 80},
        {86, 0.5, 0, WARM, 81},   {86, 5, 0, WARM, 82},         {86, 0.2, 0, 100, 83},
        {86, 5, 0, 100, 84},      {86, 0.2, 0, COLD, 85},       {86, 5, 0, COLD, 86},
        {86, 0.2, 1, COLD, 66},   {0, 0.2, 0, WARM, 80},        {20, 5, 0, WARM, 82},
        {0, 0.1, 1, COLD, 0},     {NAN, 0.2, NAN, WARM, 61},    {NAN, 0, 0, WARM, -1},
        {100, NAN, 0, WARM, -1},  {100, 0.2, 0, INT16_MIN, -1}, {100, 0, 0, INT16_MIN, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int code = condition_code(condition_sky(rows[i].cover, rows[i].rate, rows[i].freezing), rows[i].cdeg);
        if (code != rows[i].code)
            fail_msg("row %zu: %d, not %d", i, code, rows[i].code);
    }
}

TEST(any_byte_is_a_sky)
{
    assert_int_equal(condition_code(SKY_UNKNOWN, WARM), CONDITION_NO_CODE);
    for (int byte = 0; byte < 256; byte++)
        for (int cdeg = -9000; cdeg <= 6000; cdeg += 50) {
            int code = condition_code((uint8_t)byte, cdeg);
            assert_true(code >= CONDITION_NO_CODE && code <= 86);
        }
}

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
        double deg = condition_sun_deg(rows[i].latitude, rows[i].longitude, rows[i].unix_s);
        assert_true(fabs(deg - rows[i].deg) < rows[i].within);
    }
}

/* The instant at which a place's day begins or ends, to the minute. */
static int64_t turn_s(double latitude, double longitude, int64_t from_s)
{
    bool day = condition_is_day(latitude, longitude, from_s);
    int64_t at_s = from_s;
    while (condition_is_day(latitude, longitude, at_s) == day && at_s < from_s + 86400)
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
        assert_true(condition_is_day(78.22, 15.65, 1782000000 + hour * 3600)); /* Longyearbyen in June */
        assert_false(condition_is_day(78.22, 15.65, 1766275200 + hour * 3600));
        assert_true(condition_is_day(69.65, 18.96 + 360, 1782000000 + hour * 3600));
    }
}

UNIT_MAIN(NULL, NULL)
