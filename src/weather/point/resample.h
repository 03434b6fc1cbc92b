/* Points: a provider's forecast at its own instants, one, three or six hours apart, laid onto a curve's
 * hours: temperatures by linear interpolation, condition and probability stepped. Pure; what comes in may be
 * hostile. */
#pragma once

#include "weather/point/provider.h"

struct point {
    int64_t time_s;           /* Unix time */
    int16_t temperature_cdeg; /* hundredths of a degree, within the bounds above */
    int16_t feels_cdeg;       /* the same, as it feels */
    uint8_t rain_percent;     /* probability that something falls between the point before and this one */
    int code;                 /* WMO code, -1: not known */
    int is_day;               /* 1, 0, or -1: not known */
};

/* A point of which only the instant is known. */
struct point point_empty(int64_t time_s);

/* Begin with all but the last two members set. */
struct resampler {
    struct curve *curve; /* empty; its start, count and values are written */
    int64_t now_s;
    double latitude, longitude; /* NAN: not known; for daylight where no point says it */
    bool any;                   /* private, as the next */
    struct point last;
};

/* Takes the next point. The curve begins with the hour of the first point, or the one before now's if that is
 * later; a first point that is not on the hour has its hour extrapolated from the next one. Points more than
 * six hours apart leave the hours between without temperature. OUTCOME_IMPLAUSIBLE when the point is not
 * later than the one before. */
enum outcome resample_add(struct resampler *, const struct point *);
