/* An answer as JSON: every field is always there, and null where it does not apply. */
#include "widget/widget.h"

static void write_instant(struct text *out, bool known, int64_t unix_s)
{
    char when[CLOCK_RFC3339_BYTES];
    clock_format(unix_s, when);
    text_json(out, known ? when : NULL);
}

static void write_integer(struct text *out, bool known, int64_t value)
{
    if (known)
        text_format(out, "%lld", (long long)value);
    else
        text_string(out, "null");
}

static const char *or_null(const char *string)
{
    return string[0] ? string : NULL;
}

static char unit_letter(const struct answer *answer)
{
    return answer->units == UNITS_FAHRENHEIT ? 'F' : 'C';
}

static void write_place(const struct place *place, struct text *out)
{
    text_string(out, "\"place\":{\"name\":");
    text_json(out, or_null(place->name));
    text_string(out, ",\"region\":");
    text_json(out, or_null(place->region));
    text_string(out, ",\"country\":");
    text_json(out, or_null(place->country));
    text_format(out, ",\"source\":\"%s\",\"verdict\":\"%s\",\"id\":", place_source_names[place->source],
                place_verdict_names[place->verdict]);
    write_integer(out, place->id > 0, place->id);
    text_string(out, "}");
}

static void write_weather(const struct answer *answer, struct text *out)
{
    bool known = answer_has_number(answer);
    const struct reading *reading = &answer->reading;
    text_string(out, "\"temperature\":{\"celsius\":");
    if (known)
        write_tenths(out, reading->temperature_ddeg);
    else
        text_string(out, "null");
    text_string(out, ",\"value\":");
    write_integer(out, known, degrees_shown(reading->temperature_ddeg, answer->units));
    text_format(out, ",\"unit\":\"%c\"},\n \"weather\":{\"code\":", unit_letter(answer));
    write_integer(out, known && reading->code >= 0, reading->code);
    text_string(out, ",\"text\":");
    text_json(out, known ? language_condition(answer->language, reading->code) : NULL);
    text_string(out, ",\"is_day\":");
    text_string(out, !known || reading->is_day < 0 ? "null" : reading->is_day ? "true" : "false");
    text_string(out, "}");
}

static void write_origin(const struct answer *answer, struct text *out)
{
    bool known = answer_has_number(answer);
    const struct reading *reading = &answer->reading;
    text_string(out, ",\n \"cell\":");
    text_json(out, or_null(reading->cell));
    text_string(out, ",\"fetched_at\":");
    write_instant(out, known, reading->fetched_s);
    text_string(out, ",\"age_s\":");
    write_integer(out, known, reading->age_s);
    text_string(out, ",\"refresh_at\":");
    write_instant(out, known, answer->now_s + reading->refresh_in_s);
    text_string(out, ",\n \"timezone\":");
    text_json(out, or_null(known && reading->timezone[0] ? reading->timezone : answer->place.timezone));
    text_string(out, ",\"utc_offset_s\":");
    write_integer(out, known && reading->utc_offset_s != WEATHER_NO_OFFSET, reading->utc_offset_s);
    text_string(out, ",\"provider\":");
    text_json(out, known ? reading->provider : NULL);
    text_format(out, ",\"simulated\":%s", answer->simulated ? "true" : "false");
}

static void write_credits(const struct credit *const *credits, size_t count, struct text *out)
{
    text_string(out, ",\n \"credits\":[");
    for (size_t i = 0; i < count; i++) {
        text_string(out, i > 0 ? ",{\"text\":" : "{\"text\":");
        text_json(out, credits[i]->text);
        text_string(out, ",\"url\":");
        text_json(out, credits[i]->url);
        text_string(out, "}");
    }
    text_string(out, "]}\n");
}

void widget_json(const struct answer *answer, struct text *out)
{
    char line_storage[2 * PLACE_NAME_BYTES];
    struct text line = text_over(line_storage, sizeof line_storage);
    const struct credit *credits[WIDGET_CREDITS_MAX];
    widget_text(answer, &line);
    line.bytes[line.length - 1] = '\0'; /* without its newline */

    text_format(out, "{\"state\":\"%s\",\"text\":", answer_state_names[answer->state]);
    text_json(out, line.bytes);
    text_string(out, ",\n ");
    write_place(&answer->place, out);
    text_string(out, ",\n ");
    write_weather(answer, out);
    write_origin(answer, out);
    write_credits(credits, widget_credits(answer, credits), out);
}

void widget_where_json(const struct answer *answer, struct text *out)
{
    bool known = answer->state != ANSWER_UNKNOWN;
    bool owed = known && answer->place.credit && !answer->credits_nowhere;
    text_format(out, "{\"state\":\"%s\",\n ", known ? "place" : "unknown");
    write_place(&answer->place, out);
    text_string(out, ",\n \"cell\":");
    text_json(out, or_null(answer->reading.cell));
    text_format(out, ",\"unit\":\"%c\"", unit_letter(answer));
    write_credits(&answer->place.credit, owed ? 1 : 0, out);
}

void widget_weather_json(const struct answer *answer, struct text *out)
{
    char degrees_storage[32];
    struct text degrees = text_over(degrees_storage, sizeof degrees_storage);
    const struct credit *const *credit = &answer->reading.credit;
    bool owed = answer_has_number(answer) && !answer->credits_nowhere;
    write_temperature(&degrees, answer_has_number(answer), answer->reading.temperature_ddeg, answer->units);

    text_format(out, "{\"state\":\"%s\",\"text\":", answer_state_names[answer->state]);
    text_json(out, degrees.bytes);
    text_string(out, ",\n ");
    write_weather(answer, out);
    write_origin(answer, out);
    write_credits(credit, owed ? 1 : 0, out);
}
