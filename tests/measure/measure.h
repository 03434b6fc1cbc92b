/* What the programs that measure share: their short run, their database and their random addresses, which are
 * the same in every run. With --short before all other arguments a program does in a second or so what the
 * full run does in minutes, on the readers of data/visitors.mmdb: to see that it works, not to measure. */
#pragma once

#include "../xorshift.h"
#include "place/mmdb.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool short_run;

/* Takes --short off the command line; ends the program with its usage if fewer than `min` arguments are left.
 */
static inline void read_arguments(int *count, char ***arguments, int min, const char *usage)
{
    short_run = *count > 1 && strcmp((*arguments)[1], "--short") == 0;
    *count -= short_run;
    *arguments += short_run;
    if (*count > min)
        return;
    fprintf(stderr, "usage: %s\n", usage);
    exit(2);
}

static inline struct mmdb *open_database(const char *path)
{
    char error[PLACE_ERROR_BYTES];
    struct mmdb *db = mmdb_map(path, error);
    if (db)
        return db;
    fprintf(stderr, "%s: %s\n", path, error);
    exit(1);
}

/* An address of all of IPv4 or of 2000::/4; in a short run, one of the documentation ranges (RFC 5737, 3849).
 */
static inline struct address random_address(enum address_family family)
{
    static const uint8_t documentation[3][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
    static uint64_t random_state = XORSHIFT_SEED;
    uint64_t bits = xorshift(&random_state);
    struct address address = {.family = (uint8_t)family};
    for (int i = 0; i < (family == ADDRESS_V6 ? 8 : 4); i++)
        address.bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    if (family == ADDRESS_V6 && short_run)
        memcpy(address.bytes, (uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)(0x10 + bits % 0x30)}, 6);
    else if (family == ADDRESS_V6)
        address.bytes[0] = 0x20 | (address.bytes[0] & 0x0f);
    else if (short_run)
        memcpy(address.bytes, documentation[bits % 3], 3);
    return address;
}
