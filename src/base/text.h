/* Text: a bounded buffer to write answers, log lines and metrics into, and one escaper for each place where a
 * string from outside can stand. Appending past the ceiling keeps what fitted and sets `overflow`; nothing is
 * ever written beyond `capacity`. Not thread-safe; a buffer belongs to the thread that writes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;     /* always NUL-terminated when capacity > 0 */
    size_t length;   /* without the NUL */
    size_t capacity; /* with the NUL */
    bool overflow;
};

/* A text over caller-owned storage, empty. */
struct text text_init(char *storage, size_t capacity);

/* Appends bytes, a string, a whole number. */
void text_bytes(struct text *, const char *bytes, size_t count);
void text_string(struct text *, const char *string);
void text_integer(struct text *, int64_t value);

/* Appends a number that is given in units of its last decimal: 1234 with two decimals is "12.34". `decimals`
 * is at most TEXT_DECIMALS_MAX. */
#define TEXT_DECIMALS_MAX 6
void text_decimal(struct text *, int64_t units, int decimals);

/* Appends what printf makes of a format. */
void text_format(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Escapes for HTML: element content and double-quoted attribute values. */
void text_html(struct text *, const char *string);

/* A JSON string with its quotes, or `null` when `string` is NULL. Also escapes < > & and U+2028/2029, so that
 * the result may stand inside a script element. Bytes that are not UTF-8 become U+FFFD. */
void text_json(struct text *, const char *string);

/* A logfmt value: bare when it holds only plain characters, else quoted and escaped; at most 512 bytes of it.
 */
void text_logfmt(struct text *, const char *string);

/* A number for JSON or Prometheus: shortest of %.15g that is exact enough, locale-free; NaN and Inf as
 * Prometheus has them. */
void text_number(struct text *, double value);

/* The length of the UTF-8 sequence at `s`, of at most `left` bytes (1 or more), with its code point in
 * *point. 0 when malformed: overlong forms, surrogates and what is past U+10FFFF are malformed (RFC 3629). */
size_t text_utf8(const char *s, size_t left, uint32_t *point);

/* Makes bytes from outside safe to show: copies `count` bytes into `out` (NUL-terminated, at most `size` with
 * the NUL), cut at a code point. Drops C0/C1 controls, bidirectional overrides and isolates, and the byte
 * order mark; trims spaces. Returns false, and out = "", when the input is not UTF-8 or nothing visible is
 * left. */
bool text_sanitize(const char *bytes, size_t count, char *out, size_t size);
