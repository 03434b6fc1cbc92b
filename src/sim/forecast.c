#include "sim/forecast.h"

#include "base/text.h"
#include "weather/truth.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S        3600
#define LIST_BYTES    ((size_t)24576)
#define PAST_MAX      2208 /* 92 days; this and the next two as the API has them */
#define AHEAD_MAX     384
#define AHEAD_DEFAULT 168
#define PLACE_BYTES   640 /* a location's part of the reply without its points */
#define POINT_BYTES   24  /* the longest element of an array, with its comma */
#define OLD_BY_S      (10 * 86400)
#define GRID_DEG      0.25
#define HOLE_EVERY    3 /* every third temperature of NULLS and NAN_TOKENS, from the second on */

static const struct {
    const char *name, *unit;
} variables[VARIABLES] = {
    [TEMPERATURE] = {"temperature_2m", "°C"},
    [WEATHER_CODE] = {"weather_code", "wmo code"},
    [IS_DAY] = {"is_day", ""},
};

static bool read_double(const char *text, double *value)
{
    char *end;
    if (text[0] == '\0' || text[strspn(text, "0123456789.+-eE")] != '\0')
        return false;
    *value = strtod(text, &end) + 0.0; /* + 0.0: never -0 */
    return *end == '\0' && isfinite(*value);
}

const char *forecast_coordinates(const char *latitude, const char *longitude, double *latitude_deg,
                                 double *longitude_deg)
{
    if (!read_double(latitude, latitude_deg) || !read_double(longitude, longitude_deg))
        return "Parameters 'latitude' and 'longitude' are required and must be numbers.";
    if (fabs(*latitude_deg) > 90.0)
        return "Latitude must be in range of -90 to 90°.";
    return fabs(*longitude_deg) > 180.0 ? "Longitude must be in range of -180 to 180°." : NULL;
}

/* Both lists in step, cut apart in place. */
static const char *cut_locations(char *north, char *east, struct forecast *f)
{
    for (f->count = 0; north && east; f->count++) {
        if (f->count == FORECAST_LOCATIONS)
            return "Only up to 1000 locations can be requested at once.";
        const char *latitude = strsep(&north, ","), *longitude = strsep(&east, ",");
        const char *why =
            forecast_coordinates(latitude, longitude, &f->latitude[f->count], &f->longitude[f->count]);
        if (why)
            return why;
    }
    return north || east ? "Parameters 'latitude' and 'longitude' must have the same number of elements."
                         : NULL;
}

static const char *read_locations(const struct wire *wire, struct forecast *f)
{
    char *lists = malloc(2 * LIST_BYTES);
    if (!lists)
        return "The simulator is out of memory.";
    wire_parameter(wire, "latitude", lists, LIST_BYTES);
    wire_parameter(wire, "longitude", lists + LIST_BYTES, LIST_BYTES);
    const char *why = cut_locations(lists, lists + LIST_BYTES, f);
    free(lists);
    return why;
}

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
            return "Parameter 'hourly' may name temperature_2m, weather_code and is_day here, each once.";
        seen[v] = true;
        f->variables[f->variable_count++] = v;
    }
    return NULL;
}

static bool read_hours(const struct wire *wire, const char *name, int fallback, int most, int *hours)
{
    char text[16], *end;
    *hours = fallback;
    if (!wire_parameter(wire, name, text, sizeof text))
        return true;
    long value = strtol(text, &end, 10);
    *hours = (int)value;
    return isdigit((unsigned char)text[0]) && *end == '\0' && value <= most;
}

const char *forecast_read(const struct wire *wire, int64_t now_s, struct forecast *f)
{
    const char *why;
    char text[32];
    int past, ahead;
    if ((why = read_locations(wire, f)) || (why = read_variables(wire, f)))
        return why;
    if (!read_hours(wire, "past_hours", 0, PAST_MAX, &past))
        return "Parameter 'past_hours' is out of allowed range from 0 to 2208.";
    if (!read_hours(wire, "forecast_hours", AHEAD_DEFAULT, AHEAD_MAX, &ahead))
        return "Parameter 'forecast_hours' is out of allowed range from 0 to 384.";
    if (!wire_parameter(wire, "timeformat", text, sizeof text) || strcmp(text, "unixtime") != 0)
        return "Parameter 'timeformat' must be 'unixtime' here.";
    f->local = wire_parameter(wire, "timezone", text, sizeof text) && strcmp(text, "GMT") != 0;
    if (f->local && strcmp(text, "auto") != 0)
        return "Parameter 'timezone' must be 'auto' or 'GMT' here.";
    f->start_s = now_s - now_s % HOUR_S - (int64_t)past * HOUR_S;
    f->points = past + ahead;
    return NULL;
}

