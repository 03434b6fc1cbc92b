#include "base/json.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

static void write_integer(struct text *out, int64_t value)
{
    if (value == JSON_NONE)
        text_string(out, "null");
    else
        text_format(out, "%lld", (long long)value);
}

static void write_instant(struct text *out, int64_t unix_s)
{
    char when[CLOCK_RFC3339_BYTES];
    clock_format(unix_s, when);
    text_json(out, when[0] ? when : NULL);
}

static void write_number(struct text *out, double value, int digits, char style)
{
    if (isfinite(value))
        text_format(out, style == 'f' ? "%.*f" : "%.*g", digits, value);
    else
        text_string(out, "null");
}

/* Writes the value of the conversion that `shape` begins with; returns the conversion's length. */
static size_t write_value(struct text *out, const char *shape, va_list *values)
{
    size_t length = strcspn(shape, "sdifg") + 1;
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

void json_write(struct text *out, const char *shape, ...)
{
    va_list values;
    va_start(values, shape);
    if (shape[0] == ',' && out->length > 0 && strchr("[{", out->bytes[out->length - 1]))
        shape++;
    while (*shape) {
        size_t plain = strcspn(shape, "'%");
        text_bytes(out, shape, plain);
        shape += plain;
        if (*shape == '%') {
            shape += write_value(out, shape, &values);
        } else if (*shape) {
            text_string(out, "\"");
            shape++;
        }
    }
    va_end(values);
}
