/* What unit tests stand on: cmocka, tests that register themselves, random numbers that are the same in every
 * run. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../xorshift.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define UNIT_TESTS_MAX 64

/* A random number below `limit`. */
static inline size_t random_below(size_t limit)
{
    static uint64_t random_state = XORSHIFT_SEED;
    return (size_t)(xorshift(&random_state) >> 11) % limit;
}

static struct CMUnitTest unit_tests[UNIT_TESTS_MAX];
static size_t unit_test_count;

/* Begins a test, which a set-up and a tear-down function may enclose. The tests of a file run in the order in
 * which they stand in it, as constructors do. */
#define TEST(name) TEST_WITH(name, NULL, NULL)
#define TEST_WITH(name, set_up, tear_down)                                                         \
    static void name(void **state);                                                                \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        if (unit_test_count == UNIT_TESTS_MAX)                                                     \
            abort();                                                                               \
        unit_tests[unit_test_count++] = (struct CMUnitTest){#name, name, set_up, tear_down, NULL}; \
    }                                                                                              \
    static void name(__attribute__((unused)) void **state)

/* Runs them; `set_up` and `tear_down` are the whole program's, or NULL. */
static inline int unit_run(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    return _cmocka_run_group_tests("unit", unit_tests, unit_test_count, set_up, tear_down);
}

#define UNIT_MAIN(set_up, tear_down)        \
    int main(void)                          \
    {                                       \
        return unit_run(set_up, tear_down); \
    }
