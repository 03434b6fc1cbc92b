/* Text: nothing is ever written past a ceiling, whatever is appended; what an escaper lets through cannot
 * leave the place it stands in; text_sanitize passes only whole, visible UTF-8. */
#include "unit.h"

#include <float.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <sys/types.h>

#include "base/text.h"

#define GUARD 0x5a
#define MOST  64

/* --- Ceilings --- */

#define APPENDER(name, call)            \
    static void name(struct text *text) \
    {                                   \
        call;                           \
    }

APPENDER(append_bytes, text_bytes(text, "ab\0cd", 5))
APPENDER(append_string, text_string(text, "Mumbai"))
APPENDER(append_format, text_format(text, "%s=%d", "key", 12345))
APPENDER(append_html, text_html(text, "a<b>&\"'z"))
APPENDER(append_json, text_json(text, "a\"\\\n<\xe2\x80\xa8\xe2\x82\xac"))
APPENDER(append_null, text_json(text, NULL))
APPENDER(append_plain_logfmt, text_logfmt(text, "plain"))
APPENDER(append_logfmt, text_logfmt(text, "a b\"\n\x80"))
APPENDER(append_number, text_number(text, -1.0 / 3))
APPENDER(append_nan, text_number(text, (double)NAN))

static void append_in_turn(struct text *text)
{
    append_string(text);
    append_format(text);
    append_html(text);
    append_number(text);
}

static const struct {
    void (*append)(struct text *);
    const char *whole;
    size_t length;
} appenders[] = {
    {append_bytes, "ab\0cd", 5},
    {append_string, "Mumbai", 6},
    {append_format, "key=12345", 9},
    {append_html, "a&lt;b&gt;&amp;&quot;&#39;z", 27},
    {append_json, "\"a\\\"\\\\\\u000a\\u003c\\u2028\xe2\x82\xac\"", 28},
    {append_null, "null", 4},
    {append_plain_logfmt, "plain", 5},
    {append_logfmt, "\"a b\\\"\\x0a\\x80\"", 15},
    {append_number, "-0.333333333333333", 18},
    {append_nan, "NaN", 3},
    {append_in_turn, "Mumbaikey=12345a&lt;b&gt;&amp;&quot;&#39;z-0.333333333333333", 60},
};

/* Appends into a buffer of `capacity` bytes between guards. */
static void check_ceiling(size_t row, size_t capacity)
{
    char memory[MOST + 2];
    memset(memory, GUARD, sizeof memory);
    struct text text = text_init(memory + 1, capacity);
    appenders[row].append(&text);

    size_t length = appenders[row].length;
    size_t fits = capacity == 0 ? 0 : length < capacity ? length : capacity - 1;
    if (text.length != fits || text.overflow != (length >= capacity) ||
        memcmp(memory + 1, appenders[row].whole, fits) != 0)
        fail_msg("row %zu, capacity %zu: %zu bytes, overflow %d", row, capacity, text.length, text.overflow);
    assert_int_equal(memory[0], GUARD);
    if (capacity > 0)
        assert_int_equal(memory[1 + fits], '\0');
    for (size_t i = 1 + capacity; i < sizeof memory; i++)
        assert_int_equal(memory[i], GUARD);

    appenders[row].append(&text); /* once over, always over; and once more does no harm */
    assert_int_equal(memory[1 + capacity], GUARD);
    assert_true(text.overflow || 2 * length < capacity);
    assert_true(capacity == 0 ? text.length == 0 : text.length < capacity);
}

TEST(nothing_is_written_past_the_capacity)
{
    for (size_t row = 0; row < COUNT(appenders); row++)
        for (size_t capacity = 0; capacity <= MOST; capacity++)
            check_ceiling(row, capacity);
}

TEST(a_new_text_is_empty)
{
    char storage[4] = "xyz";
    struct text text = text_init(storage, sizeof storage);
    assert_string_equal(text.bytes, "");
    assert_int_equal(text.length, 0);
    assert_int_equal(text.capacity, sizeof storage);
    assert_false(text.overflow);
}

/* --- Numbers and formats --- */

