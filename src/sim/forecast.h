/* The forecast endpoint's language: Open-Meteo's query in, Open-Meteo's JSON out, as far as a
 * client needs them that wants the temperature, weather code and day flag by the hour with Unix
 * times. Facts from https://open-meteo.com/en/docs and replies recorded from it; what goes beyond
 * that is refused as a bad request. */
#ifndef SIM_FORECAST_H
#define SIM_FORECAST_H

#include "sim/wire.h"

#include <stdint.h>

#define FORECAST_LOCATIONS   1000 /* Open-Meteo's limit for one request without a key */
#define FORECAST_ERROR_BYTES 512

enum variable { TEMPERATURE, WEATHER_CODE, IS_DAY, VARIABLES };

struct forecast {
    size_t count; /* of locations, at least 1 */
    double latitude[FORECAST_LOCATIONS], longitude[FORECAST_LOCATIONS];
    enum variable variables[VARIABLES]; /* in the order asked for */
    size_t variable_count;
    int64_t start_s; /* Unix seconds of the first point, a full hour */
    int points;      /* hourly points */
    bool local;      /* timezone=auto; else GMT */
    int64_t now_s;   /* Unix seconds at which it was asked for; this and the next for other APIs only */
    bool kelvin;     /* temperatures in Kelvin */
};

/* Ways in which a reply that parses can still lie, and NAN_TOKENS, which strict parsers refuse. */
enum twist { HONEST, NULLS, NAN_TOKENS, COLD, OLD, UNORDERED, UNEVEN, WRONG_UNITS, WRONG_TYPES, NO_HOURLY };

/* Reads a coordinate pair, strictly. NULL, or why it is refused. */
const char *forecast_coordinates(const char *latitude, const char *longitude, double *latitude_deg,
                                 double *longitude_deg);

/* Reads the query of a client that asks at `now_s` (Unix seconds). NULL, or why it is refused. */
const char *forecast_read(const struct wire *, int64_t now_s, struct forecast *);

/* The reply's body: the truth at the coordinates asked for, to 0.1 degree; the coordinates
 * reported are snapped to a 0.25 degree grid, as the API reports its model's. The caller
 * frees it; NULL when memory is out. */
char *forecast_write(const struct forecast *, enum twist, size_t *length);

/* Writes the API's error object for `reason` into `out` and returns its length. */
size_t forecast_error(const char *reason, char out[FORECAST_ERROR_BYTES]);

#endif
