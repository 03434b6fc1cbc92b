#include "weather/earth/present.h"

#include <stdlib.h>

struct present_holder {
    struct fields fields;
    unsigned count; /* guarded by present.lock */
};

void present_open(struct present *present)
{
    *present = (struct present){.holder = NULL};
    pthread_mutex_init(&present->lock, NULL);
}

void present_close(struct present *present)
{
    present_release(present, present->holder);
    pthread_mutex_destroy(&present->lock);
}

/* The number is stored last: who sees it reads this state or a later one. */
bool present_replace(struct present *present, const struct fields *fields)
{
    struct present_holder *holder = malloc(sizeof *holder);
    struct fields unkept = *fields;
    struct grid_facts facts = grid_facts(fields->grid);
    if (!holder) {
        fields_close(&unkept);
        return false;
    }
    *holder = (struct present_holder){.fields = *fields, .count = 1};
    pthread_mutex_lock(&present->lock);
    struct present_holder *old = present->holder;
    present->holder = holder;
    atomic_store(&present->first_s, facts.first_s);
    atomic_store(&present->last_s, facts.last_s);
    atomic_fetch_add(&present->number, 1);
    pthread_mutex_unlock(&present->lock);
    present_release(present, old);
    return true;
}

uint32_t present_number(const struct present *present, int64_t now_s)
{
    uint32_t number = atomic_load(&present->number);
    bool known = number && now_s >= atomic_load(&present->first_s) && now_s <= atomic_load(&present->last_s);
    return known ? number : 0;
}

const struct fields *present_hold(struct present *present, struct present_holder **holder)
{
    pthread_mutex_lock(&present->lock);
    *holder = present->holder;
    if (*holder)
        (*holder)->count++;
    pthread_mutex_unlock(&present->lock);
    return *holder ? &(*holder)->fields : NULL;
}

void present_release(struct present *present, struct present_holder *holder)
{
    if (!holder)
        return;
    pthread_mutex_lock(&present->lock);
    bool last = --holder->count == 0;
    pthread_mutex_unlock(&present->lock);
    if (!last)
        return;
    fields_close(&holder->fields);
    free(holder);
}
