/* MET Norway's replies: the recorded shape is read to the point, six-hourly points fill every hour, symbols
 * become codes and daylight; whatever else comes, cut, corrupted, lying or hostile, gives an outcome and
 * never a number that no weather can have. */
#include "unit.h"

#include "replies.h"

#include "base/clock.h"

#define FIRST      1591794000 /* 2020-06-10T13:00:00Z */
#define NOW        (FIRST + 1500)
#define BODY_BYTES (1 << 18)

#define HEAD                                                                                 \
    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[10,60.1,267]}," \
    "\"properties\":{\"meta\":{\"updated_at\":\"2020-06-10T13:04:26Z\",\"units\":{"          \
    "\"air_pressure_at_sea_level\":\"hPa\",\"air_temperature\":\"celsius\","                 \
    "\"cloud_area_fraction\":\"%\",\"precipitation_amount\":\"mm\"}},\"timeseries\":["
#define TAIL "]}}"
#define AT(time, celsius, rest)                                                  \
    "{\"time\":\"2020-06-10T" time ":00Z\",\"data\":{\"instant\":{\"details\":{" \
    "\"air_pressure_at_sea_level\":1017.2,\"air_temperature\":" celsius "}}" rest "}}"
#define NEXT(hours, symbol) \
    ",\"next_" hours "_hours\":{\"summary\":{\"symbol_code\":\"" symbol "\"},\"details\":{}}"
#define ONE   AT("13:00", "20.7", NEXT("12", "fog") NEXT("1", "partlycloudy_day") NEXT("6", "rain"))
#define TWO   AT("14:00", "21.1", NEXT("1", "lightrain") NEXT("6", "rain"))
#define THREE AT("20:00", "15.1", NEXT("6", "clearsky_night"))

static const char usual[] = HEAD ONE "," TWO "," THREE TAIL;
static char body[BODY_BYTES];

static enum outcome read_bytes(const char *bytes, size_t length, struct curve *curve)
{
    memset(curve, 0x5a, sizeof *curve);
    return reply_read(&met_norway.steps[0], bytes, length, NOW, curve);
}

static enum outcome read_text(const char *text, struct curve *curve)
{
    return read_bytes(text, strlen(text), curve);
}

/* --- What is read --- */

TEST(the_recorded_shape_is_read_to_the_point)
{
    struct curve curve;
    assert_int_equal(read_text(usual, &curve), OUTCOME_OK);
    assert_int_equal(curve.start_s, FIRST);
    assert_int_equal(curve.expires_s, 0);
    /* The hours between 14 and 20 are on the line between 21.1 and 15.1, and keep the sky of 14. Where the
     * symbol does not say it, the sun does: it sets in June on 60 degrees north at about 20:30 UTC. */
    static const int16_t cdeg[] = {2070, 2110, 2010, 1910, 1810, 1710, 1610, 1510};
    static const uint8_t sky[] = {2 | CURVE_DAY,  61 | CURVE_DAY, 61 | CURVE_DAY, 61 | CURVE_DAY,
                                  61 | CURVE_DAY, 61 | CURVE_DAY, 61 | CURVE_DAY, 0};
    reply_points(&curve, cdeg, sky, COUNT(cdeg));
    for (size_t i = 0; i < curve.count; i++)
        assert_true(curve.feels_cdeg[i] == CURVE_NO_TEMPERATURE && curve.rain_percent[i] == CURVE_NO_RAIN);
}

