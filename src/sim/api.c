#include "sim/api.h"

#include "sim/gfs_file.h"
#include "sim/metar_file.h"
#include "sim/points.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* A file has no query and no place. */
static const char *metar_file_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    (void)wire;
    (void)status;
    *f = (struct forecast){.latitude = NAN, .longitude = NAN, .now_s = now_s};
    return NULL;
}

#define HTML_TYPE "text/html; charset=utf-8"
#define S3_TYPE   "binary/octet-stream"

const struct api apis[API_ROWS + 1] = {
    {"open-meteo", "/v1/forecast",
     "?latitude=19.1&longitude=72.9&hourly=temperature_2m,weather_code,is_day&timeformat=unixtime\n"
     "    and, as you like, apparent_temperature, precipitation_probability,\n"
     "    &past_hours=24&forecast_hours=50&timezone=auto",
     open_meteo_api_read, open_meteo_api_write, JSON_TYPE, open_meteo_api_error, JSON_TYPE, .headers = NULL},
    {"met-norway", "/weatherapi/locationforecast/2.0/compact", "?lat=19.1&lon=72.9", met_norway_api_read,
     met_norway_api_write, JSON_TYPE, met_norway_api_error, HTML_TYPE, met_norway_api_headers, .gzip = true},
    {"openweathermap", "/data/2.5/weather", "?lat=19.1&lon=72.9&units=metric&appid=KEY",
     openweathermap_api_read, openweathermap_api_write_current, JSON_TYPE, openweathermap_api_error,
     JSON_TYPE, .headers = NULL},
    {"openweathermap", "/data/2.5/forecast", "?lat=19.1&lon=72.9&units=metric&appid=KEY&cnt=18",
     openweathermap_api_read, openweathermap_api_write_forecast, JSON_TYPE, openweathermap_api_error,
     JSON_TYPE, .headers = NULL},
    {"metar", "/data/cache/metars.cache.csv.gz", "(no query)", metar_file_read, metar_file_write,
     "application/x-gzip", met_norway_api_error, HTML_TYPE, .file = true},
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
