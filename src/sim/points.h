/* The APIs of the simulator that forecast a place, a file each, and what these share. Each function named
 * after an API is as struct api has it. */
#pragma once

#include "sim/api.h"

#define HOUR_S 3600

/* Reads the place that the query names by `lat` and `lon`, and begins a forecast with the hour of now. */
const char *point_read(const struct wire *, int64_t now_s, struct forecast *);

/* Writes a temperature of point `i`, in the forecast's unit, as the corruption has it. */
void point_celsius(struct text *, const struct forecast *, double celsius, int i, enum corruption);

/* The instant to write for a point at `unix_s`; `mirror_s` is that of the point as far from the series' end.
 */
int64_t point_instant(int64_t unix_s, int64_t mirror_s, enum corruption);

/* What the WMO code of an instant is elsewhere: a number of OpenWeatherMap, and a symbol of MET Norway, which
 * has a form for the day and one for the night where it ends in an underscore. */
struct point_name {
    int code, id; /* `code`: the highest that is called so */
    const char *symbol;
};

/* That of a place and instant, and whether it is day. */
const struct point_name *point_name_at(const struct forecast *, int64_t unix_s, bool *is_day);

const char *open_meteo_api_read(const struct wire *, int64_t now_s, struct forecast *, int *status);
void open_meteo_api_write(struct text *, const struct forecast *, enum corruption);
void open_meteo_api_error(struct text *, int status, const char *reason);

const char *met_norway_api_read(const struct wire *, int64_t now_s, struct forecast *, int *status);
void met_norway_api_write(struct text *, const struct forecast *, enum corruption);
void met_norway_api_error(struct text *, int status, const char *reason);
bool met_norway_api_headers(struct text *, const struct wire *, const struct forecast *);

const char *openweathermap_api_read(const struct wire *, int64_t now_s, struct forecast *, int *status);
void openweathermap_api_write_current(struct text *, const struct forecast *, enum corruption);
void openweathermap_api_write_forecast(struct text *, const struct forecast *, enum corruption);
void openweathermap_api_error(struct text *, int status, const char *reason);
