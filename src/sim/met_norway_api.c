/* MET Norway. Shape: the documented reply of locationforecast 2.0, "compact"
 * (https://api.met.no/weatherapi/). Rules: its terms of service (https://api.met.no/doc/TermsOfService): 403
 * without a User-Agent that identifies the client and for more than four decimals, no repetition before
 * Expires, If-Modified-Since with the exact Last-Modified, gzip. The body of an error is HTML. Entries beyond
 * the hourly ones lack next_1_hours. */
#include "sim/points.h"

#include "base/clock.h"
#include "base/json.h"
#include "synthetic/synthetic_weather.h"

#include <string.h>

#define MET_HOURLY 57         /* points by the hour, */
#define MET_POINTS 84         /* then six-hourly ones */
#define MET_RUN_S  (6 * 3600) /* how often there is a new document */
#define MET_KEEP_S 1800       /* the 30 minutes of the documented example */

static bool has_long_decimals(const struct wire *wire, const char *name)
{
    char text[32];
    wire_parameter(wire, name, text, sizeof text);
    const char *point = strchr(text, '.');
    return point && strlen(point + 1) > 4;
}

const char *met_norway_api_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    *status = 403;
    if (!strchr(wire->user_agent, ' '))
        return "403 Forbidden: identify yourself in the User-Agent";
    if (has_long_decimals(wire, "lat") || has_long_decimals(wire, "lon"))
        return "403 Forbidden: at most 4 decimals";
    *status = 400;
    return point_read(wire, now_s, f);
}

static void write_entry(struct text *out, const struct forecast *f, int i, enum corruption corruption)
{
    int step = i < MET_HOURLY ? i : MET_HOURLY + 6 * (i - MET_HOURLY);
    int mirrored = MET_POINTS - 1 - i;
    int64_t at = f->start_s + (int64_t)step * HOUR_S;
    bool is_day;
    const struct point_name *name = point_name_at(f, at, &is_day);
    json_write(out, ",{'time':%td,'data':{'instant':{'details':{'air_temperature':",
               point_instant(at, f->start_s + (int64_t)mirrored * HOUR_S, corruption));
    point_celsius(out, f, synthetic_celsius(f->latitude, f->longitude, at), i, corruption);
    text_format(out,
                ",\"relative_humidity\":70.5}},\"next_%d_hours\":{\"summary\":{\"symbol_code\":\"%s%s\"}}}}",
                i < MET_HOURLY ? 1 : 6, name->symbol,
                !strchr(name->symbol, '_') ? ""
                : is_day                   ? "day"
                                           : "night");
}

void met_norway_api_write(struct text *out, const struct forecast *f, enum corruption corruption)
{
    json_write(out,
               "{'type':'Feature','geometry':{'type':'Point','coordinates':[%.4g,%.4g,10]},'properties':{",
               f->longitude, f->latitude);
    if (corruption != NO_HOURLY) {
        json_write(out, "'meta':{'units':{'air_temperature':%s}},'timeseries':[",
                   corruption == WRONG_UNITS ? "fahrenheit" : "celsius");
        for (int i = 0; i < MET_POINTS; i++)
            write_entry(out, f, i, corruption);
        text_string(out, "]");
    }
    text_string(out, "}}");
}

void met_norway_api_error(struct text *page, int status, const char *reason)
{
    (void)status;
    text_string(page, "<!DOCTYPE html>\n<html><head><title>");
    text_html(page, reason);
    text_string(page, "</title></head><body></body></html>\n");
}

bool met_norway_api_headers(struct text *lines, const struct wire *wire, const struct forecast *f)
{
    char modified[CLOCK_HTTP_BYTES], expires[CLOCK_HTTP_BYTES];
    clock_format_http(f->now_s - f->now_s % MET_RUN_S, modified);
    clock_format_http(f->now_s + MET_KEEP_S, expires);
    text_format(lines, "Expires: %s\r\nLast-Modified: %s\r\n", expires, modified);
    return strcmp(wire->if_modified_since, modified) == 0;
}
