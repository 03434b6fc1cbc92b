#include "weather/point/cell_queue.h"

bool cell_queue_push(struct cell_queue *queue, struct cell cell)
{
    if (queue->count == CELL_QUEUE_MAX)
        return false;
    queue->cells[(queue->first + queue->count++) % CELL_QUEUE_MAX] = cell;
    return true;
}

bool cell_queue_pop(struct cell_queue *queue, struct cell *out)
{
    if (queue->count == 0)
        return false;
    *out = queue->cells[queue->first];
    queue->first = (queue->first + 1) % CELL_QUEUE_MAX;
    queue->count--;
    return true;
}
