/* OpenWeatherMap's two replies: the measurement and the three-hourly forecast, both in their recorded shapes,
 * become one curve that shows what was measured at its instant; whatever else comes, cut, corrupted, lying or
 * hostile, gives an outcome and never a number that no weather can have. The key is in the query alone. */
#include "unit.h"

#include "replies.h"

#define HOUR     1661868000 /* 2022-08-30T14:00:00Z */
#define MEASURED (HOUR + 2592)
#define NOW      (HOUR + 3000)

#define CURRENT_OF(dt, temp, weather, cod)                                                              \
    "{\"coord\":{\"lon\":10.99,\"lat\":44.34},\"weather\":" weather ",\"base\":\"stations\",\"main\":{" \
    "\"temp\":" temp ",\"feels_like\":25.59,\"pressure\":1015,\"humidity\":64},\"visibility\":10000,"   \
    "\"dt\":" dt ",\"sys\":{\"type\":2,\"country\":\"IT\",\"sunrise\":1661834187},\"timezone\":7200,"   \
    "\"id\":3163858,\"name\":\"Zocca\",\"cod\":" cod "}"
#define RAIN    "[{\"id\":501,\"main\":\"Rain\",\"description\":\"moderate rain\",\"icon\":\"10d\"}]"
#define CURRENT CURRENT_OF("1661870592", "25.3", RAIN, "200")

#define HEAD "{\"cod\":\"200\",\"message\":0,\"cnt\":3,\"list\":["
#define TAIL                                                                                 \
    "],\"city\":{\"id\":3163858,\"name\":\"Zocca\",\"coord\":{\"lat\":44.34,\"lon\":10.99}," \
    "\"country\":\"IT\",\"timezone\":7200}}"
#define AT(dt, temp, id, icon) LIKELY(dt, temp, "23.8", id, icon, "0.32")
#define LIKELY(dt, temp, feels, id, icon, pop)                                                        \
    "{\"dt\":" dt ",\"main\":{\"temp\":" temp ",\"feels_like\":" feels ",\"temp_kf\":-1.11},"         \
    "\"weather\":[{\"id\":" id ",\"main\":\"Rain\",\"icon\":\"" icon "\"}],\"clouds\":{\"all\":100}," \
    "\"pop\":" pop ",\"sys\":{\"pod\":\"d\"},\"dt_txt\":\"2022-08-30 15:00:00\"}"
#define ONE   AT("1661871600", "23.6", "500", "10d") /* 15:00, too near the measurement to count */
#define TWO   AT("1661882400", "22.3", "804", "04d") /* 18:00, after sunset by then */
#define THREE AT("1661893200", "19.3", "800", "01n") /* 21:00 */

#define NO CURVE_NO_TEMPERATURE

static const char current[] = CURRENT, list[] = HEAD ONE "," TWO "," THREE TAIL;
static char body[1 << 18];

static enum outcome read_current(const char *text, struct curve *curve)
{
    memset(curve, 0x5a, sizeof *curve);
    return reply_read(&openweathermap.steps[0], text, strlen(text), NOW, curve);
}

static enum outcome read_list(const char *text, struct curve *curve)
{
    assert_int_equal(read_current(current, curve), OUTCOME_OK);
    return reply_read(&openweathermap.steps[1], text, strlen(text), NOW, curve);
}

/* --- What is read --- */

TEST(the_recorded_shapes_become_one_curve)
{
    struct curve curve;
    assert_int_equal(read_list(list, &curve), OUTCOME_OK);
    assert_int_equal(curve.start_s, HOUR);
    assert_int_equal(curve.count, 8);
    assert_int_equal(reply_sky(&curve, MEASURED, 63, 1, "as measured").temperature_ddeg, 253);
    for (int i = 4; i < 8; i++)
        assert_int_equal(curve.temperature_cdeg[i], 2230 - 100 * (i - 4));
    /* The icon is good for its own hour, the sun for the next ones: it sets at about 18:00 UTC. */
    static const uint8_t sky[] = {
        63 | CURVE_DAY, 63 | CURVE_DAY, 63 | CURVE_DAY, 63 | CURVE_DAY, 3 | CURVE_DAY, 3, 3, 0};
    for (size_t i = 0; i < COUNT(sky); i++)
        assert_int_equal(curve.condition[i], sky[i]);
}

