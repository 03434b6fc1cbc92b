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

static int decimals_of(int32_t size_udeg)
{
    int decimals = 6;
    while (decimals > 0 && size_udeg % 10 == 0) {
        size_udeg /= 10;
        decimals--;
    }
    return decimals;
}

/* Millionths of a degree, of which only `decimals` are not zero. */
static void write_degrees(struct text *out, int32_t udeg, int decimals)
{
    char fraction[] = ".000000";
    int32_t rest = abs(udeg) % CELL_MICRODEGREES;
    for (int i = 6; i > 0; rest /= 10)
        fraction[i--] = (char)('0' + rest % 10);
    if (udeg < 0)
        text_string(out, "-");
    text_integer(out, abs(udeg) / CELL_MICRODEGREES);
    text_bytes(out, fraction, decimals > 0 ? (size_t)decimals + 1 : 0);
}

void cell_name(struct cell cell, int32_t size_udeg, char out[CELL_NAME_BYTES])
{
    int decimals = decimals_of(size_udeg);
    struct text name = text_init(out, CELL_NAME_BYTES);
    write_degrees(&name, cell.latitude_udeg, decimals);
    text_string(&name, ",");
    write_degrees(&name, cell.longitude_udeg, decimals);
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
