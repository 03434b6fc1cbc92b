/* OpenWeatherMap. Shapes: the documented replies of https://openweathermap.org/current and /forecast5, as far
 * as a client reads them. Where nothing is likely to fall, "pop" is the integer 0; as for volumes of rain
 * ("3h"), it is taken to be of the three hours before. Kelvin unless units=metric; no unit is named. An
 * error's "cod" is a number, but a string for 404. */
#include "sim/points.h"

#include "base/json.h"
#include "synthetic/synthetic_weather.h"

#include <string.h>

#define OWM_STEP_S     (3 * 3600)
#define OWM_POINTS     40
#define OWM_MEASURED_S 300 /* the age of the current weather */

const char *openweathermap_api_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    char text[32];
    *status = 401;
    if (!wire_parameter(wire, "appid", text, sizeof text) || text[0] == '\0')
        return "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info.";
    *status = 400;
    const char *reason = point_read(wire, now_s, f);
    int64_t points = OWM_POINTS;
    f->kelvin = !wire_parameter(wire, "units", text, sizeof text) || strcmp(text, "metric") != 0;
    if (!wire_integer(wire, "cnt", 1, OWM_POINTS, &points))
        return "cnt is from 1 to 40";
    f->points = (int)points;
    return reason;
}

/* The members of a measurement or a forecast, point `i`, without braces. */
static void write_point(struct text *out, const struct forecast *f, int64_t at, int64_t mirror_s, int i,
                        enum corruption corruption)
{
    bool is_day;
    const struct point_name *name = point_name_at(f, at, &is_day);
    json_write(out, "'dt':%jd,'weather':[{'id':%d,'icon':%s}],'main':{'temp':",
               point_instant(at, mirror_s, corruption), name->id, is_day ? "01d" : "01n");
    struct forecast shown = *f;
    shown.kelvin = f->kelvin || corruption == WRONG_UNITS; /* the reply names no unit */
    point_celsius(out, &shown, synthetic_celsius(f->latitude, f->longitude, at), i, corruption);
    text_string(out, ",\"feels_like\":");
    point_celsius(out, &shown, synthetic_feels_like(f->latitude, f->longitude, at), i, corruption);
    text_string(out, ",\"humidity\":70}");
}

void openweathermap_api_write_current(struct text *out, const struct forecast *f, enum corruption corruption)
{
    int64_t at = f->now_s - OWM_MEASURED_S;
    text_string(out, "{");
    if (corruption != NO_HOURLY)
        write_point(out, f, at, at, 0, corruption);
    json_write(out, ",'timezone':%d,'cod':200}", synthetic_zone(f->latitude, f->longitude).offset_s);
}

/* The probability of a forecast at that instant, for the three hours before it, in per cent. */
static int most_likely(const struct forecast *f, int64_t at)
{
    int most = 0;
    for (int64_t hour = at - OWM_STEP_S; hour < at; hour += HOUR_S) {
        int percent = synthetic_rain_percent(f->latitude, f->longitude, hour);
        most = percent > most ? percent : most;
    }
    return most;
}

void openweathermap_api_write_forecast(struct text *out, const struct forecast *f, enum corruption corruption)
{
    int64_t first = f->now_s - f->now_s % OWM_STEP_S + OWM_STEP_S;
    text_string(out, "{\"cod\":\"200\",\"message\":0,\"list\":[");
    for (int i = 0; i < f->points && corruption != NO_HOURLY; i++) {
        int64_t at = first + (int64_t)i * OWM_STEP_S;
        json_write(out, ",{");
        write_point(out, f, at, first + (int64_t)(f->points - 1 - i) * OWM_STEP_S, i, corruption);
        text_format(out, ",\"pop\":%.2g}", most_likely(f, at) / 100.0);
    }
    json_write(out, "],'city':{'coord':{'lat':%.4g,'lon':%.4g}}}", f->latitude, f->longitude);
}

void openweathermap_api_error(struct text *json, int status, const char *reason)
{
    json_write(json, status == 404 ? "{'cod':'%d','message':%s}" : "{'cod':%d,'message':%s}", status, reason);
}
