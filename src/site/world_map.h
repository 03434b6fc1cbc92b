/* A map of the world: the gazetteer's cities as faint dots, without map tiles or a library. Equirectangular;
 * a unit is three quarters of a degree. What is drawn on top uses the same view box. */
#pragma once

#include "http/server.h"
#include "place/place.h"

/* The view box is "0 0 480 180": 180 degrees West to 180 degrees East, 78 degrees North to 57 degrees South.
 */
#define WORLD_MAP_WIDTH  480
#define WORLD_MAP_HEIGHT 180

/* Draws the map. Call once, before threads. */
void world_map_open(const struct places *);

/* Serves it as an SVG document of less than 64 KB, whose grey suits light and dark pages. */
http_handler world_map_serve;

/* A value for each unit of the view box; 0: no dot. */
typedef uint8_t world_map_grid[WORLD_MAP_HEIGHT][WORLD_MAP_WIDTH];

/* Sets the dot at a coordinate, clamped to the view box, unless its value is higher. */
void world_map_mark(world_map_grid, double latitude_deg, double longitude_deg, uint8_t value);

/* Writes the dots of a value as the data of a path that is drawn with round line caps. */
void world_map_dots(const world_map_grid, uint8_t value, struct text *);
