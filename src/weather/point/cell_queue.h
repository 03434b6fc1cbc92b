/* A queue of cells, first in first out, with a ceiling. Not thread-safe: its owner locks. */
#pragma once

#include "weather/cell/cell.h"

#include <stdbool.h>
#include <stddef.h>

#define CELL_QUEUE_MAX 4096

/* All zero is empty. */
struct cell_queue {
    struct cell cells[CELL_QUEUE_MAX]; /* a ring */
    size_t first, count;
};

/* False when it is full. */
bool cell_queue_push(struct cell_queue *, struct cell);

/* False when it is empty. */
bool cell_queue_pop(struct cell_queue *, struct cell *out);
