#include "http/world_map.h"

#include <math.h>
#include <stdlib.h>

#define UNITS_PER_DEGREE (WORLD_MAP_WIDTH / 360.0)
#define NORTH_DEG        78
#define POINTS           256 /* read from the gazetteer at a time */
#define SVG_BYTES        65536

static char storage[SVG_BYTES];
static struct text svg; /* constant after world_map_open */

double world_map_x(double longitude_deg)
{
    return fmin(fmax((longitude_deg + 180) * UNITS_PER_DEGREE, 0), WORLD_MAP_WIDTH);
}

double world_map_y(double latitude_deg)
{
    return fmin(fmax((NORTH_DEG - latitude_deg) * UNITS_PER_DEGREE, 0), WORLD_MAP_HEIGHT);
}

typedef bool grid[WORLD_MAP_HEIGHT][WORLD_MAP_WIDTH];

static void mark_cities(const struct places *places, grid cities)
{
    struct place_point points[POINTS];
    size_t cursor = 0, count;
    while ((count = places_points(places, &cursor, points, POINTS)) > 0)
        for (size_t i = 0; i < count; i++) {
            int x = (int)world_map_x(points[i].longitude), y = (int)world_map_y(points[i].latitude);
            cities[y < WORLD_MAP_HEIGHT ? y : y - 1][x < WORLD_MAP_WIDTH ? x : x - 1] = true;
        }
}

/* Each dot is a line of no length with round ends; after "z" the pen is back at its begin. */
static void draw_row(const bool cities[WORLD_MAP_WIDTH], int y)
{
    int pen = -1;
    for (int x = 0; x < WORLD_MAP_WIDTH; x++) {
        if (!cities[x])
            continue;
        if (pen < 0)
            text_format(&svg, "M%d.5 %d.5z", x, y);
        else
            text_format(&svg, "m%d 0z", x - pen);
        pen = x;
    }
}

void world_map_open(const struct places *places)
{
    grid *cities = calloc(1, sizeof *cities);
    svg = text_over(storage, sizeof storage);
    text_format(&svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">"
                "<path fill=\"none\" stroke=\"#8c8c8c\" stroke-opacity=\".7\" stroke-width=\".7\" "
                "stroke-linecap=\"round\" d=\"",
                WORLD_MAP_WIDTH, WORLD_MAP_HEIGHT);
    if (cities) {
        mark_cities(places, *cities);
        for (int y = 0; y < WORLD_MAP_HEIGHT; y++)
            draw_row((*cities)[y], y);
    }
    text_string(&svg, "\"/></svg>\n");
    free(cities);
}

void world_map_serve(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    answer->type = "image/svg+xml";
    text_string(&answer->headers, "Cache-Control: public, max-age=3600\r\n");
    text_bytes(&answer->body, svg.bytes, svg.length);
}
