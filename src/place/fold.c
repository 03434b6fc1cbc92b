#include "place/fold.h"

#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define PARTS_MAX 32 /* of a character, decomposed; Unicode has 18 */

/* What stands for the same where Unicode knows no decomposition, in order: Latin letters with a stroke and
 * the like; letters of Arabic that differ by language, and its signs that are left out; Bengali and Malayalam
 * letters for a consonant without a vowel; signs of Gurmukhi. No `to`: it is left out. */
#define DOTS 0x308
static const struct letter {
    uint32_t point, to[2];
} letters[] = {
    {0xe6, {'a', 'e'}},
    {0xf0, {'d'}},
    {0xf8, {'o', DOTS}},
    {0xfe, {'t', 'h'}},
    {0x111, {'d'}},
    {0x127, {'h'}},
    {0x131, {'i'}},
    {0x142, {'l'}},
    {0x14b, {'n'}},
    {0x153, {'o', 'e'}},
    {0x167, {'t'}},
    {0x1dd, {'e'}},
    {0x259, {'e'}},
    {0x621, {0}},
    {0x629, {0x647}},
    {0x640, {0}},
    {0x649, {0x64a}},
    {0x671, {0x627}},
    {0x6a9, {0x643}},
    {0x6aa, {0x643}},
    {0x6ba, {0x646}},
    {0x6be, {0x647}},
    {0x6c1, {0x647}},
    {0x6c3, {0x647}},
    {0x6cc, {0x64a}},
    {0x6d2, {0x64a}},
    {0x6d5, {0x647}},
    {0x9ce, {0x9a4, 0x9cd}},
    {0x9f0, {0x9b0}},
    {0xa70, {0xa02}},
    {0xa71, {0}},
    {0xd7a, {0xd23, 0xd4d}},
    {0xd7b, {0xd28, 0xd4d}},
    {0xd7c, {0xd30, 0xd4d}},
    {0xd7d, {0xd32, 0xd4d}},
    {0xd7e, {0xd33, 0xd4d}},
    {0xd7f, {0xd15, 0xd4d}},
};

/* The scripts of India, Devanagari to Malayalam: nine blocks with the same sounds at the same places. From KA
 * on stand the consonants, five rows of five, each with its nasal last; one place is free before the last
 * row. */
#define BRAHMIC_FIRST 0x900
#define BRAHMIC_END   0xd80
#define BLOCK         0x80
enum { CANDRABINDU = 0x01, ANUSVARA = 0x02, KA = 0x15, FREE = 0x29, MA = 0x2e, VIRAMA = 0x4d, ROW = 5 };

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

static void put_point(struct folding *f, uint32_t point)
{
    utf8proc_uint8_t bytes[4];
    put(f, (const char *)bytes, (size_t)utf8proc_encode_char((utf8proc_int32_t)point, bytes));
}

static void put_space(struct folding *f, uint32_t point)
{
    bool joins = point == '\'' || point == '-' || point == '`' || (point >= 0x2b9 && point <= 0x2bf) ||
                 (point >= 0x2010 && point <= 0x2019);
    if (f->length > 0 && f->length < FOLD_BYTES && !(joins && f->variant & FOLD_JOINED))
        f->space = true;
}

/* Punctuation, symbols, separators, control characters, and letters that stand for an apostrophe. */
static bool is_space(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_CC) ||
           (point >= 0x2b9 && point <= 0x2bf);
}

/* Signs that are left out, by their class: the dot below of the scripts of India, the voicing of kana, vowel
 * points of Hebrew and Arabic, accents. Those left are viramas, and vowels and tones of other scripts. */
static bool is_mark(uint32_t point)
{
    enum { NUKTA = 7, VOICING = 8, POINTS_FIRST = 10, POINTS_LAST = 36, ACCENTS_FIRST = 200 };
    int class = utf8proc_get_property((utf8proc_int32_t)point)->combining_class;
    return class == NUKTA || class == VOICING || (class >= POINTS_FIRST && class <= POINTS_LAST) ||
           class >= ACCENTS_FIRST;
}

/* Puts the letter that a mark is spelled as, behind the letter that is there. */
static void put_spelled(struct folding *f, uint32_t mark)
{
    char last = f->length > 0 && f->length < FOLD_BYTES && !f->space ? f->out[f->length - 1] : '\0';
    if (!(f->variant & FOLD_SPELLED))
        return;
    if (mark == DOTS && (last == 'a' || last == 'o' || last == 'u'))
        put(f, "e", 1);
    else if (mark == 0x30a && last == 'a')
        put(f, "a", 1);
}

/* Makes a nasal and virama an anusvara when the consonant that follows is of the nasal's row: "मुम्बई" is
 * "मुंबई". */
static void join_nasal(struct folding *f, uint32_t block, uint32_t place)
{
    enum { SIGN = 3 }; /* bytes of a letter of these scripts */
    uint32_t index = place - KA - (place > FREE), nasal, virama;
    if (place < KA || place > MA || place == FREE || index % ROW == ROW - 1 || f->space ||
        f->length < 2 * SIGN || f->length == FOLD_BYTES)
        return;
    uint32_t wanted = index / ROW * ROW + ROW - 1 + KA;
    char *last = f->out + f->length - 2 * SIGN;
    wanted += wanted >= FREE;
    if (text_utf8(last, SIGN, &nasal) != SIGN || text_utf8(last + SIGN, SIGN, &virama) != SIGN ||
        nasal != block + wanted || virama != block + VIRAMA)
        return;
    f->length -= 2 * SIGN;
    put_point(f, block + ANUSVARA);
}

static void put_brahmic(struct folding *f, uint32_t point)
{
    uint32_t place = point % BLOCK, block = point - place;
    join_nasal(f, block, place);
    put_point(f, place <= CANDRABINDU ? block + ANUSVARA : point);
}

static int compare_letters(const void *a, const void *b)
{
    const struct letter *x = a, *y = b;
    return (x->point > y->point) - (x->point < y->point);
}

/* Puts a character that has no decomposition. */
static void put_part(struct folding *f, uint32_t point)
{
    const struct letter *letter =
        bsearch(&(struct letter){.point = point}, letters, sizeof letters / sizeof letters[0],
                sizeof letters[0], compare_letters);
    if (letter)
        for (size_t i = 0; i < 2 && letter->to[i]; i++)
            put_part(f, letter->to[i]);
    else if (is_mark(point))
        put_spelled(f, point);
    else if (is_space(point))
        put_space(f, point);
    else if (point >= BRAHMIC_FIRST && point < BRAHMIC_END)
        put_brahmic(f, point);
    else if (utf8proc_category((utf8proc_int32_t)point) != UTF8PROC_CATEGORY_CF)
        put_point(f, point >= 0x30a1 && point <= 0x30f6 ? point - 0x60 : point); /* kana as hiragana */
}

static void put_folded(struct folding *f, uint32_t point)
{
    utf8proc_int32_t parts[PARTS_MAX];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(
        (utf8proc_int32_t)point, parts, PARTS_MAX,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < PARTS_MAX; i++)
        put_part(f, (uint32_t)parts[i]);
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
