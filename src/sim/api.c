#include "sim/api.h"

#include "base/clock.h"
#include "base/json.h"
#include "sim/gfs_file.h"
#include "sim/metar_file.h"
#include "synthetic/synthetic_weather.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S     3600
#define OLD_BY_S   (10 * 86400)
#define KELVIN     273.15 /* 0 °C */
#define HOLE_EVERY 3      /* every third temperature of NULLS and NANS, from the second on */

/* ---- what all share ---- */

static bool read_double(const struct wire *wire, const char *name, double *value)
{
    char text[32], *end;
    wire_parameter(wire, name, text, sizeof text);
    *value = strtod(text, &end) + 0.0; /* + 0.0: never -0 */
    return end > text && *end == '\0' && !text[strspn(text, "0123456789.+-eE")] && isfinite(*value);
}

const char *api_place(const struct wire *wire, const char *latitude_name, const char *longitude_name,
                      double *latitude, double *longitude)
{
    if (!read_double(wire, latitude_name, latitude) || !read_double(wire, longitude_name, longitude))
        return "Latitude and longitude are required and must be numbers.";
    if (fabs(*latitude) > 90.0)
        return "Latitude must be in range of -90 to 90°.";
    return fabs(*longitude) > 180.0 ? "Longitude must be in range of -180 to 180°." : NULL;
}

/* Writes the temperature of point `i`, as the corruption has it. */
static void write_celsius(struct text *out, const struct forecast *f, int64_t unix_s, int i,
                          enum corruption corruption)
{
    double celsius = corruption == COLD ? -300.0 : synthetic_celsius(f->latitude, f->longitude, unix_s);
    if (i % HOLE_EVERY == 1 && (corruption == NULLS || corruption == NANS))
        text_string(out, corruption == NULLS ? "null" : "NaN");
    else
        text_format(out, corruption == WRONG_TYPES ? "\"%.*f\"" : "%.*f", f->decimals,
                    f->kelvin ? celsius + KELVIN : celsius);
}

/* The instant to write for a point at `unix_s`; `mirror_s` is that of the point as far from the series' end.
 */
static int64_t corrupted(int64_t unix_s, int64_t mirror_s, enum corruption corruption)
{
    return corruption == UNORDERED ? mirror_s : corruption == OLD ? unix_s - OLD_BY_S : unix_s;
}

/* ---- Open-Meteo ----
 *
 * The query and the document as far as a client needs them that wants temperature, weather code and day flag
 * of one place by the hour with Unix times. What goes beyond that is refused as a bad request.
 *
 * Shape, limits and reasons: https://open-meteo.com/en/docs, replies recorded from the API, and its source
 * (https://github.com/open-meteo/open-meteo). Its replies carry neither Expires nor ETag. */

#define PAST_MAX      2208 /* 92 days; this and the next two as the API has them */
#define AHEAD_MAX     384
#define AHEAD_DEFAULT 168
#define GRID_DEG      0.25

static const struct {
    const char *name, *unit;
} variables[VARIABLES] = {
    [TEMPERATURE] = {"temperature_2m", "°C"},
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
            return "Parameter 'hourly' may name temperature_2m, weather_code and is_day here, each once.";
        seen[v] = true;
        f->variables[f->variable_count++] = v;
    }
    return NULL;
}

static const char *open_meteo_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
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

static void write_value(struct text *out, const struct forecast *f, enum variable v, int point,
                        enum corruption corruption)
{
    int64_t at = f->start_s + (int64_t)point * HOUR_S;
    if (v == TEMPERATURE)
        write_celsius(out, f, at, point, corruption);
    else
        text_format(out, corruption == WRONG_TYPES ? "\"%d\"" : "%d",
                    v == IS_DAY ? synthetic_is_day(f->latitude, f->longitude, at)
                                : synthetic_weather_code(f->latitude, f->longitude, at));
}

