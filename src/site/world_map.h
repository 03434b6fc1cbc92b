/* A map of the world without tiles and without a library: the gazetteer's cities as faint dots, which is
 * where people live. Equirectangular; one unit is three quarters of a degree. Whoever draws on top of it uses
 * the same view box. */
#pragma once

#include "http/server.h"
#include "place/place.h"

/* The view box is "0 0 480 180": 180 degrees West to 180 degrees East, 78 degrees North to 57 degrees South.
 */
#define WORLD_MAP_WIDTH  480
#define WORLD_MAP_HEIGHT 180

/* Draws the map, once. Call before threads. */
void world_map_open(const struct places *);

/* Serves it as an SVG document of under 64 KB whose grey suits light and dark pages alike. */
http_handler world_map_serve;

/* Where a coordinate stands in the view box; what is beyond it comes to its edge. */
double world_map_x(double longitude_deg);
double world_map_y(double latitude_deg);

/* A dot for each unit of the view box; 0: none. */
typedef uint8_t world_map_grid[WORLD_MAP_HEIGHT][WORLD_MAP_WIDTH];

/* Marks the dot at a coordinate, unless what is there has a higher value. */
void world_map_mark(world_map_grid, double latitude_deg, double longitude_deg, uint8_t value);

/* Writes all dots of a value as the data of a path, to be drawn with round line caps. */
void world_map_dots(const world_map_grid, uint8_t value, struct text *);
