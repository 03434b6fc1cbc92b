/* Numbers that look random and are the same in every run: a failure comes back, and measurements compare. */
#pragma once

#include <stdint.h>

#define XORSHIFT_SEED 0x9e3779b97f4a7c15u

/* xorshift64 (Marsaglia 2003). The state must not be 0. */
static inline uint64_t xorshift(uint64_t *random_state)
{
    *random_state ^= *random_state << 13;
    *random_state ^= *random_state >> 7;
    *random_state ^= *random_state << 17;
    return *random_state;
}
