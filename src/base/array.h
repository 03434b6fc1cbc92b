/* Arrays inside structs. */
#pragma once

#include <string.h>

/* Copies an array to one of the same size, or does not compile: neither may be a pointer. */
#define ARRAY_COPY(to, from)                                                                                 \
    do {                                                                                                     \
        _Static_assert(sizeof(to) == sizeof(from), "the arrays have the same size");                         \
        _Static_assert(!__builtin_types_compatible_p(__typeof__(from), __typeof__(&(from)[0])), "an array"); \
        memcpy((to), (from), sizeof(to));                                                                    \
    } while (0)
