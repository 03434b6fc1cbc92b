/* Open-Meteo, https://open-meteo.com/en/docs: the hourly forecast of /v1/forecast, keyless or with a
 * customer's key in a header (in the query it would end up in logs). */
#include "weather/point/provider.h"
#include "weather/point/quota.h"
#include "weather/point/reply.h"

#include <jansson.h>
#include <string.h>

#define PAUSE_JITTER_S 5
#define PAST_HOURS     1
#define FORECAST_HOURS 50

static void request(const struct provider_access *options, struct cell cell, struct text *url,
                    struct text *header)
{
    text_format(url, "%s/v1/forecast?latitude=%.9g&longitude=%.9g", options->url,
                (double)cell.latitude_udeg / CELL_MICRODEGREES,
                (double)cell.longitude_udeg / CELL_MICRODEGREES);
    text_format(url, "&hourly=temperature_2m,weather_code,is_day&past_hours=%d&forecast_hours=%d", PAST_HOURS,
                FORECAST_HOURS);
    text_string(url, "&timeformat=unixtime&timezone=auto");
    if (options->key[0])
        text_format(header, "X-Api-Key: %s", options->key);
}

static const json_t *array_of(const json_t *object, const char *key, size_t count)
{
    const json_t *array = json_object_get(object, key);
    return json_is_array(array) && json_array_size(array) == count ? array : NULL;
}

/* Times must be whole hours apart, ascending, as many as fit a curve. */
static enum outcome read_times(const json_t *hourly, struct curve *curve)
{
    const json_t *times = json_object_get(hourly, "time");
    size_t count = json_array_size(times);
    if (count < 2 || count > CURVE_POINTS)
        return OUTCOME_PARSE;
    for (size_t i = 0; i < count; i++) {
        const json_t *time = json_array_get(times, i);
        if (!json_is_integer(time))
            return OUTCOME_PARSE;
        if (i == 0)
            curve->start_s = json_integer_value(time);
        else if (json_integer_value(time) != curve->start_s + (int64_t)i * CURVE_STEP_S)
            return OUTCOME_IMPLAUSIBLE;
        if (curve->start_s < 0 || curve->start_s > INT32_MAX * (int64_t)100)
            return OUTCOME_IMPLAUSIBLE;
    }
    curve->count = (uint8_t)count;
    return OUTCOME_OK;
}

static enum outcome read_temperatures(const json_t *hourly, struct curve *curve)
{
    const json_t *values = array_of(hourly, "temperature_2m", curve->count);
    if (!values)
        return OUTCOME_PARSE;
    for (size_t i = 0; i < curve->count; i++) {
        enum outcome outcome = reply_celsius(json_array_get(values, i), &curve->temperature_cdeg[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    curve_bridge_gaps(curve);
    return OUTCOME_OK;
}

/* Code and daylight may be missing without harm: what is not an integer in range is not known. */
static void read_conditions(const json_t *hourly, struct curve *curve)
{
    const json_t *codes = array_of(hourly, "weather_code", curve->count);
    const json_t *days = array_of(hourly, "is_day", curve->count);
    for (size_t i = 0; i < curve->count; i++) {
        const json_t *code = json_array_get(codes, i);
        const json_t *day = json_array_get(days, i);
        bool code_known = json_is_integer(code) && json_integer_value(code) >= 0 &&
                          json_integer_value(code) <= CURVE_CODE_MAX;
        bool day_known =
            json_is_integer(day) && (json_integer_value(day) == 0 || json_integer_value(day) == 1);
        if (!day_known) {
            curve->condition[i] = CURVE_NO_CONDITION;
            continue;
        }
        curve->condition[i] = code_known ? (uint8_t)json_integer_value(code) : CURVE_NO_CODE;
        if (json_integer_value(day) == 1)
            curve->condition[i] |= CURVE_DAY;
    }
}

static void read_zone(const json_t *root, struct curve *curve)
{
    const json_t *offset = json_object_get(root, "utc_offset_seconds");
    const json_t *name = json_object_get(root, "timezone");
    json_int_t east_s = json_integer_value(offset); /* 0 for what is no integer */
    if (json_is_integer(offset) && east_s >= -CURVE_UTC_OFFSET_MAX_S && east_s <= CURVE_UTC_OFFSET_MAX_S)
        curve->utc_offset_s = (int32_t)east_s;
    const char *text = json_is_string(name) ? json_string_value(name) : "";
    size_t plain = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    if (plain < sizeof curve->timezone && text[plain] == '\0')
        memcpy(curve->timezone, text, plain + 1);
}

/* Moves the stamps onto the hours that the values are for. The API reads its data at full hours of UTC, but
 * stamps them with the local hour minus the whole offset, in Unix time too: in a zone of a half or quarter
 * hour all are off by the offset's remainder (getTimerange2 in its ForecastapiController.swift). Stamps that
 * are on the hour already stay. */
static void put_on_the_hour(struct curve *curve)
{
    int64_t moved_s = curve->start_s + curve->utc_offset_s % CURVE_STEP_S;
    if (curve->utc_offset_s != CURVE_NO_OFFSET && moved_s % CURVE_STEP_S == 0)
        curve->start_s = moved_s;
}

static enum outcome read_document(const json_t *root, int64_t now_s, struct curve *curve)
{
    const json_t *units = json_object_get(root, "hourly_units");
    const json_t *hourly = json_object_get(root, "hourly");
    if (!reply_string_is(json_object_get(units, "time"), "unixtime") ||
        !reply_string_is(json_object_get(units, "temperature_2m"), "°C"))
        return OUTCOME_PARSE;
    enum outcome outcome = read_times(hourly, curve);
    if (outcome == OUTCOME_OK)
        outcome = read_temperatures(hourly, curve);
    if (outcome != OUTCOME_OK)
        return outcome;
    read_conditions(hourly, curve);
    read_zone(root, curve);
    put_on_the_hour(curve);
    return curve_covers(curve, now_s) ? OUTCOME_OK : OUTCOME_IMPLAUSIBLE;
}

static enum outcome read(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    json_t *root =
        reply_object(body, length); /* NULL, too, when text follows, as it does when they fail midway */
    if (!root)
        return OUTCOME_PARSE;
    struct curve curve = {.utc_offset_s = CURVE_NO_OFFSET};
    enum outcome outcome = read_document(root, now_s, &curve);
    if (outcome == OUTCOME_OK)
        *out = curve;
    json_decref(root);
    return outcome;
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