TEST(integers_are_written_in_full)
{
    static const int64_t values[] = {0, 9, 10, -1, -10, 1234567890123, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < COUNT(values); i++) {
        char storage[32], expected[32];
        struct text text = text_init(storage, sizeof storage);
        text_integer(&text, values[i]);
        snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
        assert_string_equal(storage, expected);
    }
}

TEST(decimals_are_units_of_the_last_one)
{
    static const struct {
        int64_t units;
        int decimals;
        const char *written;
    } rows[] = {{0, 0, "0"},        {-7, 0, "-7"},        {0, 1, "0.0"},        {5, 1, "0.5"},
                {-5, 1, "-0.5"},    {312, 1, "31.2"},     {-1794, 1, "-179.4"}, {19070000, 6, "19.070000"},
                {1, 6, "0.000001"}, {-1, 6, "-0.000001"}, {1234, 2, "12.34"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char storage[32];
        struct text text = text_init(storage, sizeof storage);
        text_decimal(&text, rows[i].units, rows[i].decimals);
        assert_string_equal(storage, rows[i].written);
    }
}

/* Writes by printf and by text_format, into buffers of each size up to one that is ample. */
#define CHECK_FORMAT(...)                                        \
    for (size_t size = 1; size < 100; size++) {                  \
        char storage[100], expected[100];                        \
        struct text text = text_init(storage, size);             \
        int length = snprintf(expected, size, __VA_ARGS__);      \
        text_format(&text, __VA_ARGS__);                         \
        assert_string_equal(storage, expected);                  \
        assert_int_equal(text.overflow, (size_t)length >= size); \
        assert_int_equal(text.length, strlen(storage));          \
    }

TEST(a_format_gives_what_printf_makes_of_it)
{
    CHECK_FORMAT("%s", "");
    CHECK_FORMAT("no conversion");
    CHECK_FORMAT("%d%d %s%s", INT_MIN, INT_MAX, "a", "b");
    CHECK_FORMAT("[%lld,%zu]", LLONG_MIN, (size_t)123);
    CHECK_FORMAT("%s; %5.1f%% of %d, %s", "first", 12.25, 7, "last");
    CHECK_FORMAT("%d %02x %s %lu %s %zd", 1, 10u, "two", 3ul, "four", (ssize_t)-5);
    CHECK_FORMAT("%.*s|%c|%4d|%-4s|", 3, "abcdef", 'x', 12, "l");
    CHECK_FORMAT("100%%");
    CHECK_FORMAT("%ld of %" PRIu64 " and %s", 5L, UINT64_MAX, "more");
}

/* --- Escapers --- */

static const char *written(void (*escape)(struct text *, const char *), const char *string)
{
    static char storage[8192];
    struct text text = text_init(storage, sizeof storage);
    escape(&text, string);
    assert_false(text.overflow);
    return storage;
}

TEST(html_keeps_every_byte_inside_an_element_or_attribute)
{
    assert_string_equal(written(text_html, ""), "");
    assert_string_equal(written(text_html, "S\xc3\xa3o Paulo"), "S\xc3\xa3o Paulo");
    assert_string_equal(written(text_html, "<b>Bold & \"Quoted\"</b>'"),
                        "&lt;b&gt;Bold &amp; &quot;Quoted&quot;&lt;/b&gt;&#39;");
    assert_string_equal(written(text_html, "&amp;"), "&amp;amp;");
    for (int c = 1; c < 256; c++) {
        char one[2] = {(char)c, '\0'};
        const char *out = written(text_html, one);
        assert_null(strpbrk(out, "<>\"'"));
        assert_true(c == '&' || out[0] == (strchr("<>\"'", c) ? '&' : (char)c));
    }
}

TEST(json_strings)
{
    static const struct {
        const char *string, *json;
    } rows[] = {
        {"", "\"\""},
        {"Mumbai", "\"Mumbai\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\x01\t\n\x1f\x7f", "\"\\u0001\\u0009\\u000a\\u001f\\u007f\""},
        {"</script>&", "\"\\u003c/script\\u003e\\u0026\""},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},
        {"\xe2\x80\xa7\xe2\x80\xaa", "\"\xe2\x80\xa7\xe2\x80\xaa\""}, /* their neighbours */
        {"\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(written(text_json, rows[i].string), rows[i].json);
    assert_string_equal(written(text_json, NULL), "null");
}

/* A JSON parser gets back what went in, and a script element sees nothing of it. */
TEST(json_comes_back_and_stays_in_its_script)
{
    for (int c = 1; c < 0x80; c++) {
        char string[] = {'<', (char)c, '\xe2', '\x80', '\xa9', (char)c, '\0'};
        const char *json = written(text_json, string);
        json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        assert_string_equal(json_string_value(value), string);
        assert_null(strpbrk(json, "<>&\n\r\x7f"));
        assert_null(strstr(json, "\xe2\x80\xa9"));
        json_decref(value);
    }
}

/* Copies of exact size, so that reading past the end shows under a sanitizer. */
TEST(escapers_stop_at_the_end_of_a_broken_character)
{
    static const char *const strings[] = {"\xe2", "\xe2\x80", "a\xe2\x80", "\xf0\x9f"};
    for (size_t i = 0; i < COUNT(strings); i++) {
        char *copy = strdup(strings[i]);
        written(text_json, copy);
        written(text_html, copy);
        written(text_logfmt, copy);
        free(copy);
    }
}

TEST(logfmt_values)
{
    static const struct {
        const char *string, *value;
    } rows[] = {
        {"", "\"\""},
        {"plain", "plain"},
        {"http://127.0.0.1:8080/a,b", "http://127.0.0.1:8080/a,b"},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"a\"b", "\"a\\\"b\""},
        {"a\\b", "\"a\\\\b\""},
        {"a\nlevel=error msg=forged", "\"a\\x0alevel=error msg=forged\""},
        {"\r\t\x1b[31m\x7f", "\"\\x0d\\x09\\x1b[31m\\x7f\""},
        {"\xc3\xa9", "\"\\xc3\\xa9\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(written(text_logfmt, rows[i].string), rows[i].value);
}

TEST(logfmt_takes_512_bytes_of_a_value)
{
    char string[600];
    for (size_t length = 511; length <= 514; length++) {
        memset(string, 'x', sizeof string);
        string[length] = '\0';
        assert_int_equal(strlen(written(text_logfmt, string)), length < 512 ? length : 512);
        string[0] = ' ';
        assert_int_equal(strlen(written(text_logfmt, string)), 2 + (length < 512 ? length : 512));
    }
}

TEST(numbers)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {-40, "-40"},
        {0.1, "0.1"},
        {31.2, "31.2"},
        {-0.4, "-0.4"},
        {1769850012, "1769850012"},
        {123456789012345, "123456789012345"},
        {1e300, "1e+300"},
        {2e-7, "2e-07"},
        {0.1 + 0.2, "0.3"},
        {(double)NAN, "NaN"},
        {(double)INFINITY, "+Inf"},
        {-(double)INFINITY, "-Inf"},
    };
    char storage[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text = text_init(storage, sizeof storage);
        text_number(&text, rows[i].value);
        assert_string_equal(storage, rows[i].text);
    }
}

/* --- text_sanitize --- */

/* Runs text_sanitize over copies of exact size. */
static bool clean(const char *bytes, size_t count, char *out, size_t size)
{
    char *in = malloc(count + !count), *fresh = malloc(size);
    assert_non_null(in);
    assert_non_null(fresh);
    memcpy(in, bytes, count);
    bool good = text_sanitize(in, count, fresh, size);
    assert_true(strlen(fresh) < size);
    assert_int_equal(good, fresh[0] != '\0');
    strcpy(out, fresh);
    free(in);
    free(fresh);
    return good;
}

#define BYTES(literal) (literal), sizeof(literal) - 1

TEST(what_is_shown_is_visible)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *out;
    } rows[] = {
        {BYTES("Mumbai"), "Mumbai"},
        {BYTES("  New York \t"), "New York"},
        {BYTES("Mum\0bai\r\nSet-Cookie: a"), "MumbaiSet-Cookie: a"},
        {BYTES("a\x1b[31mb\x7f\xc2\x80\xc2\x85\xc2\x9f"), "a[31mb"},
        {BYTES(" \x01 a \x02 "), "a"},
        /* U+202A to 202E, 2066 to 2069, 200E, 200F, 061C */
        {BYTES("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae"
               "iabmuM"),
         "iabmuM"},
        {BYTES("a\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9z"), "az"},
        {BYTES("a\xe2\x80\x8e\xe2\x80\x8f\xd8\x9cz"), "az"},
        {BYTES("\xef\xbb\xbfMumbai\xef\xbb\xbf"), "Mumbai"},
        /* The first and last of each length, and what stands beside the ranges above. */
        {BYTES("\xc2\xa1\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
         "\xc2\xa1\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {BYTES("~\xd8\x9b\xe2\x80\xaf\xe2\x81\xaa\xef\xbc\x80"),
         "~\xd8\x9b\xe2\x80\xaf\xe2\x81\xaa\xef\xbc\x80"},
        {BYTES("<b>&\"'</b>"), "<b>&\"'</b>"},
    };
    char out[128];
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!clean(rows[i].bytes, rows[i].count, out, sizeof out) || strcmp(out, rows[i].out) != 0)
            fail_msg("row %zu: '%s'", i, out);
    }
}

