#include "widget/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The WMO codes that have words; those between them are not in use. */
static const int codes[] = {0,  1,  2,  3,  4,  5,  6,  45, 48, 51, 53, 55, 56, 57, 61, 63, 65, 66,
                            67, 68, 69, 71, 73, 75, 77, 80, 81, 82, 83, 84, 85, 86, 95, 96, 99};
#define CODES (sizeof codes / sizeof codes[0])

/* A row for each language, its words in the order of the codes. */
/* clang-format off */
#define CONDITIONS (const char *const[CODES])
static const struct language languages[] = {
    {"en", CONDITIONS{
        "Clear", "Mainly clear", "Partly cloudy", "Overcast", "Smoke", "Haze", "Dust", "Fog",
        "Freezing fog", "Light drizzle", "Drizzle", "Heavy drizzle", "Light freezing drizzle",
        "Freezing drizzle", "Light rain", "Rain", "Heavy rain", "Light freezing rain", "Freezing rain",
        "Light sleet", "Sleet", "Light snow", "Snow", "Heavy snow", "Snow grains", "Light showers",
        "Showers", "Violent showers", "Light sleet showers", "Sleet showers", "Snow showers",
        "Heavy snow showers", "Thunderstorm", "Thunderstorm with hail", "Thunderstorm with heavy hail",
    }},
    {"hi", CONDITIONS{
        "साफ़", "अधिकतर साफ़", "आंशिक बादल", "घने बादल", "धुआँ", "धुंध", "धूल", "कोहरा", "पाले वाला कोहरा",
        "हल्की फुहार", "फुहार", "तेज़ फुहार", "हल्की जमने वाली फुहार", "जमने वाली फुहार", "हल्की बारिश",
        "बारिश", "भारी बारिश", "हल्की जमने वाली बारिश", "जमने वाली बारिश", "हल्की बर्फ़ मिली बारिश",
        "बर्फ़ मिली बारिश", "हल्की बर्फ़बारी", "बर्फ़बारी", "भारी बर्फ़बारी", "बर्फ़ के कण",
        "हल्की बौछारें", "बौछारें", "बहुत तेज़ बौछारें", "बर्फ़ मिली हल्की बौछारें", "बर्फ़ मिली बौछारें",
        "बर्फ़ की बौछारें", "बर्फ़ की भारी बौछारें", "आँधी-तूफ़ान", "ओलों के साथ तूफ़ान",
        "भारी ओलों के साथ तूफ़ान",
    }},
    {"ar", CONDITIONS{
        "صحو", "صحو غالبًا", "غائم جزئيًا", "غائم", "دخان", "سديم", "غبار", "ضباب", "ضباب متجمد",
        "رذاذ خفيف", "رذاذ", "رذاذ كثيف", "رذاذ متجمد خفيف", "رذاذ متجمد", "مطر خفيف", "مطر", "مطر غزير",
        "مطر متجمد خفيف", "مطر متجمد", "مطر ثلجي خفيف", "مطر ثلجي", "ثلج خفيف", "ثلج", "ثلج كثيف",
        "حبيبات ثلجية", "زخات خفيفة", "زخات مطر", "زخات عنيفة", "زخات مطر ثلجي خفيفة", "زخات مطر ثلجي",
        "زخات ثلج", "زخات ثلج كثيفة", "عاصفة رعدية", "عاصفة رعدية مع برد", "عاصفة رعدية مع برد كثيف",
    }},
};
#undef CONDITIONS
/* clang-format on */

const struct language *language_find(const char *tag, size_t length)
{
    while (length > 0) {
        for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
            if (strlen(languages[i].tag) == length && strncasecmp(languages[i].tag, tag, length) == 0)
                return &languages[i];
        do
            length--;
        while (length > 0 && tag[length] != '-');
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
    return strlen(country) == 2 && strstr("US, BS, BZ, KY, PR, PW", country) ? UNITS_FAHRENHEIT
                                                                             : UNITS_CELSIUS;
}

int degrees_shown(int celsius_ddeg, enum units units)
{
    /* A half is exact in a double, and lround rounds it away from zero. */
    return (int)lround(units == UNITS_FAHRENHEIT ? (celsius_ddeg * 9 + 32 * 50) / 50.0 : celsius_ddeg / 10.0);
}

void write_temperature(struct text *out, bool known, int celsius_ddeg, enum units units)
{
    int degrees = degrees_shown(celsius_ddeg, units);
    if (known)
        text_format(out, "%s%d", degrees < 0 ? "\u2212" : "", abs(degrees));
    else
        text_string(out, "--");
    text_string(out, units == UNITS_FAHRENHEIT ? "\u00a0°F" : "\u00a0°C");
}
