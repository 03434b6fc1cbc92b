#include "weather/cell/ahead.h"

#include "weather/cell/curve.h"

#define FALLS_FROM      50 /* WMO table 4677: from here on something falls at the time of observation, */
#define SNOW_FROM       70
#define SNOW_UP_TO      79
#define SNOW_SHOWERS    85
#define SNOW_SHOWERS_TO 86
#define SNOW_UP_TO_DDEG 5 /* where no code says what falls; as earth/condition.h has it */

static bool is_snow(const struct curve_value *value)
{
    if (value->code < FALLS_FROM)
        return value->temperature_ddeg <= SNOW_UP_TO_DDEG;
    return (value->code >= SNOW_FROM && value->code <= SNOW_UP_TO) ||
           (value->code >= SNOW_SHOWERS && value->code <= SNOW_SHOWERS_TO);
}

/* The highest and lowest of the day's hours, if each is there. */
static void read_day(const struct curve *curve, const struct ahead_day *day, int64_t until_s,
                     struct ahead *out)
{
    struct curve_value value;
    int high = INT16_MIN, low = INT16_MAX;
    int64_t first_s = (day->begin_s + CURVE_STEP_S - 1) / CURVE_STEP_S * CURVE_STEP_S;
    for (int64_t at_s = first_s; at_s < day->end_s; at_s += CURVE_STEP_S) {
        if (at_s >= until_s || !curve_read(curve, at_s, &value))
            return;
        high = value.temperature_ddeg > high ? value.temperature_ddeg : high;
        low = value.temperature_ddeg < low ? value.temperature_ddeg : low;
    }
    if (high >= low) {
        out->high_ddeg = (int16_t)high;
        out->low_ddeg = (int16_t)low;
    }
}

/* Reads the hour of now, which may bring rain, and the next ones. */
static void read_hours(const struct curve *curve, int64_t now_s, int64_t until_s, struct ahead *out)
{
    for (int64_t at_s = now_s; at_s < until_s;
         at_s = out->first_s + (int64_t)out->hour_count * CURVE_STEP_S) {
        struct curve_value value;
        bool is_now = at_s == now_s;
        if ((!is_now && out->hour_count == AHEAD_HOURS) || !curve_read(curve, at_s, &value))
            return;
        int percent = curve_rain_percent(curve, at_s);
        bool falls = value.code >= FALLS_FROM;
        bool likely = percent < 0 ? falls : percent >= AHEAD_LIKELY_PERCENT || (is_now && falls);
        if (likely && out->rain_s == 0) {
            out->rain_s = at_s - at_s % CURVE_STEP_S;
            out->rain_percent = (int8_t)percent;
            out->rain_is_snow = is_snow(&value);
            out->rain_has_begun = is_now && falls;
        }
        if (!is_now)
            out->hours[out->hour_count++] = (struct ahead_hour){
                (int16_t)value.temperature_ddeg, (int8_t)value.code, (int8_t)value.is_day, (int8_t)percent};
    }
}

void ahead_read(const struct curve *curve, const struct ahead_day *day, int64_t now_s, int64_t until_s,
                struct ahead *out)
{
    int feels_ddeg;
    *out = (struct ahead){.known = true,
                          .feels_ddeg = AHEAD_NO_DEGREES,
                          .high_ddeg = AHEAD_NO_DEGREES,
                          .low_ddeg = AHEAD_NO_DEGREES,
                          .first_s = now_s - now_s % CURVE_STEP_S + CURVE_STEP_S};
    if (curve_read_feels(curve, now_s, &feels_ddeg))
        out->feels_ddeg = (int16_t)feels_ddeg;
    read_day(curve, day, until_s, out);
    read_hours(curve, now_s, until_s, out);
}
