/* The weather APIs that the simulator speaks: one table, one row a path. The same truth, the same faults;
 * each with its own query, document, headers and errors. */
#pragma once

#include "base/text.h"
#include "sim/wire.h"

#define API_ERROR_BYTES   512
#define API_HEADERS_BYTES 160

enum variable { TEMPERATURE, WEATHER_CODE, IS_DAY, VARIABLES };

/* What a client asks for. */
struct forecast {
    double latitude, longitude;
    enum variable
        variables[VARIABLES]; /* in the order asked for; this and the next three for Open-Meteo only */
    size_t variable_count;
    int64_t start_s; /* Unix seconds of the first point, a full hour */
    bool local;      /* timezone=auto; else GMT */
    int points;
    int64_t now_s; /* Unix seconds at which it was asked for */
    bool kelvin;   /* temperatures in Kelvin */
    int decimals;  /* of temperatures */
};

/* Ways in which a reply that parses can still lie, and NAN_TOKENS, which strict parsers refuse. */
enum corruption {
    HONEST,
    NULLS,
    NAN_TOKENS,
    COLD,
    OLD,
    UNORDERED,
    UNEVEN,
    WRONG_UNITS,
    WRONG_TYPES,
    NO_HOURLY
};

struct api {
    const char *name, *path, *usage; /* an API may have several paths */

    /* Reads the query of a client that asks at `now_s`. NULL, or why it is refused, and then with which
     * status in *status. */
    const char *(*read)(const struct wire *, int64_t now_s, struct forecast *, int *status);

    /* The reply's body, for the caller to free; NULL when memory is out. */
    char *(*write)(const struct forecast *, enum corruption, size_t *length);

    /* Writes an error's body, of type `error_type`, and returns its length. */
    size_t (*error)(int status, const char *reason, char out[API_ERROR_BYTES]);
    const char *error_type;

    /* Writes further header lines, and whether the client has this document already. NULL: there are none. */
    bool (*headers)(const struct wire *, int64_t now_s, char out[API_HEADERS_BYTES]);
    bool gzip; /* replies are compressed for a client that accepts it */
};

/* The row at `index`, NULL past the last. */
const struct api *api_at(size_t index);

/* The row of a path, NULL without. */
const struct api *api_of(const char *path);

/* Reads a coordinate pair, strictly, from the query parameters `north` and `east`. NULL, or why it is
 * refused. */
const char *api_place(const struct wire *, const char *north, const char *east, double *latitude,
                      double *longitude);

/* Writes the temperature of point `i`, as the corruption has it. */
void api_celsius(struct text *, const struct forecast *, int64_t unix_s, int i, enum corruption);

/* Open-Meteo's row, in open_meteo.c: the query and the JSON as far as a client needs them that wants the
 * temperature, weather code and day flag of one place by the hour with Unix times. Facts from
 * https://open-meteo.com/en/docs and replies recorded from it; what goes beyond that is refused as a bad
 * request. */
const char *open_meteo_read(const struct wire *, int64_t now_s, struct forecast *, int *status);
char *open_meteo_write(const struct forecast *, enum corruption, size_t *length);
size_t open_meteo_error(int status, const char *reason, char out[API_ERROR_BYTES]);
