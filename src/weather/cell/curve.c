#include "weather/cell/curve.h"

#include <stddef.h>
#include <string.h>

/* Lowest and highest temperature ever measured at the surface, with some room: -89.2 (Vostok, 1983) and 56.7
 * (Furnace Creek, 1913), WMO archive of extremes. */
#define TIME_MAX_S (INT64_C(100) * INT32_MAX) /* in milliseconds, far from what overflows */

/* Division rounding half away from zero. */
static int64_t divide_rounded(int64_t value, int64_t by)
{
    return value < 0 ? -((-value + by / 2) / by) : (value + by / 2) / by;
}

/* The index of the last point at or before `unix_s`, or -1 outside the curve. The last point is read at its
 * instant only: beyond it there is nothing to lead to. */
static int point_before(const struct curve *curve, int64_t unix_s)
{
    if (curve->count == 0 || unix_s < curve->start_s)
        return -1;
    int64_t index = (unix_s - curve->start_s) / CURVE_STEP_S;
    bool at_last = index == curve->count - 1 && unix_s == curve->start_s + index * CURVE_STEP_S;
    return index < curve->count - 1 || at_last ? (int)index : -1;
}

bool curve_covers(const struct curve *curve, int64_t unix_s)
{
    int i = point_before(curve, unix_s);
    if (i < 0 || curve->temperature_cdeg[i] == CURVE_NO_TEMPERATURE)
        return false;
    bool on_point = unix_s == curve->start_s + (int64_t)i * CURVE_STEP_S;
    return on_point || curve->temperature_cdeg[i + 1] != CURVE_NO_TEMPERATURE;
}

int64_t curve_end_s(const struct curve *curve)
{
    int64_t last = curve->count - 1;
    while (last >= 0 && curve->temperature_cdeg[last] == CURVE_NO_TEMPERATURE)
        last--;
    return last < 0 ? 0 : curve->start_s + last * CURVE_STEP_S;
}

bool curve_read(const struct curve *curve, int64_t unix_s, struct curve_value *out)
{
    if (!curve_covers(curve, unix_s))
        return false;
    int i = point_before(curve, unix_s);
    int64_t into = unix_s - curve->start_s - (int64_t)i * CURVE_STEP_S;
    int64_t scaled = (int64_t)curve->temperature_cdeg[i] * (CURVE_STEP_S - into);
    if (into > 0)
        scaled += (int64_t)curve->temperature_cdeg[i + 1] * into;
    uint8_t condition = curve->condition[i];
    bool known = condition != CURVE_NO_CONDITION;
    *out = (struct curve_value){
        .temperature_ddeg = (int)divide_rounded(scaled, (int64_t)CURVE_STEP_S * 10),
        .code = known && (condition & CURVE_NO_CODE) != CURVE_NO_CODE ? condition & CURVE_NO_CODE : -1,
        .is_day = known ? (condition & CURVE_DAY) != 0 : -1,
    };
    return true;
}

static void bridge(struct curve *curve, size_t before, size_t after)
{
    int64_t span = (int64_t)(after - before);
    int64_t from = curve->temperature_cdeg[before];
    int64_t rise = curve->temperature_cdeg[after] - from;
    for (size_t i = before + 1; i < after; i++)
        curve->temperature_cdeg[i] = (int16_t)(from + divide_rounded(rise * (int64_t)(i - before), span));
}

void curve_bridge_gaps(struct curve *curve)
{
    size_t known = CURVE_POINTS; /* the last known point so far; CURVE_POINTS: none */
    for (size_t i = 0; i < curve->count; i++) {
        if (curve->temperature_cdeg[i] == CURVE_NO_TEMPERATURE)
            continue;
        if (known < i && i - known - 1 <= CURVE_GAP_POINTS)
            bridge(curve, known, i);
        known = i;
    }
}

static bool time_valid(int64_t unix_s)
{
    return unix_s >= 0 && unix_s <= TIME_MAX_S;
}

static bool point_valid(int16_t cdeg, uint8_t condition)
{
    uint8_t code = condition & CURVE_NO_CODE;
    return (cdeg == CURVE_NO_TEMPERATURE || (cdeg >= CURVE_COLDEST_CDEG && cdeg <= CURVE_HOTTEST_CDEG)) &&
           (condition == CURVE_NO_CONDITION || code == CURVE_NO_CODE || code <= CURVE_CODE_MAX);
}

static bool timezone_valid(const char name[CURVE_TIMEZONE_BYTES])
{
    size_t length = strnlen(name, CURVE_TIMEZONE_BYTES);
    return length < CURVE_TIMEZONE_BYTES &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == length;
}

bool curve_valid(const struct curve *curve)
{
    if (curve->count == 0 || curve->count > CURVE_POINTS)
        return false;
    for (size_t i = 0; i < curve->count; i++)
        if (!point_valid(curve->temperature_cdeg[i], curve->condition[i]))
            return false;
    bool offset_valid =
        curve->utc_offset_s == CURVE_NO_OFFSET ||
        (curve->utc_offset_s >= -CURVE_UTC_OFFSET_MAX_S && curve->utc_offset_s <= CURVE_UTC_OFFSET_MAX_S);
    return offset_valid && time_valid(curve->start_s) && time_valid(curve->fetched_s) &&
           time_valid(curve->expires_s) && timezone_valid(curve->timezone);
}
