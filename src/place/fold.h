/* Folding: names that a reader takes for the same become the same bytes. */
#pragma once

#include <stddef.h>

/* Enough for any name of the gazetteer, folded. */
#define FOLD_BYTES 256

/* Folds `count` bytes into `out`: Latin letters to ASCII lower case without their marks ("ß" to "ss"), runs
 * of spaces, hyphens, apostrophes and other punctuation to one space, none at the ends. Other scripts, and
 * bytes that are not UTF-8, stay as they are. Returns the length without the NUL; 0, and out = "", when
 * nothing is left or it would not fit. */
size_t fold(const char *bytes, size_t count, char out[FOLD_BYTES]);