static void write_units(struct text *out, const struct forecast *f, enum corruption corruption)
{
    text_string(out, ",\"hourly_units\":{\"time\":\"unixtime\"");
    for (size_t i = 0; i < f->variable_count; i++) {
        enum variable v = f->variables[i];
        bool wrong = v == TEMPERATURE && corruption == WRONG_UNITS;
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
        json_write(out, ",%jd", corrupted(at, first + last - at, corruption));
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

static void open_meteo_write(struct text *out, const struct forecast *f, enum corruption corruption)
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

static void open_meteo_error(struct text *json, int status, const char *reason)
{
    (void)status;
    json_write(json, "{'error':true,'reason':%s}", reason);
}

/* ---- what MET Norway and OpenWeatherMap share ---- */

static const char *read_place(const struct wire *wire, int64_t now_s, struct forecast *f)
{
    *f = (struct forecast){.start_s = now_s - now_s % HOUR_S, .now_s = now_s, .decimals = 2};
    return api_place(wire, "lat", "lon", &f->latitude, &f->longitude);
}

/* What WMO codes up to `code` are elsewhere: numbers of OpenWeatherMap and symbols of MET Norway, which have
 * a form for the day and one for the night where they end in an underscore. */
static const struct {
    int code, id;
    const char *symbol;
} names[] = {
    {0, 800, "clearsky_"},
    {1, 801, "fair_"},
    {2, 802, "partlycloudy_"},
    {3, 804, "cloudy"},
    {48, 741, "fog"},
    {55, 300, "lightrain"},
    {67, 511, "sleet"},
    {73, 600, "lightsnow"},
    {77, 602, "heavysnow"},
    {81, 521, "rainshowers_"},
    {82, 522, "heavyrainshowers_"},
    {86, 620, "snowshowers_"},
    {99, 211, "rainandthunder"},
};

static size_t name_at(const struct forecast *f, int64_t unix_s, bool *is_day)
{
    int code = synthetic_weather_code(f->latitude, f->longitude, unix_s);
    size_t i = 0;
    while (names[i].code < code)
        i++;
    *is_day = synthetic_is_day(f->latitude, f->longitude, unix_s);
    return i;
}

/* ---- MET Norway ----
 *
 * Shape: the documented reply of locationforecast 2.0, "compact" (https://api.met.no/weatherapi/). Rules: its
 * terms of service (https://api.met.no/doc/TermsOfService): 403 without a User-Agent that identifies the
 * client and for more than four decimals, no repetition before Expires, If-Modified-Since with the exact
 * Last-Modified, gzip. The body of an error is HTML. Entries beyond the hourly ones lack next_1_hours. */

#define MET_HOURLY 57         /* points by the hour, */
#define MET_POINTS 84         /* then six-hourly ones */
#define MET_RUN_S  (6 * 3600) /* how often there is a new document */
#define MET_KEEP_S 1800       /* the 30 minutes of the documented example */

static bool has_long_decimals(const struct wire *wire, const char *name)
{
    char text[32];
    wire_parameter(wire, name, text, sizeof text);
    const char *point = strchr(text, '.');
    return point && strlen(point + 1) > 4;
}

static const char *met_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    *status = 403;
    if (!strchr(wire->user_agent, ' '))
        return "403 Forbidden: identify yourself in the User-Agent";
    if (has_long_decimals(wire, "lat") || has_long_decimals(wire, "lon"))
        return "403 Forbidden: at most 4 decimals";
    *status = 400;
    return read_place(wire, now_s, f);
}

static void met_entry(struct text *out, const struct forecast *f, int i, enum corruption corruption)
{
    int step = i < MET_HOURLY ? i : MET_HOURLY + 6 * (i - MET_HOURLY);
    int mirrored = MET_POINTS - 1 - i;
    int64_t at = f->start_s + (int64_t)step * HOUR_S;
    bool is_day;
    size_t name = name_at(f, at, &is_day);
    json_write(out, ",{'time':%td,'data':{'instant':{'details':{'air_temperature':",
               corrupted(at, f->start_s + (int64_t)mirrored * HOUR_S, corruption));
    write_celsius(out, f, at, i, corruption);
    text_format(out,
                ",\"relative_humidity\":70.5}},\"next_%d_hours\":{\"summary\":{\"symbol_code\":\"%s%s\"}}}}",
                i < MET_HOURLY ? 1 : 6, names[name].symbol,
                !strchr(names[name].symbol, '_') ? ""
                : is_day                         ? "day"
                                                 : "night");
}

static void met_write(struct text *out, const struct forecast *f, enum corruption corruption)
{
    json_write(out,
               "{'type':'Feature','geometry':{'type':'Point','coordinates':[%.4g,%.4g,10]},'properties':{",
               f->longitude, f->latitude);
    if (corruption != NO_HOURLY) {
        json_write(out, "'meta':{'units':{'air_temperature':%s}},'timeseries':[",
                   corruption == WRONG_UNITS ? "fahrenheit" : "celsius");
        for (int i = 0; i < MET_POINTS; i++)
            met_entry(out, f, i, corruption);
        text_string(out, "]");
    }
    text_string(out, "}}");
}

static void met_error(struct text *page, int status, const char *reason)
{
    (void)status;
    text_string(page, "<!DOCTYPE html>\n<html><head><title>");
    text_html(page, reason);
    text_string(page, "</title></head><body></body></html>\n");
}

static bool met_headers(struct text *lines, const struct wire *wire, const struct forecast *f)
{
    char modified[CLOCK_HTTP_BYTES], expires[CLOCK_HTTP_BYTES];
    clock_format_http(f->now_s - f->now_s % MET_RUN_S, modified);
    clock_format_http(f->now_s + MET_KEEP_S, expires);
    text_format(lines, "Expires: %s\r\nLast-Modified: %s\r\n", expires, modified);
    return strcmp(wire->if_modified_since, modified) == 0;
}

/* ---- OpenWeatherMap ----
 *
 * Shapes: the documented replies of https://openweathermap.org/current and /forecast5, as far as a client
 * reads them. Kelvin unless units=metric; no unit is named. An error's "cod" is a number, but a string for
 * 404. */

#define OWM_STEP_S     (3 * 3600)
#define OWM_POINTS     40
#define OWM_MEASURED_S 300 /* the age of the current weather */

static const char *owm_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    char text[32];
    *status = 401;
    if (!wire_parameter(wire, "appid", text, sizeof text) || text[0] == '\0')
        return "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info.";
    *status = 400;
    const char *reason = read_place(wire, now_s, f);
    int64_t points = OWM_POINTS;
    f->kelvin = !wire_parameter(wire, "units", text, sizeof text) || strcmp(text, "metric") != 0;
    if (!wire_integer(wire, "cnt", 1, OWM_POINTS, &points))
        return "cnt is from 1 to 40";
    f->points = (int)points;
    return reason;
}

