/* What the simulator can do wrong when it is asked for a forecast: one table, one row per fault. */
#pragma once

#include "sim/api.h"

#define FAULT_VALUE_BYTES 40 /* a date of HTTP fits */

/* One request for a forecast. */
struct exchange {
    struct wire *wire;
    const struct fault *fault;
    char value[FAULT_VALUE_BYTES]; /* the fault's */
    const struct api *api;
    int mirror;                      /* of it */
    const char *path;                /* without the mirror */
    const struct forecast *forecast; /* NULL when the query was refused, */
    const char *refusal;             /* for this reason, */
    int refusal_status;              /* with this status */
    const char *headers;             /* further lines of an honest head */
    bool unmodified;                 /* the client has the document already */
    int status;                      /* of an honest answer: 200; 206 when its body is a part, */
    char part[96];                   /* which this header line tells */
};

struct fault {
    const char *name, *help;
    void (*respond)(struct exchange *);
    const char *default_value;  /* NULL: the fault takes no value */
    enum corruption corruption; /* of the body */
    int status;                 /* of the reply; 0: the usual one */
    const char *reason;         /* of an error; or a whole page; or the end of a body that is cut */
};

/* The rows; the last has no name. Row 0 is "none": the honest answer. */
extern const struct fault faults[];

/* Finds the row of `kind` and checks its `value` ("": the default one). NULL, or why they are refused. */
const char *fault_read(const char *kind, const char *value, const struct fault **,
                       char out[FAULT_VALUE_BYTES]);
