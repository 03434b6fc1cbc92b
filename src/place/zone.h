/* Time zones: the offset from UTC of an IANA zone at an instant, from the system's tzdata (TZif files, RFC
 * 8536). All of it is read when the table is opened: a name that comes from a database is looked up in
 * memory, and never becomes a path. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONES_FOLDER "/usr/share/zoneinfo"

struct zones;

/* Reads every zone below a folder; a file that is none, or is damaged, is left out, and so is one that gives
 * summer time as a rule only, instead of writing its changes out until 2037 as Debian's do (zic -b fat). A
 * missing folder gives an empty table, which is logged as a warning. NULL when out of memory. */
struct zones *zones_open(const char *folder);
void zones_close(struct zones *);

/* How many zones there are, and whether this is one of them. Any bytes may be asked for. */
size_t zones_count(const struct zones *);
bool zones_known(const struct zones *, const char *name);

/* The offset of local time from UTC in seconds, since 1970; after the last change of a file it stays. False
 * when the zone is not known or the instant is before. Thread-safe, takes no lock, no allocation. */
bool zones_offset(const struct zones *, const char *name, int64_t unix_s, int32_t *offset_s);

/* The day that it is there: its first instant and the first of the next, in Unix time, where clocks are
 * changed as well, also at midnight. Otherwise the same. */
bool zones_day(const struct zones *, const char *name, int64_t unix_s, int64_t *begin_s, int64_t *end_s);
