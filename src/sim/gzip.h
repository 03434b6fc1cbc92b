/* Compressed bodies, as HTTP's Content-Encoding names them. Owner of zlib in the simulator. */
#pragma once

#include <stddef.h>

#define GZIP_HEADER "Content-Encoding: gzip\r\n"

/* Packs `length` bytes, `times` over, as one gzip stream, for the caller to free. NULL, and
 * *packed_length untouched, when memory is out. */
char *gzip_pack(const char *bytes, size_t length, size_t times, size_t *packed_length);
