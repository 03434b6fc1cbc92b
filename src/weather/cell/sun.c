#include "weather/cell/sun.h"

#include <math.h>

#define SUNRISE_DEG (-0.833)
#define DAY_S       86400.0
#define J2000_DAYS  10957.5 /* noon of 1 January 2000, in days of Unix time */

static double radians(double degrees)
{
    return degrees * (M_PI / 180);
}

double sun_elevation_deg(double latitude, double longitude, int64_t unix_s)
{
    double days = (double)unix_s / DAY_S - J2000_DAYS;
    double anomaly = radians(357.528 + 0.9856003 * days);
    double ecliptic = radians(280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly));
    double obliquity = radians(23.439 - 0.0000004 * days);
    double ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic));
    double declination = asin(sin(obliquity) * sin(ecliptic));
    /* Greenwich mean sidereal time turns by a whole day and 0.0657098242 hours a day. */
    double sidereal_h = 18.697375 + 24.0657098242 * days;
    double hour_angle = radians(fmod(sidereal_h, 24) * 15 + longitude) - ascension;
    double phi = radians(latitude);
    double sine = sin(declination) * sin(phi) + cos(declination) * cos(phi) * cos(hour_angle);
    return asin(fmin(fmax(sine, -1), 1)) * (180 / M_PI);
}

bool sun_is_up(double latitude, double longitude, int64_t unix_s)
{
    return sun_elevation_deg(latitude, longitude, unix_s) > SUNRISE_DEG;
}
