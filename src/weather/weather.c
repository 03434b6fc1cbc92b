#include "weather/room.h"

#include "synthetic/synthetic_weather.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_PAST   24 /* as Open-Meteo is asked: hours before, */
#define MODEL_POINTS 74 /* with fifty from then on */

/* Where the curves of a cell come from: a provider, or, by the numbers after theirs, the earth. */
enum { FROM_GRID = WEATHER_PROVIDERS, FROM_GRID_AND_AIRPORTS };

static const char *source_name(uint8_t source)
{
    return source < WEATHER_PROVIDERS ? provider_names[source] : source == FROM_GRID ? "gfs" : "gfs+metar";
}

static const struct credit *source_credit(uint8_t source)
{
    return source < WEATHER_PROVIDERS ? &providers[source]->credit : &earth_credit;
}

static void fill(const struct cache_view *view, const struct instant *now, const struct ahead_day *day,
                 struct reading *out)
{
    struct curve_value value;
    out->state = view->state;
    out->refresh_in_s = view->refresh_in_ms / 1000;
    out->retry_in_s = view->retry_in_ms / 1000;
    out->in_flight = view->in_flight;
    if (!curve_read(&view->curve, now->wall_ms / 1000, &value))
        return;
    out->temperature_ddeg = value.temperature_ddeg;
    out->code = value.code;
    out->is_day = value.is_day;
    out->fetched_s = view->curve.fetched_s;
    out->age_s = view->age_ms / 1000;
    out->provider = source_name(view->curve.provider);
    out->credit = source_credit(view->curve.provider);
    if (day)
        ahead_read(&view->curve, day, now->wall_ms / 1000, view->until_s, &out->ahead);
}

bool weather_cell(const struct weather *weather, const char *name, double *latitude, double *longitude)
{
    char again[CELL_NAME_BYTES];
    char *end;
    int32_t size = (int32_t)weather->options.cell_udeg;
    *latitude = strtod(name, &end);
    if (end == name || *end != ',')
        return false;
    *longitude = strtod(end + 1, &end);
    if (!(fabs(*latitude) <= 90 && fabs(*longitude) <= 180))
        return false;
    cell_name(cell_of(*latitude, *longitude, size), size, again);
    return strcmp(again, name) == 0;
}

/* A reading of the cell around a point, with nothing in it yet but the cell's name. */
static struct cell begin(const struct weather *weather, double latitude, double longitude,
                         struct reading *out)
{
    int32_t size = (int32_t)weather->options.cell_udeg;
    struct cell cell = cell_of(latitude, longitude, size);
    *out = (struct reading){.code = -1, .is_day = -1};
    cell_name(cell, size, out->cell);
    return cell;
}

/* The curve that Open-Meteo would have given for a cell at `fetched_s`, if it forecast the synthetic weather.
 */
static struct curve forecast_from_model(struct cell cell, int64_t fetched_s)
{
    double latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES;
    double longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES;
    struct curve curve = curve_empty();
    curve.start_s = fetched_s - fetched_s % CURVE_STEP_S - MODEL_PAST * CURVE_STEP_S;
    curve.fetched_s = fetched_s;
    curve.count = MODEL_POINTS;
    curve.provider = PROVIDER_OPEN_METEO;
    for (int i = 0; i < MODEL_POINTS; i++) {
        int64_t at = curve.start_s + (int64_t)i * CURVE_STEP_S;
        curve.temperature_cdeg[i] = (int16_t)(10 * lround(10 * synthetic_celsius(latitude, longitude, at)));
        curve.feels_cdeg[i] = (int16_t)(10 * lround(10 * synthetic_feels_like(latitude, longitude, at)));
        if (i + 1 < MODEL_POINTS)
            curve.rain_percent[i] = (uint8_t)synthetic_rain_percent(latitude, longitude, at);
        curve.condition[i] = curve_condition(synthetic_weather_code(latitude, longitude, at),
                                             synthetic_is_day(latitude, longitude, at));
    }
    return curve;
}

void weather_simulate(const struct weather *weather, const struct weather_scenario *scenario, double latitude,
                      double longitude, const struct instant *now, const struct ahead_day *day,
                      struct reading *out)
{
    struct cell cell = begin(weather, latitude, longitude, out);
    struct curve curve = {.count = 0};
    if (scenario->age_s != WEATHER_NEVER)
        curve = forecast_from_model(cell, now->wall_ms / 1000 - scenario->age_s);
    struct cache_view view =
        cache_simulate(weather->cache, &curve, scenario->age_s * 1000, scenario->retry_s * 1000, now);
    fill(&view, now, day, out);
    out->lookup = view.state;
}