/* The temperature may come out as -0.0, as it does from any API that formats a double. */
static void write_value(struct text *out, const struct forecast *f, size_t place, enum variable v, int point,
                        enum twist twist)
{
    double latitude = f->latitude[place], longitude = f->longitude[place];
    int64_t at = f->start_s + (int64_t)point * HOUR_S;
    bool hole = v == TEMPERATURE && point % HOLE_EVERY == 1;
    const char *quote = twist == WRONG_TYPES ? "\"" : "";

    text_string(out, quote);
    if (hole && (twist == NULLS || twist == NAN_TOKENS))
        text_string(out, twist == NULLS ? "null" : "NaN");
    else if (v == TEMPERATURE)
        text_format(out, "%.1f", twist == COLD ? -300.0 : truth_celsius(latitude, longitude, at));
    else if (v == WEATHER_CODE)
        text_format(out, "%d", truth_weather_code(latitude, longitude, at));
    else
        text_format(out, "%d", truth_is_day(latitude, longitude, at) ? 1 : 0);
    text_string(out, quote);
}

static void write_units(struct text *out, const struct forecast *f, enum twist twist)
{
    text_string(out, ",\"hourly_units\":{\"time\":\"unixtime\"");
    for (size_t i = 0; i < f->variable_count; i++) {
        enum variable v = f->variables[i];
        bool lie = v == TEMPERATURE && twist == WRONG_UNITS;
        text_format(out, ",\"%s\":\"%s\"", variables[v].name, lie ? "°F" : variables[v].unit);
    }
    text_string(out, "}");
}

static void write_hourly(struct text *out, const struct forecast *f, size_t place, enum twist twist)
{
    int64_t first = f->start_s - (twist == OLD ? OLD_BY_S : 0);
    text_string(out, ",\"hourly\":{\"time\":[");
    for (int p = 0; p < f->points; p++) {
        int slot = twist == UNORDERED ? f->points - 1 - p : p;
        long long at = first + (int64_t)slot * HOUR_S;
        text_format(out, "%s%lld", p > 0 ? "," : "", at);
    }
    text_string(out, "]");
    for (size_t i = 0; i < f->variable_count; i++) {
        int points = f->points - (twist == UNEVEN && i == 0 ? 1 : 0);
        text_format(out, ",\"%s\":[", variables[f->variables[i]].name);
        for (int p = 0; p < points; p++) {
            text_string(out, p > 0 ? "," : "");
            write_value(out, f, place, f->variables[i], p, twist);
        }
        text_string(out, "]");
    }
    text_string(out, "}");
}

/* Always with a decimal point, as the API prints its doubles; never -0. */
static void write_snapped(struct text *out, const char *key, double degrees)
{
    double snapped = round(degrees / GRID_DEG) * GRID_DEG + 0.0;
    text_format(out, "\"%s\":%.*f,", key, fmod(snapped, 0.5) == 0.0 ? 1 : 2, snapped);
}

static void write_place(struct text *out, const struct forecast *f, size_t place, enum twist twist)
{
    struct truth_zone zone = {.name = "GMT", .abbreviation = "GMT"};
    if (f->local)
        zone = truth_zone(f->latitude[place], f->longitude[place]);
    text_string(out, "{");
    write_snapped(out, "latitude", f->latitude[place]);
    write_snapped(out, "longitude", f->longitude[place]);
    text_format(out,
                "\"generationtime_ms\":0.05,\"utc_offset_seconds\":%d,\"timezone\":\"%s\","
                "\"timezone_abbreviation\":\"%s\",\"elevation\":10.0",
                zone.offset_s, zone.name, zone.abbreviation);
    if (place > 0) /* the API leaves out a location_id of 0 */
        text_format(out, ",\"location_id\":%zu", place);
    if (f->variable_count > 0 && twist != NO_HOURLY) {
        write_units(out, f, twist);
        write_hourly(out, f, place, twist);
    }
    text_string(out, "}");
}

char *forecast_write(const struct forecast *f, enum twist twist, size_t *length)
{
    size_t per_place = PLACE_BYTES + (size_t)f->points * (1 + f->variable_count) * POINT_BYTES;
    size_t capacity = f->count * per_place + 8;
    char *bytes = malloc(capacity);
    if (!bytes)
        return NULL;
    struct text out = text_over(bytes, capacity);
    text_string(&out, f->count > 1 ? "[" : "");
    for (size_t i = 0; i < f->count; i++) {
        text_string(&out, i > 0 ? "," : "");
        write_place(&out, f, i, twist);
    }
    text_string(&out, f->count > 1 ? "]" : "");
    *length = out.length;
    return bytes;
}

size_t forecast_error(const char *reason, char out[FORECAST_ERROR_BYTES])
{
    struct text json = text_over(out, FORECAST_ERROR_BYTES);
    text_string(&json, "{\"error\":true,\"reason\":");
    text_json(&json, reason);
    text_string(&json, "}");
    return json.length;
}
