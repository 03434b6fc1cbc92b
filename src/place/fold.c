#include "place/fold.h"

#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
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

static const char *const two_letters[UCHAR_MAX + 1] = {
    ['A'] = "ae", ['I'] = "ij", ['O'] = "oe", ['S'] = "ss", ['T'] = "th"};

/* Letters that are another with a mark (the canonical decompositions of Unicode in scripts that names of
 * cities are written in; of two cases, the lower), and those that stand for the same in other languages:
 * final sigma, letters of Arabic, signs for a nasal. In order. */
static const struct letter {
    uint32_t point, parts[2];
} letters[] = {
    {0x390, {0x3ca, 0x301}}, {0x3ac, {0x3b1, 0x301}}, {0x3ad, {0x3b5, 0x301}}, {0x3ae, {0x3b7, 0x301}},
    {0x3af, {0x3b9, 0x301}}, {0x3b0, {0x3cb, 0x301}}, {0x3c2, {0x3c3}},        {0x3ca, {0x3b9, 0x308}},
    {0x3cb, {0x3c5, 0x308}}, {0x3cc, {0x3bf, 0x301}}, {0x3cd, {0x3c5, 0x301}}, {0x3ce, {0x3c9, 0x301}},
    {0x439, {0x438, 0x306}}, {0x450, {0x435, 0x300}}, {0x451, {0x435, 0x308}}, {0x453, {0x433, 0x301}},
    {0x457, {0x456, 0x308}}, {0x45c, {0x43a, 0x301}}, {0x45d, {0x438, 0x300}}, {0x45e, {0x443, 0x306}},
    {0x477, {0x475, 0x30f}}, {0x4c2, {0x436, 0x306}}, {0x4d1, {0x430, 0x306}}, {0x4d3, {0x430, 0x308}},
    {0x4d7, {0x435, 0x306}}, {0x4db, {0x4d9, 0x308}}, {0x4dd, {0x436, 0x308}}, {0x4df, {0x437, 0x308}},
    {0x4e3, {0x438, 0x304}}, {0x4e5, {0x438, 0x308}}, {0x4e7, {0x43e, 0x308}}, {0x4eb, {0x4e9, 0x308}},
    {0x4ed, {0x44d, 0x308}}, {0x4ef, {0x443, 0x304}}, {0x4f1, {0x443, 0x308}}, {0x4f3, {0x443, 0x30b}},
    {0x4f5, {0x447, 0x308}}, {0x4f9, {0x44b, 0x308}}, {0x622, {0x627, 0x653}}, {0x623, {0x627, 0x654}},
    {0x624, {0x648, 0x654}}, {0x625, {0x627, 0x655}}, {0x626, {0x64a, 0x654}}, {0x629, {0x647}},
    {0x649, {0x64a}},        {0x6a9, {0x643}},        {0x6c0, {0x6d5, 0x654}}, {0x6c1, {0x647}},
    {0x6c2, {0x6c1, 0x654}}, {0x6cc, {0x64a}},        {0x6d3, {0x6d2, 0x654}}, {0x901, {0x902}},
    {0x929, {0x928, 0x93c}}, {0x931, {0x930, 0x93c}}, {0x934, {0x933, 0x93c}}, {0x958, {0x915, 0x93c}},
    {0x959, {0x916, 0x93c}}, {0x95a, {0x917, 0x93c}}, {0x95b, {0x91c, 0x93c}}, {0x95c, {0x921, 0x93c}},
    {0x95d, {0x922, 0x93c}}, {0x95e, {0x92b, 0x93c}}, {0x95f, {0x92f, 0x93c}}, {0x981, {0x982}},
    {0x9cb, {0x9c7, 0x9be}}, {0x9cc, {0x9c7, 0x9d7}}, {0x9dc, {0x9a1, 0x9bc}}, {0x9dd, {0x9a2, 0x9bc}},
    {0x9df, {0x9af, 0x9bc}}, {0xa33, {0xa32, 0xa3c}}, {0xa36, {0xa38, 0xa3c}}, {0xa59, {0xa16, 0xa3c}},
    {0xa5a, {0xa17, 0xa3c}}, {0xa5b, {0xa1c, 0xa3c}}, {0xa5e, {0xa2b, 0xa3c}}, {0xa70, {0xa02}},
    {0xa81, {0xa82}},        {0xb48, {0xb47, 0xb56}}, {0xb4b, {0xb47, 0xb3e}}, {0xb4c, {0xb47, 0xb57}},
    {0xb5c, {0xb21, 0xb3c}}, {0xb5d, {0xb22, 0xb3c}}, {0xb94, {0xb92, 0xbd7}}, {0xbca, {0xbc6, 0xbbe}},
    {0xbcb, {0xbc7, 0xbbe}}, {0xbcc, {0xbc6, 0xbd7}}, {0xc48, {0xc46, 0xc56}}, {0xcc0, {0xcbf, 0xcd5}},
    {0xcc7, {0xcc6, 0xcd5}}, {0xcc8, {0xcc6, 0xcd6}}, {0xcca, {0xcc6, 0xcc2}}, {0xccb, {0xcca, 0xcd5}},
    {0xd4a, {0xd46, 0xd3e}}, {0xd4b, {0xd47, 0xd3e}}, {0xd4c, {0xd46, 0xd57}}, {0xdda, {0xdd9, 0xdca}},
    {0xddc, {0xdd9, 0xdcf}}, {0xddd, {0xddc, 0xdca}}, {0xdde, {0xdd9, 0xddf}}, {0x1026, {0x1025, 0x102e}}};

