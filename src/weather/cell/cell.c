#include "weather/cell/cell.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>

#define TURN_UDEG (360 * (int64_t)CELL_MICRODEGREES)

static int64_t nearest_multiple(double degrees, int64_t size)
{
    int64_t value = llround(degrees * CELL_MICRODEGREES);
    int64_t magnitude = value < 0 ? -value : value;
    int64_t multiple = (magnitude + size / 2) / size * size;
    return value < 0 ? -multiple : multiple;
}

struct cell cell_of(double latitude, double longitude, int32_t size_udeg)
{
    int64_t lat = nearest_multiple(latitude, size_udeg);
    int64_t lon = nearest_multiple(longitude, size_udeg);
    while (llabs(lat) > 90 * (int64_t)CELL_MICRODEGREES)
        lat -= lat > 0 ? size_udeg : -(int64_t)size_udeg;
    if (lon >= TURN_UDEG / 2)
        lon -= TURN_UDEG;
    if (lon < -TURN_UDEG / 2)
        lon += TURN_UDEG;
    return (struct cell){.latitude_udeg = (int32_t)lat, .longitude_udeg = (int32_t)lon};
}

bool cell_size_valid(int64_t size_udeg)
{
    return size_udeg > 0 && TURN_UDEG % size_udeg == 0;
}

/* With as many decimals as the size has. */
void cell_name(struct cell cell, int32_t size_udeg, char out[CELL_NAME_BYTES])
{
    struct text name = text_init(out, CELL_NAME_BYTES);
    int32_t unit_udeg = 1; /* of the last decimal */
    int decimals = 6;
    for (; decimals > 0 && size_udeg % (10 * unit_udeg) == 0; decimals--)
        unit_udeg *= 10;
    text_decimal(&name, cell.latitude_udeg / unit_udeg, decimals);
    text_string(&name, ",");
    text_decimal(&name, cell.longitude_udeg / unit_udeg, decimals);
}

uint64_t cell_key(struct cell cell)
{
    return (uint64_t)(uint32_t)cell.latitude_udeg << 32 | (uint32_t)cell.longitude_udeg;
}

struct cell cell_of_key(uint64_t key)
{
    return (struct cell){(int32_t)(key >> 32), (int32_t)(uint32_t)key};
}

bool cell_key_valid(uint64_t key, int32_t size_udeg)
{
    struct cell cell = cell_of_key(key);
    int64_t latitude = cell.latitude_udeg, longitude = cell.longitude_udeg;
    return latitude % size_udeg == 0 && longitude % size_udeg == 0 && llabs(latitude) <= TURN_UDEG / 4 &&
           longitude >= -TURN_UDEG / 2 && longitude < TURN_UDEG / 2;
}
