/* Cells: weather is kept for squares of a fixed size, shared by everyone in them. A cell is named by its
 * centre, the nearest multiple of the size; only that centre leaves the machine. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CELL_MICRODEGREES 1000000
#define CELL_NAME_BYTES   32

/* The centre, in millionths of a degree: latitude in [-90, 90], longitude in [-180, 180). */
struct cell {
    int32_t latitude_udeg, longitude_udeg;
};

/* The cell of a point, given finite coordinates in range. `size_udeg` divides 360 degrees (see
 * cell_size_valid). Halves round away from zero, in exact decimal arithmetic on the coordinates rounded to a
 * millionth. */
struct cell cell_of(double latitude, double longitude, int32_t size_udeg);

/* Whether 360 degrees is a whole number of cells, so that they meet at the date line. */
bool cell_size_valid(int64_t size_udeg);

/* "19.1,72.9": both with the decimals of the size, never "-0". */
void cell_name(struct cell, int32_t size_udeg, char out[CELL_NAME_BYTES]);

/* Both coordinates in one integer, unique for each cell. */
uint64_t cell_key(struct cell);

struct cell cell_of_key(uint64_t key);

/* Whether an integer, from wherever, is the key of a cell of this size. */
bool cell_key_valid(uint64_t key, int32_t size_udeg);