TEST(what_is_not_text_is_refused_whole)
{
    static const struct {
        const char *bytes;
        size_t count;
    } rows[] = {
        {BYTES("")},
        {BYTES("   ")},
        {BYTES("\t\r\n\x01")},
        {BYTES(" \xe2\x80\xae\xef\xbb\xbf ")},
        {BYTES("\xc2\xa0\xe3\x80\x80\xe2\x80\x8b\xe2\x80\x8d")}, /* wide, narrow and no-width spaces */
        /* Overlong forms of "/", NUL, U+07FF and U+FFFF. */
        {BYTES("a\xc0\xaf")},
        {BYTES("a\xc0\x80")},
        {BYTES("a\xc1\xbf")},
        {BYTES("a\xe0\x80\xaf")},
        {BYTES("a\xe0\x9f\xbf")},
        {BYTES("a\xf0\x80\x80\xaf")},
        {BYTES("a\xf0\x8f\xbf\xbf")},
        /* Surrogates; past U+10FFFF; bytes that no UTF-8 has. */
        {BYTES("a\xed\xa0\x80")},
        {BYTES("a\xed\xbf\xbf")},
        {BYTES("a\xf4\x90\x80\x80")},
        {BYTES("a\xf5\x80\x80\x80")},
        {BYTES("a\xf8\x88\x80\x80\x80")},
        {BYTES("a\xfe")},
        {BYTES("a\xff")},
        /* Cut short, and continued without a beginning. */
        {BYTES("a\xc3")},
        {BYTES("a\xe2\x82")},
        {BYTES("a\xf0\x9f\x98")},
        {BYTES("a\xc3(")},
        {BYTES("a\xe2\x82(")},
        {BYTES("a\x80")},
        {BYTES("M\xfcnchen")},
    };
    char out[64];
    for (size_t i = 0; i < COUNT(rows); i++)
        if (clean(rows[i].bytes, rows[i].count, out, sizeof out))
            fail_msg("row %zu passed as '%s'", i, out);
}

TEST(a_cut_falls_between_characters)
{
    static const char text[] = "ab \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"; /* 1, 1, 1, 2, 3 and 4 bytes */
    static const char *const cuts[] = {
        "",
        "a",
        "ab",
        "ab", /* the space would be the last */
        "ab",
        "ab \xc3\xa9",
        "ab \xc3\xa9",
        "ab \xc3\xa9",
        "ab \xc3\xa9\xe2\x82\xac",
        "ab \xc3\xa9\xe2\x82\xac",
        "ab \xc3\xa9\xe2\x82\xac",
        "ab \xc3\xa9\xe2\x82\xac",
        text,
    };
    char out[64];
    for (size_t i = 0; i < COUNT(cuts); i++) {
        clean(text, sizeof text - 1, out, i + 1);
        assert_string_equal(out, cuts[i]);
    }
}

UNIT_MAIN(NULL, NULL)