/* As long as a real document: 57 hours, then every six hours; the first entry an hour old. */
TEST(a_whole_document_fills_a_curve)
{
    char *end = stpcpy(body, HEAD);
    for (int i = 0; i < 84; i++) {
        char time[CLOCK_RFC3339_BYTES];
        clock_format(FIRST - 7200 + 3600 * (i < 57 ? i : 57 + 6 * (i - 57)), time);
        end += sprintf(end,
                       "%s{\"time\":\"%s\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":%.1f}}}}",
                       i ? "," : "", time, i * 0.5);
    }
    stpcpy(end, TAIL);
    struct curve curve;
    assert_int_equal(read_text(body, &curve), OUTCOME_OK);
    assert_int_equal(curve.start_s, FIRST - 3600);
    assert_int_equal(curve.count, CURVE_POINTS);
    assert_int_equal(reply_sky(&curve, FIRST, -1, 1, "a whole document").temperature_ddeg, 10);
    assert_true(curve_covers(&curve, FIRST + 52 * 3600));
}

/* A temperature that is missing is bridged by its neighbours; more than six hours are not. */
TEST(missing_temperatures)
{
    static const struct reply_row rows[] = {
        {HEAD ONE "," AT("14:00", "null", "") "," THREE TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD AT("12:00", "null", "") "," ONE "," TWO TAIL, OUTCOME_OK},
        {HEAD ONE "," AT("14:00", "null", "") "," AT("19:00", "14.7", "") TAIL, OUTCOME_OK},
        {HEAD AT("13:00", "null", "") "," AT("14:00", "null", "") TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD TAIL, OUTCOME_IMPLAUSIBLE},
    };
    struct curve curve;
    reply_rows(read_text, rows, COUNT(rows));
    assert_int_equal(read_text(rows[2].body, &curve), OUTCOME_OK);
    assert_int_equal(curve.temperature_cdeg[1], 1970);
    assert_int_equal(curve.temperature_cdeg[6], 1470);
}

static void check_symbol(const char *symbol, int code, int is_day)
{
    struct curve curve;
    snprintf(body, sizeof body, "%s%s%s%s,%s%s", HEAD,
             "{\"time\":\"2020-06-10T13:00:00Z\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":1}},"
             "\"next_1_hours\":{\"summary\":{\"symbol_code\":\"",
             symbol, "\"}}}}", TWO, TAIL);
    assert_int_equal(read_text(body, &curve), OUTCOME_OK);
    reply_sky(&curve, FIRST, code, is_day, symbol);
}

/* All 41, with their day and night, and what is none. It is day at this point where the symbol is silent. */
TEST(symbols_become_codes)
{
    static const struct {
        const char *symbol;
        int code;
    } steady[] =
        {
            {"cloudy", 3},
            {"fog", 45},
            {"lightrain", 61},
            {"rain", 63},
            {"heavyrain", 65},
            {"lightsleet", 68},
            {"sleet", 69},
            {"heavysleet", 69},
            {"lightsnow", 71},
            {"snow", 73},
            {"heavysnow", 75},
            {"lightrainandthunder", 95},
            {"rainandthunder", 95},
            {"heavyrainandthunder", 95},
            {"sleetandthunder", 95},
            {"lightsleetandthunder", 95},
            {"snowandthunder", 95},
            {"heavysnowandthunder", 95},
            {"heavysleetandthunder", 95},
            {"lightsnowandthunder", 95},
        },
      by_day[] = {
          {"clearsky", 0},
          {"fair", 1},
          {"partlycloudy", 2},
          {"lightrainshowers", 80},
          {"rainshowers", 81},
          {"heavyrainshowers", 82},
          {"lightsleetshowers", 83},
          {"sleetshowers", 84},
          {"heavysleetshowers", 84},
          {"lightsnowshowers", 85},
          {"snowshowers", 85},
          {"heavysnowshowers", 86},
          {"lightrainshowersandthunder", 95},
          {"rainshowersandthunder", 95},
          {"heavyrainshowersandthunder", 95},
          {"lightssleetshowersandthunder", 95},
          {"sleetshowersandthunder", 95},
          {"heavysleetshowersandthunder", 95},
          {"lightssnowshowersandthunder", 95},
          {"snowshowersandthunder", 95},
          {"heavysnowshowersandthunder", 95},
      };
    static const char *const none[] = {"",      "sun",         "_day",         "rain_noon", "rainrain",
                                       "light", "cloudy_day_", "fair weather", "CLOUDY",    "andthunder"};
    char symbol[64];
    assert_int_equal(COUNT(steady) + COUNT(by_day), 41);
    for (size_t i = 0; i < COUNT(steady); i++)
        check_symbol(steady[i].symbol, steady[i].code, 1);
    for (size_t i = 0; i < COUNT(by_day); i++) {
        static const char *const forms[] = {"_day", "_night", "_polartwilight"};
        for (size_t f = 0; f < COUNT(forms); f++) {
            snprintf(symbol, sizeof symbol, "%s%s", by_day[i].symbol, forms[f]);
            check_symbol(symbol, by_day[i].code, f == 0);
        }
    }
    for (size_t i = 0; i < COUNT(none); i++)
        check_symbol(none[i], -1, 1);
}

