/* A whole run at a quarter of a degree: its size, and what it costs to write, to open and to read. Prints the
 * times, which depend on the machine, and asserts none of them. */
#include "unit.h"

#include "earth_grid.h"
#include "folder.h"

#include <time.h>

#define FINE           250000
#define PLACES         20000
#define BYTES_MAX      120000000
#define RESIDENT_PAGES 1000 /* after it was opened, of its 29,000 */

static double kelvin(double latitude, double longitude, double hour)
{
    return 273.15 + latitude / 3 + fabs(180 - longitude) / 18 + hour / 4;
}

static double cover(double latitude, double longitude, double hour)
{
    return fabs(latitude + longitude) < 90 ? hour : 100;
}

static double rain(double latitude, double longitude, double hour)
{
    return latitude > 45 && longitude > hour ? 1e-4 : 0;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void write_run(const char *path)
{
    int64_t us = 0;
    struct planes *planes = begin_run(path, FINE);
    for (size_t hour = 0; hour < GRID_HOURS; hour++) {
        struct grib_field field = earth_field(FINE, hour);
        float *values = earth_values(&field, (double)hour, kelvin);
        int64_t begin_us = now_us();
        assert_null(grid_put_temperature(planes, hour, &(struct grid_layer){&field, values}));
        us += now_us() - begin_us;
        free(values);
    }
    for (size_t step = 0; step < GRID_STEPS; step++)
        assert_null(put_step(planes, FINE, step, cover, rain, rain));
    assert_true(planes_finish(planes, path));
    planes_close(planes);
    printf("a field is written in %.1f ms\n", (double)us / GRID_HOURS / 1000);
}

/* Each place once and never near one before: its pages are not mapped yet, though in memory. */
static void read_cold(const struct grid *grid)
{
    struct grid_value values[GRID_HOURS];
    int64_t least_us = INT64_MAX, sum_us = 0, places = 0;
    for (double latitude = -89.1; latitude < 90; latitude += 1.37, places++) {
        int64_t begin_us = now_us();
        assert_int_equal(grid_read(grid, latitude, latitude * 7, GRID_NO_HEIGHT, FIRST_S, GRID_HOURS, values),
                         GRID_HOURS);
        int64_t us = now_us() - begin_us;
        sum_us += us;
        least_us = us < least_us ? us : least_us;
    }
    printf("a curve of 49 hours from pages not mapped: %.1f us, at least %lld\n",
           (double)sum_us / (double)places, (long long)least_us);
}

static void read_warm(const struct grid *grid)
{
    struct grid_value values[GRID_HOURS];
    for (int round = 0; round < 2; round++) {
        int64_t begin_us = now_us();
        for (size_t i = 0; i < PLACES; i++) {
            double latitude = (double)(i % 170) - 85, longitude = (double)(i * 37 % 360);
            assert_int_equal(
                grid_read(grid, latitude + 0.1, longitude + 0.1, 300, FIRST_S, GRID_HOURS, values),
                GRID_HOURS);
        }
        double us = (double)(now_us() - begin_us) / PLACES;
        printf("a curve of 49 hours: %.2f us\n", us);
    }
}

/* Pages of files that are resident in this process. */
static long resident_pages(void)
{
    long size, resident, shared;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld %ld", &size, &resident, &shared), 3);
    fclose(file);
    return shared;
}

TEST(a_whole_run)
{
    struct stat status;
    write_run(in_folder("grid"));
    assert_int_equal(stat(in_folder("grid"), &status), 0);
    printf("the file has %lld bytes\n", (long long)status.st_size);
    assert_true(status.st_size <= BYTES_MAX && status.st_blocks * 512 <= BYTES_MAX);
    long pages = resident_pages();
    int64_t begin_us = now_us();
    struct grid *grid = open_grid(in_folder("grid"), "");
    printf("it is opened in %lld ms\n", (long long)(now_us() - begin_us) / 1000);
    assert_true(resident_pages() - pages < RESIDENT_PAGES);
    assert_int_equal(grid_facts(grid).hours, GRID_HOURS);
    assert_int_equal(grid_facts(grid).steps, GRID_STEPS);
    read_cold(grid);
    read_warm(grid);
    struct grid_value values[GRID_HOURS];
    for (size_t i = 0; i < 1000; i++) {
        double latitude = (double)random_below(180000) / 1000 - 90,
               longitude = (double)random_below(360000) / 1000;
        grid_read(grid, latitude, longitude, GRID_NO_HEIGHT, FIRST_S, GRID_HOURS, values);
        for (size_t hour = 0; hour < GRID_HOURS; hour++)
            assert_true(fabs(values[hour].temperature_cdeg / 100.0 + 273.15 -
                             kelvin(latitude, longitude, (double)hour)) < 0.02);
    }
    grid_close(grid);
}

UNIT_MAIN(make_folder, remove_folder)
