/* What a .gz file holds, under a ceiling. Owner of zlib in this room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes begin as a gzip file does (RFC 1952). */
bool inflate_wanted(const char *bytes, size_t length);

/* Unpacks one gzip member, whole and with its checksum right, into memory that the caller frees.
 * What stands behind it does not count. Allocates `max` + 1 bytes, of which it touches
 * as many as are made, however much the input would make. NULL, with the reason in *problem (static), when it
 * is damaged, cut short or makes more than `max`. Thread-safe. */
char *inflate_all(const char *bytes, size_t length, size_t max, size_t *unpacked, const char **problem);
