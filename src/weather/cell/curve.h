/* A curve: about two days of hourly weather for one cell, bought with one request and read at any instant in
 * it. A flat value, copied; stays inside the weather room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURVE_POINTS 76 /* a day back, for its highs and lows, fifty hours ahead, and a little room */
#define CURVE_STEP_S 3600
/* What is believed, of any source. Lowest temperature ever measured at the surface: -89.2, Vostok, 1983;
 * highest: 56.7, Furnace Creek, 1913 (WMO archive of extremes). */
#define CURVE_COLDEST_CDEG (-9000)
#define CURVE_HOTTEST_CDEG 6000
/* What it feels like may lie beyond what is ever measured. */
#define CURVE_FEELS_MIN_CDEG (2 * CURVE_COLDEST_CDEG)
#define CURVE_FEELS_MAX_CDEG (2 * CURVE_HOTTEST_CDEG)
#define CURVE_CODE_MAX       99                         /* of WMO table 4677 */
#define CURVE_TIME_MAX_S     (INT64_C(100) * INT32_MAX) /* in milliseconds, far from what overflows */

#define CURVE_NO_TEMPERATURE INT16_MIN /* also of what it feels like */
#define CURVE_NO_RAIN        UINT8_MAX
#define CURVE_NO_CONDITION   0x7e /* neither code nor daylight; unlike CURVE_NO_CODE | CURVE_DAY */
#define CURVE_DAY            0x80 /* in `condition`: by day */
#define CURVE_NO_CODE        0x7f /* in `condition`: no code */
#define CURVE_GAP_POINTS     3    /* a longer run of missing temperatures is not bridged */

struct curve {
    int64_t start_s;    /* Unix time of the first point; points are CURVE_STEP_S apart */
    int64_t fetched_s;  /* Unix time at which it was fetched */
    int64_t expires_s;  /* the upstream must not be asked again before this; 0: not stated */
    int64_t modified_s; /* Unix time of its Last-Modified; 0: none that can be given back exactly */
    int64_t stale_s;    /* Unix time from which it is stale, however it came; 0: never by itself */
    int16_t temperature_cdeg[CURVE_POINTS]; /* hundredths of a degree Celsius */
    int16_t feels_cdeg[CURVE_POINTS];       /* the same, as it feels */
    uint8_t condition[CURVE_POINTS];        /* WMO code (4677) in the low seven bits, CURVE_DAY */
    uint8_t rain_percent[CURVE_POINTS];     /* probability that something falls in the hour that begins */
    uint8_t count;
    uint8_t provider; /* index into the names of sources, see weather.c */
};

/* A curve of no points in which nothing is known. */
struct curve curve_empty(void);

struct curve_value {
    int temperature_ddeg; /* tenths of a degree Celsius, rounded half away from zero */
    int code;             /* WMO code, -1: not known */
    int is_day;           /* 1, 0, or -1: not known */
};

/* Whether the curve has a temperature at `unix_s`. */
bool curve_covers(const struct curve *, int64_t unix_s);

/* The last instant at which the curve has a temperature; 0 when there is none. */
int64_t curve_end_s(const struct curve *);

/* Reads the curve: temperature by linear interpolation between the two hours around, condition stepped at the
 * hour. False, and *out untouched, where curve_covers is false. */
bool curve_read(const struct curve *, int64_t unix_s, struct curve_value *out);

/* What it feels like at an instant, in tenths of a degree Celsius: read as temperature is. False, and
 * *feels_ddeg untouched, where it is not known. */
bool curve_read_feels(const struct curve *, int64_t unix_s, int *feels_ddeg);

/* The probability that something falls in the curve's hour of an instant, in per cent; -1: not known. */
int curve_rain_percent(const struct curve *, int64_t unix_s);

/* Whether every field but `provider` is in its range: to be asked of a curve from a file before anything else
 * is. */
bool curve_valid(const struct curve *);

/* The condition of a point, from a WMO code and daylight as in struct curve_value. */
uint8_t curve_condition(int code, int is_day);

/* Puts the hours of an older curve, at most `hours`, before those of a newer one of the same place that
 * begins later, where no hour is missing between the two: what has passed belongs to the day. Does nothing
 * where that cannot be. */
void curve_prepend(struct curve *newer, const struct curve *older, size_t hours);

/* Bridges runs of at most CURVE_GAP_POINTS missing temperatures between known ones, linearly. */
void curve_bridge_gaps(struct curve *);
