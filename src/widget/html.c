/* An answer as the HTML fragment that a page or a server-side include pastes in: one line, without inline
 * style or script. */
#include "widget/widget.h"

static void write_shown(const struct answer *answer, bool known, struct text *out)
{
    int celsius_ddeg = answer->reading.temperature_ddeg;
    if (known) {
        text_string(out, "<data class=\"masthead-temp\" value=\"");
        text_decimal(out, celsius_ddeg, 1);
        text_string(out, "\">");
    } else {
        text_string(out, "<span class=\"masthead-temp\">");
    }
    if (answer->reading.state != WEATHER_UNKNOWN)
        write_temperature(out, answer->language, known, celsius_ddeg, answer->units);
    text_string(out, known ? "</data>" : "</span>");
}

static void write_condition(const struct answer *answer, struct text *out)
{
    const char *words =
        answer_has_number(answer) ? language_condition(answer->language, answer->reading.code) : NULL;
    text_string(out, " <span class=\"masthead-condition\">");
    text_html(out, words ? words : "");
    text_string(out, "</span>");
}

/* Writes an element with what `write` knows; nothing where it knows nothing. */
static void write_extra(const struct answer *answer, const char *name,
                        void (*write)(const struct answer *, struct text *), struct text *out)
{
    char storage[WIDGET_EXTRA_BYTES];
    struct text words = text_init(storage, sizeof storage);
    write(answer, &words);
    if (words.length == 0)
        return;
    text_format(out, " <span class=\"masthead-%s\">", name);
    text_html(out, storage);
    text_string(out, "</span>");
}

static void write_credits(const struct answer *answer, struct text *out)
{
    const struct credit *credits[WIDGET_CREDITS_MAX];
    size_t count = widget_credits(answer, WIDGET_WEATHER | WIDGET_PLACE, credits);
    if (!answer->credits_inline || count == 0)
        return;
    text_string(out, "<small class=\"masthead-credits\">");
    for (size_t i = 0; i < count; i++) {
        text_format(out, "%s<a href=\"", i > 0 ? " " : "");
        text_html(out, credits[i]->url);
        text_string(out, "\">");
        text_html(out, credits[i]->text);
        text_string(out, "</a>");
    }
    text_string(out, "</small>");
}

void widget_html(const struct answer *answer, struct text *out)
{
    bool known = answer_has_number(answer);
    text_format(out, "<span class=\"masthead-weather\" data-state=\"%s\" data-source=\"%s\"",
                answer_state_name(answer), place_source_names[answer->place.source]);
    if (answer->reading.state == WEATHER_STALE)
        text_format(out, " data-age=\"%lld\"", (long long)answer->reading.age_s);
    if (answer->simulated)
        text_string(out, " data-simulated");
    /* The style draws the icon from the code, which has an "n" by night. */
    if (answer->show & WIDGET_ICON && known && answer->reading.code >= 0)
        text_format(out, " data-weather=\"%d%s\"", answer->reading.code,
                    answer->reading.is_day == 0 ? "n" : "");
    if (answer->place.confidence != PLACE_NO_CONFIDENCE)
        text_format(out, " data-confidence=\"%s\"", place_confidence_names[answer->place.confidence]);
    text_format(out, " lang=\"%s\"><span class=\"masthead-place\">", answer->language->tag);
    text_html(out, answer->reading.state == WEATHER_UNKNOWN ? answer->unknown : answer->place.name);
    text_string(out, "</span> ");
    if (answer->show & WIDGET_ICON)
        text_string(out, "<span class=\"masthead-icon\" aria-hidden=\"true\"></span> ");
    write_shown(answer, known, out);
    if (answer->show & WIDGET_CONDITION)
        write_condition(answer, out);
    if (answer->show & WIDGET_FEELS)
        write_extra(answer, "feels", widget_feels, out);
    if (answer->show & WIDGET_RANGE)
        write_extra(answer, "range", widget_range, out);
    if (answer->show & WIDGET_RAIN)
        write_extra(answer, "rain", widget_rain, out);
    write_credits(answer, out);
    text_string(out, "</span>\n");
}

void widget_text(const struct answer *answer, struct text *out)
{
    if (answer->reading.state != WEATHER_UNKNOWN) {
        text_string(out, answer->place.name);
        text_string(out, " ");
        write_temperature(out, answer->language, answer_has_number(answer), answer->reading.temperature_ddeg,
                          answer->units);
    }
    text_string(out, "\n");
}
