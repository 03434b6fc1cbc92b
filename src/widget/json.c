/* An answer as JSON. Every field is always there, null where it does not apply. */
#include "base/json.h"
#include "widget/widget.h"

#include <math.h>

#define HOUR_S        3600
#define DEGREES_BYTES 32 /* "−1234 °F" in any digits, and more */

static const char *unit_letter(const struct answer *answer)
{
    return answer->units == UNITS_FAHRENHEIT ? "F" : "C";
}

/* `later` is what the loader says when a press comes to nothing. */
static void write_head(const struct answer *answer, const char *state, struct text *out)
{
    json_write(out, "{'state':%s,'lang':%s,'later':%s", state, answer->language->tag,
               answer->language->phrases->later);
}

static void write_place(const struct place *place, struct text *out)
{
    json_write(out, ",\n 'place':{'name':%s,'region':%s,'country':%s,'source':%s,'verdict':%s,", place->name,
               place->region, place->country, place_source_names[place->source],
               place_verdict_names[place->verdict]);
    json_write(out, "'reason':%s,'confidence':%s,'id':%jd}", place_reason_code(place->reason),
               place_confidence_code(place->confidence), place->id > 0 ? place->id : JSON_NONE);
}

/* As the fragment has it; "" where no place is known. */
static void write_shown(const struct answer *answer, struct text *out)
{
    if (answer->reading.state != WEATHER_UNKNOWN)
        write_temperature(out, answer->language, answer_has_number(answer), answer->reading.temperature_ddeg,
                          answer->units);
}

static void write_weather(const struct answer *answer, struct text *out)
{
    bool known = answer_has_number(answer);
    const struct reading *reading = &answer->reading;
    char degrees_storage[DEGREES_BYTES];
    struct text degrees = text_init(degrees_storage, sizeof degrees_storage);
    write_shown(answer, &degrees);
    char feels_storage[WIDGET_EXTRA_BYTES];
    struct text feels = text_init(feels_storage, sizeof feels_storage);
    widget_feels(answer, &feels);
    json_write(out, ",\n 'temperature':{'celsius':%.1f,'value':%jd,'unit':%s,'text':%s,'feels_text':%s}",
               known ? reading->temperature_ddeg / 10.0 : NAN,
               known ? degrees_shown(reading->temperature_ddeg, answer->units) : JSON_NONE,
               unit_letter(answer), degrees.bytes, feels.bytes);
    json_write(out, ",\n 'weather':{'code':%jd,'text':%s,'is_day':%i}",
               known && reading->code >= 0 ? reading->code : JSON_NONE,
               known ? language_condition(answer->language, reading->code) : "",
               known ? reading->is_day : -1);
}

static double celsius(int ddeg)
{
    return ddeg == AHEAD_NO_DEGREES ? NAN : ddeg / 10.0;
}

static void write_hours(const struct ahead *ahead, struct text *out)
{
    if (!ahead->known) {
        text_string(out, ",\n \"hours\":null");
        return;
    }
    text_string(out, ",\n \"hours\":[");
    for (size_t i = 0; i < ahead->hour_count; i++) {
        const struct ahead_hour *hour = &ahead->hours[i];
        json_write(out, ",{'at':%td,'celsius':%.1f,'code':%jd,'is_day':%i,'rain_probability':%jd}",
                   ahead->first_s + (int64_t)i * HOUR_S, celsius(hour->temperature_ddeg),
                   hour->code < 0 ? JSON_NONE : hour->code, hour->is_day,
                   hour->rain_percent < 0 ? JSON_NONE : hour->rain_percent);
    }
    text_string(out, "]");
}