/* What it feels like lies on the line, as the temperature does; the probability of three hours is each one's.
 */
TEST(extras_of_both_replies)
{
    static const char whole[] = HEAD LIKELY("1661882400", "22.3", "23.8", "804", "04d", "0.32") "," LIKELY(
        "1661893200", "19.3", "20.8", "800", "01n", "0") TAIL;
    static const char odd[] = HEAD LIKELY("1661882400", "22.3", "null", "804", "04d", "1.01") "," LIKELY(
        "1661893200", "19.3", "20.8", "800", "01n", "\"1\"") TAIL;
    static const int16_t falling[] = {2380, 2280, 2180, 2080}, none[] = {NO, NO, NO, 2080};
    struct curve curve;
    assert_int_equal(read_list(whole, &curve), OUTCOME_OK);
    assert_int_equal(curve.count, 8);
    assert_in_range(curve.feels_cdeg[0], 2560, 2640);
    assert_memory_equal(curve.feels_cdeg + 4, falling, sizeof falling);
    assert_memory_equal(curve.rain_percent, ((uint8_t[]){32, 32, 32, 32, 0, 0, 0, CURVE_NO_RAIN}), 8);
    assert_int_equal(read_list(odd, &curve), OUTCOME_OK);
    assert_memory_equal(curve.feels_cdeg + 4, none, sizeof none);
    for (size_t i = 0; i < curve.count; i++)
        assert_int_equal(curve.rain_percent[i], CURVE_NO_RAIN);
}

TEST(cod_is_a_number_or_a_string)
{
    static const struct reply_row rows[] = {
        {CURRENT_OF("1661870592", "25.3", RAIN, "200"), OUTCOME_OK},
        {CURRENT_OF("1661870592", "25.3", RAIN, "\"200\""), OUTCOME_OK},
        {CURRENT_OF("1661870592", "25.3", RAIN, "401"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "25.3", RAIN, "\"404\""), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "25.3", RAIN, "200.0"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "25.3", RAIN, "null"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "25.3", RAIN, "true"), OUTCOME_PARSE},
    };
    reply_rows(read_current, rows, COUNT(rows));
    reply_ends(read_list, HEAD TWO TAIL, OUTCOME_OK);
    reply_ends(read_list, "{\"cod\":200,\"list\":[" TWO TAIL, OUTCOME_OK);
    reply_ends(read_list, "{\"list\":[" TWO TAIL, OUTCOME_PARSE);
}