/* The members of a measurement or a forecast, point `i`, without braces. */
static void owm_point(struct text *out, const struct forecast *f, int64_t at, int64_t mirror_s, int i,
                      enum corruption corruption)
{
    bool is_day;
    size_t name = name_at(f, at, &is_day);
    json_write(out, "'dt':%jd,'weather':[{'id':%d,'icon':%s}],'main':{'temp':",
               corrupted(at, mirror_s, corruption), names[name].id, is_day ? "01d" : "01n");
    struct forecast shown = *f;
    shown.kelvin = f->kelvin || corruption == WRONG_UNITS; /* the reply names no unit */
    write_celsius(out, &shown, at, i, corruption);
    text_string(out, ",\"humidity\":70}");
}

static void owm_write_current(struct text *out, const struct forecast *f, enum corruption corruption)
{
    int64_t at = f->now_s - OWM_MEASURED_S;
    text_string(out, "{");
    if (corruption != NO_HOURLY)
        owm_point(out, f, at, at, 0, corruption);
    json_write(out, ",'timezone':%d,'cod':200}", synthetic_zone(f->latitude, f->longitude).offset_s);
}

static void owm_write_forecast(struct text *out, const struct forecast *f, enum corruption corruption)
{
    int64_t first = f->now_s - f->now_s % OWM_STEP_S + OWM_STEP_S;
    text_string(out, "{\"cod\":\"200\",\"message\":0,\"list\":[");
    for (int i = 0; i < f->points && corruption != NO_HOURLY; i++) {
        int64_t at = first + (int64_t)i * OWM_STEP_S;
        json_write(out, ",{");
        owm_point(out, f, at, first + (int64_t)(f->points - 1 - i) * OWM_STEP_S, i, corruption);
        text_string(out, "}");
    }
    json_write(out, "],'city':{'coord':{'lat':%.4g,'lon':%.4g}}}", f->latitude, f->longitude);
}

