/* Memory that fails: malloc and its kin, which refuse those allocations that they are told to. One file of a
 * program, or of a library that is loaded before others, includes this; the address sanitizer's allocator
 * may be behind. The thread sanitizer wants its own in front, and then none fails. */
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct failing_memory {
    _Atomic int64_t first; /* that fails, counted from 1; 0: none */
    _Atomic int64_t count; /* fail */
    _Atomic int64_t asked; /* so far */
};

static struct failing_memory *_Atomic failing_memory; /* NULL: none fails */

#ifndef __SANITIZE_THREAD__
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
__attribute__((weak)) void *__interceptor_malloc(size_t);
__attribute__((weak)) void *__interceptor_calloc(size_t, size_t);
__attribute__((weak)) void *__interceptor_realloc(void *, size_t);
__attribute__((weak)) void *__interceptor_aligned_alloc(size_t, size_t);

static __thread bool memory_spared __attribute__((tls_model("initial-exec")));

static bool memory_fails(void)
{
    struct failing_memory *memory = failing_memory;
    if (!memory || memory_spared)
        return false;
    int64_t number = atomic_fetch_add(&memory->asked, 1) + 1, first = atomic_load(&memory->first);
    if (first == 0 || number < first || number - first >= atomic_load(&memory->count))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    if (memory_fails())
        return NULL;
    return __interceptor_malloc ? __interceptor_malloc(bytes) : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    if (memory_fails())
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, bytes) : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    if (memory_fails())
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(old, bytes) : __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (memory_fails())
        return NULL;
    return __interceptor_aligned_alloc ? __interceptor_aligned_alloc(alignment, bytes)
                                       : __libc_memalign(alignment, bytes);
}

/* A sanitizer asks it in a new thread, and ends the program where it fails. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    int (*real)(pthread_t, pthread_attr_t *) = dlsym(RTLD_NEXT, "pthread_getattr_np");
    memory_spared = true;
    int result = real(thread, attributes);
    memory_spared = false;
    return result;
}
#endif
