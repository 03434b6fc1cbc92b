#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int_fast64_t offset_ms;
static atomic_bool frozen;
static struct instant frozen_at; /* written once, before threads */

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct instant clock_now(void)
{
    struct instant now = frozen_at;
    if (!atomic_load(&frozen))
        now = (struct instant){.wall_ms = read_ms(CLOCK_REALTIME), .boot_ms = read_ms(CLOCK_BOOTTIME)};
    int64_t offset = atomic_load(&offset_ms);
    now.wall_ms += offset;
    now.boot_ms += offset;
    return now;
}

void clock_advance(int64_t ms)
{
    atomic_fetch_add(&offset_ms, ms);
}

void clock_freeze(int64_t wall_ms)
{
    frozen_at = (struct instant){.wall_ms = wall_ms, .boot_ms = read_ms(CLOCK_BOOTTIME)};
    atomic_store(&frozen, true);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

struct timespec clock_timespec(int64_t monotonic_ms)
{
    return (struct timespec){.tv_sec = monotonic_ms / 1000, .tv_nsec = (monotonic_ms % 1000) * 1000000};
}

/* Writes a number of so many digits, and what stands behind it. */
static char *put(char *to, int number, int digits, char behind)
{
    for (int i = digits; i-- > 0; number /= 10)
        to[i] = (char)('0' + number % 10);
    to[digits] = behind;
    return to + digits + 1;
}

/* By hand: strftime would take most of the time of an answer as JSON. */
void clock_format(int64_t unix_s, char out[CLOCK_RFC3339_BYTES])
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    out[0] = '\0';
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
        return;
    char *end = put(out, tm.tm_year + 1900, 4, '-');
    end = put(end, tm.tm_mon + 1, 2, '-');
    end = put(end, tm.tm_mday, 2, 'T');
    end = put(end, tm.tm_hour, 2, ':');
    end = put(end, tm.tm_min, 2, ':');
    end = put(end, tm.tm_sec, 2, 'Z');
    *end = '\0';
}

void clock_format_http(int64_t unix_s, char out[CLOCK_HTTP_BYTES])
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(out, CLOCK_HTTP_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        out[0] = '\0';
}

bool clock_parse(const char *text, int64_t *unix_s)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end != '\0')
        return false;
    int64_t value = (int64_t)timegm(&tm);
    char again[CLOCK_RFC3339_BYTES];
    clock_format(value, again);
    if (strcmp(again, text) != 0)
        return false;
    *unix_s = value;
    return true;
}

bool clock_parse_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *unit;
    errno = 0;
    int64_t count = strtoll(text, &unit, 10);
    if (errno != 0 || !isdigit((unsigned char)text[*text == '-']))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return !__builtin_mul_overflow(count, units[i].ms, ms);
    return false;
}