static void owm_error(struct text *json, int status, const char *reason)
{
    json_write(json, status == 404 ? "{'cod':'%d','message':%s}" : "{'cod':%d,'message':%s}", status, reason);
}

/* ---- METAR ---- */

/* A file has no query and no place. */
static const char *metar_file_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    (void)wire;
    (void)status;
    *f = (struct forecast){.latitude = NAN, .longitude = NAN, .now_s = now_s};
    return NULL;
}

/* ---- the table ---- */

#define HTML_TYPE "text/html; charset=utf-8"
#define S3_TYPE   "binary/octet-stream"

const struct api apis[API_ROWS + 1] = {
    {"open-meteo", "/v1/forecast",
     "?latitude=19.1&longitude=72.9&hourly=temperature_2m,weather_code,is_day&timeformat=unixtime\n"
     "    and, as you like, &past_hours=1&forecast_hours=50&timezone=auto",
     open_meteo_read, open_meteo_write, JSON_TYPE, open_meteo_error, JSON_TYPE, .headers = NULL},
    {"met-norway", "/weatherapi/locationforecast/2.0/compact", "?lat=19.1&lon=72.9", met_read, met_write,
     JSON_TYPE, met_error, HTML_TYPE, met_headers, .gzip = true},
    {"openweathermap", "/data/2.5/weather", "?lat=19.1&lon=72.9&units=metric&appid=KEY", owm_read,
     owm_write_current, JSON_TYPE, owm_error, JSON_TYPE, .headers = NULL},
    {"openweathermap", "/data/2.5/forecast", "?lat=19.1&lon=72.9&units=metric&appid=KEY&cnt=18", owm_read,
     owm_write_forecast, JSON_TYPE, owm_error, JSON_TYPE, .headers = NULL},
    {"metar", "/data/cache/metars.cache.csv.gz", "(no query)", metar_file_read, metar_file_write,
     "application/x-gzip", met_error, HTML_TYPE, .file = true},
    {"gfs-index", GFS_FILE_PATH ".idx", "(no query)", gfs_file_read, gfs_file_write_index, S3_TYPE,
     gfs_file_error, "application/xml", gfs_file_headers, .ranges = true},
    {"gfs-data", GFS_FILE_PATH, "(no query; a range)", gfs_file_read, gfs_file_write, S3_TYPE, gfs_file_error,
     "application/xml", gfs_file_headers, .ranges = true},
    {.name = NULL},
};

static bool is_like(const char *path, const char *shape)
{
    while (*path && (isupper((unsigned char)*shape) ? isdigit((unsigned char)*path) : *path == *shape))
        path++, shape++;
    return *path == *shape; /* both have ended */
}

const struct api *api_of(const char **path, int *mirror)
{
    static const char prefix[] = "/mirror";
    const char *number = *path + sizeof prefix - 1;
    const struct api *api = apis;
    *mirror = 0;
    if (strncmp(*path, prefix, sizeof prefix - 1) == 0 && number[0] > '0' && number[0] <= '9' &&
        number[1] == '/') {
        *mirror = number[0] - '0';
        *path = number + 1;
    }
    while (api->name && !is_like(*path, api->path))
        api++;
    return api->name ? api : NULL;
}