TEST(conditions_become_codes)
{
    static const struct {
        const char *weather;
        int code, is_day;
    } rows[] = {
        {"[{\"id\":200,\"icon\":\"11d\"}]", 95, 1},
        {"[{\"id\":232,\"icon\":\"11n\"}]", 95, 0},
        {"[{\"id\":300,\"icon\":\"09d\"}]", 51, 1},
        {"[{\"id\":502,\"icon\":\"10d\"}]", 65, 1},
        {"[{\"id\":511,\"icon\":\"13d\"}]", 66, 1},
        {"[{\"id\":521,\"icon\":\"09d\"}]", 81, 1},
        {"[{\"id\":601,\"icon\":\"13n\"}]", 73, 0},
        {"[{\"id\":616,\"icon\":\"13n\"}]", 69, 0},
        {"[{\"id\":622,\"icon\":\"13n\"}]", 86, 0},
        {"[{\"id\":741,\"icon\":\"50n\"}]", 45, 0},
        {"[{\"id\":721,\"icon\":\"50n\"}]", -1, 0},
        {"[{\"id\":781,\"icon\":\"50d\"}]", -1, 1},
        {"[{\"id\":800,\"icon\":\"01n\"}]", 0, 0},
        {"[{\"id\":804,\"icon\":\"04d\"}]", 3, 1},
        {"[{\"id\":999,\"icon\":\"04d\"}]", -1, 1},
        {"[{\"id\":-1,\"icon\":\"04d\"}]", -1, 1},
        {"[{\"id\":66336,\"icon\":\"04d\"}]", -1, 1},
        {"[{\"id\":\"800\",\"icon\":\"01d\"}]", -1, 1},
        {"[{\"id\":800,\"icon\":\"\"}]", -1, -1},
        {"[{\"id\":800,\"icon\":7}]", -1, -1},
        {"[]", -1, -1},
        {"null", -1, -1},
        {"{\"id\":800}", -1, -1},
        {"[8]", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve;
        snprintf(body, sizeof body, CURRENT_OF("1661870592", "25.3", "%s", "200"), rows[i].weather);
        assert_int_equal(read_current(body, &curve), OUTCOME_OK);
        reply_sky(&curve, MEASURED, rows[i].code, rows[i].is_day, rows[i].weather);
    }
}

/* Forecasts that contradict a measurement of minutes ago do not make a cliff, nor what is extrapolated for
 * the beginning of its hour an absurdity. */
TEST(the_measurement_wins_over_a_near_forecast)
{
    static const char cliff[] = HEAD AT("1661871600", "-60", "500", "10d") "," TWO TAIL;
    struct curve curve;
    assert_int_equal(read_list(cliff, &curve), OUTCOME_OK);
    assert_in_range(curve.temperature_cdeg[0], 2530, 2600);
    static const char steep[] = HEAD AT("1661875200", "-90", "500", "10d") "," TWO TAIL;
    assert_int_equal(read_list(steep, &curve), OUTCOME_OK);
    assert_int_equal(curve.temperature_cdeg[0], 6000);
}

/* --- What is refused --- */

TEST(measurements_that_are_none)
{
    static const struct reply_row rows[] = {
        {"", OUTCOME_PARSE},
        {"[]", OUTCOME_PARSE},
        {"{\"cod\":200}", OUTCOME_PARSE},
        {"{\"cod\":200,\"dt\":1661870592,\"main\":[]}", OUTCOME_PARSE},
        {"<html><body>502 Bad Gateway</body></html>", OUTCOME_PARSE},
        {"{\"cod\":401, \"message\": \"Invalid API key.\"}", OUTCOME_PARSE},
        {CURRENT_OF("\"1661870592\"", "25.3", RAIN, "200"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592.0", "25.3", RAIN, "200"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "\"25.3\"", RAIN, "200"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "null", RAIN, "200"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "NaN", RAIN, "200"), OUTCOME_PARSE},
        {CURRENT_OF("1661870592", "298.48", RAIN, "200"), OUTCOME_IMPLAUSIBLE}, /* Kelvin */
        {CURRENT_OF("1661870592", "-90.1", RAIN, "200"), OUTCOME_IMPLAUSIBLE},
        {CURRENT_OF("1661870592", "1e308", RAIN, "200"), OUTCOME_IMPLAUSIBLE},
        {CURRENT_OF("1661860000", "25.3", RAIN, "200"), OUTCOME_IMPLAUSIBLE}, /* over three hours old */
        {CURRENT_OF("1661860300", "25.3", RAIN, "200"), OUTCOME_OK},
        {CURRENT_OF("1661872000", "25.3", RAIN, "200"), OUTCOME_IMPLAUSIBLE}, /* ahead */
        {CURRENT_OF("0", "25.3", RAIN, "200"), OUTCOME_IMPLAUSIBLE},
        {CURRENT_OF("-9223372036854775808", "25.3", RAIN, "200"), OUTCOME_IMPLAUSIBLE},
        {CURRENT_OF("9223372036854775807", "25.3", RAIN, "200"), OUTCOME_IMPLAUSIBLE},
        {CURRENT "x", OUTCOME_PARSE},
    };
    reply_rows(read_current, rows, COUNT(rows));
}

TEST(forecasts_that_are_none)
{
    static const struct reply_row rows[] = {
        {"", OUTCOME_PARSE},
        {"{}", OUTCOME_PARSE},
        {"{\"cod\":\"404\",\"message\":\"Internal error\"}", OUTCOME_PARSE},
        {"{\"cod\":\"200\",\"list\":{}}", OUTCOME_PARSE},
        {HEAD "null" TAIL, OUTCOME_PARSE},
        {HEAD "[]" TAIL, OUTCOME_PARSE},
        {HEAD TWO ",{}" TAIL, OUTCOME_PARSE},
        {HEAD AT("\"1661882400\"", "1", "500", "10d") TAIL, OUTCOME_PARSE},
        {HEAD AT("1661882400", "\"1\"", "500", "10d") TAIL, OUTCOME_PARSE},
        {HEAD AT("1661882400", "Infinity", "500", "10d") TAIL, OUTCOME_PARSE},
        {HEAD AT("1661882400", "295", "500", "10d") TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD AT("1661882400", "-90.1", "500", "10d") TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD THREE "," TWO TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD TWO "," TWO TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD AT("9223372036854775807", "1", "500", "10d") TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD ONE TAIL, OUTCOME_IMPLAUSIBLE},   /* only what the measurement makes needless */
        {HEAD THREE TAIL, OUTCOME_IMPLAUSIBLE}, /* a gap of more than six hours */
        {HEAD AT("1661882400", "null", "500", "10d") TAIL, OUTCOME_IMPLAUSIBLE},
        {HEAD TWO "," AT("1661893200", "null", "500", "10d") TAIL, OUTCOME_OK},
        {HEAD TWO "]}", OUTCOME_OK}, /* no city: the icons alone say day and night */
        {HEAD TWO "],\"city\":{\"coord\":{\"lat\":\"x\",\"lon\":1e9}}}", OUTCOME_OK},
    };
    reply_rows(read_list, rows, COUNT(rows));
}

TEST(every_truncation_and_every_corruption)
{
    struct curve first = {0}, measured;
    reply_torment(&openweathermap.steps[0], current, sizeof current - 1, NOW, &first);
    assert_int_equal(read_current(current, &measured), OUTCOME_OK);
    reply_torment(&openweathermap.steps[1], list, sizeof list - 1, NOW, &measured);
}

/* --- What is asked, what an error says --- */

TEST(the_requests_are_exact)
{
    struct provider_access options = {.url = "https://api.openweathermap.org", .key = "0123456789abcdef"};
    struct cell cell = {-33900000, 151200000};
    reply_request(&openweathermap.steps[0], &options, cell,
                  "https://api.openweathermap.org/data/2.5/weather?lat=-33.9&lon=151.2"
                  "&units=metric&appid=0123456789abcdef",
                  "");
    strcpy(options.key, "a b&c=\xff");
    reply_request(&openweathermap.steps[1], &options, cell,
                  "https://api.openweathermap.org/data/2.5/forecast?cnt=18&lat=-33.9&lon=151.2"
                  "&units=metric&appid=a%20b%26c%3D%FF",
                  "");
}

TEST(reasons)
{
    static const struct reply_reason rows[] = {
        {"{\"cod\":401, \"message\": \"Invalid API key.\"}", "Invalid API key."},
        {"{\"cod\":\"404\",\"message\":\"city\\u0000 not\\nfound\"}", ""},
        {"{\"cod\":\"404\",\"message\":\"city not\\nfound\"}", "city notfound"},
        {"{\"cod\":\"200\",\"message\":0}", ""},
        {"<html>Bad Gateway</html>", ""},
        {"", ""},
    };
    reply_reasons(&openweathermap, rows, COUNT(rows));
}

TEST(the_row_of_the_table)
{
    assert_string_equal(provider_names[PROVIDER_OPENWEATHERMAP], "openweathermap");
    assert_non_null(strstr(openweathermap.credit.text, "OpenWeather"));
    assert_string_equal(openweathermap.credit.url, "https://openweathermap.org/");
    assert_false(openweathermap.conditional);
    assert_int_equal(openweathermap.step_count, 2);
    assert_ptr_equal(providers[PROVIDER_OPENWEATHERMAP], &openweathermap);
}

UNIT_MAIN(NULL, NULL)
