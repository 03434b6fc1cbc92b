#include "sim/points.h"

#include "synthetic/synthetic_weather.h"

#define OLD_BY_S   (10 * 86400)
#define KELVIN     273.15 /* 0 °C */
#define HOLE_EVERY 3      /* every third temperature of NULLS and NANS, from the second on */

void point_celsius(struct text *out, const struct forecast *f, double celsius, int i,
                   enum corruption corruption)
{
    double shown = (corruption == COLD ? -300.0 : celsius) + (f->kelvin ? KELVIN : 0.0);
    if (i % HOLE_EVERY == 1 && (corruption == NULLS || corruption == NANS))
        text_string(out, corruption == NULLS ? "null" : "NaN");
    else
        text_format(out, corruption == WRONG_TYPES ? "\"%.*f\"" : "%.*f", f->decimals, shown);
}

int64_t point_instant(int64_t unix_s, int64_t mirror_s, enum corruption corruption)
{
    return corruption == UNORDERED ? mirror_s : corruption == OLD ? unix_s - OLD_BY_S : unix_s;
}

const char *point_read(const struct wire *wire, int64_t now_s, struct forecast *f)
{
    *f = (struct forecast){.start_s = now_s - now_s % HOUR_S, .now_s = now_s, .decimals = 2};
    return api_place(wire, "lat", "lon", &f->latitude, &f->longitude);
}

static const struct point_name names[] = {
    {0, 800, "clearsky_"},
    {1, 801, "fair_"},
    {2, 802, "partlycloudy_"},
    {3, 804, "cloudy"},
    {48, 741, "fog"},
    {55, 300, "lightrain"},
    {67, 511, "sleet"},
    {73, 600, "lightsnow"},
    {77, 602, "heavysnow"},
    {81, 521, "rainshowers_"},
    {82, 522, "heavyrainshowers_"},
    {86, 620, "snowshowers_"},
    {99, 211, "rainandthunder"},
};

const struct point_name *point_name_at(const struct forecast *f, int64_t unix_s, bool *is_day)
{
    int code = synthetic_weather_code(f->latitude, f->longitude, unix_s);
    size_t i = 0;
    while (names[i].code < code)
        i++;
    *is_day = synthetic_is_day(f->latitude, f->longitude, unix_s);
    return &names[i];
}
