/* The weather APIs that the simulator speaks: one table, one row per path. All serve the same synthetic
 * weather and the same faults, each with the query, document, headers and errors of the real one. Where the
 * shapes come from is told beside each row's functions. */
#pragma once

#include "base/text.h"
#include "sim/wire.h"

#define API_REPLY_BYTES   262144 /* the longest: the METARs */
#define API_ERROR_BYTES   512
#define API_HEADERS_BYTES 160
#define JSON_TYPE         "application/json; charset=utf-8"
#define GZIP_TYPE         "application/x-gzip"

enum variable { TEMPERATURE, WEATHER_CODE, IS_DAY, VARIABLES };

/* What a client asks for. */
struct forecast {
    double latitude, longitude;         /* NAN: of no place */
    enum variable variables[VARIABLES]; /* in the order asked for; with the next three, Open-Meteo only */
    size_t variable_count;
    int64_t start_s; /* Unix seconds of the first point, a full hour */
    bool local;      /* timezone=auto; else GMT */
    int points;
    int64_t now_s; /* Unix seconds of the request */
    bool kelvin;
    int decimals; /* of temperatures */
};

/* Ways in which the content of a reply can be wrong. All but NANS (tokens NaN) are well-formed JSON. Those of
 * the second line are of the METARs only; there, NO_HOURLY lacks the header line. */
enum corruption {
    HONEST,
    NULLS,
    NANS,
    COLD,
    OLD,
    UNORDERED,
    UNEVEN,
    WRONG_UNITS,
    WRONG_TYPES,
    NO_HOURLY,
    OTHER_ORDER,
    STATUS_LINES,
    NOWHERE,
    STUCK,
    HAZY
};

struct api {
    const char *name, *path, *usage; /* an API may have several paths */

    /* Reads the query of a request made at `now_s`. NULL, or why it is refused, and then with which status in
     * *status. */
    const char *(*read)(const struct wire *, int64_t now_s, struct forecast *, int *status);

    void (*write)(struct text *, const struct forecast *, enum corruption);

    /* Writes an error's body, of type `error_type`. */
    void (*error)(struct text *, int status, const char *reason);
    const char *error_type;

    /* Writes further header lines. Returns whether the client has this document already. NULL: there are
     * none. */
    bool (*headers)(struct text *, const struct wire *, int64_t now_s);
    bool gzip; /* replies are compressed for a client that accepts it */
    bool file; /* replies are gzip files, whatever it accepts */
};

/* The rows; the last has no name. */
extern const struct api apis[];

/* The row of a path, NULL without. */
const struct api *api_of(const char *path);

/* Reads a coordinate pair, strictly, from the query parameters named `latitude_name` and `longitude_name`.
 * NULL, or why it is refused. */
const char *api_place(const struct wire *, const char *latitude_name, const char *longitude_name,
                      double *latitude, double *longitude);