/* Without a place there is no sun to ask: the sky is not known, the temperature is. */
TEST(daylight_without_a_place)
{
    static const char *const places[] = {"[10]", "[\"10\",\"60\"]", "[10,95]", "null", "[181,60]"};
    for (size_t i = 0; i < COUNT(places); i++) {
        struct curve curve;
        struct curve_value value;
        snprintf(body, sizeof body, "{\"geometry\":{\"coordinates\":%s},%s", places[i],
                 strstr(usual, "\"properties\""));
        assert_int_equal(read_text(body, &curve), OUTCOME_OK);
        assert_true(curve_read(&curve, FIRST, &value));
        assert_int_equal(value.is_day, 1);
        assert_int_equal(reply_sky(&curve, FIRST + 3600, -1, -1, places[i]).temperature_ddeg, 211);
    }
}

/* --- What is refused --- */

TEST(what_is_not_the_document_is_a_parse_error)
{
    static const char *const rows[] = {
        "",
        " ",
        "null",
        "42",
        "[]",
        "{}",
        "{",
        "\"text\"",
        "<html><head><title>400 Bad Request</title></head></html>",
        "{\"properties\":null}",
        "{\"properties\":{\"timeseries\":[]}}",
        "{\"properties\":{\"meta\":{\"units\":{\"air_temperature\":\"fahrenheit\"}},\"timeseries\":[" ONE
        "," TWO "]}}",
        "{\"properties\":{\"meta\":{\"units\":{\"air_temperature\":1}},\"timeseries\":[" ONE "]}}",
        "{\"properties\":{\"meta\":{\"units\":{\"air_temperature\":\"celsius\"}},\"timeseries\":{}}}",
        HEAD "null" TAIL,
        HEAD "7," TWO TAIL,
        HEAD "{}" TAIL,
        HEAD "[[]]" TAIL,
        HEAD AT("13:00", "\"20.7\"", "") "," TWO TAIL,
        HEAD AT("13:00", "true", "") "," TWO TAIL,
        HEAD AT("13:00", "[20.7]", "") "," TWO TAIL,
        HEAD AT("13:00", "NaN", "") "," TWO TAIL,
        HEAD AT("13:00", "1e999", "") "," TWO TAIL,
        HEAD AT("25:00", "20.7", "") "," TWO TAIL,
        HEAD AT("13:60", "20.7", "") "," TWO TAIL,
        HEAD "{\"time\":1591794000,\"data\":{\"instant\":{\"details\":{\"air_temperature\":1}}}}" TAIL,
        HEAD "{\"time\":\"2020-06-10T13:00:00Z\",\"data\":{\"instant\":{\"details\":[1]}}}" TAIL,
        HEAD "{\"time\":\"2020-06-10T13:00:00+02:00\",\"data\":{\"instant\":{\"details\":{}}}}" TAIL,
        HEAD ONE TAIL "x",
        HEAD ONE TAIL "{}",
        HEAD ONE "],\"timeseries\":[" TAIL, /* the same key twice */
    };
    struct curve curve;
    for (size_t i = 0; i < COUNT(rows); i++)
        reply_ends(read_text, rows[i], OUTCOME_PARSE);
    assert_int_equal(read_bytes("{}\0", 3, &curve), OUTCOME_PARSE);
    memset(body, '[', 60000);
    assert_int_equal(read_bytes(body, 60000, &curve), OUTCOME_PARSE);
}

