/* Spans: pieces of someone else's bytes, not NUL-terminated. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *bytes;
    size_t length;
};

/* What stands from `begin` to before `end`. */
struct span span_between(const char *begin, const char *end);

/* Moves what stands before the first `separator`, or else all, from the front of *rest to *piece; the
 * separator is dropped. False, and an empty piece, when nothing is left. */
bool span_cut(struct span *rest, char separator, struct span *piece);

/* The span without its first `count` bytes, of which it has at least as many. */
struct span span_after(struct span, size_t count);

/* The span without spaces and tabs at both ends. */
struct span span_trim(struct span);

/* Reads one to `digits` decimal digits, nine at most. False, and *number void, when it is anything else. */
bool span_number(struct span, size_t digits, unsigned *number);
