/* The file of the world's current METARs, as NOAA's Aviation Weather Center would publish it if the weather
 * were the synthetic one: data/airports.tsv, whole degrees, several reports of a station, the newest first,
 * and the oddities of the real file. weather/earth/metar.h tells what is known of that. */
#pragma once

#include "sim/api.h"

/* Writes the file as it is at `now_s` of the forecast, not packed yet, into API_REPLY_BYTES at most. What the
 * corruptions do to it is told in sim/faults.c. */
void metar_file_write(struct text *, const struct forecast *, enum corruption);

/* The temperature that a station measures, before it is rounded: the synthetic weather's, which knows no
 * height, is that of the sea's level. It falls by 0.0065 K/m, in the first 1,500 m only and not below 100 m,
 * as it does for a reader whose height is corrected for. `height_m`: NAN: not known, so none. */
double metar_file_celsius(double latitude, double longitude, double height_m, int64_t unix_s);
