#include "widget/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Conditions by WMO code; codes between the listed ones are not in use. One column a language. */
enum column { EN, HI, COLUMNS };
static const struct {
    int code;
    const char *words[COLUMNS];
} conditions[] = {
    {0, {"Clear", "साफ़"}},
    {1, {"Mainly clear", "अधिकतर साफ़"}},
    {2, {"Partly cloudy", "आंशिक बादल"}},
    {3, {"Overcast", "घने बादल"}},
    {45, {"Fog", "कोहरा"}},
    {48, {"Freezing fog", "पाले वाला कोहरा"}},
    {51, {"Light drizzle", "हल्की फुहार"}},
    {53, {"Drizzle", "फुहार"}},
    {55, {"Heavy drizzle", "तेज़ फुहार"}},
    {56, {"Light freezing drizzle", "हल्की जमने वाली फुहार"}},
    {57, {"Freezing drizzle", "जमने वाली फुहार"}},
    {61, {"Light rain", "हल्की बारिश"}},
    {63, {"Rain", "बारिश"}},
    {65, {"Heavy rain", "भारी बारिश"}},
    {66, {"Light freezing rain", "हल्की जमने वाली बारिश"}},
    {67, {"Freezing rain", "जमने वाली बारिश"}},
    {68, {"Light sleet", "हल्की बर्फ़ मिली बारिश"}},
    {69, {"Sleet", "बर्फ़ मिली बारिश"}},
    {71, {"Light snow", "हल्की बर्फ़बारी"}},
    {73, {"Snow", "बर्फ़बारी"}},
    {75, {"Heavy snow", "भारी बर्फ़बारी"}},
    {77, {"Snow grains", "बर्फ़ के कण"}},
    {80, {"Light showers", "हल्की बौछारें"}},
    {81, {"Showers", "बौछारें"}},
    {82, {"Violent showers", "बहुत तेज़ बौछारें"}},
    {83, {"Light sleet showers", "बर्फ़ मिली हल्की बौछारें"}},
    {84, {"Sleet showers", "बर्फ़ मिली बौछारें"}},
    {85, {"Snow showers", "बर्फ़ की बौछारें"}},
    {86, {"Heavy snow showers", "बर्फ़ की भारी बौछारें"}},
    {95, {"Thunderstorm", "आँधी-तूफ़ान"}},
    {96, {"Thunderstorm with hail", "ओलों के साथ तूफ़ान"}},
    {99, {"Thunderstorm with heavy hail", "भारी ओलों के साथ तूफ़ान"}},
};

static const struct language languages[] = {{"en", EN}, {"hi", HI}};

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
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (conditions[i].code == code)
            return conditions[i].words[language->column];
    return NULL;
}

enum units units_of_country(const char *country)
{
    static const char fahrenheit[][3] = {"US", "BS", "BZ", "KY", "PR", "PW"};
    for (size_t i = 0; i < sizeof fahrenheit / sizeof fahrenheit[0]; i++)
        if (strcmp(country, fahrenheit[i]) == 0)
            return UNITS_FAHRENHEIT;
    return UNITS_CELSIUS;
}

static int divide_rounded(int value, int by)
{
    return value < 0 ? -((-value + by / 2) / by) : (value + by / 2) / by;
}

int degrees_shown(int celsius_ddeg, enum units units)
{
    if (units == UNITS_FAHRENHEIT)
        return divide_rounded(celsius_ddeg * 9 + 32 * 50,
                              50); /* C/10 * 9/5 + 32, over the common denominator */
    return divide_rounded(celsius_ddeg, 10);
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

void write_tenths(struct text *out, int ddeg)
{
    text_format(out, "%s%d.%d", ddeg < 0 ? "-" : "", abs(ddeg) / 10, abs(ddeg) % 10);
}
