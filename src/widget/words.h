/* Words and numbers as a page shows them; a further language is one row of a table. Pure functions and static
 * tables. */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct language {
    const char *tag;               /* BCP 47, lower case */
    const char *const *conditions; /* for language_condition */
};

/* The language for a BCP 47 tag, shortened from the right until one is known ("hi-IN" gives "hi"), or NULL.
 * Static. */
const struct language *language_find(const char *tag, size_t length);

/* The condition of a WMO code (table 4677, as Open-Meteo uses it) in a language; NULL when the code is not
 * known. */
const char *language_condition(const struct language *, int code);

enum units { UNITS_CELSIUS, UNITS_FAHRENHEIT, UNITS_AUTO };

/* The unit that readers of a country (ISO code, may be "") expect: Fahrenheit in six countries (CLDR 48,
 * unitPreferenceData, temperature/weather), else Celsius. */
enum units units_of_country(const char *country);

/* Whole degrees in the unit, rounded half away from zero, from tenths of a degree Celsius. Exact. */
int degrees_shown(int celsius_ddeg, enum units);

/* "31 °C": minus is U+2212, the space U+00A0. With `known` false: "-- °C". */
void write_temperature(struct text *, bool known, int celsius_ddeg, enum units);
