/* Open-Meteo's replies: the recorded shape is read to the point; whatever else comes, cut, corrupted, lying
 * or hostile, gives an outcome and never a number that no weather can have. The request is exact, and a key
 * is nowhere but in its header. */
#include "unit.h"

#include "replies.h"

#define NOW        1795339000 /* between the second and the third point below */
#define FIRST      1795334400
#define BODY_BYTES (1 << 18)

/* A reply in parts, as the API sends it; NULL stands for the usual part. */
struct reply {
    const char *head, *units, *time, *temperature, *feels, *rain, *code, *day, *tail;
    enum outcome outcome;
};

static const struct reply usual = {
    .head = "{\"latitude\":19.125,\"longitude\":72.875,\"generationtime_ms\":0.4119873046875,"
            "\"utc_offset_seconds\":0,\"timezone\":\"GMT\",\"timezone_abbreviation\":\"GMT\","
            "\"elevation\":23.0,",
    .units =
        "\"hourly_units\":{\"time\":\"unixtime\",\"temperature_2m\":\"°C\",\"apparent_temperature\":\"°C\","
        "\"precipitation_probability\":\"%\",\"weather_code\":\"wmo code\",\"is_day\":\"\"},",
    .time = "[1795334400,1795338000,1795341600,1795345200]",
    .temperature = "[21.7,22.2,-0.5,31]",
    .feels = "[22.9,23.1,-4.75,37]",
    .rain = "[7,0,45,100]",
    .code = "[2,0,99,45]",
    .day = "[1,1,0,0]",
    .tail = "}",
};

static char body[BODY_BYTES];

/* Writes the reply into `body`; returns its length. */
static size_t write_reply(const struct reply *r)
{
#define PART(name) (r->name ? r->name : usual.name)
    int length = snprintf(body, sizeof body,
                          "%s%s\"hourly\":{\"time\":%s,\"temperature_2m\":%s,\"apparent_temperature\":%s,"
                          "\"precipitation_probability\":%s,\"weather_code\":%s,\"is_day\":%s}%s",
                          PART(head), PART(units), PART(time), PART(temperature), PART(feels), PART(rain),
                          PART(code), PART(day), PART(tail));
    assert_in_range(length, 1, sizeof body - 1);
    return (size_t)length;
}

static enum outcome read_bytes(const char *bytes, size_t length, struct curve *curve)
{
    memset(curve, 0x5a, sizeof *curve);
    return reply_read(&open_meteo.steps[0], bytes, length, NOW, curve);
}

static enum outcome read_reply(const struct reply *reply, struct curve *curve)
{
    return read_bytes(body, write_reply(reply), curve);
}

static enum outcome read_text(const char *text, struct curve *curve)
{
    return read_bytes(text, strlen(text), curve);
}

static void check_rows(const struct reply *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_reply(&rows[i]);
        reply_ends(read_text, body, rows[i].outcome);
    }
}

/* --- What is read --- */

TEST(the_recorded_shape_is_read_to_the_point)
{
    struct curve curve;
    assert_int_equal(read_reply(&usual, &curve), OUTCOME_OK);
    assert_int_equal(curve.start_s, FIRST);
    assert_int_equal(curve.expires_s, 0);
    static const int16_t cdeg[] = {2170, 2220, -50, 3100};
    static const uint8_t sky[] = {2 | CURVE_DAY, 0 | CURVE_DAY, 99, 45};
    reply_points(&curve, cdeg, sky, COUNT(cdeg));
    /* The probability of an hour comes with its end. */
    static const int16_t feels[] = {2290, 2310, -475, 3700};
    static const uint8_t rain[] = {0, 45, 100, CURVE_NO_RAIN};
    reply_extras(&curve, feels, rain);
}

/* What is asked for: a day back, fifty hours ahead. */
TEST(a_reply_of_three_days_is_read)
{
    char times[1024] = "[", degrees[1024] = "[", codes[256] = "[", days[256] = "[";
    for (int i = 0; i < 74; i++) {
        const char *end = i < 73 ? "," : "]";
        sprintf(times + strlen(times), "%d%s", FIRST + 3600 * i, end);
        sprintf(degrees + strlen(degrees), "%.1f%s", (i % 9 - 4) * 1.1, end);
        sprintf(codes + strlen(codes), "%d%s", i, end);
        sprintf(days + strlen(days), "%d%s", i % 24 < 12, end);
    }
    struct curve curve;
    assert_int_equal(
        read_reply(&(struct reply){.time = times, .temperature = degrees, .code = codes, .day = days},
                   &curve),
        OUTCOME_OK);
    assert_int_equal(curve.count, 74);
    for (int i = 0; i < 74; i++) {
        struct curve_value value = reply_sky(&curve, FIRST + 3600 * i, i, i % 24 < 12, "three days");
        assert_int_equal(value.temperature_ddeg, (i % 9 - 4) * 11);
    }
}

