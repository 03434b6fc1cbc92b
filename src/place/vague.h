/* The networks whose city is never believed, such as those of mobile carriers: a file with one network a
 * line, "#" begins a comment. A list never changes once read; reading it is thread-safe. */
#ifndef PLACE_VAGUE_H
#define PLACE_VAGUE_H

#include "visitor/address.h"

#include <stdbool.h>
#include <stddef.h>

/* All zero is empty. */
struct vague {
    struct network *networks;
    size_t count;
};

/* Reads the file at `path` ("": none) into an empty list. False, logged with its line, when it cannot be read
 * or a line is no network. Free it in either case. */
bool vague_read(struct vague *, const char *path);
void vague_free(struct vague *);

bool vague_contains(const struct vague *, const struct address *);

#endif
