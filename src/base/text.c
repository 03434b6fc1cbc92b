#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_VALUE_BYTES 512

struct text text_init(char *storage, size_t capacity)
{
    if (capacity > 0)
        storage[0] = '\0';
    return (struct text){.bytes = storage, .capacity = capacity};
}

void text_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->capacity - text->length;
    if (count >= room) {
        text->overflow = true;
        count = room > 0 ? room - 1 : 0;
    }
    if (count == 0)
        return;
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

void text_integer(struct text *text, int64_t value)
{
    char digits[24], *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--first = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        *--first = '-';
    text_bytes(text, first, (size_t)(digits + sizeof digits - first));
}

void text_decimal(struct text *text, int64_t units, int decimals)
{
    char fraction[TEXT_DECIMALS_MAX + 1] = ".";
    int64_t rest = units < 0 ? -units : units;
    for (int i = decimals; i > 0; rest /= 10)
        fraction[i--] = (char)('0' + rest % 10);
    if (units < 0)
        text_string(text, "-");
    text_integer(text, rest);
    text_bytes(text, fraction, decimals > 0 ? (size_t)decimals + 1 : 0);
}

/* Writes the value of a conversion without flags, width or precision, as most are, and returns the
 * conversion's length with its percent sign; 0, and nothing is written: it is another one. */
static size_t write_simple(struct text *text, const char *conversion, va_list *values)
{
    switch (conversion[0]) {
    case 's':
        text_string(text, va_arg(*values, const char *));
        return 2;
    case 'd':
        text_integer(text, va_arg(*values, int));
        return 2;
    case 'z':
        if (conversion[1] != 'u')
            return 0;
        text_integer(text, (int64_t)va_arg(*values, size_t));
        return 3;
    case 'l':
        if (conversion[1] != 'l' || conversion[2] != 'd')
            return 0;
        text_integer(text, va_arg(*values, long long));
        return 4;
    default:
        return 0;
    }
}

__attribute__((format(printf, 2, 0))) static void write_any(struct text *text, const char *format,
                                                            va_list values)
{
    size_t room = text->capacity - text->length;
    int wanted = vsnprintf(text->bytes + text->length, room, format, values);
    if (wanted < 0 || (size_t)wanted >= room) {
        text->overflow = true;
        text->length = room > 0 ? text->capacity - 1 : text->length;
        return;
    }
    text->length += (size_t)wanted;
}

/* Nearly all of an answer goes by here, and vsnprintf takes ten times as long for a string: it gets only the
 * rest of a format from the first conversion on that it is needed for. */
void text_format(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (size_t length = 1; *format && length > 0; format += length) {
        const char *percent = strchrnul(format, '%');
        text_bytes(text, format, (size_t)(percent - format));
        format = percent;
        length = *percent ? write_simple(text, percent + 1, &values) : 0;
        if (*percent && length == 0)
            write_any(text, format, values);
    }
    va_end(values);
}

void text_html(struct text *text, const char *string)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    while (*string) {
        size_t plain = strcspn(string, special);
        text_bytes(text, string, plain);
        string += plain;
        if (*string)
            text_string(text, entities[strchr(special, *string++) - special]);
    }
}

size_t text_utf8(const char *bytes, size_t left, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)bytes;
    size_t length = s[0] < 0x80             ? 1
                    : (s[0] & 0xe0) == 0xc0 ? 2
                    : (s[0] & 0xf0) == 0xe0 ? 3
                    : (s[0] & 0xf8) == 0xf0 ? 4
                                            : 0;
    if (length == 0 || length > left)
        return 0;
    uint32_t p = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        p = p << 6 | (s[i] & 0x3fu);
    }
    if (p < smallest[length] || p > 0x10ffff || (p >= 0xd800 && p <= 0xdfff))
        return 0;
    *point = p;
    return length;
}

static bool needs_unicode_escape(uint32_t point)
{
    return point < 0x20 || point == 0x7f || point == '<' || point == '>' || point == '&' || point == 0x2028 ||
           point == 0x2029;
}

/* Most of most strings: copied in one step. */
static size_t plain_in_json(const char *string)
{
    size_t plain = 0;
    while (string[plain] >= ' ' && string[plain] < 0x7f && string[plain] != '"' && string[plain] != '\\' &&
           string[plain] != '<' && string[plain] != '>' && string[plain] != '&')
        plain++;
    return plain;
}

void text_json(struct text *text, const char *string)
{
    if (!string) {
        text_string(text, "null");
        return;
    }
    text_string(text, "\"");
    while (*string) {
        size_t plain = plain_in_json(string);
        if (plain > 0) {
            text_bytes(text, string, plain);
            string += plain;
            continue;
        }
        uint32_t point = 0xfffd; /* the replacement character, for a byte that is not UTF-8 */
        size_t length = text_utf8(string, strnlen(string, 4), &point);
        if (point == '"' || point == '\\')
            text_format(text, "\\%c", (char)point);
        else if (length == 0 || needs_unicode_escape(point))
            text_format(text, "\\u%04x", point);
        else
            text_bytes(text, string, length);
        string += length > 0 ? length : 1;
    }
    text_string(text, "\"");
}

static bool plain_in_log(unsigned char c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"=\\", c);
}

void text_logfmt(struct text *text, const char *string)
{
    size_t length = strnlen(string, LOG_VALUE_BYTES), plain = 0;
    while (plain < length && plain_in_log((unsigned char)string[plain]))
        plain++;
    if (plain == length && length > 0) {
        text_bytes(text, string, length);
        return;
    }
    text_string(text, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)string[i];
        text_format(text, c < 0x20 || c >= 0x7f ? "\\x%02x" : strchr("\"\\", c) ? "\\%c" : "%c", c);
    }
    text_string(text, "\"");
}

void text_number(struct text *text, double value)
{
    if (isnan(value))
        text_string(text, "NaN");
    else if (isinf(value))
        text_string(text, value > 0 ? "+Inf" : "-Inf");
    else
        text_format(text, "%.15g", value);
}

static bool showable(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    bool bidi = point == 0x61c || point == 0x200e || point == 0x200f ||
                (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
    bool line = point == 0x2028 || point == 0x2029;
    return !control && !bidi && !line && point != 0xfeff;
}

/* Takes room but shows nothing by itself: spaces, and joiners that scripts such as Devanagari need between
 * letters. */
static bool invisible(uint32_t point)
{
    return point == ' ' || point == 0xa0 || point == 0xad || (point >= 0x2000 && point <= 0x200d) ||
           point == 0x202f || point == 0x205f || (point >= 0x2060 && point <= 0x2064) || point == 0x3000 ||
           point == 0x115f || point == 0x1160 || point == 0x3164;
}

bool text_sanitize(const char *bytes, size_t count, char *out, size_t size)
{
    size_t length = 0;
    bool visible = false;
    out[0] = '\0';
    for (size_t i = 0; i < count;) {
        uint32_t point;
        size_t step = text_utf8(bytes + i, count - i, &point);
        if (step == 0) {
            out[0] = '\0';
            return false;
        }
        bool leading_space = point == ' ' && length == 0;
        if (showable(point) && !leading_space) {
            if (length + step >= size)
                break;
            memcpy(out + length, bytes + i, step);
            length += step;
            visible = visible || !invisible(point);
        }
        i += step;
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[visible ? length : 0] = '\0';
    return visible;
}
