#include "base/span.h"

#include <ctype.h>
#include <string.h>

struct span span_after(struct span span, size_t count)
{
    return (struct span){span.bytes + count, span.length - count};
}

struct span span_between(const char *begin, const char *end)
{
    return (struct span){begin, (size_t)(end - begin)};
}

bool span_cut(struct span *rest, char separator, struct span *piece)
{
    const char *end = rest->length > 0 ? memchr(rest->bytes, separator, rest->length) : NULL;
    *piece = *rest;
    if (end)
        piece->length = (size_t)(end - rest->bytes);
    *rest = span_after(*rest, piece->length + (end != NULL));
    return piece->length > 0 || end;
}

struct span span_trim(struct span span)
{
    while (span.length > 0 && isblank((unsigned char)span.bytes[0]))
        span = span_after(span, 1);
    while (span.length > 0 && isblank((unsigned char)span.bytes[span.length - 1]))
        span.length--;
    return span;
}

bool span_number(struct span span, size_t digits, unsigned *number)
{
    *number = 0;
    for (size_t i = 0; i < span.length; i++) {
        if (i == digits || !isdigit((unsigned char)span.bytes[i]))
            return false;
        *number = *number * 10 + (unsigned)(span.bytes[i] - '0');
    }
    return span.length > 0;
}
