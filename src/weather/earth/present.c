#include "weather/earth/present.h"

#include <stdlib.h>

void present_open(struct present *present)
{
    *present = (struct present){.held = NULL};
    pthread_mutex_init(&present->lock, NULL);
}

void present_close(struct present *present)
{
    present_release(present, present->held);
    pthread_mutex_destroy(&present->lock);
}

/* The number is stored last: who sees it reads this state or a later one. */
void present_replace(struct present *present, const struct fields *fields)
{
    struct held *held = fields->grid ? malloc(sizeof *held) : NULL;
    struct fields unkept = *fields;
    struct grid_facts facts = {.first_s = INT64_MAX, .last_s = INT64_MIN};
    if (fields->grid && !held) {
        fields_close(&unkept);
        return;
    }
    if (held) {
        *held = (struct held){.fields = *fields, .count = 1};
        facts = grid_facts(fields->grid);
    }
    pthread_mutex_lock(&present->lock);
    struct held *old = present->held;
    present->held = held;
    atomic_store(&present->first_s, facts.first_s);
    atomic_store(&present->last_s, facts.last_s);
    atomic_fetch_add(&present->number, 1);
    pthread_mutex_unlock(&present->lock);
    present_release(present, old);
}

uint32_t present_number(const struct present *present, int64_t now_s)
{
    uint32_t number = atomic_load(&present->number);
    bool known = number && now_s >= atomic_load(&present->first_s) && now_s <= atomic_load(&present->last_s);
    return known ? number : 0;
}

struct held *present_hold(struct present *present)
{
    pthread_mutex_lock(&present->lock);
    struct held *held = present->held;
    if (held)
        held->count++;
    pthread_mutex_unlock(&present->lock);
    return held;
}

void present_release(struct present *present, struct held *held)
{
    if (!held)
        return;
    pthread_mutex_lock(&present->lock);
    bool last = --held->count == 0;
    pthread_mutex_unlock(&present->lock);
    if (!last)
        return;
    fields_close(&held->fields);
    free(held);
}
