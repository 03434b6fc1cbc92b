/* Networks whose readers a database cannot place, by the number of their autonomous system: the mobile
 * carriers of data/carriers.tsv, which is embedded in the program, and those that a configuration adds. A set
 * never changes once it is open; reading it is thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty when all zero. */
struct carriers {
    uint32_t *numbers; /* ascending */
    size_t count;
};

/* Reads the table and adds `count` numbers. False when out of memory. */
bool carriers_open(struct carriers *, const uint32_t *added, size_t count);
void carriers_close(struct carriers *);

bool carriers_contain(const struct carriers *, uint32_t asn);
