/* The synthetic weather of any coordinate at any second, as a pure function of both.
 *
 * The weather simulator serves these values by the hour, developer mode computes curves from them, and tests
 * compare with them what a reader was shown. It resembles weather: seasons opposite in the hemispheres,
 * afternoons warmer than nights, slow changes from day to day and from region to region, and one cold
 * highland, around Leh.
 *
 * All functions: latitude in [-90, 90], longitude any finite number of degrees (it wraps), unix_s within
 * +/-10^11 (about 3,000 years around 1970). No state, no locale, no allocation; thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Air temperature in degrees Celsius, always within -60..50. Smooth: a straight line between two values an
 * hour apart is never off by more than 0.1. Continuous over the 180th meridian and the poles. */
double synthetic_celsius(double latitude, double longitude, int64_t unix_s);

/* WMO weather interpretation code (WMO table 4677 as Open-Meteo narrows it: 0-3, 45, 48, 51-57, 61-67, 71-77,
 * 80-86, 95, 96, 99) that fits synthetic_celsius: nothing frozen falls from 1 degree up, plain rain not below
 * it, and there is no thunder below 16. */
int synthetic_weather_code(double latitude, double longitude, int64_t unix_s);

/* As what the air feels, in degrees Celsius, within -70..60: warmer than it is from 20 degrees up, colder
 * below 10, by a fifth and a quarter of what is beyond. Invented, and as smooth. */
double synthetic_feels_like(double latitude, double longitude, int64_t unix_s);

/* The probability in per cent that something falls in the hour that begins then: 50 or more where by
 * synthetic_weather_code something does, less where nothing does. */
int synthetic_rain_percent(double latitude, double longitude, int64_t unix_s);

/* Whether the sun's upper edge is above the horizon. */
bool synthetic_is_day(double latitude, double longitude, int64_t unix_s);

struct synthetic_zone {
    int offset_s;  /* local time minus UTC */
    char name[24]; /* "Asia/Kolkata" in India, with a few more; else nautical, "Etc/GMT-5" for UTC+5 */
    char abbreviation[24]; /* "GMT+5:30", "GMT-3", "GMT" */
};

/* The time zone of a place, without daylight saving time. In Etc/ names the sign is inverted, as POSIX has
 * it. */
struct synthetic_zone synthetic_zone(double latitude, double longitude);
