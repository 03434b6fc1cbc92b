/* The grid: the weather of the whole earth for two days, of one run of a model, in a file that is mapped
 * (planes.h) and read at any place and instant. In a second file, which changes once in a month or never, the
 * height of the model's ground.
 *
 * Contents of a run: temperature at each of GRID_HOURS hours, and the sky (condition.h) at every third of
 * them.
 *
 * Who writes is one thread. Reading is for any thread without a lock, but for as long as the grid is open:
 * whoever swaps it must know that nobody reads the old one. */
#pragma once

#include "grib/field.h"
#include "weather/earth/condition.h"
#include "weather/earth/planes.h"

#include <limits.h>

#define GRID_HOURS          49
#define GRID_STEP_HOURS     3
#define GRID_STEPS          17 /* hours 0, 3, ... 48 */
#define GRID_NO_TEMPERATURE CONDITION_NO_TEMPERATURE
#define GRID_NO_HEIGHT      INT_MIN

/* --- Writing --- */

/* The shape of the file of a run whose first hour is that of `field`, the first that was unpacked; all others
 * must be of its run and grid. */
struct planes_shape grid_run_shape(const struct grib_field *field, bool simulated);
struct planes_shape grid_orography_shape(const struct grib_field *field, bool simulated);

/* A field as masthead-grib hands it on. */
struct grid_layer {
    const struct grib_field *field;
    const float *values;
};

/* Where a run has its fields, for planes_there: the temperature of an hour, the sky of a step. */
#define grid_temperature_plane(hour) ((size_t)(hour))
#define grid_sky_plane(step)         (GRID_HOURS + (size_t)(step))

/* Writes the temperature of hour 0..GRID_HOURS - 1, in kelvin. Kept to a hundredth of a degree within -90..60
 * degrees Celsius; values outside count as missing. NULL, or why it is not written (static): another grid,
 * run or hour, more than one value in a hundred missing, written already, or the disk fails (errno). What the
 * parameter is must be known from elsewhere (gfs.h). */
const char *grid_put_temperature(struct planes *, size_t hour, const struct grid_layer *kelvin);

/* Writes the sky of step 0..GRID_STEPS - 1, the hour 3 * step, from cloud cover in per cent, precipitation in
 * kilograms per square metre and second, and the flag of freezing rain; the latter may be NULL, not known.
 * NULL, or why it is not written, as above. */
const char *grid_put_sky(struct planes *, size_t step, const struct grid_layer *cover,
                         const struct grid_layer *rate, const struct grid_layer *freezing);

/* Writes the height of the ground in metres, the only field of its file. */
const char *grid_put_orography(struct planes *, const struct grid_layer *metres);

/* --- Reading --- */

struct grid;

/* Opens a run, finished or not, and the orography, if that is there: without it no height is corrected for,
 * and so it is where it is simulated and the run is not, or the other way round. Reads both files once. NULL,
 * with the reason in `error`. */
struct grid *grid_open(const char *path, const char *orography_path, char error[PLANES_ERROR_BYTES]);

/* One holder more, or less: the last one closes it. NULL is allowed for the second. Thread-safe. */
struct grid *grid_hold(struct grid *);
void grid_close(struct grid *);

struct grid_facts {
    int64_t run_s, first_s, last_s; /* Unix times: of the run, of the first and the last hour */
    uint32_t spacing_udeg;
    unsigned hours, steps; /* of GRID_HOURS and GRID_STEPS, those that are there */
    bool simulated, orography;
};
struct grid_facts grid_facts(const struct grid *);

struct grid_value {
    int16_t temperature_cdeg; /* hundredths of a degree Celsius, or GRID_NO_TEMPERATURE */
    uint8_t sky;              /* to be judged anew where the temperature is changed afterwards */
    int8_t code;              /* condition_code of both */
};

/* Reads a place at `count` instants, an hour apart, from `from_s` on. Returns how many of them have a
 * temperature; those before the first hour, past the last one, or beside an hour that is missing have not,
 * and no sky either.
 *
 * Place: latitude in [-90, 90], longitude any finite number of degrees. Temperature is bilinear between four
 * points of the grid; where one is missing, the others share its weight. The sky is that of the nearest
 * point. Instant: a cubic between two hours that never leaves their range, with the slopes of Fritsch and
 * Carlson
 * ("Monotone piecewise cubic interpolation", SIAM Journal on Numerical Analysis 17, 1980); exact at the hour.
 * The sky is that of the nearest step, or, where that is missing, of the one on the other side.
 * Height: of the place, in metres above the sea. Where it and the model's ground are known and 100 m apart or
 * more, 0.0065 K are taken off for each metre (ICAO's standard atmosphere), of at most 1,500 m. */
size_t grid_read(const struct grid *, double latitude, double longitude, int height_m, int64_t from_s,
                 size_t count, struct grid_value *out);

/* The height of the model's ground at a place, or GRID_NO_HEIGHT. */
int grid_height_m(const struct grid *, double latitude, double longitude);
