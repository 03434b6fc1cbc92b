#include "weather/earth/fields.h"

#include "weather/cell/sun.h"

#include <math.h>
#include <stdlib.h>

void fields_close(struct fields *fields)
{
    airports_free(fields->airports);
    grid_close(fields->grid);
}

/* What the model says where and when each report was made; NAN where nothing. NULL without memory. */
static float *model_of(const struct grid *grid, const struct metar_file *metar)
{
    float *celsius = calloc(metar->count, sizeof *celsius);
    for (size_t i = 0; celsius && i < metar->count; i++) {
        const struct station_report *report = &metar->reports[i];
        struct grid_value value = {.temperature_cdeg = GRID_NO_TEMPERATURE};
        if (isfinite(report->height_m))
            grid_read(grid, (double)report->latitude, (double)report->longitude,
                      (int)lrintf(report->height_m), report->observed_s, 1, &value);
        celsius[i] =
            value.temperature_cdeg == GRID_NO_TEMPERATURE ? NAN : (float)value.temperature_cdeg / 100;
    }
    return celsius;
}

void fields_correct(struct fields *fields, const struct metar_file *metar, int64_t read_s, int64_t now_s)
{
    float *model = metar->count > 0 ? model_of(fields->grid, metar) : NULL;
    if (model)
        fields->airports = airports_build(metar->reports, model, metar->count, now_s, &fields->counts);
    free(model);
    if (!fields->airports)
        return;
    fields->airports_loaded_s = read_s;
    fields->error = airports_leave_one_out(fields->airports);
}

void fields_disbelieve(struct fields *fields)
{
    airports_free(fields->airports);
    fields->airports = NULL;
    fields->airports_loaded_s = 0;
    fields->counts.off += fields->counts.used;
    fields->counts.used = 0;
    fields->error = (struct airports_error){0};
}

static struct airports_correction correction_at(const struct fields *fields, const struct earth_place *place,
                                                int64_t now_s)
{
    if (!fields->airports)
        return (struct airports_correction){.condition = METAR_NO_CONDITION};
    return airports_read(fields->airports, place->latitude, place->longitude, now_s);
}

/* How much of the correction of now is left at another instant: all of it in the hours on both sides, so that
 * the curve between them has it whole. */
static double left_of_correction(int64_t at_s, int64_t now_s)
{
    int64_t away_s = llabs(at_s - now_s) - CURVE_STEP_S;
    return airports_fade(away_s > 0 ? away_s : 0);
}

static int16_t corrected_cdeg(int16_t cdeg, double kelvin)
{
    long value = lrint(cdeg + 100 * kelvin);
    return (int16_t)(value < CURVE_COLDEST_CDEG   ? CURVE_COLDEST_CDEG
                     : value > CURVE_HOTTEST_CDEG ? CURVE_HOTTEST_CDEG
                                                  : value);
}

bool fields_read(const struct fields *fields, const struct earth_place *place, int64_t now_s,
                 struct curve *out, bool *corrected)
{
    struct grid_value values[GRID_HOURS];
    struct grid_facts facts = grid_facts(fields->grid);
    struct airports_correction correction = correction_at(fields, place, now_s);
    grid_read(fields->grid, place->latitude, place->longitude, place->height_m, facts.first_s, GRID_HOURS,
              values);
    *out = curve_empty();
    out->start_s = facts.first_s;
    out->count = GRID_HOURS;
    out->fetched_s = fields->grid_loaded_s;
    out->stale_s = facts.run_s + FIELDS_STALE_S;
    for (size_t i = 0; i < GRID_HOURS; i++) {
        int64_t at_s = facts.first_s + (int64_t)i * CURVE_STEP_S;
        bool present = now_s >= at_s && now_s < at_s + CURVE_STEP_S;
        int code = values[i].code;
        if (values[i].temperature_cdeg != GRID_NO_TEMPERATURE) {
            out->temperature_cdeg[i] = corrected_cdeg(values[i].temperature_cdeg,
                                                      correction.kelvin * left_of_correction(at_s, now_s));
            code = condition_code(values[i].sky, out->temperature_cdeg[i]);
        }
        if (present && correction.condition != METAR_NO_CONDITION)
            code = correction.condition;
        out->condition[i] = curve_condition(code, sun_is_up(place->latitude, place->longitude, at_s));
    }
    curve_bridge_gaps(out);
    *corrected = correction.stations > 0 || correction.condition != METAR_NO_CONDITION;
    if (*corrected && fields->airports_loaded_s > out->fetched_s)
        out->fetched_s = fields->airports_loaded_s;
    return curve_covers(out, now_s);
}

/* As curve_read has it, but for the rounding; the curve must cover that instant. */
static double read_celsius(const struct curve *curve, int64_t at_s)
{
    int64_t i = (at_s - curve->start_s) / CURVE_STEP_S, into = (at_s - curve->start_s) % CURVE_STEP_S;
    const int16_t *cdeg = &curve->temperature_cdeg[i];
    return (cdeg[0] + (into > 0 ? (double)(cdeg[1] - cdeg[0]) * (double)into / CURVE_STEP_S : 0)) / 100;
}

void fields_explain(const struct fields *fields, const struct earth_place *place, int64_t now_s,
                    struct earth_reason *out)
{
    struct fields model = {.grid = fields->grid};
    struct curve curve;
    bool corrected;
    *out = (struct earth_reason){.run_s = grid_facts(fields->grid).run_s, .height_m = place->height_m};
    out->known = fields_read(&model, place, now_s, &curve, &corrected);
    out->model_celsius = out->known ? read_celsius(&curve, now_s) : NAN;
    out->ground_m = grid_height_m(fields->grid, place->latitude, place->longitude);
    out->correction_kelvin = correction_at(fields, place, now_s).kelvin;
    if (fields->airports)
        out->station_count = airports_explain(fields->airports, place->latitude, place->longitude, now_s,
                                              out->stations, FIELDS_STATIONS_MAX);
}

void fields_map(const struct fields *fields, int64_t now_s, size_t columns, size_t rows, int16_t *cdeg)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            struct grid_value value = {.temperature_cdeg = GRID_NO_TEMPERATURE};
            double latitude = 90 - 180 * ((double)row + 0.5) / (double)rows;
            double longitude = 360 * ((double)column + 0.5) / (double)columns - 180;
            if (fields)
                grid_read(fields->grid, latitude, longitude, GRID_NO_HEIGHT, now_s, 1, &value);
            cdeg[row * columns + column] = value.temperature_cdeg;
        }
}
