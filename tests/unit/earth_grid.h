/* Grids of invented weather, written as the service writes them. */
#pragma once

#include "unit.h"

#include <math.h>

#include "weather/earth/grid.h"

#define RUN_S      1780272000 /* 2026-06-01 00:00 */
#define FIRST_HOUR 4
#define FIRST_S    (RUN_S + FIRST_HOUR * 3600)

/* A value at a place, at an hour of the grid. */
typedef double invention(double latitude, double longitude, double hour);

static inline struct grib_field earth_field(uint32_t spacing_udeg, size_t hour)
{
    return (struct grib_field){.magic = GRIB_MAGIC,
                               .run_s = RUN_S,
                               .hours = (int32_t)(FIRST_HOUR + hour),
                               .spacing_udeg = spacing_udeg,
                               .columns = (uint16_t)(360000000 / spacing_udeg),
                               .rows = (uint16_t)(180000000 / spacing_udeg + 1)};
}

/* All values at an hour, to be freed. */
static inline float *earth_values(const struct grib_field *field, double hour, invention *invent)
{
    float *values = calloc(grib_field_points(field), sizeof *values);
    double spacing = field->spacing_udeg / 1e6;
    assert_non_null(values);
    for (size_t row = 0; row < field->rows; row++)
        for (size_t column = 0; column < field->columns; column++)
            values[row * field->columns + column] =
                (float)invent(90 - spacing * (double)row, spacing * (double)column, hour);
    return values;
}

static inline const char *put_hour(struct planes *planes, uint32_t spacing_udeg, size_t hour,
                                   invention *kelvin)
{
    struct grib_field field = earth_field(spacing_udeg, hour);
    float *values = earth_values(&field, (double)hour, kelvin);
    const char *fault = grid_put_temperature(planes, hour, &(struct grid_layer){&field, values});
    free(values);
    return fault;
}

/* All hours of a run, which are all sound. */
static inline void put_hours(struct planes *planes, uint32_t spacing_udeg, invention *kelvin)
{
    for (size_t hour = 0; hour < GRID_HOURS; hour++)
        assert_null(put_hour(planes, spacing_udeg, hour, kelvin));
}

static inline const char *put_step(struct planes *planes, uint32_t spacing_udeg, size_t step,
                                   invention *cover, invention *rate, invention *freezing)
{
    struct grib_field field = earth_field(spacing_udeg, step * GRID_STEP_HOURS);
    double hour = (double)(step * GRID_STEP_HOURS);
    struct grid_layer layers[] = {{&field, earth_values(&field, hour, cover)},
                                  {&field, earth_values(&field, hour, rate)},
                                  {&field, earth_values(&field, hour, freezing)}};
    const char *fault = grid_put_sky(planes, step, &layers[0], &layers[1], &layers[2]);
    for (size_t i = 0; i < COUNT(layers); i++)
        free((void *)layers[i].values);
    return fault;
}

static inline struct planes *begin_run(const char *path, uint32_t spacing_udeg)
{
    char error[PLANES_ERROR_BYTES] = "";
    struct grib_field field = earth_field(spacing_udeg, 0);
    struct planes_shape shape = grid_run_shape(&field, true);
    struct planes *planes = planes_begin(path, &shape, error);
    if (!planes)
        fail_msg("%s", error);
    return planes;
}

static inline void put_ground(const char *path, uint32_t spacing_udeg, invention *metres)
{
    char error[PLANES_ERROR_BYTES] = "";
    struct grib_field field = earth_field(spacing_udeg, 0);
    struct planes_shape shape = grid_orography_shape(&field, true);
    struct planes *planes = planes_begin(path, &shape, error);
    float *values = earth_values(&field, 0, metres);
    assert_non_null(planes);
    assert_null(grid_put_orography(planes, &(struct grid_layer){&field, values}));
    assert_true(planes_finish(planes, path));
    planes_close(planes);
    free(values);
}

static inline struct grid *open_grid(const char *path, const char *orography_path)
{
    char error[PLANES_ERROR_BYTES] = "";
    struct grid *grid = grid_open(path, orography_path, error);
    if (!grid)
        fail_msg("%s", error);
    return grid;
}