/* Signs that are dropped: accents, vowel points, the dot below of Indic scripts, the voicing of kana. */
static const struct {
    uint32_t first, last;
} marks[] = {{0x300, 0x36f}, {0x483, 0x487}, {0x591, 0x5bd}, {0x5bf, 0x5bf},  {0x5c1, 0x5c2}, {0x610, 0x61a},
             {0x640, 0x640}, {0x64b, 0x65f}, {0x670, 0x670}, {0x93c, 0x93c},  {0x9bc, 0x9bc}, {0xa3c, 0xa3c},
             {0xabc, 0xabc}, {0xb3c, 0xb3c}, {0xcbc, 0xcbc}, {0x3099, 0x309a}};

#define HANGUL_FIRST 0xac00 /* syllables are numbered by their letters: 19 initials, 21 vowels, 28 finals */
#define HANGUL_COUNT (19 * 21 * 28)

struct folding {
    char *out;
    size_t length; /* FOLD_BYTES: it does not fit */
    unsigned variant;
    bool space; /* one is due before the next letter */
};

static void put(struct folding *f, const char *bytes, size_t count)
{
    if (f->length + f->space + count >= FOLD_BYTES)
        f->length = FOLD_BYTES;
    if (f->length == FOLD_BYTES || count == 0)
        return;
    if (f->space)
        f->out[f->length++] = ' ';
    memcpy(f->out + f->length, bytes, count);
    f->length += count;
    f->space = false;
}

/* Puts a code point as UTF-8. */
static void put_point(struct folding *f, uint32_t point)
{
    char bytes[4];
    size_t count = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--, point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3f));
    bytes[0] = (char)(count == 1 ? point : (0xf00u >> count & 0xff) | point);
    put(f, bytes, count);
}

static void put_space(struct folding *f, uint32_t point)
{
    bool joins = point == '\'' || point == '-' || point == '`' || (point >= 0x2b9 && point <= 0x2bf) ||
                 (point >= 0x2010 && point <= 0x2019);
    if (f->length > 0 && f->length < FOLD_BYTES && !(joins && f->variant & FOLD_JOINED))
        f->space = true;
}

static bool is_space(uint32_t point)
{
    bool joiner = point == 0x200c || point == 0x200d; /* Devanagari and others need them */
    return (point < 0x80 && !isalnum((int)point)) || point == 0xa0 || (point >= 0x2b9 && point <= 0x2bf) ||
           (point >= 0x2000 && point <= 0x206f && !joiner) || point == 0x5be || point == 0x30fb ||
           point == 0x3000;
}

static bool is_mark(uint32_t point)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (point >= marks[i].first && point <= marks[i].last)
            return true;
    return false;
}

/* Puts the letter that a mark is spelled as, behind the letter that is there. */
static void put_spelled(struct folding *f, uint32_t point)
{
    char last = f->length > 0 && f->length < FOLD_BYTES && !f->space ? f->out[f->length - 1] : '\0';
    bool dots = point == 0x308 || point == 0xe4 || point == 0xf6 || point == 0xfc || point == 0xf8;
    bool ring = point == 0x30a || point == 0xe5;
    if (!(f->variant & FOLD_SPELLED))
        return;
    if (dots && (last == 'a' || last == 'o' || last == 'u'))
        put(f, "e", 1);
    else if (ring && last == 'a')
        put(f, "a", 1);
}

