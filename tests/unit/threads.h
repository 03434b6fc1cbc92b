/* Threads of a test, which all do the same. */
#pragma once

#include "unit.h"

#include <pthread.h>

#define THREADS_MAX 8

/* Starts `count` threads, does `meanwhile` if there is such a thing, and waits until all have ended. Each is
 * given its number, as a pointer. */
static inline void run_threads(void *(*work)(void *), size_t count, void (*meanwhile)(void))
{
    pthread_t threads[THREADS_MAX];
    assert_in_range(count, 1, THREADS_MAX);
    for (uintptr_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    if (meanwhile)
        meanwhile();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}
