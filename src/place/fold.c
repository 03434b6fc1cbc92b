#include "place/fold.h"

#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* What letters become, by code point: Latin beyond ASCII by the canonical decompositions of Unicode and,
 * where a letter has none, by how it is spelled without it (Latin-1, Latin Extended-A and Additional whole,
 * of the rest what names of cities use). A capital stands for two letters, a full stop for a character that
 * stays. From U+00C0 and from U+1E00 on, 64 a line. */
static const char latin[] = "aaaaaaAceeeeiiiidnooooo ouuuuyTSaaaaaaAceeeeiiiidnooooo ouuuuyTy"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiIIjjkkkllllll."
                            ".llnnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
                            "...............e................oo.............uu..............."
                            ".............aaiioouuuuuuuuuu.........ggkkoooo......gg..nn......"
                            "aaaaeeeeiiiioooorrrruuuusstt..hh................................"
                            ".........................e......................................";
static const char additional[] = "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
                                 "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
                                 "wwwwwwwwwwxxxxyyzzzzzzhtwy....S.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
                                 "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";
#define LATIN_FIRST      0xc0
#define ADDITIONAL_FIRST 0x1e00

/* Devanagari loses the dot below, which is often left out, and takes one nasal sign for the other. */
static const struct {
    uint32_t point;
    const char *plain;
} devanagari[] = {{0x901, "ं"},  {0x93c, ""},  {0x958, "क"}, {0x959, "ख"}, {0x95a, "ग"},
                  {0x95b, "ज"}, {0x95c, "ड"}, {0x95d, "ढ"}, {0x95e, "फ"}, {0x95f, "य"}};

static const char *const two_letters[UCHAR_MAX + 1] = {
    ['A'] = "ae", ['I'] = "ij", ['O'] = "oe", ['S'] = "ss", ['T'] = "th"};

/* What replaces a code point beyond ASCII; NULL where it stays. `one` is room for a letter. */
static const char *plain_of(uint32_t point, char one[2])
{
    char letter = '.';
    if (point >= LATIN_FIRST && point - LATIN_FIRST < sizeof latin - 1)
        letter = latin[point - LATIN_FIRST];
    else if (point >= ADDITIONAL_FIRST && point - ADDITIONAL_FIRST < sizeof additional - 1)
        letter = additional[point - ADDITIONAL_FIRST];
    for (size_t i = 0; i < sizeof devanagari / sizeof devanagari[0]; i++)
        if (devanagari[i].point == point)
            return devanagari[i].plain;
    one[0] = letter;
    const char *two = two_letters[(unsigned char)letter];
    return letter == '.' ? NULL : two ? two : one;
}

/* Reads the character at `s`. Returns its length in bytes; *to is what replaces it, NULL where it stays, as
 * does a byte that is not UTF-8. `one` is room for a letter. */
static size_t next(const char *s, size_t left, char one[2], const char **to)
{
    uint32_t point = 0;
    size_t length = text_utf8(s, left, &point);
    bool mark = point >= 0x300 && point <= 0x36f; /* combining */
    bool apostrophe = point >= 0x2b9 && point <= 0x2bf;
    bool joiner = point == 0x200c || point == 0x200d; /* Devanagari and others need them */
    bool punctuation = point == 0xa0 || (point >= 0x2000 && point <= 0x206f && !joiner);
    one[0] = point < 0x80 && isalnum((int)point) ? (char)tolower((int)point) : ' '; /* in the C locale */
    one[1] = '\0';
    *to = length == 0                 ? NULL
          : point < 0x80              ? one
          : mark                      ? ""
          : apostrophe || punctuation ? " "
                                      : plain_of(point, one);
    return length > 0 ? length : 1;
}

size_t fold(const char *bytes, size_t count, char out[FOLD_BYTES])
{
    size_t length = 0;
    bool space = false; /* one is due before the next letter */
    for (size_t i = 0; i < count;) {
        char one[2];
        const char *to;
        size_t step = next(bytes + i, count - i, one, &to);
        const char *from = to ? to : bytes + i;
        size_t size = to ? strlen(to) : step;
        i += step;
        if (to && to[0] == ' ') {
            space = length > 0;
            continue;
        }
        if (length + space + size >= FOLD_BYTES) {
            length = 0;
            break;
        }
        if (space && size > 0) {
            out[length++] = ' ';
            space = false;
        }
        memcpy(out + length, from, size);
        length += size;
    }
    out[length] = '\0';
    return length;
}