/* What is to come; null where it is not known. */
static void write_ahead(const struct answer *answer, struct text *out)
{
    const struct ahead *ahead = &answer->reading.ahead;
    char range_storage[WIDGET_EXTRA_BYTES], rain_storage[WIDGET_EXTRA_BYTES];
    struct text range = text_init(range_storage, sizeof range_storage);
    struct text rain = text_init(rain_storage, sizeof rain_storage);
    widget_range(answer, &range);
    widget_rain(answer, &rain);
    json_write(out, ",\n 'feels_like':%.1f", ahead->known ? celsius(ahead->feels_ddeg) : NAN);
    if (range.length > 0)
        json_write(out, ",'today':{'high':%.1f,'low':%.1f,'text':%s}", celsius(ahead->high_ddeg),
                   celsius(ahead->low_ddeg), range.bytes);
    else
        text_string(out, ",\"today\":null");
    if (ahead->known && ahead->rain_s > 0)
        json_write(out, ",'rain':{'starts_at':%td,'probability':%jd,'text':%s}", ahead->rain_s,
                   ahead->rain_percent < 0 ? JSON_NONE : ahead->rain_percent, rain.bytes);
    else
        text_string(out, ",\"rain\":null");
    write_hours(ahead, out);
}

static void write_zone(const struct answer *answer, struct text *out)
{
    json_write(out, ",\n 'timezone':%s,'utc_offset_s':%jd", answer->place.timezone,
               answer->offset_known ? answer->utc_offset_s : JSON_NONE);
}

static void write_origin(const struct answer *answer, struct text *out)
{
    bool known = answer_has_number(answer);
    const struct reading *reading = &answer->reading;
    json_write(out, ",\n 'cell':%s,'fetched_at':%td,'age_s':%jd,'refresh_at':%td", reading->cell,
               known ? reading->fetched_s : JSON_NONE, known ? reading->age_s : JSON_NONE,
               known ? answer->now_s + reading->refresh_in_s : JSON_NONE);
    write_ahead(answer, out);
    write_zone(answer, out);
    json_write(out, ",'provider':%s,'simulated':%i", known ? reading->provider : "", answer->simulated);
}

static void write_credits(const struct answer *answer, unsigned parts, struct text *out)
{
    const struct credit *credits[WIDGET_CREDITS_MAX];
    size_t count = widget_credits(answer, parts, credits);
    text_string(out, ",\n \"credits\":[");
    for (size_t i = 0; i < count; i++)
        json_write(out, ",{'text':%s,'url':%s}", credits[i]->text, credits[i]->url);
    text_string(out, "]}\n");
}

void widget_json(const struct answer *answer, struct text *out)
{
    char line_storage[2 * PLACE_NAME_BYTES];
    struct text line = text_init(line_storage, sizeof line_storage);
    widget_text(answer, &line);
    line.bytes[line.length - 1] = '\0'; /* without its newline */

    write_head(answer, answer_state_name(answer), out);
    json_write(out, ",'text':%-s", line.bytes);
    write_place(&answer->place, out);
    write_weather(answer, out);
    write_origin(answer, out);
    write_credits(answer, WIDGET_WEATHER | WIDGET_PLACE | WIDGET_GAZETTEER, out);
}

void widget_where_json(const struct answer *answer, struct text *out)
{
    bool known = answer->reading.state != WEATHER_UNKNOWN;
    write_head(answer, known ? "place" : "unknown", out);
    write_place(&answer->place, out);
    json_write(out, ",\n 'cell':%s,'unit':%s", answer->reading.cell, unit_letter(answer));
    write_zone(answer, out);
    write_credits(answer, WIDGET_PLACE | WIDGET_GAZETTEER, out);
}

void widget_weather_json(const struct answer *answer, struct text *out)
{
    char degrees_storage[DEGREES_BYTES];
    struct text degrees = text_init(degrees_storage, sizeof degrees_storage);
    write_shown(answer, &degrees);

    write_head(answer, answer_state_name(answer), out);
    json_write(out, ",'text':%s", degrees.bytes);
    write_weather(answer, out);
    write_origin(answer, out);
    write_credits(answer, WIDGET_WEATHER, out);
}
