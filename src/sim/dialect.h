/* The weather APIs that the simulator speaks: one table, one row a path. The same truth, the same faults;
 * each with its own query, document, headers and errors. */
#ifndef SIM_DIALECT_H
#define SIM_DIALECT_H

#include "sim/forecast.h"

#define DIALECT_HEADERS_BYTES 160

struct dialect {
    const char *path, *usage;

    /* Reads the query of a client that asks at `now_s`. NULL, or why it is refused, and then with which
     * status in *status. */
    const char *(*read)(const struct wire *, int64_t now_s, struct forecast *, int *status);

    /* The reply's body, for the caller to free; NULL when memory is out. */
    char *(*write)(const struct forecast *, enum twist, size_t *length);

    /* Writes an error's body, of type `error_type`, and returns its length. */
    size_t (*error)(int status, const char *reason, char out[FORECAST_ERROR_BYTES]);
    const char *error_type;

    /* Writes further header lines, and whether the client has this document already. NULL: there are none. */
    bool (*headers)(const struct wire *, int64_t now_s, char out[DIALECT_HEADERS_BYTES]);
};

/* The row at `index`, NULL past the last. */
const struct dialect *dialect_at(size_t index);

/* The row of a path, NULL without. */
const struct dialect *dialect_of(const char *path);

#endif
