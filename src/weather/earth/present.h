/* The present state of the earth's fields: replaced whole, and held by those who read it, so that an old one
 * is closed when its last reader lets go of it. Thread-safe but for opening and closing; a leaf lock. */
#pragma once

#include "weather/earth/fields.h"

#include <pthread.h>
#include <stdatomic.h>

/* Fields, and how many hold them. */
struct held {
    struct fields fields;
    unsigned count; /* guarded by present.lock */
};

struct present {
    pthread_mutex_t lock;
    struct held *held; /* guarded by lock; NULL: nothing is known */
    atomic_uint number;
    atomic_int_fast64_t first_s, last_s; /* which every request asks for */
};

void present_open(struct present *);
void present_close(struct present *);

/* Takes the fields over as the present ones; out of memory, they are closed and the old ones stay. Without a
 * grid nothing is known from then on. */
void present_replace(struct present *, const struct fields *);

/* Which of the states since the start it is, if it has hours around `now_s`; else 0. Takes no lock. */
uint32_t present_number(const struct present *, int64_t now_s);

/* The present fields, to be let go of by present_release; NULL where there are none. */
struct held *present_hold(struct present *);
void present_release(struct present *, struct held *); /* NULL is allowed */
