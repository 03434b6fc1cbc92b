/* Words and numbers as a page shows them. A language is a row of a table. Pure functions, static tables. */
#pragma once

#include "base/text.h"

struct language {
    const char *tag;               /* BCP 47, lower case */
    const char *const *conditions; /* for language_condition */
};

/* The language for a BCP 47 tag, shortened from the right until one is known ("hi-IN" gives "hi"), or NULL.
 * Static. */
const struct language *language_find(const char *tag, size_t length);

/* The condition of a WMO code (table 4677, as Open-Meteo uses it, with 4 to 6, smoke, haze and dust) in a
 * language. NULL: unknown code. Static.
 */
const char *language_condition(const struct language *, int code);

enum units { UNITS_CELSIUS, UNITS_FAHRENHEIT, UNITS_AUTO };

/* The unit that readers of a country (ISO code, or "") expect: Fahrenheit in six countries (CLDR 48,
 * unitPreferenceData, temperature/weather), else Celsius. */
enum units units_of_country(const char *country);

/* Whole degrees in the unit, rounded half away from zero, from tenths of a degree Celsius. Exact. */
int degrees_shown(int celsius_ddeg, enum units);

/* Writes "31 °C" with U+2212 for minus and U+00A0 for the space; "-- °C" where `known` is false. */
void write_temperature(struct text *, bool known, int celsius_ddeg, enum units);
