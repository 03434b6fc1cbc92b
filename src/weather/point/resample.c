#include "weather/point/resample.h"

#include "weather/cell/sun.h"

#include <math.h>

#define GAP_MAX_S (6 * 3600)
#define LATEST_S  253402300799 /* 9999-12-31T23:59:59Z */

/* The condition at an hour since `point`, whose own word on daylight holds for the hour around it. */
static uint8_t condition_at(const struct resampler *resampler, const struct point *point, int64_t unix_s)
{
    int is_day = point->is_day;
    bool own_hour = unix_s - point->time_s < CURVE_STEP_S;
    if ((is_day < 0 || !own_hour) && isfinite(resampler->latitude) && isfinite(resampler->longitude))
        is_day = sun_is_up(resampler->latitude, resampler->longitude, unix_s);
    return curve_condition(point->code, is_day);
}

/* A value of the hour on the line between those of two points; none where one of them has none. */
static int16_t on_line(int16_t from, int16_t to, double share, int min, int max)
{
    double value = from + share * (to - from);
    return from == CURVE_NO_TEMPERATURE || to == CURVE_NO_TEMPERATURE
               ? CURVE_NO_TEMPERATURE
               : (int16_t)lround(fmin(fmax(value, min), max));
}

/* Writes an hour from `from` on, up to and with `to`. Nothing leads over a gap but to its ends. */
static void write_hour(struct resampler *resampler, const struct point *from, const struct point *to,
                       size_t i, int64_t hour_s)
{
    struct curve *curve = resampler->curve;
    const struct point *begin = hour_s == to->time_s ? to : from;
    double share = begin == to ? 0 : (double)(hour_s - from->time_s) / (double)(to->time_s - from->time_s);
    curve->condition[i] = condition_at(resampler, begin, hour_s);
    if (to->time_s - from->time_s > GAP_MAX_S && begin == from)
        return;
    curve->temperature_cdeg[i] =
        on_line(begin->temperature_cdeg, to->temperature_cdeg, share, CURVE_COLDEST_CDEG, CURVE_HOTTEST_CDEG);
    curve->feels_cdeg[i] =
        on_line(begin->feels_cdeg, to->feels_cdeg, share, CURVE_FEELS_MIN_CDEG, CURVE_FEELS_MAX_CDEG);
    if (begin == from)
        curve->rain_percent[i] = to->rain_percent;
}

/* Writes the curve's hours up to `to`, and of the one at `from`, which stands, what is to fall. */
static void write_hours(struct resampler *resampler, const struct point *from, const struct point *to)
{
    struct curve *curve = resampler->curve;
    int64_t next_s = curve->start_s + (int64_t)curve->count * CURVE_STEP_S;
    if (curve->count > 0 && next_s - CURVE_STEP_S == from->time_s && to->time_s - from->time_s <= GAP_MAX_S)
        curve->rain_percent[curve->count - 1] = to->rain_percent;
    for (; curve->count < CURVE_POINTS; curve->count++, next_s += CURVE_STEP_S) {
        if (next_s > to->time_s || (from == to && next_s != to->time_s))
            return;
        write_hour(resampler, from, to, curve->count, next_s);
    }
}

struct point point_empty(int64_t time_s)
{
    return (struct point){.time_s = time_s,
                          .temperature_cdeg = CURVE_NO_TEMPERATURE,
                          .feels_cdeg = CURVE_NO_TEMPERATURE,
                          .rain_percent = CURVE_NO_RAIN,
                          .code = -1,
                          .is_day = -1};
}

enum outcome resample_add(struct resampler *resampler, const struct point *next)
{
    struct curve *curve = resampler->curve;
    if (next->time_s < 0 || next->time_s > LATEST_S ||
        (resampler->any && next->time_s <= resampler->last.time_s))
        return OUTCOME_IMPLAUSIBLE;
    if (!resampler->any) {
        int64_t hour_s = next->time_s - next->time_s % CURVE_STEP_S;
        int64_t past_s = resampler->now_s - resampler->now_s % CURVE_STEP_S - CURVE_STEP_S;
        curve->start_s = hour_s > past_s ? hour_s : past_s;
    }
    write_hours(resampler, resampler->any ? &resampler->last : next, next);
    resampler->last = *next;
    resampler->any = true;
    return OUTCOME_OK;
}
