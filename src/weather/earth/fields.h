/* The weather of the whole earth as it is known at one time: a run of the model, and what the airports say
 * about it. It never changes: reading it is thread-safe, for as long as it is held. */
#pragma once

#include "weather/cell/curve.h"
#include "weather/earth/airports.h"
#include "weather/earth/grid.h"

#define FIELDS_STALE_S      43200 /* from this age of its run on the model is stale */
#define FIELDS_STATIONS_MAX 8

struct fields {
    struct grid *grid;
    struct airports *airports; /* NULL: none are known */
    struct airports_counts counts;
    struct airports_error error;
    int64_t grid_loaded_s, airports_loaded_s; /* Unix times; the second 0 without airports */
};

void fields_close(struct fields *);

/* Adds what the airports say, as it is at `now_s`, to fields that have a grid alone: of reports that were
 * read at `read_s`, which stay the caller's. Without reports, or memory, there are none. */
void fields_correct(struct fields *, const struct metar_file *, int64_t read_s, int64_t now_s);

/* Leaves the airports out again: all of their reports count as off. */
void fields_disbelieve(struct fields *);

/* A place: latitude in [-90, 90], any finite longitude, the height above the sea, GRID_NO_HEIGHT: not known.
 */
struct earth_place {
    double latitude, longitude;
    int height_m;
};

/* The curve of a place, whole hours from the first hour of the run on; all but `provider` and `expires_s`.
 * The correction by the airports is theirs of `now_s` for the hours around that, and fades before and after;
 * the weather of a station close by goes before the model's in the present hour. False where nothing is known
 * for now. *corrected: whether a station has had a say. */
bool fields_read(const struct fields *, const struct earth_place *, int64_t now_s, struct curve *out,
                 bool *corrected);

/* How the temperature of a place comes about, for people. */
struct earth_reason {
    bool known; /* the rest only where it is */
    int64_t run_s;
    double model_celsius; /* at the place's height, read between hours as a curve is; with the correction it
                             is what a curve of now says */
    int ground_m;         /* of the model at the place; GRID_NO_HEIGHT: not known */
    int height_m;         /* of the place, the same */
    double correction_kelvin;
    struct airports_station stations[FIELDS_STATIONS_MAX]; /* the nearest, the nearest first */
    size_t station_count;
};
void fields_explain(const struct fields *, const struct earth_place *, int64_t now_s,
                    struct earth_reason *out);

/* The temperature at the middles of columns x rows equal rectangles of the earth, from the north-west on and
 * from 180 degrees west, in hundredths of a degree, or GRID_NO_TEMPERATURE; without heights and airports.
 * NULL: no fields. */
void fields_map(const struct fields *, int64_t now_s, size_t columns, size_t rows, int16_t *cdeg);
