/* The clock: one source of "now" for the whole process, which tests and developer mode can move.
 *
 * A request takes `clock_now()` once and passes the instant down; nothing below asks again. Only bounded
 * waits (how long may this thread sleep?) use the real monotonic clock, through `clock_monotonic_ms()`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct instant {
    int64_t wall_ms; /* Unix time, UTC, milliseconds: what people and upstreams mean by "when" */
    int64_t boot_ms; /* milliseconds since boot, suspend included: for measuring ages inside one process */
};

/* The instant that is now, as moved by clock_advance and clock_freeze. Thread-safe. */
struct instant clock_now(void);

/* Moves the clock by `ms` (either way), frozen or not. Thread-safe; takes effect for the next clock_now. */
void clock_advance(int64_t ms);

/* Stops the clock at `wall_ms` (Unix milliseconds); from then on only clock_advance moves it. Call before
 * threads. */
void clock_freeze(int64_t wall_ms);

/* The real CLOCK_MONOTONIC in milliseconds, which nothing moves. For bounded waits only. */
int64_t clock_monotonic_ms(void);

/* `monotonic_ms` (as from clock_monotonic_ms) as a timespec for pthread_cond_clockwait(CLOCK_MONOTONIC). */
struct timespec clock_timespec(int64_t monotonic_ms);

/* Writes `unix_s` as RFC 3339 in UTC ("2026-01-31T09:00:12Z") into `out`; years outside 0-9999 give "". */
#define CLOCK_RFC3339_BYTES 24
void clock_format(int64_t unix_s, char out[CLOCK_RFC3339_BYTES]);

/* Writes `unix_s` as HTTP writes dates (IMF-fixdate, RFC 9110): "Sat, 31 Jan 2026 09:00:12 GMT"; "" as above.
 */
#define CLOCK_HTTP_BYTES 32
void clock_format_http(int64_t unix_s, char out[CLOCK_HTTP_BYTES]);

/* Reads what clock_format writes; nothing may follow. False, and *unix_s untouched, when malformed. */
bool clock_parse(const char *text, int64_t *unix_s);

/* Reads a whole number and its unit, "250ms", "10s", "5m", "1h", "2d", perhaps after a minus. False when
 * malformed or longer than int64_t holds. */
bool clock_parse_duration(const char *text, int64_t *ms);
