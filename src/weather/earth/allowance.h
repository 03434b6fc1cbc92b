/* The bytes that may come in a day of UTC, and those that came; in a file, so that a restart does not begin
 * to count anew. What stands in the file is as much as ALLOWANCE_LEASE more than came until the allowance is
 * closed, so that it is written seldom: a process that is killed has had that. Of one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALLOWANCE_LEASE INT64_C(4000000)

struct allowance {
    const char *path; /* the caller's, for as long as this is used */
    int64_t limit;
    int64_t day, bytes; /* the day since 1970 that is counted, and what came in it */
    int64_t leased;     /* what stands in the file */
};

/* Reads what came; a file that is missing, damaged or of another day has nothing. */
void allowance_open(struct allowance *, const char *path, int64_t limit, int64_t now_s);
void allowance_close(struct allowance *);

/* Counts what came. Whether there may be more. Blocks while the disk does. */
bool allowance_take(struct allowance *, int64_t bytes, int64_t now_s);
