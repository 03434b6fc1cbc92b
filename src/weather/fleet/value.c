#include "weather/fleet/value.h"

#include <string.h>
#include <zlib.h>

#define VERSION   1
#define CRC_BYTES 4
#define TENTH     10 /* hundredths */
#define ESCAPE    10 /* ones, after which a number follows as it is */
#define WIDE      16 /* bits of such a number */
#define RICE_MAX  9
#define RICE_BITS 4

/* Bits that are encoded or decoded: both by the same functions, so that they cannot differ. */
struct bits {
    uint8_t *bytes;
    size_t at, end; /* bits */
    bool encode;
};

/* Codes the low `count` bits of a number; returns them. Past the end they are zeroes. */
static uint64_t code_bits(struct bits *bits, uint64_t value, unsigned count)
{
    uint64_t coded = 0;
    for (unsigned left = count; left > 0; left--, bits->at++) {
        uint8_t mask = (uint8_t)(0x80 >> bits->at % 8);
        uint8_t *byte = &bits->bytes[bits->at / 8];
        coded <<= 1;
        if (bits->at >= bits->end)
            continue;
        if (bits->encode && value >> (left - 1) & 1)
            *byte |= mask;
        coded |= (*byte & mask) != 0;
    }
    return coded;
}

#define FIELD(bits, field, count) ((field) = (__typeof__(field))code_bits((bits), (uint64_t)(field), (count)))

/* A Rice code: the number in units of 2^k as so many ones, a zero, the rest in k bits (R. F. Rice, JPL
 * publication 79-22, 1979). */
static uint16_t code_number(struct bits *bits, uint16_t value, unsigned k)
{
    unsigned ones = 0;
    while (ones < ESCAPE && code_bits(bits, ones < (unsigned)value >> k, 1))
        ones++;
    if (ones == ESCAPE)
        return (uint16_t)code_bits(bits, value, WIDE);
    return (uint16_t)(ones << k | code_bits(bits, value, k));
}

/* A difference as a number that is small when the difference is: 0, -1, 1, -2, ... as 0, 1, 2, 3, ... */
static uint16_t fold(int difference)
{
    int16_t wrapped = (int16_t)difference;
    return (uint16_t)((uint16_t)wrapped << 1 ^ (wrapped < 0 ? UINT16_MAX : 0));
}

static int unfold(uint16_t number)
{
    return number & 1 ? -(number / 2) - 1 : number / 2;
}

/* The k with which a column is shortest. */
static unsigned best_k(const int16_t *column, size_t count)
{
    unsigned best = 0;
    size_t fewest = SIZE_MAX;
    for (unsigned k = 0; k <= RICE_MAX; k++) {
        size_t length = 0;
        for (size_t i = 0; i < count; i++) {
            unsigned ones = (unsigned)fold(column[i] - (i > 0 ? column[i - 1] : 0)) >> k;
            length += ones < ESCAPE ? ones + 1 + k : ESCAPE + WIDE;
        }
        best = length < fewest ? k : best;
        fewest = length < fewest ? length : fewest;
    }
    return best;
}

static void code_column(struct bits *bits, int16_t *column, size_t count)
{
    unsigned k = (unsigned)code_bits(bits, bits->encode ? best_k(column, count) : 0, RICE_BITS);
    int before = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t number = code_number(bits, fold(column[i] - before), k);
        before = column[i] = (int16_t)(before + unfold(number));
    }
}

static int16_t to_tenths(int16_t cdeg)
{
    return (int16_t)((cdeg + (cdeg < 0 ? -TENTH / 2 : TENTH / 2)) / TENTH);
}

/* CURVE_NO_TEMPERATURE stays what it is: no temperature is near it. */
static int16_t from_tenths(int16_t tenths)
{
    return tenths <= INT16_MIN / TENTH || tenths > INT16_MAX / TENTH ? CURVE_NO_TEMPERATURE
                                                                     : (int16_t)(tenths * TENTH);
}

enum { TEMPERATURE, FEELS, CONDITION, RAIN, COLUMNS };

/* How many hours at the curve's begin were over when it was fetched. */
static size_t hours_over(const struct curve *curve, size_t count)
{
    int64_t over = (curve->fetched_s - curve->start_s) / CURVE_STEP_S;
    return over < 0 ? 0 : over < (int64_t)count ? (size_t)over : count;
}

