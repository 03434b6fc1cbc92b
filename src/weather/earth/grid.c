#include "weather/earth/grid.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define KIND_RUN         1
#define KIND_OROGRAPHY   2
#define HOUR_S           3600
#define KELVIN           273.15
#define COLDEST_CDEG     (-9000)
#define HOTTEST_CDEG     6000
#define LOWEST_M         (-1000)
#define HIGHEST_M        10000
#define MISSING_SHARE    100 /* one value of so many may be missing */
#define LAPSE_CDEG_PER_M 0.65
#define HEIGHT_IGNORED_M 100
#define HEIGHT_CLAMP_M   1500
#define FULL_COVER       100
#define HEAVIEST_MM_H    1000 /* more than was ever measured: 305 in 42 minutes, Holt, Missouri, 1947 */
#define STEEPEST         3.0 /* slope, in secants, that keeps a cubic monotone: Fritsch and Carlson's square */

_Static_assert((GRID_STEPS - 1) * GRID_STEP_HOURS == GRID_HOURS - 1, "the last step is the last hour");
_Static_assert(GRID_NO_TEMPERATURE == PLANES_NO_VALUE, "one mark");

/* --- Writing --- */

static const struct planes_shape kinds[] = {
    [KIND_RUN] = {.kind = KIND_RUN, .wide = GRID_HOURS, .narrow = GRID_STEPS},
    [KIND_OROGRAPHY] = {.kind = KIND_OROGRAPHY, .wide = 1},
};

static struct planes_shape shape_of(const struct grib_field *field, bool simulated, size_t kind)
{
    struct planes_shape shape = kinds[kind];
    shape.run_s = field->run_s;
    shape.spacing_udeg = field->spacing_udeg;
    shape.columns = field->columns;
    shape.rows = field->rows;
    shape.first_hour = kind == KIND_RUN ? (uint16_t)field->hours : 0;
    shape.simulated = simulated;
    return shape;
}

struct planes_shape grid_run_shape(const struct grib_field *field, bool simulated)
{
    return shape_of(field, simulated, KIND_RUN);
}

struct planes_shape grid_orography_shape(const struct grib_field *field, bool simulated)
{
    return shape_of(field, simulated, KIND_OROGRAPHY);
}

/* NULL, or why a field does not belong into a file as what it is given for. */
static const char *misfit(const struct planes_shape *shape, const struct grib_field *field, size_t hour)
{
    if (!grib_field_valid(field) || field->spacing_udeg != shape->spacing_udeg)
        return "of another grid";
    if (shape->kind == KIND_OROGRAPHY) /* the same in each run */
        return NULL;
    if (field->run_s != shape->run_s)
        return "of another run";
    return hour >= GRID_HOURS || field->hours != (int32_t)(shape->first_hour + hour) ? "of another hour"
                                                                                     : NULL;
}

static const char *put(struct planes *writer, size_t plane, const void *values, size_t missing)
{
    const struct planes_shape *shape = planes_shape(writer);
    if (missing > (size_t)shape->columns * shape->rows / MISSING_SHARE)
        return "too many of its values are missing";
    return planes_put(writer, plane, values) ? NULL : "cannot be written";
}

/* How values become 16-bit numbers. */
struct scale {
    double offset, factor;
    int lowest, highest; /* what is outside is missing */
};

static const char *put_scaled(struct planes *writer, size_t plane, const struct grid_layer *layer,
                              const struct scale *scale)
{
    size_t points = grib_field_points(layer->field), missing = 0;
    int16_t *values = malloc(points * sizeof *values);
    if (!values)
        return "no memory";
    for (size_t i = 0; i < points; i++) {
        double scaled = ((double)layer->values[i] - scale->offset) * scale->factor;
        bool known = scaled >= scale->lowest && scaled <= scale->highest; /* NaN is not */
        values[i] = known ? (int16_t)lrint(scaled) : PLANES_NO_VALUE;
        missing += !known;
    }
    const char *fault = put(writer, plane, values, missing);
    free(values);
    return fault;
}

