/* The condition of a place, as a WMO code, from what a weather model says of it. Pure functions; thread-safe.
 *
 * Classes and thresholds are MET Norway's for its weather symbols, taken as facts from four public
 * implementations that agree on clouds, and two on precipitation (CalibratorMetnoSymbol of gridpp is the
 * oldest; its own defaults for precipitation are higher). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CONDITION_NO_CODE        (-1)
#define CONDITION_NO_TEMPERATURE INT16_MIN

/* The sky: what is kept of that over a place, in one byte: the class of cloud cover (up to 13, 38, 86 %, and
 * more), that of precipitation (none; above 0.1, 0.25, 0.95 mm an hour), whether it freezes on the ground,
 * and which of these is known. 0: nothing is. Any byte can be read. */
#define SKY_UNKNOWN 0

/* From cloud cover in per cent, the rate of precipitation in millimetres (kg per square metre) an hour, and
 * GFS' flag of freezing rain, 0 or 1; NaN where unknown. */
uint8_t condition_sky(double cover_percent, double rate_mm_h, double freezing);

/* The code (WMO table 4677: 0-3, 61-69, 71-75, 80-86) of a sky at a temperature in hundredths of a degree
 * Celsius, which decides between snow (up to 0.5 degrees), sleet (up to 1.5) and rain, so that it should be
 * that which the reader sees. Nothing falls from a clear sky: where something does it counts as partly
 * cloudy, and what falls from less than an overcast sky is a shower. Freezing rain needs 1.5 degrees or less.
 * Thunder and fog are not in the sky. CONDITION_NO_CODE where precipitation is not known, where it falls and
 * the temperature is CONDITION_NO_TEMPERATURE, and where none falls and cloud cover is not known. */
int condition_code(uint8_t sky, int temperature_cdeg);
