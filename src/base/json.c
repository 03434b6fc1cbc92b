#include "base/json.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define DECIMALS_BELOW 1e9 /* times the largest power of ten such a number is still an exact integer */

static void write_integer(struct text *out, int64_t value)
{
    if (value == JSON_NONE)
        text_string(out, "null");
    else
        text_integer(out, value);
}

static void write_instant(struct text *out, int64_t unix_s)
{
    char when[CLOCK_RFC3339_BYTES];
    clock_format(unix_s, when);
    text_string(out, when[0] ? "\"" : "null");
    text_string(out, when);
    text_string(out, when[0] ? "\"" : "");
}

/* Writes a number that a few decimals tell exactly enough, half away from zero. */
static void write_decimals(struct text *out, double value, int digits)
{
    if (signbit(value))
        text_string(out, "-");
    text_decimal(out, llround(fabs(value) * exp10(digits)), digits);
}

static void write_number(struct text *out, double value, int digits, char style)
{
    if (!isfinite(value))
        text_string(out, "null");
    else if (style == 'f' && digits <= TEXT_DECIMALS_MAX && fabs(value) < DECIMALS_BELOW)
        write_decimals(out, value, digits);
    else
        text_format(out, style == 'f' ? "%.*f" : "%.*g", digits, value);
}

/* Other than flag, precision and size. */
static bool ends_conversion(char c)
{
    return c == 's' || c == 'd' || c == 'i' || c == 'f' || c == 'g';
}

/* Writes the value of the conversion that `shape` begins with; returns the conversion's length. */
static size_t write_value(struct text *out, const char *shape, va_list *values)
{
    size_t length = 2;
    while (!ends_conversion(shape[length - 1]))
        length++;
    char last = shape[length - 1];
    if (last == 's') {
        const char *string = va_arg(*values, const char *);
        text_json(out, string && (string[0] || shape[1] == '-') ? string : NULL);
    } else if (last == 'i') {
        int flag = va_arg(*values, int);
        text_string(out, flag < 0 ? "null" : flag ? "true" : "false");
    } else if (last != 'd') {
        write_number(out, va_arg(*values, double), shape[2] - '0', last);
    } else if (shape[1] == 't') {
        write_instant(out, va_arg(*values, int64_t));
    } else {
        write_integer(out, shape[1] == 'j' ? va_arg(*values, int64_t) : va_arg(*values, int));
    }
    return length;
}

/* Writes `count` bytes with double quotes for single ones. */
static void write_plain(struct text *out, const char *bytes, size_t count)
{
    size_t begin = out->length;
    text_bytes(out, bytes, count);
    for (char *c = out->bytes + begin, *end = out->bytes + out->length; c < end; c++)
        if (*c == '\'')
            *c = '"';
}

void json_write(struct text *out, const char *shape, ...)
{
    va_list values;
    va_start(values, shape);
    if (shape[0] == ',' && out->length > 0 && strchr("[{", out->bytes[out->length - 1]))
        shape++;
    while (*shape) {
        const char *percent = strchrnul(shape, '%');
        write_plain(out, shape, (size_t)(percent - shape));
        shape = *percent ? percent + write_value(out, percent, &values) : percent;
    }
    va_end(values);
}