const char *grid_put_temperature(struct planes *writer, size_t hour, const struct grid_layer *kelvin)
{
    static const struct scale scale = {KELVIN, 100, COLDEST_CDEG, HOTTEST_CDEG};
    const char *fault = misfit(planes_shape(writer), kelvin->field, hour);
    return fault ? fault : put_scaled(writer, grid_temperature_plane(hour), kelvin, &scale);
}

const char *grid_put_orography(struct planes *writer, const struct grid_layer *metres)
{
    static const struct scale scale = {0, 1, LOWEST_M, HIGHEST_M};
    const char *fault = misfit(planes_shape(writer), metres->field, 0);
    return fault ? fault : put_scaled(writer, 0, metres, &scale);
}

/* The value if it lies between none and the most there can be, with room for the rounding of a packing. */
static double believed(double value, double most)
{
    return value >= -most / 100 && value <= most * 1.01 ? value : NAN;
}

const char *grid_put_sky(struct planes *writer, size_t step, const struct grid_layer *cover,
                         const struct grid_layer *rate, const struct grid_layer *freezing)
{
    const struct planes_shape *shape = planes_shape(writer);
    const struct grid_layer *layers[] = {cover, rate, freezing};
    size_t points = (size_t)shape->columns * shape->rows, missing = 0;
    const char *fault = step < GRID_STEPS ? NULL : "of another hour";
    for (size_t i = 0; i < 3 && !fault; i++)
        fault = layers[i] ? misfit(shape, layers[i]->field, step * GRID_STEP_HOURS) : NULL;
    uint8_t *values = fault ? NULL : malloc(points);
    if (!values)
        return fault ? fault : "no memory";
    for (size_t i = 0; i < points; i++) {
        double covered = believed(cover->values[i], FULL_COVER);
        double falls = believed(rate->values[i] * HOUR_S, HEAVIEST_MM_H);
        missing += isnan(covered) || isnan(falls);
        values[i] = condition_sky(covered, falls, freezing ? believed(freezing->values[i], 1) : NAN);
    }
    fault = put(writer, grid_sky_plane(step), values, missing);
    free(values);
    return fault;
}

/* --- A place among the points of a grid --- */

struct corner {
    size_t row, column;
    double weight;
};

struct corners {
    struct corner at[4];
    size_t nearest;
};

static struct corners find_corners(const struct planes_shape *shape, double latitude, double longitude)
{
    double spacing = shape->spacing_udeg / 1e6, east = fmod(longitude, 360);
    double y = fmin(fmax((90 - latitude) / spacing, 0), shape->rows - 1);
    double x = (east < 0 ? east + 360 : east) / spacing;
    size_t row = y >= shape->rows - 1 ? shape->rows - 2U : (size_t)y;
    size_t column = x >= shape->columns ? shape->columns - 1U : (size_t)x;
    size_t next = column + 1U == shape->columns ? 0 : column + 1;
    double south = y - (double)row, right = x - (double)column;
    return (struct corners){.at = {{row, column, (1 - south) * (1 - right)},
                                   {row, next, (1 - south) * right},
                                   {row + 1, column, south * (1 - right)},
                                   {row + 1, next, south * right}},
                            .nearest = (south >= 0.5 ? 2U : 0U) + (right >= 0.5 ? 1U : 0U)};
}

/* The weighted mean of the values that are known and in range; NaN where there is none. */
static double interpolate(const struct planes *planes, size_t plane, const struct corners *corners,
                          int lowest, int highest)
{
    double sum = 0, weights = 0;
    if (!planes_there(planes, plane))
        return NAN;
    for (size_t i = 0; i < 4; i++) {
        const struct corner *corner = &corners->at[i];
        int value = planes_wide(planes, plane, corner->row, corner->column);
        if (value < lowest || value > highest)
            continue;
        sum += corner->weight * value;
        weights += corner->weight;
    }
    return weights > 0 ? sum / weights : NAN;
}

