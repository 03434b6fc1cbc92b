/* Folding: names that a reader takes for the same become the same bytes. */
#pragma once

#include <stddef.h>

/* Enough for any name of the gazetteer, folded. */
#define FOLD_BYTES 256

/* Other ways to spell a name, to be combined. */
#define FOLD_SPELLED                                                                                        \
    1                   /* "ue", "oe", "ae" for letters with two dots, "oe" and "aa" for those of the north \
                         */
#define FOLD_JOINED   2 /* "laquila": apostrophes and hyphens are left out */
#define FOLD_VARIANTS 4

/* Folds `count` bytes into `out`: Latin letters to ASCII lower case without their marks ("ß" to "ss"), runs
 * of spaces, hyphens, apostrophes and other punctuation to one space, none at the ends. In other scripts,
 * too, case does not matter, nor whether a mark and its letter are one character (Unicode's NFKC and NFKD);
 * marks that are often left out are, and so are joiners. In the scripts of India a nasal before a consonant
 * of its row is an anusvara, as is a candrabindu; letters of Arabic that differ by language are one. Bytes
 * that are not UTF-8 stay as they are. Returns the length without the NUL; 0, and out = "", when nothing is
 * left or it would not fit. */
size_t fold(const char *bytes, size_t count, char out[FOLD_BYTES]);

/* The same, spelled another way: `variant` is the sum of some of the above. */
size_t fold_variant(const char *bytes, size_t count, unsigned variant, char out[FOLD_BYTES]);
