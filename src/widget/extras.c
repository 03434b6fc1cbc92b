/* What is to come, in words, beside place and temperature. */
#include "widget/widget.h"

#define PART_BYTES 32 /* "−130°" or "17:00" in any digits */

static bool known_degrees(const struct answer *answer, int ddeg)
{
    return answer->reading.ahead.known && ddeg != AHEAD_NO_DEGREES;
}

void widget_range(const struct answer *answer, struct text *out)
{
    const struct ahead *ahead = &answer->reading.ahead;
    if (!known_degrees(answer, ahead->high_ddeg))
        return;
    write_degrees(out, answer->language, ahead->high_ddeg, answer->units);
    text_string(out, " / ");
    write_degrees(out, answer->language, ahead->low_ddeg, answer->units);
}

void widget_feels(const struct answer *answer, struct text *out)
{
    char storage[PART_BYTES];
    struct text degrees = text_init(storage, sizeof storage);
    if (!known_degrees(answer, answer->reading.ahead.feels_ddeg))
        return;
    write_degrees(&degrees, answer->language, answer->reading.ahead.feels_ddeg, answer->units);
    write_phrase(out, answer->language->phrases->feels, storage);
}

void widget_rain(const struct answer *answer, struct text *out)
{
    const struct ahead *ahead = &answer->reading.ahead;
    const struct phrases *phrases = answer->language->phrases;
    if (!ahead->known || ahead->rain_s == 0)
        return;
    const char *falling =
        ahead->rain_has_begun ? language_condition(answer->language, answer->reading.code) : NULL;
    if (falling) { /* nobody knows since when */
        text_string(out, falling);
    } else if (answer->rain_minute >= 0) {
        char storage[PART_BYTES];
        struct text clock = text_init(storage, sizeof storage);
        write_clock(&clock, answer->language, answer->rain_minute);
        write_phrase(out, ahead->rain_is_snow ? phrases->snow : phrases->rain, storage);
    }
}