/* Lower case of the scripts that have it, without a locale. */
static uint32_t lower(uint32_t point)
{
    if ((point >= 'A' && point <= 'Z') || (point >= 0xc0 && point <= 0xde && point != 0xd7) ||
        (point >= 0x391 && point <= 0x3ab) || (point >= 0x410 && point <= 0x42f))
        return point + 0x20;
    if (point >= 0x400 && point <= 0x40f)
        return point + 0x50;
    if (point >= 0x531 && point <= 0x556)
        return point + 0x30;
    bool paired = (point >= 0x460 && point <= 0x481) || (point >= 0x48a && point <= 0x4bf) ||
                  (point >= 0x4d0 && point <= 0x52f);
    return paired ? point | 1 : point;
}

/* Kana without voicing, as hiragana. */
static uint32_t plain_kana(uint32_t point)
{
    if (point >= 0x30a1 && point <= 0x30f4)
        point -= 0x60;
    if (point >= 0x306f && point <= 0x307d)
        return point - (point - 0x306f) % 3;
    bool voiced = (point >= 0x304c && point <= 0x3062 && point % 2 == 0) ||
                  (point >= 0x3065 && point <= 0x3069 && point % 2 == 1);
    return point == 0x3094 ? 0x3046 : voiced ? point - 1 : point;
}

/* What replaces a Latin letter beyond ASCII, '.' where nothing does. */
static char latin_letter(uint32_t point)
{
    if (point >= LATIN_FIRST && point - LATIN_FIRST < sizeof latin - 1)
        return latin[point - LATIN_FIRST];
    if (point >= ADDITIONAL_FIRST && point - ADDITIONAL_FIRST < sizeof additional - 1)
        return additional[point - ADDITIONAL_FIRST];
    return '.';
}

static int compare_letters(const void *a, const void *b)
{
    const struct letter *x = a, *y = b;
    return (x->point > y->point) - (x->point < y->point);
}

static void put_folded(struct folding *f, uint32_t point)
{
    point = lower(point);
    char letter = latin_letter(point);
    const char *two = two_letters[(unsigned char)letter];
    const struct letter *parts =
        point < 0x370 ? NULL
                      : bsearch(&(struct letter){.point = point}, letters, sizeof letters / sizeof letters[0],
                                sizeof letters[0], compare_letters);
    if (letter == ' ' || is_space(point)) {
        put_space(f, point);
    } else if (letter != '.') {
        put(f, two ? two : &letter, two ? 2 : 1);
        put_spelled(f, point);
    } else if (is_mark(point)) {
        put_spelled(f, point);
    } else if (parts) {
        put_folded(f, parts->parts[0]);
        if (parts->parts[1])
            put_folded(f, parts->parts[1]);
    } else if (point - HANGUL_FIRST < HANGUL_COUNT) {
        uint32_t syllable = point - HANGUL_FIRST;
        put_point(f, 0x1100 + syllable / (21 * 28));
        put_point(f, 0x1161 + syllable / 28 % 21);
        if (syllable % 28)
            put_point(f, 0x11a7 + syllable % 28);
    } else {
        put_point(f, plain_kana(point));
    }
}

size_t fold_variant(const char *bytes, size_t count, unsigned variant, char out[FOLD_BYTES])
{
    struct folding f = {.out = out, .variant = variant};
    for (size_t i = 0, step; i < count; i += step) {
        uint32_t point = 0;
        char plain = (char)tolower((unsigned char)bytes[i]); /* in the C locale */
        step = text_utf8(bytes + i, count - i, &point);
        if (isalnum((unsigned char)plain)) /* most are */
            put(&f, &plain, 1);
        else if (step > 0)
            put_folded(&f, point);
        else
            put(&f, bytes + i, step = 1);
    }
    if (f.length == FOLD_BYTES)
        f.length = 0;
    out[f.length] = '\0';
    return f.length;
}

size_t fold(const char *bytes, size_t count, char out[FOLD_BYTES])
{
    return fold_variant(bytes, count, 0, out);
}
