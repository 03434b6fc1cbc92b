#include "base/span.h"

#include <string.h>

struct span span_after(struct span span, size_t count)
{
    return (struct span){span.bytes + count, span.length - count};
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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct span span_trim(struct span span)
{
    while (span.length > 0 && is_blank(span.bytes[0]))
        span = span_after(span, 1);
    while (span.length > 0 && is_blank(span.bytes[span.length - 1]))
        span.length--;
    return span;
}
