/* Open-Meteo, https://open-meteo.com/en/docs: the hourly forecast of /v1/forecast, keyless or with a
 * customer's key in a header (in the query it would end up in logs). */
#include "weather/point/quota.h"
#include "weather/point/reply.h"

#include <jansson.h>
#include <string.h>

#define PAUSE_JITTER_S 5
#define PAST_HOURS     24 /* what has passed of the local day, however long the day is */
#define FORECAST_HOURS 50

static void request(const struct provider_access *options, struct cell cell, struct text *url,
                    struct text *header)
{
    text_format(url, "%s/v1/forecast?latitude=%.9g&longitude=%.9g", options->url,
                (double)cell.latitude_udeg / CELL_MICRODEGREES,
                (double)cell.longitude_udeg / CELL_MICRODEGREES);
    /* Up to ten variables and two weeks are one call of its budget. */
    text_format(url,
                "&hourly=temperature_2m,apparent_temperature,precipitation_probability,weather_code,is_day"
                "&past_hours=%d&forecast_hours=%d",
                PAST_HOURS, FORECAST_HOURS);
    /* In local time the hours of half-hour zones would be stamped half an hour off, in Unix time too. */
    text_string(url, "&timeformat=unixtime&timezone=GMT");
    if (options->key[0])
        text_format(header, "X-Api-Key: %s", options->key);
}

/* The values of a variable that may be missing without harm; NULL when there is not one for each of `count`
 * hours. */
static const json_t *values_of(const json_t *hourly, const char *variable, size_t count)
{
    const json_t *values = json_object_get(hourly, variable);
    return json_array_size(values) == count ? values : NULL;
}

/* The integer of an hour, from 0 to `max`; -1, not known, for what is anything else. */
static int integer_of(const json_t *values, size_t hour, int max)
{
    const json_t *value = json_array_get(values, hour);
    json_int_t integer = json_is_integer(value) ? json_integer_value(value) : -1;
    return integer >= 0 && integer <= max ? (int)integer : -1;
}

/* The probabilities come with the end of their hours. */
static void read_extras(const json_t *hourly, size_t count, struct curve *curve)
{
    const json_t *feels = values_of(hourly, "apparent_temperature", count);
    const json_t *rain = values_of(hourly, "precipitation_probability", count);
    const json_t *codes = values_of(hourly, "weather_code", count);
    const json_t *days = values_of(hourly, "is_day", count);
    for (size_t i = 0; i < count; i++) {
        curve->feels_cdeg[i] = reply_feels(json_array_get(feels, i));
        curve->rain_percent[i] = reply_percent(json_array_get(rain, i + 1), 100);
        curve->condition[i] = curve_condition(integer_of(codes, i, CURVE_CODE_MAX), integer_of(days, i, 1));
    }
}

/* Times must be whole hours apart, ascending, as many as fit a curve, and each must have its temperature or
 * null. */
static enum outcome read_hours(const json_t *hourly, struct curve *curve)
{
    const json_t *times = json_object_get(hourly, "time");
    const json_t *temperatures = json_object_get(hourly, "temperature_2m");
    size_t count = json_array_size(times);
    if (count < 2 || count > CURVE_POINTS || json_array_size(temperatures) != count)
        return OUTCOME_PARSE;
    for (size_t i = 0; i < count; i++) {
        const json_t *time = json_array_get(times, i);
        if (!json_is_integer(time))
            return OUTCOME_PARSE;
        curve->start_s = i == 0 ? json_integer_value(time) : curve->start_s;
        if (curve->start_s < 0 || curve->start_s > CURVE_TIME_MAX_S ||
            json_integer_value(time) != curve->start_s + (int64_t)i * CURVE_STEP_S)
            return OUTCOME_IMPLAUSIBLE;
        enum outcome outcome = reply_celsius(json_array_get(temperatures, i), &curve->temperature_cdeg[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    read_extras(hourly, count, curve);
    curve->count = (uint8_t)count;
    curve_bridge_gaps(curve);
    return OUTCOME_OK;
}

static enum outcome read_document(const json_t *root, int64_t now_s, struct curve *curve)
{
    const json_t *units = json_object_get(root, "hourly_units");
    *curve = curve_empty();
    if (!reply_string_is(json_object_get(units, "time"), "unixtime") ||
        !reply_string_is(json_object_get(units, "temperature_2m"), "°C"))
        return OUTCOME_PARSE;
    enum outcome outcome = read_hours(json_object_get(root, "hourly"), curve);
    return outcome != OUTCOME_OK || curve_covers(curve, now_s) ? outcome : OUTCOME_IMPLAUSIBLE;
}

/* No document, too, when text follows, as it does when they fail midway. */
static enum outcome read(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    return reply_document(body, length, now_s, read_document, out);
}

static void reason(const char *body, size_t length, char out[PROVIDER_REASON_BYTES])
{
    reply_reason(body, length, "reason", out);
}

/* Its four kinds of 429 come without Retry-After. Budgets are renewed with the minute, the hour and the day
 * of UTC; a few seconds more keep its clients from all coming back at once. */
static int64_t pause_for(const char *said, int64_t now_s)
{
    static const struct {
        const char *mark;
        enum quota_window window;
    } kinds[] = {{"Minutely", QUOTA_MINUTE}, {"Hourly", QUOTA_HOUR}, {"Daily", QUOTA_DAY}};
    int64_t jitter_s = 1 + arc4random_uniform(PAUSE_JITTER_S);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(said, kinds[i].mark, strlen(kinds[i].mark)) == 0)
            return quota_window_end_s(kinds[i].window, now_s) - now_s + jitter_s;
    return jitter_s; /* "Too many concurrent requests" */
}

const struct provider open_meteo = {
    .credit = {"Weather data by Open-Meteo.com", "https://open-meteo.com/"},
    .keyed_host = "https://customer-api.open-meteo.com", /* the keyless host answers a key with a redirect */
    .one_at_a_time = true,
    .step_count = 1,
    .steps = {{request, read}},
    .reason = reason,
    .pause = pause_for,
};