static void code_columns(struct bits *bits, struct curve *curve)
{
    int16_t columns[COLUMNS][CURVE_POINTS] = {{0}};
    size_t count = curve->count < CURVE_POINTS ? curve->count : CURVE_POINTS;
    size_t over = hours_over(curve, count);
    for (size_t i = 0; bits->encode && i < count; i++) {
        uint8_t condition = curve->condition[i];
        columns[TEMPERATURE][i] = to_tenths(curve->temperature_cdeg[i]);
        columns[FEELS][i] = to_tenths(curve->feels_cdeg[i]);
        columns[CONDITION][i] = (int16_t)((condition & CURVE_NO_CODE) << 1 | condition >> 7);
        columns[RAIN][i] = curve->rain_percent[i];
    }
    code_column(bits, columns[TEMPERATURE], count);
    for (size_t i = TEMPERATURE + 1; i < COLUMNS; i++)
        code_column(bits, columns[i] + over, count - over);
    for (size_t i = 0; !bits->encode && i < count; i++)
        curve->temperature_cdeg[i] = from_tenths(columns[TEMPERATURE][i]);
    for (size_t i = over; !bits->encode && i < count; i++) {
        unsigned condition = (uint16_t)columns[CONDITION][i];
        curve->feels_cdeg[i] = from_tenths(columns[FEELS][i]);
        curve->condition[i] = (uint8_t)(condition >> 1 | condition << 7);
        curve->rain_percent[i] = (uint8_t)columns[RAIN][i];
    }
}

static void code_name(struct bits *bits, char name[VALUE_NAME_BYTES + 1])
{
    size_t i = 0;
    while (i < VALUE_NAME_BYTES && FIELD(bits, name[i], 8))
        i++;
    name[i] = '\0';
}

/* All between the version and the checksum. */
static void code_record(struct bits *bits, struct cache_record *record, char name[VALUE_NAME_BYTES + 1])
{
    struct curve *curve = &record->curve;
    FIELD(bits, record->key, 64);
    FIELD(bits, record->refresh_after_ms, 32);
    FIELD(bits, curve->start_s, 40);
    FIELD(bits, curve->fetched_s, 40);
    FIELD(bits, curve->expires_s, 40);
    FIELD(bits, curve->count, 8);
    code_name(bits, name);
    code_columns(bits, curve);
}

size_t value_encode(uint8_t out[VALUE_BYTES], const struct cache_record *record,
                    const struct value_sources *sources)
{
    struct cache_record copy = *record;
    struct bits bits = {out, 0, (size_t)8 * VALUE_BYTES, true};
    char name[VALUE_NAME_BYTES + 1] = "";
    memset(out, 0, VALUE_BYTES);
    memccpy(name, sources->names[record->curve.provider], '\0', VALUE_NAME_BYTES);
    code_bits(&bits, VERSION, 8);
    code_record(&bits, &copy, name);
    bits.at = (bits.at + 7) / 8 * 8;
    code_bits(&bits, crc32_z(0, out, bits.at / 8), 8 * CRC_BYTES);
    return bits.at / 8;
}

static bool checksum_right(const uint8_t *bytes, size_t length)
{
    uint32_t crc = (uint32_t)crc32_z(0, bytes, length - CRC_BYTES);
    for (size_t i = 0; i < CRC_BYTES; i++)
        if (bytes[length - CRC_BYTES + i] != (uint8_t)(crc >> 8 * (CRC_BYTES - 1 - i)))
            return false;
    return true;
}

static bool plausible(const struct cache_record *record)
{
    const struct curve *curve = &record->curve;
    return curve_valid(curve) && curve->expires_s <= curve->fetched_s + VALUE_EXPIRES_S;
}

enum value_verdict value_decode(const uint8_t *bytes, size_t length, uint64_t key,
                                const struct value_sources *sources, struct cache_record *out)
{
    uint8_t copy[VALUE_BYTES] = {0};
    char name[VALUE_NAME_BYTES + 1] = "";
    if (length <= 1 + CRC_BYTES || length > sizeof copy)
        return VALUE_DAMAGED;
    if (bytes[0] != VERSION)
        return VALUE_VERSION;
    if (!checksum_right(bytes, length))
        return VALUE_DAMAGED;
    memcpy(copy, bytes, length);
    struct bits bits = {copy, 8, 8 * (length - CRC_BYTES), false};
    *out = (struct cache_record){.curve = curve_empty()};
    code_record(&bits, out, name);
    if (bits.at > bits.end || !plausible(out))
        return VALUE_DAMAGED;
    while (out->curve.provider < sources->count &&
           strncmp(sources->names[out->curve.provider], name, VALUE_NAME_BYTES) != 0)
        out->curve.provider++;
    if (out->key != key)
        return VALUE_SWAPPED;
    return out->curve.provider < sources->count ? VALUE_SOUND : VALUE_UNKNOWN;
}
