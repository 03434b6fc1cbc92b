/* MET Norway's Locationforecast 2.0, https://api.met.no/weatherapi/locationforecast/2.0/documentation: the
 * compact document, hourly for two or three days and six-hourly after, without probabilities. Its terms want
 * callers to say who they are (the User-Agent), at most four decimals, and no repetition before Expires. */
#include "weather/point/reply.h"

#include "base/clock.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define DECIMALS_UDEG 100 /* four decimals, in millionths */

static double four_decimals(int32_t udeg)
{
    return (double)lround((double)udeg / DECIMALS_UDEG) * DECIMALS_UDEG / CELL_MICRODEGREES;
}

static void request(const struct provider_access *options, struct cell cell, struct text *url,
                    struct text *header)
{
    (void)header;
    text_format(url, "%s/weatherapi/locationforecast/2.0/compact?lat=%.7g&lon=%.7g", options->url,
                four_decimals(cell.latitude_udeg), four_decimals(cell.longitude_udeg));
}

/* Whether the text at *at begins with `word`, which is then passed. */
static bool pass(const char **at, const char *word)
{
    size_t length = strlen(word);
    bool there = strncmp(*at, word, length) == 0;
    *at += there ? length : 0;
    return there;
}

/* Reads what falls: {light,,heavy}{rain,sleet,snow}[showers][andthunder]. The API spells two of these
 * "lightss...". Codes of WMO table 4677; one for thunder, whatever falls with it. */
static int read_fall(const char **at)
{
    static const struct {
        const char *name;
        int steady[3], showers[3]; /* light, moderate, heavy */
    } kinds[] = {
        {"rain", {61, 63, 65}, {80, 81, 82}},
        {"sleet", {68, 69, 69}, {83, 84, 84}},
        {"snow", {71, 73, 75}, {85, 85, 86}},
    };
    int strength = pass(at, "light") ? 0 : pass(at, "heavy") ? 2 : 1;
    if (strength == 0 && strncmp(*at, "ss", 2) == 0)
        ++*at;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!pass(at, kinds[i].name))
            continue;
        int code = pass(at, "showers") ? kinds[i].showers[strength] : kinds[i].steady[strength];
        return pass(at, "andthunder") ? 95 : code;
    }
    return -1;
}

/* A symbol such as "partlycloudy_night". One that is not known leaves the point without code, not without
 * temperature. */
static void read_symbol(const char *symbol, struct point *point)
{
    static const struct {
        const char *name;
        int code;
    } skies[] = {{"clearsky", 0}, {"fair", 1}, {"partlycloudy", 2}, {"cloudy", 3}, {"fog", 45}};
    const char *at = symbol;
    int code = -1;
    for (size_t i = 0; i < sizeof skies / sizeof skies[0] && code < 0; i++)
        code = pass(&at, skies[i].name) ? skies[i].code : -1;
    if (code < 0)
        code = read_fall(&at);
    if (strcmp(at, "_day") == 0)
        point->is_day = 1;
    else if (strcmp(at, "_night") == 0 || strcmp(at, "_polartwilight") == 0)
        point->is_day = 0;
    else if (*at != '\0')
        return;
    point->code = code;
}

/* Later entries lack the next hour, the last ones the next six. */
static const char *symbol_of(const json_t *data)
{
    static const char *const periods[] = {"next_1_hours", "next_6_hours", "next_12_hours"};
    const char *symbol = NULL;
    for (size_t i = 0; i < sizeof periods / sizeof periods[0] && !symbol; i++) {
        const json_t *summary = json_object_get(json_object_get(data, periods[i]), "summary");
        symbol = json_string_value(json_object_get(summary, "symbol_code"));
    }
    return symbol ? symbol : "";
}

static enum outcome read_entry(const json_t *entry, struct resampler *resampler)
{
    const json_t *data = json_object_get(entry, "data");
    const json_t *details = json_object_get(json_object_get(data, "instant"), "details");
    const char *time = json_string_value(json_object_get(entry, "time"));
    struct point point = point_empty(0);
    if (!time || !json_is_object(details) || !clock_parse(time, &point.time_s))
        return OUTCOME_PARSE;
    enum outcome outcome =
        reply_celsius(json_object_get(details, "air_temperature"), &point.temperature_cdeg);
    if (outcome != OUTCOME_OK || point.temperature_cdeg == CURVE_NO_TEMPERATURE)
        return outcome;
    read_symbol(symbol_of(data), &point);
    return resample_add(resampler, &point);
}

static enum outcome read_document(const json_t *root, int64_t now_s, struct curve *curve)
{
    const json_t *place = json_object_get(json_object_get(root, "geometry"), "coordinates");
    const json_t *properties = json_object_get(root, "properties");
    const json_t *units = json_object_get(json_object_get(properties, "meta"), "units");
    const json_t *series = json_object_get(properties, "timeseries");
    struct resampler resampler = {.curve = curve,
                                  .now_s = now_s,
                                  .longitude = reply_degrees(json_array_get(place, 0), 180),
                                  .latitude = reply_degrees(json_array_get(place, 1), 90)};
    *curve = curve_empty();
    if (!reply_string_is(json_object_get(units, "air_temperature"), "celsius") || !json_is_array(series))
        return OUTCOME_PARSE;
    for (size_t i = 0; i < json_array_size(series); i++) {
        enum outcome outcome = read_entry(json_array_get(series, i), &resampler);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return curve_covers(curve, now_s) ? OUTCOME_OK : OUTCOME_IMPLAUSIBLE;
}

static enum outcome read(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    return reply_document(body, length, now_s, read_document, out);
}

/* Errors are web pages, whose title says it. */
static void reason(const char *body, size_t length, char out[PROVIDER_REASON_BYTES])
{
    static const char open[] = "<title>", close[] = "</title>";
    out[0] = '\0';
    const char *title = memmem(body, length, open, sizeof open - 1);
    if (!title)
        return;
    title += sizeof open - 1;
    const char *end = memmem(title, length - (size_t)(title - body), close, sizeof close - 1);
    if (end)
        text_sanitize(title, (size_t)(end - title), out, PROVIDER_REASON_BYTES);
}

const struct provider met_norway = {
    .credit = {"Weather data by MET Norway", "https://www.met.no/"},
    .needs_contact = true,
    .conditional = true,
    .step_count = 1,
    .steps = {{request, read}},
    .reason = reason,
};
