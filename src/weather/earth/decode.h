/* Unpacks the messages of a model away from the service: by masthead-grib, a program beside this one, in a
 * child under limits, since every byte may be hostile and the library that unpacks them is not ours. */
#pragma once

#include "base/child.h"
#include "grib/field.h"

#define DECODE_ERROR_BYTES 160

/* A field, with its values in memory of its own. */
struct decoded {
    struct grib_field field;
    const float *values; /* grib_field_points of them; NULL: none */
    void *map;           /* private, as the next */
    size_t size;
};

/* Whether the program is there. */
bool decode_possible(void);

/* Unpacks one message. False, with the reason in `error`: the program is missing, refuses the message,
 * crashes, reaches a limit, or hands on what is no field. Else the caller frees the field. Takes 20 to 50 ms
 * for a quarter of a degree. Thread-safe. */
bool decode_message(const void *bytes, size_t length, struct decoded *out, char error[DECODE_ERROR_BYTES]);

/* Makes it one without values. */
void decode_free(struct decoded *);
