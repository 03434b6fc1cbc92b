/* The gazetteer for a group of tests, and how long its answers take. */
#pragma once

#include "unit.h"

#include <time.h>

#include "place/gazetteer.h"

static struct gazetteer *gazetteer;

static inline int open_gazetteer(void **state)
{
    (void)state;
    gazetteer = gazetteer_open();
    return gazetteer ? 0 : -1;
}

static inline int close_gazetteer(void **state)
{
    (void)state;
    gazetteer_close(gazetteer);
    return 0;
}

static inline double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static inline int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Sorts the values; `percent` is below 100. */
static inline double percentile(double *values, size_t count, size_t percent)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count * percent / 100];
}
