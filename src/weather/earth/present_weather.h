/* What a METAR says of weather and sky, as one code of WMO table 4677. Pure functions. */
#pragma once

#include "base/span.h"

/* The code of a report's weather groups, as in "-RA BR" (WMO manual on codes 306, table 4678, w'w'): the one
 * that a reader would name. False where there is none with a code: no groups, or only mist, weather in the
 * vicinity, in patches, low-drifting and the like. *code is -1 where something falls that the station cannot
 * tell (UP). */
bool present_weather_code(struct span groups, int *code);

/* Eighths of the sky that a group of cloud ("SCT", "BKN020") says; -1: none. The middle of the group's range.
 */
int present_weather_oktas(struct span group);

/* The code for a sky, by the shares that the model's clouds are judged by, too (13, 38 and 86 %). */
int present_weather_sky(int oktas);
