/* Words and numbers as a page shows them. The languages are those of words.txt. Pure functions, static
 * tables. */
#pragma once

#include "base/text.h"

struct phrases {
    const char *rain, *snow; /* begins at a time: "%s", once */
    const char *feels;       /* like so many degrees: "%s", once */
    const char *later;       /* what was pressed cannot be had now */
};

struct language {
    const char *tag;               /* BCP 47, countries in upper case */
    const char *zero;              /* the digit; the others differ from it in the last byte */
    const char *const *conditions; /* for language_condition */
    const struct phrases *phrases;
};

/* The i-th language, NULL past the last. Static. A language that has other digits in some country has a row
 * for it there, behind its own. */
const struct language *language_at(size_t i);

/* The language for a BCP 47 tag, shortened from the right until one is known ("hi-IN" gives "hi"), or NULL.
 * As some software writes it, the hyphen may be an underscore. Static. */
const struct language *language_find(const char *tag, size_t length);

/* The condition of a WMO code (table 4677, as Open-Meteo uses it, with 4 to 6, smoke, haze and dust) in a
 * language. NULL: unknown code. Static. */
const char *language_condition(const struct language *, int code);

enum units { UNITS_CELSIUS, UNITS_FAHRENHEIT, UNITS_AUTO };

/* The unit that readers of a country (ISO code, or "") expect: Fahrenheit in six countries (CLDR 48,
 * unitPreferenceData, temperature/weather) and where else the weather service of the United States forecasts
 * (weather.gov: its territories, Micronesia and the Marshall Islands), else Celsius. */
enum units units_of_country(const char *country);

/* Whole degrees in the unit, rounded half away from zero, from tenths of a degree Celsius. Exact. */
int degrees_shown(int celsius_ddeg, enum units);

/* Writes a phrase with `what` in its place. */
void write_phrase(struct text *, const char *phrase, const char *what);

/* Writes a time of the day, in minutes since midnight, as "17:05" in the language's digits: all of them know
 * 24 hours, which need no word for the half of the day. */
void write_clock(struct text *, const struct language *, int minute);

/* Writes "31°" as write_temperature does. */
void write_degrees(struct text *, const struct language *, int celsius_ddeg, enum units units);

/* Writes "31 °C" in the language's digits, with U+2212 for minus and U+00A0 for the space; "-- °C" where
 * `known` is false. */
void write_temperature(struct text *, const struct language *, bool known, int celsius_ddeg, enum units);
