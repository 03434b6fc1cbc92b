/* What is to come, read from a curve as readers are told it: the next hours, rain in them, and the range of
 * the whole day. Pure functions; a flat value, copied. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AHEAD_HOURS 12
/* From here on something is likely to fall in an hour. "Rain from 17:00" is said without its probability, and
 * should be right more often than wrong. */
#define AHEAD_LIKELY_PERCENT 50
#define AHEAD_NO_DEGREES     INT16_MIN

/* The day at a place: its first instant, and the first of the next day, in Unix time. Both 0: not known. */
struct ahead_day {
    int64_t begin_s, end_s;
};

/* An hour: its first instant, but for the probability, which is of all of it. */
struct ahead_hour {
    int16_t temperature_ddeg; /* tenths of a degree Celsius */
    int8_t code;              /* WMO table 4677, -1: not known */
    int8_t is_day;            /* 1, 0, -1: not known */
    int8_t rain_percent;      /* -1: not known */
};

struct ahead {
    bool known;         /* it was asked for, and there is a number; else nothing below counts */
    int16_t feels_ddeg; /* of now, as it feels: tenths of a degree Celsius, AHEAD_NO_DEGREES: not known */
    int16_t high_ddeg, low_ddeg; /* of the day; AHEAD_NO_DEGREES unless each of its hours is held */
    int64_t rain_s; /* the first hour in which something is likely to fall, of now's and the next AHEAD_HOURS,
                       in Unix time; 0: none */
    int8_t rain_percent;               /* in that hour, -1: not known */
    bool rain_is_snow, rain_has_begun; /* the latter by the code of now */
    int64_t first_s;                   /* the next full hour, in Unix time, */
    size_t hour_count;                 /* and how many are held from there on */
    struct ahead_hour hours[AHEAD_HOURS];
};

struct curve;

/* Reads a curve that covers `now_s`; hours from `until_s` on are not shown. Where a probability is known, it
 * says whether something is likely to fall; else, and for the hour of now, a code of which something falls
 * does. */
void ahead_read(const struct curve *, const struct ahead_day *, int64_t now_s, int64_t until_s,
                struct ahead *out);