static struct earth_place place_of(const struct weather *weather, struct cell cell)
{
    double latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES;
    double longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES;
    double half_deg = (double)weather->options.cell_udeg / CELL_MICRODEGREES / 2;
    int height_m = weather->cities ? gazetteer_height_m(weather->cities, latitude, longitude, half_deg)
                                   : CITY_HEIGHT_UNKNOWN;
    return (struct earth_place){latitude, longitude,
                                height_m == CITY_HEIGHT_UNKNOWN ? GRID_NO_HEIGHT : height_m};
}

/* Looks a cell up, and gives it the earth's curve where that is better than what it has. */
static void look_up(struct weather *weather, struct cell cell, enum weather_client client,
                    const struct instant *now, struct cache_view *view)
{
    struct curve curve;
    bool corrected;
    uint32_t number = earth_number(weather->earth, now->wall_ms / 1000);
    cache_get(weather->cache, cell_key(cell), client, number, now, view);
    if (!view->wants_ground)
        return;
    struct earth_place place = place_of(weather, cell);
    if (!earth_read(weather->earth, &place, now->wall_ms / 1000, &curve, &corrected, &number))
        return;
    curve.provider = corrected ? FROM_GRID_AND_AIRPORTS : FROM_GRID;
    cache_lay(weather->cache, cell_key(cell), client, number, &curve, now, view);
}

void weather_read(struct weather *weather, enum weather_client client, bool may_wait, double latitude,
                  double longitude, const struct instant *now, const struct ahead_day *day,
                  struct reading *out)
{
    struct cell cell = begin(weather, latitude, longitude, out);
    struct cache_view view;
    struct instant later;
    look_up(weather, cell, client, now, &view);
    out->lookup = view.state;
    out->joined = view.state == WEATHER_MISS && !view.listed;
    if (view.listed && weather->fleet)
        fleet_wake(weather->fleet);
    else if (view.listed)
        fetch_wake(weather->fetch);
    if (view.state == WEATHER_MISS && may_wait &&
        cache_wait(weather->cache, cell_key(cell), clock_monotonic_ms() + weather->options.wait_ms)) {
        later = clock_now(); /* the curve may begin after the request came */
        look_up(weather, cell, WEATHER_PEEK, &later, &view);
        now = &later;
    }
    fill(&view, now, day, out);
}

size_t weather_upstreams(struct weather *weather, const struct instant *now,
                         struct weather_upstream out[WEATHER_PROVIDERS])
{
    for (size_t i = 0; i < weather->order_count; i++)
        quota_get_stats(weather->quota, weather->order[i], now, &out[i]);
    return weather->order_count;
}

size_t weather_cells(struct weather *weather, size_t *cursor, const struct instant *now,
                     struct weather_cell *out, size_t max)
{
    size_t count = cache_scan(weather->cache, cursor, now, out, max);
    for (size_t i = 0; i < count; i++)
        out[i].provider = out[i].fetched_s > 0 ? source_name(out[i].provider_id) : "";
    return count;
}

void weather_name_cell(const struct weather *weather, struct weather_cell *cell)
{
    int32_t size = (int32_t)weather->options.cell_udeg;
    cell_name(cell_of(cell->latitude, cell->longitude, size), size, cell->name);
}

bool weather_alive(const struct weather *weather)
{
    return !weather->fetch || fetch_alive(weather->fetch);
}

bool weather_earth(struct weather *weather, struct earth_report *out)
{
    if (weather->earth)
        earth_report(weather->earth, out);
    return weather->earth;
}

bool weather_station(struct weather *weather, size_t index, struct airports_station *out)
{
    return weather->earth && earth_station(weather->earth, index, out);
}

void weather_map(struct weather *weather, const struct instant *now, size_t columns, size_t rows,
                 int16_t *cdeg)
{
    if (weather->earth)
        earth_map(weather->earth, now->wall_ms / 1000, columns, rows, cdeg);
    else
        fields_map(NULL, now->wall_ms / 1000, columns, rows, cdeg);
}

void weather_explain(struct weather *weather, double latitude, double longitude, const struct instant *now,
                     struct earth_reason *out)
{
    *out = (struct earth_reason){.known = false};
    struct earth_place place =
        place_of(weather, cell_of(latitude, longitude, (int32_t)weather->options.cell_udeg));
    if (weather->earth)
        earth_explain(weather->earth, &place, now->wall_ms / 1000, out);
}

void weather_report(struct weather *weather, struct weather_report *out)
{
    *out = (struct weather_report){.capacity = weather->options.capacity,
                                   .snapshot_kept = weather->snapshot != NULL,
                                   .shares = weather->fleet != NULL,
                                   .fleet = {.failure = ""}};
    if (weather->fleet) {
        fleet_report(weather->fleet, &out->fleet);
        out->leased = quota_leased(weather->quota);
    }
    int error = weather->snapshot ? snapshot_error(weather->snapshot, &out->snapshot_s) : 0;
    if (error)
        snprintf(out->snapshot_error, sizeof out->snapshot_error, "%s", strerror(error));
}