/* --- An instant among hours --- */

/* The slope at an hour from the secants on both sides: their mean, no steeper than keeps both cubics
 * monotone. At an end it is the one secant that there is. */
static double slope(double before, double after)
{
    if (isnan(before) || isnan(after))
        return isnan(before) ? after : before;
    if (before * after <= 0)
        return 0;
    double limit = STEEPEST * fmin(fabs(before), fabs(after)), mean = (before + after) / 2;
    return copysign(fmin(fabs(mean), limit), mean);
}

/* Between the middle two of four values an hour apart, `t` of the way; cubic in Hermite's form. */
static double between(const double value[4], double t)
{
    double secant = value[2] - value[1], left = slope(value[1] - value[0], secant);
    double right = slope(secant, value[3] - value[2]), u = 1 - t;
    return value[1] * u * u * (1 + 2 * t) + value[2] * t * t * (3 - 2 * t) + t * u * (left * u - right * t);
}

/* --- Reading --- */

struct grid {
    struct planes *run, *orography; /* the latter NULL: not known */
    atomic_uint holders;
};

static struct planes *open_kind(const char *path, uint8_t kind, char error[PLANES_ERROR_BYTES])
{
    struct planes *planes = planes_open(path, error);
    const struct planes_shape *shape = planes ? planes_shape(planes) : NULL;
    if (!shape ||
        (shape->kind == kind && shape->wide == kinds[kind].wide && shape->narrow == kinds[kind].narrow))
        return planes;
    planes_close(planes);
    snprintf(error, PLANES_ERROR_BYTES, "of another kind");
    return NULL;
}

struct grid *grid_open(const char *path, const char *orography_path, char error[PLANES_ERROR_BYTES])
{
    char unused[PLANES_ERROR_BYTES];
    snprintf(error, PLANES_ERROR_BYTES, "no memory");
    struct planes *run = open_kind(path, KIND_RUN, error);
    struct grid *grid = run ? calloc(1, sizeof *grid) : NULL;
    if (!grid) {
        planes_close(run);
        return NULL;
    }
    grid->run = run;
    atomic_init(&grid->holders, 1);
    grid->orography = open_kind(orography_path, KIND_OROGRAPHY, unused);
    if (grid->orography && planes_shape(grid->orography)->simulated != planes_shape(run)->simulated) {
        planes_close(grid->orography);
        grid->orography = NULL;
    }
    return grid;
}

struct grid *grid_hold(struct grid *grid)
{
    atomic_fetch_add(&grid->holders, 1);
    return grid;
}

void grid_close(struct grid *grid)
{
    if (!grid || atomic_fetch_sub(&grid->holders, 1) > 1)
        return;
    planes_close(grid->orography);
    planes_close(grid->run);
    free(grid);
}

static int64_t first_s(const struct grid *grid)
{
    const struct planes_shape *shape = planes_shape(grid->run);
    return shape->run_s + (int64_t)shape->first_hour * HOUR_S;
}

struct grid_facts grid_facts(const struct grid *grid)
{
    const struct planes_shape *shape = planes_shape(grid->run);
    struct grid_facts facts = {.run_s = shape->run_s,
                               .first_s = first_s(grid),
                               .last_s = first_s(grid) + (GRID_HOURS - 1) * HOUR_S,
                               .spacing_udeg = shape->spacing_udeg,
                               .simulated = shape->simulated,
                               .orography = grid->orography && planes_there(grid->orography, 0)};
    for (size_t i = 0; i < GRID_HOURS; i++)
        facts.hours += planes_there(grid->run, grid_temperature_plane(i));
    for (size_t i = 0; i < GRID_STEPS; i++)
        facts.steps += planes_there(grid->run, grid_sky_plane(i));
    return facts;
}

int grid_height_m(const struct grid *grid, double latitude, double longitude)
{
    if (!grid->orography)
        return GRID_NO_HEIGHT;
    struct corners corners = find_corners(planes_shape(grid->orography), latitude, longitude);
    double height_m = interpolate(grid->orography, 0, &corners, LOWEST_M, HIGHEST_M);
    return isnan(height_m) ? GRID_NO_HEIGHT : (int)lrint(height_m);
}

