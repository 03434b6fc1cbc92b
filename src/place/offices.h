/* The office rule. A free database puts whole networks where their operator has an office: every reader of
 * Reliance Jio into Navi Mumbai. What gives an office away is that one point holds far more of the internet
 * than a city's readers can be, so the rule needs nothing but the database itself:
 *
 * - A point is a record's coordinates rounded to 0.01 degrees. Space is counted in addresses (IPv4) and in
 *   /48s (IPv6).
 * - IPv4: a point that holds more than a tenth of a /12, or more than a twentieth of a /10, is an office
 *   inside that block.
 * - IPv6: a point that holds more than a hundredth of a /28 is an office inside that /28. A small local
 *   provider is spared: a point with at most 70,000 /48s in the /28 is no office for addresses whose own /32
 *   names fewer than nine points.
 * - The record of a network as long as the block (the /12, the /28) or shorter lies at an office.
 *
 * The verdict belongs to a block and a point: the centre of London is an office in one block and right in the
 * next. The constants were measured on DB-IP City Lite with GeoLite2 City as a second opinion (builds of June
 * 2026; data/README.md shows what the rule does). IPv6 holds from 7,000 to 14,000 /48s; half or twice the
 * limits for IPv4 lose much of what is right or let offices back.
 *
 * A set of offices never changes once it is made: reading it is thread-safe. */
#pragma once

#include "place/mmdb.h"

#define OFFICE_KEYS_MAX 500000 /* 4 MB; two city databases have about 110,000 together */

/* Empty when all zero. */
struct offices {
    uint64_t *keys; /* ascending; their format is offices.c's */
    size_t count;
};

/* The number of a record's point: the same for 32-bit and 64-bit coordinates. The record is located. */
uint32_t office_point(const struct record *);

/* Counts what each point holds. */
struct office_tally;
struct office_tally *office_tally_open(void); /* NULL when out of memory */
void office_tally_close(struct office_tally *);

/* Adds a network with a city at a point. Networks of one family come together and in the order of addresses.
 * False when out of memory or when there are more offices than OFFICE_KEYS_MAX. */
bool office_tally_add(struct office_tally *, const struct mmdb_network *, uint32_t point);

/* Ends the count and hands the offices over, to be freed with offices_free. False as above. */
bool office_tally_finish(struct office_tally *, struct offices *out);
void offices_free(struct offices *);

/* Whether the record that a database gives for an address lies at an office. Binary searches. */
bool offices_contain(const struct offices *, const struct address *, const struct record *);
