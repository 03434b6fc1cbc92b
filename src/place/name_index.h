/* An index of folded names, to find those that begin with a given one or are equal to it. Its owner adds all
 * names, then sorts it once, and then only reads it, which is thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A folded name, or its rest from a later word on. */
struct name_key {
    uint32_t text;  /* offset into `folded` of a NUL-terminated string */
    uint16_t owner; /* any number */
    bool whole;
};

struct name_index {
    char *folded;
    size_t folded_bytes;
    struct name_key *keys; /* by text, then by owner */
    size_t key_count;
};

/* Allocates for names of `bytes` bytes in all, each counted with one byte more. False when out of memory. The
 * caller frees it with name_index_free in either case. */
bool name_index_allocate(struct name_index *, size_t bytes);
void name_index_free(struct name_index *);

/* Adds a name and its later words; one that folds to nothing or is longer than FOLD_BYTES is left out. */
void name_index_add(struct name_index *, const char *name, size_t length, uint16_t owner);

/* Sorts, and frees what was allocated in excess. */
void name_index_sort(struct name_index *);

/* The index of the first key that begins with `text` (folded), or of what follows where one would be; the
 * others come right after it, and the whole name itself first. */
size_t name_index_first(const struct name_index *, const char *text, size_t length);

/* Whether key `i` exists and begins with `text`; whether it is `text`. */
bool name_index_begins(const struct name_index *, size_t i, const char *text, size_t length);
bool name_index_equals(const struct name_index *, size_t i, const char *text);
