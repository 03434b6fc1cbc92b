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

static int16_t temperature_at(const struct point *from, const struct point *to, int64_t unix_s)
{
    if (unix_s == to->time_s)
        return to->temperature_cdeg;
    if (to->time_s - from->time_s > GAP_MAX_S)
        return CURVE_NO_TEMPERATURE;
    double share = (double)(unix_s - from->time_s) / (double)(to->time_s - from->time_s);
    double value = from->temperature_cdeg + share * (to->temperature_cdeg - from->temperature_cdeg);
    return (int16_t)lround(fmin(fmax(value, CURVE_COLDEST_CDEG), CURVE_HOTTEST_CDEG));
}

/* Writes the curve's hours up to `to`. */
static void write_hours(struct resampler *resampler, const struct point *from, const struct point *to)
{
    struct curve *curve = resampler->curve;
    for (; curve->count < CURVE_POINTS; curve->count++) {
        int64_t hour_s = curve->start_s + (int64_t)curve->count * CURVE_STEP_S;
        if (hour_s > to->time_s || (from == to && hour_s != to->time_s))
            return;
        curve->temperature_cdeg[curve->count] = temperature_at(from, to, hour_s);
        curve->condition[curve->count] = condition_at(resampler, hour_s == to->time_s ? to : from, hour_s);
    }
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
