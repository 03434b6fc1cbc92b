/* The weather APIs that the simulator speaks: one table, one row per path. All serve the same synthetic
 * weather and the same faults, each with the query, document, headers and errors of the real one. Where the
 * shapes come from is told beside each row's functions. */
#pragma once

#include "base/text.h"
#include "sim/wire.h"

#define API_REPLY_BYTES   (8 << 20) /* the longest: a file of GFS at 0.25 degrees */
#define API_ERROR_BYTES   512
#define API_HEADERS_BYTES 160
#define JSON_TYPE         "application/json; charset=utf-8"
#define API_ROWS          7  /* of the table */
#define API_MIRRORS       10 /* the API itself and nine that are played */

enum variable { TEMPERATURE, FEELS_LIKE, RAIN, WEATHER_CODE, IS_DAY, VARIABLES };

/* What a client asks for. */
struct forecast {
    double latitude, longitude;         /* NAN: of no place */
    enum variable variables[VARIABLES]; /* in the order asked for; with the next three, Open-Meteo only */
    size_t variable_count;
    int64_t start_s; /* Unix seconds of the first point, a full hour */
    bool local;      /* timezone=auto; else GMT */
    int points;
    int hour;      /* GFS only: from the run, which is at start_s */
    int64_t now_s; /* Unix seconds of the request */
    bool kelvin;
    int decimals; /* of temperatures */
};

/* Ways in which the content of a reply can be wrong. All but NANS (tokens NaN) are well-formed JSON. From
 * OTHER_ORDER on they are of the METARs only, which by NO_HOURLY lack the header line, and from STALE_INDEX
 * on of GFS. */
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
    HAZY,
    WARM,
    STALE_INDEX,
    SHORT_INDEX,
    INDEX_PAST_END,
    TWINS,
    CUT_MESSAGE,
    WRONG_GRID,
    WRONG_PARAMETER,
    WRONG_HOUR,
    WRONG_RUN,
    GAPS,
    MANY_GAPS,
    PACKED_SIMPLE,
    PACKED_COMPLEX,
    PACKED_PNG,
    HUGE_GRID,
    SHIFTED,
    EARLY,
    WHOLE_FILE
};

struct api {
    const char *name, *path, *usage; /* an API may have several paths; capitals in one stand for digits */

    /* Reads the query of a request made at `now_s`. NULL, or why it is refused, and then with which status in
     * *status. */
    const char *(*read)(const struct wire *, int64_t now_s, struct forecast *, int *status);

    /* Writes a reply of type `type`; `overflow` is set where that fails. */
    void (*write)(struct text *, const struct forecast *, enum corruption);
    const char *type;

    /* Writes an error's body, of type `error_type`. */
    void (*error)(struct text *, int status, const char *reason);
    const char *error_type;

    /* Writes further header lines. Returns whether the client has this document already. NULL: there are
     * none. */
    bool (*headers)(struct text *, const struct wire *, const struct forecast *);
    bool gzip;   /* replies are compressed for a client that accepts it */
    bool file;   /* replies are gzip files, whatever it accepts */
    bool ranges; /* a part of a reply may be asked for */
};

/* The rows; the last has no name. */
extern const struct api apis[API_ROWS + 1];

/* The row of a path, NULL without. Mirror 1..9 of each path is the same one below /mirror1../mirror9; 0: the
 * path itself. *path is set to the path without that. */
const struct api *api_of(const char **path, int *mirror);

/* Reads a coordinate pair, strictly, from the query parameters named `latitude_name` and `longitude_name`.
 * NULL, or why it is refused. */
const char *api_place(const struct wire *, const char *latitude_name, const char *longitude_name,
                      double *latitude, double *longitude);
