#include "weather/cell/curve.h"

#include <string.h>

/* Division rounding half away from zero. */
static int64_t divide_rounded(int64_t value, int64_t by)
{
    return value < 0 ? -((-value + by / 2) / by) : (value + by / 2) / by;
}

struct curve curve_empty(void)
{
    struct curve curve = {.count = 0};
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        curve.temperature_cdeg[i] = curve.feels_cdeg[i] = CURVE_NO_TEMPERATURE;
        curve.condition[i] = CURVE_NO_CONDITION;
        curve.rain_percent[i] = CURVE_NO_RAIN;
    }
    return curve;
}

bool curve_covers(const struct curve *curve, int64_t unix_s)
{
    return curve_read(curve, unix_s, &(struct curve_value){0});
}

int64_t curve_end_s(const struct curve *curve)
{
    int64_t last = curve->count - 1;
    while (last >= 0 && curve->temperature_cdeg[last] == CURVE_NO_TEMPERATURE)
        last--;
    return last < 0 ? 0 : curve->start_s + last * CURVE_STEP_S;
}

/* Reads values of each point between two of them. At a point it alone is read; past the last one there is
 * nothing to lead to. */
static bool read_line(const struct curve *curve, const int16_t *cdeg, int64_t unix_s, int *ddeg)
{
    if (unix_s < curve->start_s)
        return false;
    int64_t i = (unix_s - curve->start_s) / CURVE_STEP_S, into = (unix_s - curve->start_s) % CURVE_STEP_S;
    int64_t next = into > 0 ? i + 1 : i;
    if (next >= curve->count || cdeg[i] == CURVE_NO_TEMPERATURE || cdeg[next] == CURVE_NO_TEMPERATURE)
        return false;
    int64_t scaled = cdeg[i] * (CURVE_STEP_S - into) + cdeg[next] * into;
    *ddeg = (int)divide_rounded(scaled, (int64_t)CURVE_STEP_S * 10);
    return true;
}

bool curve_read(const struct curve *curve, int64_t unix_s, struct curve_value *out)
{
    int ddeg;
    if (!read_line(curve, curve->temperature_cdeg, unix_s, &ddeg))
        return false;
    uint8_t condition = curve->condition[(unix_s - curve->start_s) / CURVE_STEP_S];
    bool known = condition != CURVE_NO_CONDITION;
    *out = (struct curve_value){
        .temperature_ddeg = ddeg,
        .code = known && (condition & CURVE_NO_CODE) != CURVE_NO_CODE ? condition & CURVE_NO_CODE : -1,
        .is_day = known ? (condition & CURVE_DAY) != 0 : -1,
    };
    return true;
}

bool curve_read_feels(const struct curve *curve, int64_t unix_s, int *feels_ddeg)
{
    return read_line(curve, curve->feels_cdeg, unix_s, feels_ddeg);
}

int curve_rain_percent(const struct curve *curve, int64_t unix_s)
{
    int64_t i = (unix_s - curve->start_s) / CURVE_STEP_S;
    bool known = unix_s >= curve->start_s && i < curve->count && curve->rain_percent[i] != CURVE_NO_RAIN;
    return known ? curve->rain_percent[i] : -1;
}

uint8_t curve_condition(int code, int is_day)
{
    unsigned daylight = is_day ? CURVE_DAY : 0; /* and -1 has the bits of CURVE_NO_CODE */
    return is_day < 0 ? CURVE_NO_CONDITION : (uint8_t)(((unsigned)code & CURVE_NO_CODE) | daylight);
}

void curve_prepend(struct curve *newer, const struct curve *older, size_t hours)
{
    int64_t before = (newer->start_s - older->start_s) / CURVE_STEP_S;
    if (older->count == 0 || before <= 0 || before > older->count ||
        (newer->start_s - older->start_s) % CURVE_STEP_S != 0)
        return;
    size_t room = CURVE_POINTS - newer->count, count = (size_t)before;
    count = count < hours ? count : hours;
    count = count < room ? count : room;
    size_t from = (size_t)before - count;
#define PREPEND(member)                                                                     \
    (memmove(newer->member + count, newer->member, newer->count * sizeof newer->member[0]), \
     memcpy(newer->member, older->member + from, count * sizeof newer->member[0]))
    PREPEND(temperature_cdeg);
    PREPEND(feels_cdeg);
    PREPEND(condition);
    PREPEND(rain_percent);
#undef PREPEND
    newer->start_s -= (int64_t)count * CURVE_STEP_S;
    newer->count = (uint8_t)(newer->count + count);
}

void curve_bridge_gaps(struct curve *curve)
{
    int16_t *cdeg = curve->temperature_cdeg;
    int64_t known = CURVE_POINTS; /* the last known point so far; CURVE_POINTS: none */
    for (int64_t i = 0; i < curve->count; i++) {
        if (cdeg[i] == CURVE_NO_TEMPERATURE)
            continue;
        for (int64_t gap = known + 1; gap < i && i - known - 1 <= CURVE_GAP_POINTS; gap++)
            cdeg[gap] =
                (int16_t)(cdeg[known] + divide_rounded((cdeg[i] - cdeg[known]) * (gap - known), i - known));
        known = i;
    }
}

static bool time_valid(int64_t unix_s)
{
    return unix_s >= 0 && unix_s <= CURVE_TIME_MAX_S;
}

static bool temperature_valid(int16_t cdeg)
{
    return cdeg == CURVE_NO_TEMPERATURE || (cdeg >= CURVE_COLDEST_CDEG && cdeg <= CURVE_HOTTEST_CDEG);
}

static bool feels_valid(int16_t cdeg)
{
    return cdeg == CURVE_NO_TEMPERATURE || (cdeg >= CURVE_FEELS_MIN_CDEG && cdeg <= CURVE_FEELS_MAX_CDEG);
}

static bool condition_valid(uint8_t condition)
{
    uint8_t code = condition & CURVE_NO_CODE;
    return condition == CURVE_NO_CONDITION || code == CURVE_NO_CODE || code <= CURVE_CODE_MAX;
}

static bool point_valid(const struct curve *curve, size_t i)
{
    return temperature_valid(curve->temperature_cdeg[i]) && feels_valid(curve->feels_cdeg[i]) &&
           condition_valid(curve->condition[i]) &&
           (curve->rain_percent[i] <= 100 || curve->rain_percent[i] == CURVE_NO_RAIN);
}

bool curve_valid(const struct curve *curve)
{
    if (curve->count == 0 || curve->count > CURVE_POINTS)
        return false;
    for (size_t i = 0; i < curve->count; i++)
        if (!point_valid(curve, i))
            return false;
    return time_valid(curve->start_s) && time_valid(curve->fetched_s) && time_valid(curve->expires_s);
}
