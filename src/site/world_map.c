#include "site/world_map.h"

#define UNITS_PER_DEGREE (WORLD_MAP_WIDTH / 360.0)
#define NORTH_DEG        78
#define SVG_BYTES        65536

static char storage[SVG_BYTES];
static struct text svg; /* constant after world_map_open */

static size_t clamp(double value, size_t count)
{
    return value < 0 ? 0 : value < (double)count ? (size_t)value : count - 1;
}

void world_map_mark(world_map_grid grid, double latitude_deg, double longitude_deg, uint8_t value)
{
    uint8_t *dot = &grid[clamp((NORTH_DEG - latitude_deg) * UNITS_PER_DEGREE, WORLD_MAP_HEIGHT)]
                        [clamp((longitude_deg + 180) * UNITS_PER_DEGREE, WORLD_MAP_WIDTH)];
    *dot = value > *dot ? value : *dot;
}

/* Each dot is a line of length 0 with round ends. After "z" the pen is back at its start. */
void world_map_dots(const world_map_grid grid, uint8_t value, struct text *out)
{
    for (int y = 0; y < WORLD_MAP_HEIGHT; y++)
        for (int x = 0, pen = -1; x < WORLD_MAP_WIDTH; x++) {
            if (grid[y][x] != value)
                continue;
            if (pen < 0)
                text_format(out, "M%d.5 %d.5z", x, y);
            else if (x == pen + 1)
                text_string(out, "m1 0z"); /* the usual case, without formatting, which takes longest */
            else
                text_format(out, "m%d 0z", x - pen);
            pen = x;
        }
}

void world_map_open(const struct places *places)
{
    static world_map_grid cities;
    double latitude, longitude;
    svg = text_init(storage, sizeof storage);
    text_format(&svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">"
                "<path fill=\"none\" stroke=\"#8c8c8c\" stroke-opacity=\".7\" stroke-width=\".7\" "
                "stroke-linecap=\"round\" d=\"M0 0",
                WORLD_MAP_WIDTH, WORLD_MAP_HEIGHT);
    for (size_t i = 0; gazetteer_point(places_gazetteer(places), i, &latitude, &longitude); i++)
        world_map_mark(cities, latitude, longitude, 1);
    world_map_dots(cities, 1, &svg);
    text_string(&svg, "\"/></svg>\n");
}

void world_map_serve(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context, (void)request;
    answer->type = "image/svg+xml";
    text_string(&answer->headers, "Cache-Control: public, max-age=3600\r\n");
    text_bytes(&answer->body, svg.bytes, svg.length);
}