/* Nulls may stand anywhere; holes of up to three hours are bridged. */
TEST(missing_temperatures)
{
    static const struct reply rows[] = {
        {.temperature = "[null,22.2,-0.5,null]", .outcome = OUTCOME_OK},
        {.temperature = "[21.7,null,null,31]", .outcome = OUTCOME_OK},
        {.temperature = "[21.7,null,-0.5,31]", .outcome = OUTCOME_OK},
        {.temperature = "[null,null,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE}, /* nothing for now */
        {.temperature = "[21.7,22.2,null,null]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[null,null,null,null]", .outcome = OUTCOME_IMPLAUSIBLE},
    };
    check_rows(rows, COUNT(rows));
    struct curve curve;
    assert_int_equal(read_reply(&rows[1], &curve), OUTCOME_OK);
    assert_int_equal(curve.temperature_cdeg[1], 2480);
    assert_int_equal(curve.temperature_cdeg[2], 2790);
}

/* Code and daylight are told apart: losing one does not lose the other, and neither costs the temperature. */
TEST(missing_sky)
{
    static const struct {
        const char *code, *day;
        int is_code, is_day;
    } rows[] = {
        {"[3,3,3,3]", "[0,0,0,0]", 3, 0},
        {"[3,null,3,3]", "[0,0,0,0]", -1, 0},
        {"[3,null,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,-1,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,100,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,127,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,9223372036854775807,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,\"2\",3,3]", "[1,1,1,1]", -1, 1},
        {"[3,2.0,3,3]", "[1,1,1,1]", -1, 1},
        {"[3,3,3]", "[1,1,1,1]", -1, 1},
        {"null", "[1,1,1,1]", -1, 1},
        {"{}", "[0,0,0,0]", -1, 0},
        {"null", "null", -1, -1},
        {"[3,null,3,3]", "[1,null,1,1]", -1, -1},
        {"[3,null,3,3]", "[1,2,1,1]", -1, -1},
        {"[3,null,3,3]", "[1,-1,1,1]", -1, -1},
        {"[3,null,3,3]", "[1,\"1\",1,1]", -1, -1},
        {"[3,null,3,3]", "[1,true,1,1]", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve;
        assert_int_equal(read_reply(&(struct reply){.code = rows[i].code, .day = rows[i].day}, &curve),
                         OUTCOME_OK);
        struct curve_value value = reply_sky(&curve, FIRST + 3600, rows[i].is_code, rows[i].is_day, body);
        assert_int_equal(value.temperature_ddeg, 222);
    }
}

/* What it feels like and what is to fall may be missing or nonsense, each by itself, without other harm. */
TEST(missing_extras)
{
#define NO CURVE_NO_TEMPERATURE
#define NR CURVE_NO_RAIN
    static const struct {
        const char *feels, *rain;
        int16_t feels_cdeg[4];
        uint8_t percent[4];
    } rows[] = {
        {"[22.9,23,24,25]", "[1,2,3,4]", {2290, 2300, 2400, 2500}, {2, 3, 4, NR}},
        {"[22.9,null,24,25]", "[1,null,3,null]", {2290, NO, 2400, 2500}, {NR, 3, NR, NR}},
        {"[\"22.9\",true,{},[]]", "[1,\"2\",true,{}]", {NO, NO, NO, NO}, {NR, NR, NR, NR}},
        {"[-180,120,-180.01,120.01]", "[0,-1,101,1e308]", {-18000, 12000, NO, NO}, {NR, NR, NR, NR}},
        {"[1e308,-1e308,9223372036854775807,0]", "[0,2.4,2.6,100]", {NO, NO, NO, 0}, {2, 3, 100, NR}},
        {"[22.9,23,24]", "[1,2,3]", {NO, NO, NO, NO}, {NR, NR, NR, NR}},
        {"null", "{}", {NO, NO, NO, NO}, {NR, NR, NR, NR}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct curve curve;
        struct reply reply = {.feels = rows[i].feels, .rain = rows[i].rain};
        assert_int_equal(read_reply(&reply, &curve), OUTCOME_OK);
        reply_extras(&curve, rows[i].feels_cdeg, rows[i].percent);
        assert_int_equal(curve.temperature_cdeg[1], 2220);
    }
}

/* --- What is refused --- */

TEST(what_is_not_the_document_is_a_parse_error)
{
    static const struct reply rows[] = {
        {.units = "", .outcome = OUTCOME_PARSE},
        {.units = "\"hourly_units\":{\"time\":\"unixtime\",\"temperature_2m\":\"°F\"},",
         .outcome = OUTCOME_PARSE},
        {.units = "\"hourly_units\":{\"time\":\"iso8601\",\"temperature_2m\":\"°C\"},",
         .outcome = OUTCOME_PARSE},
        {.units = "\"hourly_units\":{\"temperature_2m\":\"°C\"},", .outcome = OUTCOME_PARSE},
        {.units = "\"hourly_units\":[\"unixtime\",\"°C\"],", .outcome = OUTCOME_PARSE},
        {.units = "\"hourly_units\":{\"time\":0,\"temperature_2m\":1},", .outcome = OUTCOME_PARSE},
        {.time = "null", .outcome = OUTCOME_PARSE},
        {.time = "[]", .outcome = OUTCOME_PARSE},
        {.time = "[\"1795334400\",\"1795338000\",\"1795341600\",\"1795345200\"]", .outcome = OUTCOME_PARSE},
        {.time = "[1795334400.0,1795338000.0,1795341600.0,1795345200.0]", .outcome = OUTCOME_PARSE},
        {.time = "[1795334400,null,1795341600,1795345200]", .outcome = OUTCOME_PARSE},
        {.time = "{\"0\":1795334400}", .outcome = OUTCOME_PARSE},
        {.temperature = "null", .outcome = OUTCOME_PARSE},
        {.temperature = "[]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,22.2,-0.5]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,22.2,-0.5,31,30]", .outcome = OUTCOME_PARSE},
        {.temperature = "[\"21.7\",\"22.2\",\"-0.5\",\"31\"]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,true,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,[22.2],-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,NaN,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,Infinity,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,1e999,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,+22.2,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,022.2,-0.5,31]", .outcome = OUTCOME_PARSE},
        {.temperature = "[21.7,22.2,-0.5,31]]", .outcome = OUTCOME_PARSE},
        {.tail = "}Unexpected error while streaming data: timeout", .outcome = OUTCOME_PARSE},
        {.tail = "}{}", .outcome = OUTCOME_PARSE},
        {.tail = ",\"hourly\":{}}", .outcome = OUTCOME_PARSE}, /* the same key twice */
        {.head = "[{", .tail = "}]", .outcome = OUTCOME_PARSE},
        {.head = "\xef\xbb\xbf{", .outcome = OUTCOME_PARSE},
        {.head = "{\"timezone\":\"\xff\",", .outcome = OUTCOME_PARSE},
        {.head = "{\"a\":18446744073709551616,", .outcome = OUTCOME_PARSE},
    };
    check_rows(rows, COUNT(rows));
}

TEST(what_cannot_be_the_weather_now_is_implausible)
{
    static const struct reply rows[] = {
        {.temperature = "[21.7,60.1,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[21.7,-90.1,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[21.7,-300,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[1e308,22.2,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[21.7,22.2,-0.5,-1e308]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[9223372036854775807,22.2,-0.5,31]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.temperature = "[60,-90,60.0,-90.0]", .outcome = OUTCOME_OK},
        /* Unordered, at rest, by quarters of an hour, off by a second; old, far ahead, absurd. */
        {.time = "[1795338000,1795334400,1795341600,1795345200]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795345200,1795341600,1795338000,1795334400]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795338000,1795338000,1795338000,1795338000]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795337100,1795338000,1795338900,1795339800]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795334400,1795338000,1795341601,1795345200]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795161600,1795165200,1795168800,1795172400]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[1795420800,1795424400,1795428000,1795431600]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[0,3600,7200,10800]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[-7200,-3600,0,3600]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[9223372036854775807,9223372036854775807,0,0]", .outcome = OUTCOME_IMPLAUSIBLE},
        {.time = "[-9223372036854775808,0,0,0]", .outcome = OUTCOME_IMPLAUSIBLE},
    };
    check_rows(rows, COUNT(rows));
}

/* `count` points from FIRST, all of 20 degrees. */
static enum outcome read_points(int count)
{
    static char times[4096], degrees[1024];
    struct curve curve;
    strcpy(times, "[");
    strcpy(degrees, "[");
    for (int i = 0; i < count; i++) {
        sprintf(times + strlen(times), "%s%d", i ? "," : "", FIRST + 3600 * i);
        sprintf(degrees + strlen(degrees), "%s20", i ? "," : "");
    }
    strcat(times, "]");
    strcat(degrees, "]");
    return read_reply(&(struct reply){.time = times, .temperature = degrees}, &curve);
}

TEST(a_curve_has_neither_too_few_points_nor_too_many)
{
    for (int count = 0; count < 3; count++) /* now is past the second point */
        assert_int_not_equal(read_points(count), OUTCOME_OK);
    for (int count = 3; count <= CURVE_POINTS; count++)
        assert_int_equal(read_points(count), OUTCOME_OK);
    assert_int_not_equal(read_points(CURVE_POINTS + 1), OUTCOME_OK);
    assert_int_not_equal(read_points(200), OUTCOME_OK);
    assert_int_not_equal(read_points(256 + 4), OUTCOME_OK); /* not as if modulo 256 */
}

TEST(documents_of_other_kinds)
{
    static const char *const documents[] = {
        "",
        " ",
        "\n",
        "null",
        "true",
        "42",
        "\"text\"",
        "[]",
        "{}",
        "{",
        "nul",
        "{\"error\":true}",
        "{\"error\":true,\"reason\":\"Daily API request limit exceeded. Please try again tomorrow.\"}",
        "<html><body>502 Bad Gateway</body></html>",
        "{\"hourly\":{}}",
        "{\"hourly_units\":{},\"hourly\":{}}",
        "{\"hourly_units\":null,\"hourly\":null}",
        "{\"hourly_units\":[],\"hourly\":[]}",
    };
    struct curve curve;
    for (size_t i = 0; i < COUNT(documents); i++)
        reply_ends(read_text, documents[i], OUTCOME_PARSE);
    assert_int_equal(read_bytes("{}\0", 3, &curve), OUTCOME_PARSE);
    assert_int_equal(read_bytes("\0", 1, &curve), OUTCOME_PARSE);
    memset(body, '[', 100000);
    assert_int_equal(read_bytes(body, 100000, &curve), OUTCOME_PARSE);
    for (int i = 0; i < 100000; i += 5)
        memcpy(body + i, "{\"a\":", 5);
    assert_int_equal(read_bytes(body, 100000, &curve), OUTCOME_PARSE);
}

TEST(every_truncation_and_every_corruption)
{
    reply_torment(&open_meteo.steps[0], body, write_reply(&usual), NOW, &(struct curve){0});
}

/* --- What is asked --- */

#define ASKED                                                                                   \
    "&hourly=temperature_2m,apparent_temperature,precipitation_probability,weather_code,is_day" \
    "&past_hours=24&forecast_hours=50&timeformat=unixtime&timezone=GMT"

TEST(the_request_is_exact)
{
    static const struct {
        struct cell cell;
        const char *where;
    } rows[] = {
        {{19100000, 72900000}, "latitude=19.1&longitude=72.9"},
        {{0, 0}, "latitude=0&longitude=0"},
        {{-33900000, 151200000}, "latitude=-33.9&longitude=151.2"},
        {{90000000, -180000000}, "latitude=90&longitude=-180"},
        {{-89920000, 179840000}, "latitude=-89.92&longitude=179.84"},
        {{10000, -20000}, "latitude=0.01&longitude=-0.02"},
        {{89987500, -179987500}, "latitude=89.9875&longitude=-179.9875"},
        {{89984375, -179984375}, "latitude=89.984375&longitude=-179.984375"},
    };
    struct provider_access options = {.url = "https://api.open-meteo.com"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char url[512];
        snprintf(url, sizeof url, "https://api.open-meteo.com/v1/forecast?%s" ASKED, rows[i].where);
        reply_request(&open_meteo.steps[0], &options, rows[i].cell, url, "");
    }
}

TEST(a_key_is_in_the_header_alone)
{
    struct provider_access options = {.url = "http://127.0.0.1:9/base", .key = "s3cret"};
    reply_request(&open_meteo.steps[0], &options, (struct cell){0, 0},
                  "http://127.0.0.1:9/base/v1/forecast?latitude=0&longitude=0" ASKED, "X-Api-Key: s3cret");
}

/* --- What an error says --- */

TEST(reasons_are_clean_and_cut)
{
    static const struct reply_reason rows[] = {
        {"{\"error\":true,\"reason\":\"Daily API request limit exceeded. Please try again tomorrow.\"}",
         "Daily API request limit exceeded. Please try again tomorrow."},
        {"{\"reason\":\"a\\nb\\u001b[31m\\u202e\"}", "ab[31m"},
        {"{\"reason\":7}", ""},
        {"{\"reason\":\"\"}", ""},
        {"{\"error\":true}", ""},
        {"[\"reason\"]", ""},
        {"<html>Bad Gateway</html>", ""},
        {"", ""},
    };
    reply_reasons(&open_meteo, rows, COUNT(rows));
    reply_reason_is_cut(&open_meteo, "{\"reason\":\"", "\"}");
}

TEST(the_credit_is_the_one_the_licence_asks_for)
{
    assert_string_equal(provider_names[PROVIDER_OPEN_METEO], "open-meteo");
    assert_string_equal(open_meteo.credit.text, "Weather data by Open-Meteo.com");
    assert_string_equal(open_meteo.credit.url, "https://open-meteo.com/");
    assert_ptr_equal(providers[PROVIDER_OPEN_METEO], &open_meteo);
}

UNIT_MAIN(NULL, NULL)
