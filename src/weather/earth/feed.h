/* The airports' reports as they were fetched last, and when they are to be fetched again. Of one thread. */
#pragma once

#include "base/clock.h"
#include "transfer/transfer.h"
#include "weather/earth/metar.h"

#include <stdbool.h>

#define FEED_RETRY_MS    INT64_C(60000) /* after a failure, unless they are wanted more often anyway */
#define FEED_FIRST_TRIES 3 /* of the first file, at once: nothing holds the model to the truth before it */
#define FEED_ERROR_BYTES 32

struct feed {
    struct metar_file file;     /* the last good one; without reports before */
    int64_t modified_s, read_s; /* its Last-Modified, and when it came or was confirmed (Unix times) */
    int64_t due_ms;             /* boot time */
    unsigned failures;          /* before the first good one */
    bool active;                /* a request is under way */
};

/* Whether it is to be fetched now: *request is then the request to be made, with the feed as its tag, which
 * feed_end ends. */
bool feed_next(struct feed *, const char *url, const struct instant *now, struct transfer_request *request);

/* Takes an answer; the next request is made `every_ms` later. NULL, or what is wrong with it (static, or in
 * `error`): what was there stays. */
const char *feed_end(struct feed *, const struct transfer_answer *, int64_t every_ms,
                     const struct instant *now, char error[FEED_ERROR_BYTES]);
