#include "weather/earth/present_weather.h"

#include "weather/earth/metar.h"

#include <stdint.h>
#include <string.h>

/* The two letters that groups are made of; those without a row below have no code of their own. */
/* clang-format off */
#define LETTERS(X)                                                                                  \
    X(MI) X(PR) X(BC) X(DR) X(BL) X(SH) X(TS) X(FZ) X(DZ) X(RA) X(SN) X(SG) X(IC) X(PL) X(GR) X(GS) \
    X(UP) X(BR) X(FG) X(FU) X(VA) X(DU) X(SA) X(HZ) X(PY) X(PO) X(SQ) X(FC) X(SS) X(DS)
/* clang-format on */
#define NUMBER(two) LETTERS_##two,
#define NAME(two)   #two,
enum letters { LETTERS(NUMBER) };
static const char letters[][3] = {LETTERS(NAME)};
#define BIT(two) (UINT32_C(1) << LETTERS_##two)

/* What a group must hold, and its code when light, moderate, heavy. What stands first goes before the rest,
 * in a group and among groups: whatever falls goes before what only dims. */
static const struct {
    uint32_t bits;
    int code[3];
} rows[] = {
    {BIT(TS), {95, 95, 95}},
    {BIT(FZ) | BIT(RA), {66, 67, 67}},
    {BIT(FZ) | BIT(DZ), {56, 57, 57}},
    {BIT(SH) | BIT(RA) | BIT(SN), {83, 84, 84}},
    {BIT(RA) | BIT(SN), {68, 69, 69}},
    {BIT(DZ) | BIT(SN), {68, 69, 69}},
    {BIT(PL), {68, 69, 69}},
    {BIT(GR), {83, 84, 84}}, /* hail and small hail without thunder: ice and water from broken cloud */
    {BIT(GS), {83, 84, 84}},
    {BIT(SH) | BIT(SN), {85, 85, 86}},
    {BIT(SN), {71, 73, 75}},
    {BIT(SG), {77, 77, 77}},
    {BIT(SH) | BIT(RA), {80, 81, 82}},
    {BIT(RA), {61, 63, 65}},
    {BIT(DZ), {51, 53, 55}},
    {BIT(UP), {-1, -1, -1}},
    {BIT(FZ) | BIT(FG), {48, 48, 48}},
    {BIT(FG), {45, 45, 45}},
    {BIT(DS), {METAR_DUST, METAR_DUST, METAR_DUST}},
    {BIT(SS), {METAR_DUST, METAR_DUST, METAR_DUST}},
    {BIT(DU), {METAR_DUST, METAR_DUST, METAR_DUST}},
    {BIT(SA), {METAR_DUST, METAR_DUST, METAR_DUST}},
    {BIT(FU), {METAR_SMOKE, METAR_SMOKE, METAR_SMOKE}},
    {BIT(HZ), {METAR_HAZE, METAR_HAZE, METAR_HAZE}},
};
#define ROWS (sizeof rows / sizeof rows[0])

/* 0 when it holds something else: "VC" is elsewhere, "RE" was before, "NOSIG" is no group. */
static uint32_t bits_of(struct span group)
{
    uint32_t bits = 0;
    for (; group.length >= 2; group = span_after(group, 2)) {
        size_t i = 0;
        while (i < sizeof letters / sizeof letters[0] && memcmp(letters[i], group.bytes, 2) != 0)
            i++;
        if (i == sizeof letters / sizeof letters[0])
            return 0;
        bits |= UINT32_C(1) << i;
    }
    if (bits & (BIT(BL) | BIT(DR))) /* snow that lies already, and is blown about */
        bits &= ~BIT(SN);
    if (bits & BIT(DR)) /* below the eyes */
        bits &= ~(BIT(DU) | BIT(SA));
    return bits & (BIT(MI) | BIT(PR) | BIT(BC)) ? bits & ~BIT(FG) : bits;
}

bool present_weather_code(struct span groups, int *code)
{
    size_t best = ROWS;
    for (struct span group; span_cut(&groups, ' ', &group);) {
        bool light = group.length > 0 && group.bytes[0] == '-',
             heavy = group.length > 0 && group.bytes[0] == '+';
        uint32_t bits = bits_of(span_after(group, light || heavy));
        size_t row = 0;
        while (row < best && (bits & rows[row].bits) != rows[row].bits)
            row++;
        if (row < best)
            *code = rows[row].code[light ? 0 : 1 + heavy];
        best = row;
    }
    return best < ROWS;
}

int present_weather_oktas(struct span group)
{
    static const struct {
        const char *letters;
        int oktas;
    } covers[] = {{"SKC", 0}, {"CLR", 0}, {"NCD", 0}, {"NSC", 1}, {"CAVOK", 1}, {"FEW", 2},
                  {"SCT", 4}, {"BKN", 6}, {"OVC", 8}, {"OVX", 8}, {"VV", 8}};
    for (size_t i = 0; i < sizeof covers / sizeof covers[0]; i++) {
        size_t length = strlen(covers[i].letters);
        bool begins = group.length >= length && memcmp(group.bytes, covers[i].letters, length) == 0;
        /* Stations are called VVTS and SCTE. */
        if (begins && (group.length == length || strchr("0123456789/", group.bytes[length])))
            return covers[i].oktas;
    }
    return -1;
}

int present_weather_sky(int oktas)
{
    return oktas > 6 ? 3 : oktas > 3 ? 2 : oktas > 0 ? 1 : 0;
}
