/* Open-Meteo. The query and the document as far as a client needs them that wants temperature, also as it
 * feels, probability of precipitation, weather code and day flag of one place by the hour with Unix times.
 * What goes beyond that is refused as a bad request.
 *
 * Shape, limits and reasons: https://open-meteo.com/en/docs, replies recorded from the API, and its source
 * (https://github.com/open-meteo/open-meteo). Its replies carry neither Expires nor ETag. */
#include "sim/points.h"

#include "base/json.h"
#include "synthetic/synthetic_weather.h"

#include <math.h>
#include <string.h>

#define PAST_MAX      2208 /* 92 days; this and the next two as the API has them */
#define AHEAD_MAX     384
#define AHEAD_DEFAULT 168
#define GRID_DEG      0.25

static const struct {
    const char *name, *unit;
} variables[VARIABLES] = {
    [TEMPERATURE] = {"temperature_2m", "°C"},
    [FEELS_LIKE] = {"apparent_temperature", "°C"},
    [RAIN] = {"precipitation_probability", "%"},
    [WEATHER_CODE] = {"weather_code", "wmo code"},
    [IS_DAY] = {"is_day", ""},
};

static const char *read_variables(const struct wire *wire, struct forecast *f)
{
    char list[256], *rest = list;
    bool seen[VARIABLES + 1] = {[VARIABLES] = true}; /* the unknown one counts as a repetition */
    if (!wire_parameter(wire, "hourly", list, sizeof list))
        rest = NULL;
    for (f->variable_count = 0; rest;) {
        const char *name = strsep(&rest, ",");
        enum variable v = 0;
        while (v < VARIABLES && strcmp(name, variables[v].name) != 0)
            v++;
        if (seen[v])
            return "Parameter 'hourly' may name temperature_2m, apparent_temperature, "
                   "precipitation_probability, "
                   "weather_code and is_day here, each once.";
        seen[v] = true;
        f->variables[f->variable_count++] = v;
    }
    return NULL;
}

const char *open_meteo_api_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    const char *reason;
    char text[32];
    int64_t past = 0, ahead = AHEAD_DEFAULT;
    *status = 400;
    f->decimals = 1;
    f->kelvin = false;
    if ((reason = api_place(wire, "latitude", "longitude", &f->latitude, &f->longitude)) ||
        (reason = read_variables(wire, f)))
        return reason;
    if (!wire_integer(wire, "past_hours", 0, PAST_MAX, &past))
        return "Parameter 'past_hours' is out of allowed range from 0 to 2208.";
    if (!wire_integer(wire, "forecast_hours", 0, AHEAD_MAX, &ahead))
        return "Parameter 'forecast_hours' is out of allowed range from 0 to 384.";
    if (!wire_parameter(wire, "timeformat", text, sizeof text) || strcmp(text, "unixtime") != 0)
        return "Parameter 'timeformat' must be 'unixtime' here.";
    f->local = wire_parameter(wire, "timezone", text, sizeof text) && strcmp(text, "GMT") != 0;
    if (f->local && strcmp(text, "auto") != 0)
        return "Parameter 'timezone' must be 'auto' or 'GMT' here.";
    f->start_s = now_s - now_s % HOUR_S - past * HOUR_S;
    f->points = (int)(past + ahead);
    return NULL;
}

/* The probability is that of the hour before, as their documentation has it; all else is of the instant. */
static int integer_at(const struct forecast *f, enum variable v, int64_t at)
{
    if (v == RAIN)
        return synthetic_rain_percent(f->latitude, f->longitude, at - HOUR_S);
    return v == IS_DAY ? synthetic_is_day(f->latitude, f->longitude, at)
                       : synthetic_weather_code(f->latitude, f->longitude, at);
}

static void write_value(struct text *out, const struct forecast *f, enum variable v, int point,
                        enum corruption corruption)
{
    int64_t at = f->start_s + (int64_t)point * HOUR_S;
    if (v == TEMPERATURE)
        point_celsius(out, f, synthetic_celsius(f->latitude, f->longitude, at), point, corruption);
    else if (v == FEELS_LIKE)
        point_celsius(out, f, synthetic_feels_like(f->latitude, f->longitude, at), point, corruption);
    else
        text_format(out, corruption == WRONG_TYPES ? "\"%d\"" : "%d", integer_at(f, v, at));
}

static void write_units(struct text *out, const struct forecast *f, enum corruption corruption)
{
    text_string(out, ",\"hourly_units\":{\"time\":\"unixtime\"");
    for (size_t i = 0; i < f->variable_count; i++) {
        enum variable v = f->variables[i];
        bool wrong = (v == TEMPERATURE || v == FEELS_LIKE) && corruption == WRONG_UNITS;
        json_write(out, ",%s:%-s", variables[v].name, wrong ? "°F" : variables[v].unit);
    }
    text_string(out, "}");
}

/* The API reads its data at full hours of UTC, but labels them by full hours of local time: its stamp, in
 * Unix time too, is the local hour minus the whole offset. In a zone of a half or quarter hour the stamp is
 * therefore off by the offset's remainder (getTimerange2 in the API's ForecastapiController.swift: hourlyRead
 * is shifted by the offset's full hours, hourlyDisplay by all of it). */
static void write_hourly(struct text *out, const struct forecast *f, int offset_s, enum corruption corruption)
{
    int64_t first = f->start_s - offset_s % HOUR_S, last = first + (int64_t)(f->points - 1) * HOUR_S;
    text_string(out, ",\"hourly\":{\"time\":[");
    for (int64_t at = first; at <= last; at += HOUR_S)
        json_write(out, ",%jd", point_instant(at, first + last - at, corruption));
    text_string(out, "]");
    for (size_t i = 0; i < f->variable_count; i++) {
        int points = f->points - (corruption == UNEVEN && i == 0 ? 1 : 0);
        json_write(out, ",%s:[", variables[f->variables[i]].name);
        for (int p = 0; p < points; p++) {
            text_string(out, p > 0 ? "," : "");
            write_value(out, f, f->variables[i], p, corruption);
        }
        text_string(out, "]");
    }
    text_string(out, "}");
}

/* The centre of the model's grid cell; always with a decimal point, as the API prints its doubles; never -0.
 */
static void write_snapped(struct text *out, const char *key, double degrees)
{
    double snapped = round(degrees / GRID_DEG) * GRID_DEG + 0.0;
    text_format(out, "\"%s\":%.*f,", key, fmod(snapped, 0.5) == 0.0 ? 1 : 2, snapped);
}

void open_meteo_api_write(struct text *out, const struct forecast *f, enum corruption corruption)
{
    struct synthetic_zone zone = {.name = "GMT", .abbreviation = "GMT"};
    if (f->local)
        zone = synthetic_zone(f->latitude, f->longitude);
    text_string(out, "{");
    write_snapped(out, "latitude", f->latitude);
    write_snapped(out, "longitude", f->longitude);
    json_write(out,
               "'generationtime_ms':0.05,'utc_offset_seconds':%d,'timezone':%s,"
               "'timezone_abbreviation':%s,'elevation':10.0",
               zone.offset_s, zone.name, zone.abbreviation);
    if (f->variable_count > 0 && corruption != NO_HOURLY) {
        write_units(out, f, corruption);
        write_hourly(out, f, zone.offset_s, corruption);
    }
    text_string(out, "}");
}

void open_meteo_api_error(struct text *json, int status, const char *reason)
{
    (void)status;
    json_write(json, "{'error':true,'reason':%s}", reason);
}
