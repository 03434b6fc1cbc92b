/* OpenWeatherMap 2.5, https://openweathermap.org/current and https://openweathermap.org/forecast5: what was
 * measured just now, and then the forecast, which begins up to three hours later. Takes its key in the query
 * only. */
#include "weather/point/reply.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#define FORECASTS 18 /* three hours apart: 54 hours */
#define OLDEST_S  (3 * 3600)
#define NEWEST_S  900  /* ahead of our clock */
#define APART_S   3600 /* a forecast nearer than this to the measurement would only contradict it */

static void request_of(const struct provider_access *options, struct cell cell, const char *what,
                       struct text *url)
{
    text_format(url, "%s/data/2.5/%slat=%.9g&lon=%.9g&units=metric&appid=", options->url, what,
                (double)cell.latitude_udeg / CELL_MICRODEGREES,
                (double)cell.longitude_udeg / CELL_MICRODEGREES);
    for (const char *c = options->key; *c; c++)
        text_format(url, isalnum((unsigned char)*c) ? "%c" : "%%%02X", (unsigned char)*c);
}

static void request_current(const struct provider_access *options, struct cell cell, struct text *url,
                            struct text *header)
{
    (void)header;
    request_of(options, cell, "weather?", url);
}

static void request_forecast(const struct provider_access *options, struct cell cell, struct text *url,
                             struct text *header)
{
    (void)header;
    char what[32];
    struct text text = text_init(what, sizeof what);
    text_format(&text, "forecast?cnt=%d&", FORECASTS);
    request_of(options, cell, what, url);
}

/* Codes of WMO table 4677 by https://openweathermap.org/weather-conditions. Without a row: smoke, haze, dust,
 * sand, ash, squalls and tornados. */
static int code_of(json_int_t id)
{
    static const struct {
        int16_t id, code;
    } codes[] = {
        {300, 51}, {301, 53}, {302, 55}, {310, 51}, {311, 53}, {312, 55}, {313, 80}, {314, 82},
        {321, 80}, {500, 61}, {501, 63}, {502, 65}, {503, 65}, {504, 65}, {511, 66}, {520, 80},
        {521, 81}, {522, 82}, {531, 81}, {600, 71}, {601, 73}, {602, 75}, {611, 69}, {612, 83},
        {613, 84}, {615, 68}, {616, 69}, {620, 85}, {621, 85}, {622, 86}, {701, 45}, {741, 45},
        {800, 0},  {801, 1},  {802, 2},  {803, 2},  {804, 3},
    };
    if (id >= 200 && id < 300)
        return 95; /* thunderstorms; none of them with hail */
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].id == id)
            return codes[i].code;
    return -1;
}

/* Reads what a measurement and each forecast share; the temperature may be missing. Forecasts also have a
 * probability, which is taken to be of the three hours before, as the volume of rain is said to be. */
static enum outcome read_point(const json_t *object, struct point *point)
{
    const json_t *time = json_object_get(object, "dt");
    const json_t *values = json_object_get(object, "main");
    const json_t *weather = json_array_get(json_object_get(object, "weather"), 0);
    const char *icon = json_string_value(json_object_get(weather, "icon"));
    if (!json_is_integer(time) || !json_is_object(values))
        return OUTCOME_PARSE;
    size_t length = icon ? strlen(icon) : 0;
    char last = length > 0 ? icon[length - 1] : '\0';
    *point = point_empty(json_integer_value(time));
    point->feels_cdeg = reply_feels(json_object_get(values, "feels_like"));
    point->rain_percent = reply_percent(json_object_get(object, "pop"), 1);
    point->code = code_of(json_integer_value(json_object_get(weather, "id")));
    point->is_day = last == 'd' ? 1 : last == 'n' ? 0 : -1;
    return reply_celsius(json_object_get(values, "temp"), &point->temperature_cdeg);
}

/* `cod` is the number 200 in one document and the string in the other. */
static bool is_good(const json_t *root)
{
    const json_t *cod = json_object_get(root, "cod");
    return reply_string_is(cod, "200") || json_integer_value(cod) == 200;
}

/* Makes a curve of one point, at the instant of the measurement. */
static enum outcome read_current_document(const json_t *root, int64_t now_s, struct curve *curve)
{
    struct point point;
    enum outcome outcome = is_good(root) ? read_point(root, &point) : OUTCOME_PARSE;
    if (outcome != OUTCOME_OK)
        return outcome;
    if (point.temperature_cdeg == CURVE_NO_TEMPERATURE)
        return OUTCOME_PARSE;
    if (point.time_s < now_s - OLDEST_S || point.time_s > now_s + NEWEST_S)
        return OUTCOME_IMPLAUSIBLE;
    *curve = curve_empty();
    curve->start_s = point.time_s;
    curve->count = 1;
    curve->temperature_cdeg[0] = point.temperature_cdeg;
    curve->feels_cdeg[0] = point.feels_cdeg;
    curve->condition[0] = curve_condition(point.code, point.is_day);
    return OUTCOME_OK;
}

static enum outcome read_current(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    return reply_document(body, length, now_s, read_current_document, out);
}

/* Lays the measurement in *curve, and the forecasts after it, onto the curve's hours. */
static enum outcome read_forecast_document(const json_t *root, int64_t now_s, struct curve *curve)
{
    const struct curve current = *curve;
    const json_t *place = json_object_get(json_object_get(root, "city"), "coord");
    const json_t *list = json_object_get(root, "list");
    struct resampler resampler = {.curve = curve,
                                  .now_s = now_s,
                                  .latitude = reply_degrees(json_object_get(place, "lat"), 90),
                                  .longitude = reply_degrees(json_object_get(place, "lon"), 180)};
    struct curve_value measured;
    if (!is_good(root) || !json_is_array(list) || !curve_read(&current, current.start_s, &measured))
        return OUTCOME_PARSE;
    struct point point = point_empty(current.start_s);
    point.temperature_cdeg = current.temperature_cdeg[0];
    point.feels_cdeg = current.feels_cdeg[0];
    point.code = measured.code;
    point.is_day = measured.is_day;
    *curve = curve_empty();
    enum outcome outcome = resample_add(&resampler, &point);
    for (size_t i = 0; i < json_array_size(list) && outcome == OUTCOME_OK; i++) {
        outcome = read_point(json_array_get(list, i), &point);
        bool usable =
            point.time_s >= current.start_s + APART_S && point.temperature_cdeg != CURVE_NO_TEMPERATURE;
        if (outcome == OUTCOME_OK && usable)
            outcome = resample_add(&resampler, &point);
    }
    return outcome != OUTCOME_OK || curve_covers(curve, now_s) ? outcome : OUTCOME_IMPLAUSIBLE;
}

static enum outcome read_forecast(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    return reply_document(body, length, now_s, read_forecast_document, out);
}

static void reason(const char *body, size_t length, char out[PROVIDER_REASON_BYTES])
{
    reply_reason(body, length, "message", out);
}

const struct provider openweathermap = {
    .credit = {"Weather data provided by OpenWeather", "https://openweathermap.org/"},
    .needs_key = true,
    .step_count = 2,
    .steps = {{request_current, read_current}, {request_forecast, read_forecast}},
    .reason = reason,
};
