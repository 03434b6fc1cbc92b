/* Words and numbers of a page: degrees rounded as people round, minus as a minus, never "-0"; a word for
 * every condition in every language; the language and the unit that readers expect. */
#include "unit.h"

#include <math.h>

#include "widget/words.h"

#define NBSP   "\xc2\xa0"
#define MINUS  "\xe2\x88\x92"
#define DEGREE "\xc2\xb0"

TEST(languages_are_shortened_until_known)
{
    static const struct {
        const char *tag, *found; /* NULL: none */
    } rows[] = {
        {"en", "en"},
        {"hi", "hi"},
        {"EN", "en"},
        {"Hi-iN", "hi"},
        {"en-US", "en"},
        {"hi-Deva-IN", "hi"},
        {"hi-IN-x-private", "hi"},
        {"en-", "en"},
        {"de", NULL},
        {"de-hi", NULL},
        {"de_hi", NULL},
        {"", NULL},
        {"e", NULL},
        {"eng", NULL},
        {"english", NULL},
        {"hindi-IN", NULL},
        {"-en", NULL},
        {"en_US", "en"},
        {"hi_IN", "hi"},
        {"hi_Deva_IN", "hi"},
        {"_hi", NULL},
        {"bn-BD", "bn"},
        {"pa-Guru-IN", "pa"},
        {"ur", "ur"},
        {"UR_in", "ur-IN"},
        {"ur-PK", "ur"},
        {"ar-ma", "ar"},
        {"ar-EG", "ar-EG"},
        {"ar-EG-u-nu-latn", "ar-EG"},
        {"-", NULL},
        {"--", NULL},
        {"hi--IN", "hi"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = strlen(rows[i].tag);
        char *copy = malloc(length + !length); /* of exact size, and without a NUL */
        assert_non_null(copy);
        memcpy(copy, rows[i].tag, length);
        const struct language *language = language_find(copy, length);
        free(copy);
        if (!language != !rows[i].found || (language && strcmp(language->tag, rows[i].found) != 0))
            fail_msg("'%s' found '%s'", rows[i].tag, language ? language->tag : "nothing");
    }
    assert_ptr_equal(language_find("hi-IN", 5), language_find("hi", 2));
    assert_null(language_find("hindi", 1));
}

/* Open-Meteo's list of WMO codes, and smoke, haze and dust, each with its English words. */
static const struct {
    int code;
    const char *english;
} conditions[] = {
    {0, "Clear"},
    {1, "Mainly clear"},
    {2, "Partly cloudy"},
    {3, "Overcast"},
    {4, "Smoke"},
    {5, "Haze"},
    {6, "Dust"},
    {45, "Fog"},
    {48, "Freezing fog"},
    {51, "Light drizzle"},
    {53, "Drizzle"},
    {55, "Heavy drizzle"},
    {56, "Light freezing drizzle"},
    {57, "Freezing drizzle"},
    {61, "Light rain"},
    {63, "Rain"},
    {65, "Heavy rain"},
    {66, "Light freezing rain"},
    {67, "Freezing rain"},
    {68, "Light sleet"},
    {69, "Sleet"},
    {71, "Light snow"},
    {73, "Snow"},
    {75, "Heavy snow"},
    {77, "Snow grains"},
    {80, "Light showers"},
    {81, "Showers"},
    {82, "Violent showers"},
    {83, "Light sleet showers"},
    {84, "Sleet showers"},
    {85, "Snow showers"},
    {86, "Heavy snow showers"},
    {95, "Thunderstorm"},
    {96, "Thunderstorm with hail"},
    {99, "Thunderstorm with heavy hail"},
};

/* Each language with the letters of its script, by Unicode's blocks, and its zero. */
static const struct {
    const char *tag;
    uint32_t first, last;
    const char *zero;
} scripts[] = {
    {"en", 'A', 'z', "0"},     {"hi", 0x900, 0x97f, "0"},    {"bn", 0x980, 0x9ff, "০"},
    {"ta", 0xb80, 0xbff, "0"}, {"te", 0xc00, 0xc7f, "0"},    {"mr", 0x900, 0x97f, "०"},
    {"gu", 0xa80, 0xaff, "0"}, {"kn", 0xc80, 0xcff, "0"},    {"ml", 0xd00, 0xd7f, "0"},
    {"pa", 0xa00, 0xa7f, "0"}, {"ur", 0x600, 0x6ff, "0"},    {"ur-IN", 0x600, 0x6ff, "۰"},
    {"ar", 0x600, 0x6ff, "0"}, {"ar-EG", 0x600, 0x6ff, "٠"}, {"ar-YE", 0x600, 0x6ff, "٠"},
};

static bool is_in_script(const char *text, uint32_t first, uint32_t last)
{
    uint32_t point;
    for (size_t step; *text; text += step) {
        step = text_utf8(text, strlen(text), &point);
        bool between = point == ' ' || point == '-' || point == ',' || point == 0x200c;
        if (step == 0 || !(between || (point >= first && point <= last)))
            return false;
    }
    return true;
}

TEST(every_condition_has_words_in_every_language)
{
    const struct language *language;
    for (size_t l = 0; l < COUNT(scripts); l++) {
        language = language_find(scripts[l].tag, strlen(scripts[l].tag));
        assert_string_equal(language->tag, scripts[l].tag);
        assert_string_equal(language->zero, scripts[l].zero);
    }
    for (size_t l = 0; (language = language_at(l)); l++) {
        size_t known = 0;
        while (known < COUNT(scripts) && strncmp(scripts[known].tag, language->tag, 2) != 0)
            known++;
        assert_true(known < COUNT(scripts));
        for (size_t i = 0; i < COUNT(conditions); i++) {
            const char *words = language_condition(language, conditions[i].code);
            if (!words || !is_in_script(words, scripts[known].first, scripts[known].last))
                fail_msg("%s has '%s' for %d", language->tag, words, conditions[i].code);
            if (l == 0)
                assert_string_equal(words, conditions[i].english);
            for (size_t other = 0; other < i; other++)
                assert_string_not_equal(words, language_condition(language, conditions[other].code));
        }
    }
    assert_int_equal(language_at(0) == language_find("en", 2), true);
}

TEST(every_language_has_its_phrases)
{
    const struct language *language;
    for (size_t l = 0; (language = language_at(l)); l++) {
        const char *phrases[] = {language->phrases->rain, language->phrases->snow, language->phrases->feels};
        size_t known = 0;
        while (strncmp(scripts[known].tag, language->tag, 2) != 0)
            known++;
        for (size_t i = 0; i < COUNT(phrases); i++) {
            char storage[128];
            struct text text = text_init(storage, sizeof storage);
            write_phrase(&text, phrases[i], "");
            if (strlen(phrases[i]) != text.length + strlen("%s") ||
                !is_in_script(storage, scripts[known].first, scripts[known].last))
                fail_msg("%s has '%s'", language->tag, phrases[i]);
            assert_string_not_equal(phrases[i], phrases[(i + 1) % COUNT(phrases)]);
        }
    }
    char storage[64];
    struct text text = text_init(storage, sizeof storage);
    write_phrase(&text, language_at(0)->phrases->rain, "17:00");
    write_phrase(&text, "%s से बारिश", "17:00");
    assert_string_equal(storage, "Rain from 17:0017:00 से बारिश");
}

TEST(times_and_short_degrees_are_written_in_the_languages_digits)
{
    static const struct {
        int minute, ddeg;
        const char *tag, *shown;
    } rows[] = {
        {0, 312, "en", "00:00 31" DEGREE},
        {17 * 60 + 5, -4, "hi", "17:05 0" DEGREE},
        {9 * 60 + 30, -125, "mr", "०९:३० " MINUS "१३" DEGREE},
        {23 * 60 + 59, 1000, "ar-EG", "٢٣:٥٩ ١٠٠" DEGREE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char storage[64];
        struct text text = text_init(storage, sizeof storage);
        const struct language *language = language_find(rows[i].tag, strlen(rows[i].tag));
        write_clock(&text, language, rows[i].minute);
        text_string(&text, " ");
        write_degrees(&text, language, rows[i].ddeg, UNITS_CELSIUS);
        assert_string_equal(storage, rows[i].shown);
    }
    char storage[64];
    struct text text = text_init(storage, sizeof storage);
    write_degrees(&text, language_at(0), 312, UNITS_FAHRENHEIT);
    assert_string_equal(storage, "88" DEGREE);
}

TEST(other_codes_have_none)
{
    const struct language *english = language_find("en", 2);
    size_t known = 0;
    for (int code = -130; code <= 300; code++)
        known += language_condition(english, code) != NULL;
    assert_int_equal(known, COUNT(conditions));
    assert_null(language_condition(english, -1));
    assert_null(language_condition(english, INT32_MAX));
    assert_null(language_condition(english, INT32_MIN));
}

TEST(units_follow_the_country)
{
    static const char *const fahrenheit[] = {"US", "BS", "BZ", "KY", "PR", "PW", "GU",
                                             "VI", "AS", "MP", "UM", "FM", "MH"};
    static const char *const celsius[] = {"IN", "GB", "CA", "DE", "LR", "", "us", "U", "USA", "ZZ"};
    for (size_t i = 0; i < COUNT(fahrenheit); i++)
        assert_int_equal(units_of_country(fahrenheit[i]), UNITS_FAHRENHEIT);
    for (size_t i = 0; i < COUNT(celsius); i++)
        assert_int_equal(units_of_country(celsius[i]), UNITS_CELSIUS);
}

TEST(degrees_are_rounded_half_away_from_zero)
{
    static const struct {
        int ddeg, celsius, fahrenheit;
    } rows[] = {
        {0, 0, 32},       {4, 0, 33},          {5, 1, 33},     {-4, 0, 31},       {-5, -1, 31},
        {-14, -1, 29},    {-15, -2, 29},       {312, 31, 88},  {314, 31, 89},     {315, 32, 89},
        {25, 3, 37},      {-25, -3, 28},       {75, 8, 46},    {-400, -40, -40},  {-178, -18, 0},
        {-177, -18, 0},   {-175, -18, 1},      {-180, -18, 0}, {-181, -18, -1},   {-225, -23, -9},
        {1000, 100, 212}, {-2731, -273, -460}, {600, 60, 140}, {-900, -90, -130}, {-1, 0, 32},
        {-3, 0, 31},      {3, 0, 33},          {-175, -18, 1}, {-183, -18, -1},   {-175, -18, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int celsius = degrees_shown(rows[i].ddeg, UNITS_CELSIUS);
        int fahrenheit = degrees_shown(rows[i].ddeg, UNITS_FAHRENHEIT);
        if (celsius != rows[i].celsius || fahrenheit != rows[i].fahrenheit)
            fail_msg("%d: %d C, %d F; expected %d and %d", rows[i].ddeg, celsius, fahrenheit, rows[i].celsius,
                     rows[i].fahrenheit);
    }
}

/* Against the definition, in whole numbers: n is right when |fifty times n - exact| is at most 25, and where
 * it is 25, n is the one farther from zero. */
TEST(fahrenheit_is_exact)
{
    for (int ddeg = -2000; ddeg <= 2000; ddeg++) {
        int exact = 9 * ddeg + 1600; /* fiftieths of a degree */
        int n = degrees_shown(ddeg, UNITS_FAHRENHEIT), off = 50 * n - exact;
        assert_in_range(off + 25, 0, 50);
        if (abs(off) == 25)
            assert_true(abs(50 * n) > abs(exact));
    }
}

static const char *temperature(bool known, int ddeg, enum units units)
{
    static char storage[64];
    struct text text = text_init(storage, sizeof storage);
    write_temperature(&text, language_at(0), known, ddeg, units);
    return storage;
}

TEST(digits_are_those_of_language_and_country)
{
    static const struct {
        const char *tag, *shown;
    } rows[] = {
        {"en", MINUS "12" NBSP DEGREE "C"},    {"hi", MINUS "12" NBSP DEGREE "C"},
        {"mr", MINUS "१२" NBSP DEGREE "C"},    {"bn-BD", MINUS "১২" NBSP DEGREE "C"},
        {"ar", MINUS "12" NBSP DEGREE "C"},    {"ar-SA", MINUS "١٢" NBSP DEGREE "C"},
        {"ur-IN", MINUS "۱۲" NBSP DEGREE "C"}, {"ur-PK", MINUS "12" NBSP DEGREE "C"},
    };
    char storage[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text = text_init(storage, sizeof storage);
        const struct language *language = language_find(rows[i].tag, strlen(rows[i].tag));
        write_temperature(&text, language, true, -119, UNITS_CELSIUS);
        assert_string_equal(storage, rows[i].shown);
    }
    struct text text = text_init(storage, sizeof storage);
    write_temperature(&text, language_find("mr", 2), true, 3211, UNITS_CELSIUS);
    write_temperature(&text, language_find("mr", 2), true, 9870, UNITS_CELSIUS);
    write_temperature(&text, language_find("mr", 2), true, 4560, UNITS_CELSIUS);
    assert_string_equal(storage, "३२१" NBSP DEGREE "C"
                                 "९८७" NBSP DEGREE "C"
                                 "४५६" NBSP DEGREE "C");
}

TEST(temperatures_are_written_in_the_house_style)
{
    assert_string_equal(temperature(true, 312, UNITS_CELSIUS), "31" NBSP DEGREE "C");
    assert_string_equal(temperature(true, 312, UNITS_FAHRENHEIT), "88" NBSP DEGREE "F");
    assert_string_equal(temperature(true, -125, UNITS_CELSIUS), MINUS "13" NBSP DEGREE "C");
    assert_string_equal(temperature(true, -400, UNITS_FAHRENHEIT), MINUS "40" NBSP DEGREE "F");
    assert_string_equal(temperature(true, -4, UNITS_CELSIUS), "0" NBSP DEGREE "C");
    assert_string_equal(temperature(true, -5, UNITS_CELSIUS), MINUS "1" NBSP DEGREE "C");
    assert_string_equal(temperature(true, -178, UNITS_FAHRENHEIT), "0" NBSP DEGREE "F");
    assert_string_equal(temperature(false, 312, UNITS_CELSIUS), "--" NBSP DEGREE "C");
    assert_string_equal(temperature(false, -312, UNITS_FAHRENHEIT), "--" NBSP DEGREE "F");
}

TEST(no_temperature_is_a_negative_zero)
{
    for (int ddeg = -1000; ddeg <= 1000; ddeg++)
        for (int units = UNITS_CELSIUS; units <= UNITS_FAHRENHEIT; units++) {
            const char *shown = temperature(true, ddeg, (enum units)units);
            assert_null(strstr(shown, MINUS "0"));
            assert_null(strchr(shown, '-'));
        }
}

UNIT_MAIN(NULL, NULL)
