#include "widget/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The WMO codes that have words, those of each language in their order, and the table `languages`. */
#include "widget/languages.h"
#define CODES     (sizeof codes / sizeof codes[0])
#define LANGUAGES (sizeof languages / sizeof languages[0])

const struct language *language_at(size_t i)
{
    return i < LANGUAGES ? &languages[i] : NULL;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_';
}

static bool is_tag(const char *known, const char *tag, size_t length)
{
    size_t i = 0;
    while (i < length && known[i] &&
           (is_separator(tag[i]) ? known[i] == '-'
                                 : toupper((unsigned char)tag[i]) == toupper((unsigned char)known[i])))
        i++;
    return i == length && known[i] == '\0';
}

const struct language *language_find(const char *tag, size_t length)
{
    while (length > 0) {
        for (size_t i = 0; i < LANGUAGES; i++)
            if (is_tag(languages[i].tag, tag, length))
                return &languages[i];
        do
            length--;
        while (length > 0 && !is_separator(tag[length]));
    }
    return NULL;
}

const char *language_condition(const struct language *language, int code)
{
    for (size_t i = 0; i < CODES; i++)
        if (codes[i] == code)
            return language->conditions[i];
    return NULL;
}

enum units units_of_country(const char *country)
{
    static const char cldr[] = "US BS BZ KY PR PW", weather_service[] = "AS FM GU MH MP UM VI";
    bool fahrenheit = strlen(country) == 2 && (strstr(cldr, country) || strstr(weather_service, country));
    return fahrenheit ? UNITS_FAHRENHEIT : UNITS_CELSIUS;
}

int degrees_shown(int celsius_ddeg, enum units units)
{
    /* A half is exact in a double, and lround rounds it away from zero. */
    return (int)lround(units == UNITS_FAHRENHEIT ? (celsius_ddeg * 9 + 32 * 50) / 50.0 : celsius_ddeg / 10.0);
}

static void write_digits(struct text *out, const struct language *language, int number)
{
    char storage[16];
    struct text digits = text_init(storage, sizeof storage);
    size_t size = strlen(language->zero);
    text_integer(&digits, number);
    for (const char *digit = digits.bytes; *digit; digit++) {
        char last = (char)(language->zero[size - 1] + (*digit - '0'));
        text_bytes(out, language->zero, size - 1);
        text_bytes(out, &last, 1);
    }
}

static void write_whole(struct text *out, const struct language *language, int degrees)
{
    if (degrees < 0)
        text_string(out, "\u2212");
    write_digits(out, language, abs(degrees));
}

void write_phrase(struct text *out, const char *phrase, const char *what)
{
    const char *place = strstr(phrase, "%s");
    text_bytes(out, phrase, (size_t)(place - phrase));
    text_string(out, what);
    text_string(out, place + strlen("%s"));
}

void write_clock(struct text *out, const struct language *language, int minute)
{
    write_digits(out, language, minute / 600);
    write_digits(out, language, minute / 60 % 10);
    text_string(out, ":");
    write_digits(out, language, minute % 60 / 10);
    write_digits(out, language, minute % 10);
}

void write_degrees(struct text *out, const struct language *language, int celsius_ddeg, enum units units)
{
    write_whole(out, language, degrees_shown(celsius_ddeg, units));
    text_string(out, "°");
}

void write_temperature(struct text *out, const struct language *language, bool known, int celsius_ddeg,
                       enum units units)
{
    if (known)
        write_whole(out, language, degrees_shown(celsius_ddeg, units));
    else
        text_string(out, "--");
    text_string(out, units == UNITS_FAHRENHEIT ? "\u00a0°F" : "\u00a0°C");
}