TEST(what_cannot_be_the_weather_now_is_implausible)
{
    static const char *const rows[] = {
        HEAD AT("13:00", "60.1", "") "," TWO TAIL,
        HEAD AT("13:00", "-90.1", "") "," TWO TAIL,
        HEAD AT("13:00", "293.8", "") "," TWO TAIL,
        HEAD AT("13:00", "1e308", "") "," TWO TAIL,
        HEAD AT("13:00", "9223372036854775807", "") "," TWO TAIL,
        HEAD TWO "," ONE TAIL,
        HEAD ONE "," ONE "," TWO TAIL,
        HEAD ONE "," THREE "," TWO TAIL,
        HEAD ONE TAIL,                                           /* ends before now */
        HEAD TWO "," THREE TAIL,                                 /* begins after now */
        HEAD AT("01:00", "1", "") "," AT("02:00", "2", "") TAIL, /* old */
        HEAD AT("11:00", "1", "") "," AT("18:00", "2", "") TAIL, /* a gap of seven hours */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        reply_ends(read_text, rows[i], OUTCOME_IMPLAUSIBLE);
    reply_ends(read_text, HEAD AT("13:00", "60", "") "," AT("14:00", "-90.0", "") TAIL, OUTCOME_OK);
}

TEST(every_truncation_and_every_corruption)
{
    reply_torment(&met_norway.steps[0], usual, sizeof usual - 1, NOW, &(struct curve){0});
}

/* --- What is asked, what an error says --- */

TEST(the_request_has_at_most_four_decimals)
{
    static const struct {
        struct cell cell;
        const char *where;
    } rows[] = {
        {{19100000, 72900000}, "lat=19.1&lon=72.9"},
        {{0, 0}, "lat=0&lon=0"},
        {{90000000, -180000000}, "lat=90&lon=-180"},
        {{89987500, -179987500}, "lat=89.9875&lon=-179.9875"},
        {{89984375, -179984375}, "lat=89.9844&lon=-179.9844"},
        {{100, -100}, "lat=0.0001&lon=-0.0001"},
        {{40, -40}, "lat=0&lon=0"},
    };
    struct provider_access options = {.url = "https://api.met.no"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char url[512];
        snprintf(url, sizeof url, "https://api.met.no/weatherapi/locationforecast/2.0/compact?%s",
                 rows[i].where);
        reply_request(&met_norway.steps[0], &options, rows[i].cell, url, "");
    }
}

TEST(the_title_of_an_error_page_is_its_reason)
{
    static const struct reply_reason rows[] = {
        {"<!DOCTYPE html>\n<html><head><title>400 Bad Request</title></head><body>x</body></html>",
         "400 Bad Request"},
        {"<title>a\n\x1b[31mb\xe2\x80\xae</title>", "a[31mb"},
        {"<title>\xff</title>", ""},
        {"<title></title>", ""},
        {"<title>no end", ""},
        {"</title><title>", ""},
        {"{\"reason\":\"x\"}", ""},
        {"", ""},
    };
    reply_reasons(&met_norway, rows, COUNT(rows));
    reply_reason_is_cut(&met_norway, "<title>", "</title>");
}

TEST(the_row_of_the_table)
{
    assert_string_equal(provider_names[PROVIDER_MET_NORWAY], "met-norway");
    assert_non_null(strstr(met_norway.credit.text, "MET Norway"));
    assert_string_equal(met_norway.credit.url, "https://www.met.no/");
    assert_true(met_norway.conditional);
    assert_int_equal(met_norway.step_count, 1);
    assert_ptr_equal(providers[PROVIDER_MET_NORWAY], &met_norway);
}

UNIT_MAIN(NULL, NULL)
