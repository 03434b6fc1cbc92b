/* The log: one line per event on standard error, logfmt or JSON, written with one write(2). Where that is the
 * systemd journal, each line begins with its priority. A log that is not read blocks no thread: lines are
 * then dropped, and counted in the next (lost_before).
 *
 *     log_event(LOG_WARN, "database not loaded", log_str("file", path), log_int("bytes", size));
 *
 * Values may hold any bytes; they are escaped and cut. Thread-safe. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
    LOG_ALWAYS /* written as info at any level: scripts wait for it */
};
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_options {
    int64_t level;  /* enum log_level: events below it are dropped */
    int64_t format; /* enum log_format */
};

/* Sets level and format from now on; a reload calls it again. Thread-safe. */
void log_configure(const struct log_options *);

struct log_field {
    const char *key;
    const char *string; /* NULL is shown as "" */
    int64_t number;
    bool is_number;
};

#define log_str(k, v) ((struct log_field){.key = (k), .string = (v)})
#define log_int(k, v) ((struct log_field){.key = (k), .number = (v), .is_number = true})

#define log_event(level, message, ...) \
    log_write((level), (message), (const struct log_field[]){__VA_ARGS__, {.key = NULL}})

/* An event without values. */
#define log_line(level, message) log_write((level), (message), (const struct log_field[]){{.key = NULL}})

/* Writes an event, if its level is shown; `fields` ends with a NULL key. Thread-safe. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

/* An event with values that may repeat: logged once a minute, each time with how many were suppressed since.
 */
#define log_throttled(level, message, ...)                                                  \
    do {                                                                                    \
        static struct log_throttle throttle_;                                               \
        int64_t suppressed_;                                                                \
        if (log_due(&throttle_, &suppressed_))                                              \
            log_event((level), (message), __VA_ARGS__, log_int("suppressed", suppressed_)); \
    } while (0)

/* Whether an event with a throttle of its own may be logged now; *suppressed is then how many were not since
 * the last that was. Real time. Thread-safe. */
struct log_throttle {
    atomic_int_fast64_t next_ms;
    atomic_int_fast64_t held_back;
};
bool log_due(struct log_throttle *, int64_t *suppressed);