/* What is added to the model's temperature at a place of another height than the model's ground. */
static double height_correction(const struct grid *grid, double latitude, double longitude, int height_m)
{
    int ground_m = height_m == GRID_NO_HEIGHT ? GRID_NO_HEIGHT : grid_height_m(grid, latitude, longitude);
    if (ground_m == GRID_NO_HEIGHT)
        return 0;
    double above_m = (double)ground_m - height_m;
    if (fabs(above_m) < HEIGHT_IGNORED_M)
        return 0;
    return LAPSE_CDEG_PER_M * fmin(fmax(above_m, -HEIGHT_CLAMP_M), HEIGHT_CLAMP_M);
}

/* The sky at `into_s` seconds after the first hour, which is within the hours. */
static uint8_t sky_at(const struct grid *grid, const struct corners *corners, int64_t into_s)
{
    const struct corner *nearest = &corners->at[corners->nearest];
    int64_t step_s = GRID_STEP_HOURS * HOUR_S, before = into_s / step_s;
    bool second = into_s % step_s > step_s / 2; /* half of the time between two steps */
    for (int i = 0; i < 2; i++) {
        size_t plane = grid_sky_plane(before + (int64_t)(second != (i == 1)));
        if (planes_there(grid->run, plane))
            return planes_narrow(grid->run, plane, nearest->row, nearest->column);
    }
    return SKY_UNKNOWN;
}

/* The temperatures of a place at the hours around and between two instants; elsewhere NaN. `first` and `last`
 * are hours before which and after which none is needed. */
static void read_hours(const struct grid *grid, const struct corners *corners, int64_t first, int64_t last,
                       double cdeg[GRID_HOURS])
{
    for (int64_t hour = 0; hour < GRID_HOURS; hour++)
        cdeg[hour] = hour < first || hour > last
                         ? NAN
                         : interpolate(grid->run, grid_temperature_plane((size_t)hour), corners, COLDEST_CDEG,
                                       HOTTEST_CDEG);
}

static double temperature_at(const double cdeg[GRID_HOURS], int64_t into_s)
{
    int64_t hour = into_s / HOUR_S, rest_s = into_s % HOUR_S;
    if (into_s < 0 || hour >= GRID_HOURS)
        return NAN;
    if (rest_s == 0)
        return cdeg[hour];
    double around[4];
    for (int64_t i = 0; i < 4; i++) {
        int64_t at = hour - 1 + i;
        around[i] = at >= 0 && at < GRID_HOURS ? cdeg[at] : NAN;
    }
    return between(around, (double)rest_s / HOUR_S);
}

size_t grid_read(const struct grid *grid, double latitude, double longitude, int height_m, int64_t from_s,
                 size_t count, struct grid_value *out)
{
    double cdeg[GRID_HOURS], correction = height_correction(grid, latitude, longitude, height_m);
    struct corners corners = find_corners(planes_shape(grid->run), latitude, longitude);
    int64_t from_into_s = from_s - first_s(grid), from_hour = from_into_s / HOUR_S;
    size_t known = 0;
    read_hours(grid, &corners, from_hour - 2, from_hour + (int64_t)count + 1, cdeg);
    for (size_t i = 0; i < count; i++) {
        int64_t into_s = from_into_s + (int64_t)i * HOUR_S;
        double value = temperature_at(cdeg, into_s) + correction;
        out[i] = (struct grid_value){GRID_NO_TEMPERATURE, SKY_UNKNOWN, CONDITION_NO_CODE};
        if (isnan(value))
            continue;
        known++;
        out[i].temperature_cdeg = (int16_t)lrint(value);
        out[i].sky = sky_at(grid, &corners, into_s);
        out[i].code = (int8_t)condition_code(out[i].sky, out[i].temperature_cdeg);
    }
    return known;
}
