/* The networks whose city is never believed, such as those of mobile carriers: a file with one network a
 * line, "#" begins a comment. A list never changes once read; reading it is thread-safe. */
#pragma once

#include "visitor/address.h"

#define VAGUE_MAX 1000000 /* networks of a file: 24 MB */

/* Empty when all zero. */
struct vague {
    struct network *networks; /* once read: in order of their bases, none within another */
    size_t count, room;
};

/* Reads the file at `path` ("": none) into an empty list. False, logged with the file, when it cannot be
 * read, a line is no network, there are more than VAGUE_MAX or memory is short. Free it in either case. */
bool vague_read(struct vague *, const char *path);
void vague_free(struct vague *);

/* Whether one of the networks contains the address; by binary search. */
bool vague_contains(const struct vague *, const struct address *);
