#include "place/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What letters become: Latin beyond ASCII by the canonical decompositions of Unicode and, where a letter has
 * none, by how it is spelled without it (Latin-1, Latin Extended-A and Additional whole, of the rest what
 * names of cities use). Devanagari: loses the dot below, which is often left out, and takes one nasal sign
 * for the other. */
static const struct {
    uint16_t first, last;
    char plain[4];
} letters[] = {{0xc0, 0xc5, "a"},     {0xc6, 0xc6, "ae"},    {0xc7, 0xc7, "c"},     {0xc8, 0xcb, "e"},
               {0xcc, 0xcf, "i"},     {0xd0, 0xd0, "d"},     {0xd1, 0xd1, "n"},     {0xd2, 0xd6, "o"},
               {0xd7, 0xd7, " "},     {0xd8, 0xd8, "o"},     {0xd9, 0xdc, "u"},     {0xdd, 0xdd, "y"},
               {0xde, 0xde, "th"},    {0xdf, 0xdf, "ss"},    {0xe0, 0xe5, "a"},     {0xe6, 0xe6, "ae"},
               {0xe7, 0xe7, "c"},     {0xe8, 0xeb, "e"},     {0xec, 0xef, "i"},     {0xf0, 0xf0, "d"},
               {0xf1, 0xf1, "n"},     {0xf2, 0xf6, "o"},     {0xf7, 0xf7, " "},     {0xf8, 0xf8, "o"},
               {0xf9, 0xfc, "u"},     {0xfd, 0xfd, "y"},     {0xfe, 0xfe, "th"},    {0xff, 0xff, "y"},
               {0x100, 0x105, "a"},   {0x106, 0x10d, "c"},   {0x10e, 0x111, "d"},   {0x112, 0x11b, "e"},
               {0x11c, 0x123, "g"},   {0x124, 0x127, "h"},   {0x128, 0x131, "i"},   {0x132, 0x133, "ij"},
               {0x134, 0x135, "j"},   {0x136, 0x138, "k"},   {0x139, 0x13e, "l"},   {0x141, 0x142, "l"},
               {0x143, 0x14b, "n"},   {0x14c, 0x151, "o"},   {0x152, 0x153, "oe"},  {0x154, 0x159, "r"},
               {0x15a, 0x161, "s"},   {0x162, 0x167, "t"},   {0x168, 0x173, "u"},   {0x174, 0x175, "w"},
               {0x176, 0x178, "y"},   {0x179, 0x17e, "z"},   {0x17f, 0x17f, "s"},   {0x18f, 0x18f, "e"},
               {0x1a0, 0x1a1, "o"},   {0x1af, 0x1b0, "u"},   {0x1cd, 0x1ce, "a"},   {0x1cf, 0x1d0, "i"},
               {0x1d1, 0x1d2, "o"},   {0x1d3, 0x1dc, "u"},   {0x1e6, 0x1e7, "g"},   {0x1e8, 0x1e9, "k"},
               {0x1ea, 0x1ed, "o"},   {0x1f4, 0x1f5, "g"},   {0x1f8, 0x1f9, "n"},   {0x200, 0x203, "a"},
               {0x204, 0x207, "e"},   {0x208, 0x20b, "i"},   {0x20c, 0x20f, "o"},   {0x210, 0x213, "r"},
               {0x214, 0x217, "u"},   {0x218, 0x219, "s"},   {0x21a, 0x21b, "t"},   {0x21e, 0x21f, "h"},
               {0x259, 0x259, "e"},   {0x901, 0x901, "ं"},    {0x93c, 0x93c, ""},    {0x958, 0x958, "क"},
               {0x959, 0x959, "ख"},   {0x95a, 0x95a, "ग"},   {0x95b, 0x95b, "ज"},   {0x95c, 0x95c, "ड"},
               {0x95d, 0x95d, "ढ"},   {0x95e, 0x95e, "फ"},   {0x95f, 0x95f, "य"},   {0x1e00, 0x1e01, "a"},
               {0x1e02, 0x1e07, "b"}, {0x1e08, 0x1e09, "c"}, {0x1e0a, 0x1e13, "d"}, {0x1e14, 0x1e1d, "e"},
               {0x1e1e, 0x1e1f, "f"}, {0x1e20, 0x1e21, "g"}, {0x1e22, 0x1e2b, "h"}, {0x1e2c, 0x1e2f, "i"},
               {0x1e30, 0x1e35, "k"}, {0x1e36, 0x1e3d, "l"}, {0x1e3e, 0x1e43, "m"}, {0x1e44, 0x1e4b, "n"},
               {0x1e4c, 0x1e53, "o"}, {0x1e54, 0x1e57, "p"}, {0x1e58, 0x1e5f, "r"}, {0x1e60, 0x1e69, "s"},
               {0x1e6a, 0x1e71, "t"}, {0x1e72, 0x1e7b, "u"}, {0x1e7c, 0x1e7f, "v"}, {0x1e80, 0x1e89, "w"},
               {0x1e8a, 0x1e8d, "x"}, {0x1e8e, 0x1e8f, "y"}, {0x1e90, 0x1e95, "z"}, {0x1e96, 0x1e96, "h"},
               {0x1e97, 0x1e97, "t"}, {0x1e98, 0x1e98, "w"}, {0x1e99, 0x1e99, "y"}, {0x1e9e, 0x1e9e, "ss"},
               {0x1ea0, 0x1eb7, "a"}, {0x1eb8, 0x1ec7, "e"}, {0x1ec8, 0x1ecb, "i"}, {0x1ecc, 0x1ee3, "o"},
               {0x1ee4, 0x1ef1, "u"}, {0x1ef2, 0x1ef9, "y"}};
#define LETTERS (sizeof letters / sizeof letters[0])

static const char *plain_of(uint32_t point)
{
    size_t low = 0, high = LETTERS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (letters[middle].last < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < LETTERS && letters[low].first <= point ? letters[low].plain : NULL;
}

/* What the character at `s` becomes: its length in bytes (1-3) with what replaces it in *to, or NULL there
 * when it stays as it is. */
static size_t next(const unsigned char *s, size_t left, char one[2], const char **to)
{
    *to = one;
    one[0] = ' ';
    one[1] = '\0';
    if (s[0] < 0x80) {
        if (s[0] >= 'A' && s[0] <= 'Z')
            one[0] = (char)(s[0] + 'a' - 'A');
        else if ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= '0' && s[0] <= '9'))
            one[0] = (char)s[0];
        return 1;
    }
    if (left >= 2 && (s[0] & 0xe0) == 0xc0 && (s[1] & 0xc0) == 0x80) {
        uint32_t point = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
        bool mark = point >= 0x300 && point <= 0x36f; /* combining: vanishes */
        bool apostrophe = point >= 0x2b9 && point <= 0x2bf;
        *to = mark ? "" : apostrophe || point == 0xa0 ? " " : plain_of(point);
        return 2;
    }
    if (left >= 3 && (s[0] & 0xf0) == 0xe0 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80) {
        uint32_t point = (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
        bool joiner = point == 0x200c || point == 0x200d; /* Devanagari and others need them */
        bool punctuation = !joiner && point >= 0x2000 && point <= 0x206f;
        *to = punctuation ? " " : plain_of(point);
        return 3;
    }
    *to = NULL;
    return 1;
}

size_t fold(const char *bytes, size_t count, char out[FOLD_BYTES])
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t length = 0;
    bool space = false; /* one is due before the next letter */
    for (size_t i = 0; i < count;) {
        char one[2];
        const char *to;
        size_t step = next(s + i, count - i, one, &to);
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
