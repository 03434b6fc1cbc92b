/* Where the sun stands, for whether it is day at a place. Pure functions; thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How high the sun's centre stands above the horizon, in degrees, without refraction: within 0.02 degrees
 * between 1950 and 2050 by the Astronomical Almanac's low-precision formula, as Michalsky has it ("The
 * Astronomical Almanac's algorithm for approximate solar position", Solar Energy 40, 1988). */
double sun_elevation_deg(double latitude, double longitude, int64_t unix_s);

/* Whether the sun's upper edge is above the horizon: its centre above -0.833 degrees, the usual allowance for
 * refraction and the sun's radius (NOAA solar calculator). */
bool sun_is_up(double latitude, double longitude, int64_t unix_s);
