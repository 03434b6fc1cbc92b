#include "grib/field.h"

#include <string.h>
#include <time.h>

#define FULL_CIRCLE_UDEG 360000000
#define POLE_UDEG        90000000
#define SECTIONS         8 /* 0 is not used; 8, the end, has no length */
#define UNIT_HOUR        1
#define HOURS_MAX        1000
#define NO_BITMAP        255

_Static_assert(sizeof(struct grib_field) == 48, "no padding");

bool grib_field_valid(const struct grib_field *field)
{
    uint8_t packing = field->packing;
    return field->magic == GRIB_MAGIC && field->spacing_udeg <= POLE_UDEG && field->columns > 0 &&
           field->columns <= GRIB_COLUMNS_MAX && field->rows > 0 && field->rows <= GRIB_ROWS_MAX &&
           (uint64_t)field->columns * field->spacing_udeg == FULL_CIRCLE_UDEG &&
           (uint64_t)(field->rows - 1) * field->spacing_udeg == 2 * POLE_UDEG &&
           (packing == 0 || packing == 2 || packing == 3 || packing == 40 || packing == 41);
}

size_t grib_field_points(const struct grib_field *field)
{
    return (size_t)field->columns * field->rows;
}

const float *grib_field_values(const void *bytes, size_t length, struct grib_field *out)
{
    if (length < sizeof *out)
        return NULL;
    memcpy(out, bytes, sizeof *out);
    if (!grib_field_valid(out) || length != sizeof *out + grib_field_points(out) * sizeof(float))
        return NULL;
    return (const void *)((const char *)bytes + sizeof *out);
}

/* A number of `size` octets, the most significant first. */
static uint64_t number(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* The same, of which the first bit is the sign. */
static int64_t signed_number(const uint8_t *at, size_t size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1), value = number(at, size);
    return value & sign ? -(int64_t)(value & (sign - 1)) : (int64_t)value;
}

const char *grib_message_fault(const void *bytes, size_t length)
{
    const uint8_t *message = bytes;
    if (length < GRIB_MESSAGE_MIN || memcmp(message, "GRIB", 4) != 0)
        return "does not begin with GRIB";
    if (message[7] != 2)
        return "of another edition of GRIB";
    if (length > GRIB_MESSAGE_MAX)
        return "too long";
    if (number(message + 8, 8) != length)
        return "not as long as it says";
    if (memcmp(message + length - 4, "7777", 4) != 0)
        return "does not end with 7777";
    return NULL;
}

/* The sections of a message, each once: NULL where there is none. */
struct sections {
    const uint8_t *at[SECTIONS];
    size_t length[SECTIONS];
};

static const char *find_sections(const uint8_t *message, size_t length, struct sections *out)
{
    static const size_t shortest[SECTIONS] = {0, 21, 5, 14, 9, 11, 6, 5};
    size_t at = 16, end = length - 4;
    unsigned last = 0;
    while (at < end) {
        uint64_t size = end - at < 5 ? 0 : number(message + at, 4);
        unsigned section = size < 5 ? 0 : message[at + 4];
        if (section == 0 || section >= SECTIONS || size < shortest[section] || size > end - at)
            return "its sections do not fit";
        if (section <= last)
            return "it holds more than one field";
        out->at[section] = message + at;
        out->length[section] = size;
        last = section;
        at += size;
    }
    for (unsigned section = 1; section < SECTIONS; section++)
        if (section != 2 && !out->at[section])
            return "a section is missing";
    return NULL;
}

static const char *read_time(const struct sections *sections, struct grib_field *out)
{
    const uint8_t *at = sections->at[1];
    struct tm time = {.tm_year = (int)number(at + 12, 2) - 1900,
                      .tm_mon = at[14] - 1,
                      .tm_mday = at[15],
                      .tm_hour = at[16],
                      .tm_min = at[17],
                      .tm_sec = at[18]};
    struct tm normal = time;
    out->run_s = timegm(&normal);
    bool exact = normal.tm_mon == time.tm_mon && normal.tm_mday == time.tm_mday &&
                 normal.tm_hour == time.tm_hour && normal.tm_min == time.tm_min;
    return exact && out->run_s >= 0 ? NULL : "its reference time is none";
}

static const char *read_grid(const struct sections *sections, struct grib_field *out)
{
    const uint8_t *at = sections->at[3];
    if (at[5] != 0 || at[10] != 0 || number(at + 12, 2) != 0 || sections->length[3] != 72)
        return "not on a grid of latitudes and longitudes";
    uint64_t columns = number(at + 30, 4), rows = number(at + 34, 4), spacing = number(at + 63, 4);
    if (columns > GRIB_COLUMNS_MAX || rows > GRIB_ROWS_MAX || number(at + 6, 4) != columns * rows)
        return "its grid is too large, or not of its size";
    out->columns = (uint16_t)columns;
    out->rows = (uint16_t)rows;
    out->spacing_udeg = (uint32_t)spacing;
    if (number(at + 67, 4) != spacing || !grib_field_valid(out))
        return "its grid is not one around the whole earth";
    if (number(at + 38, 4) != 0 || signed_number(at + 46, 4) != POLE_UDEG || number(at + 50, 4) != 0 ||
        signed_number(at + 55, 4) != -POLE_UDEG || number(at + 59, 4) != FULL_CIRCLE_UDEG - spacing ||
        at[71] != 0)
        return "its grid does not begin at the north pole and longitude 0";
    return NULL;
}

static const char *read_product(const struct sections *sections, struct grib_field *out)
{
    const uint8_t *at = sections->at[4];
    if (number(at + 7, 2) != 0 || sections->length[4] != 34)
        return "not of one instant";
    if (at[17] != UNIT_HOUR || number(at + 18, 4) > HOURS_MAX)
        return "its forecast time is not in hours";
    int64_t level = signed_number(at + 24, 4);
    if (at[23] != 0 && at[23] != UINT8_MAX && level != 0)
        return "its level is no whole number";
    out->category = at[9];
    out->number = at[10];
    out->hours = (int32_t)number(at + 18, 4);
    out->surface = at[22];
    out->surface_value = at[23] == UINT8_MAX ? 0 : (int32_t)level;
    return NULL;
}

/* What g2c does not check itself. Template 5.3 is template 5.2 and two octets. */
static const char *check_packing(const struct sections *sections, const struct grib_field *field)
{
    const uint8_t *at = sections->at[5];
    size_t packed = number(at + 5, 4), points = grib_field_points(field), length = sections->length[5];
    bool complex = field->packing == 2 || field->packing == 3;
    if (length != (field->packing == 3 ? 49U : field->packing == 2 ? 47U : field->packing == 40 ? 23U : 21U))
        return "its packing is not of its length";
    if (at[19] > 31 || packed > points || (complex && (number(at + 31, 4) > packed || packed == 0)))
        return "its packing is larger than its grid";
    if (complex && (at[22] > 2 || at[36] > 31 || at[46] > 31))
        return "its groups are none";
    if (field->packing == 3 && number(at + 31, 4) > 0 &&
        (at[47] < 1 || at[47] > 2 || at[48] > 4 || packed < at[47]))
        return "its differences are none";
    const uint8_t *bitmap = sections->at[6];
    if (bitmap[5] == NO_BITMAP ? packed != points
                               : bitmap[5] != 0 || sections->length[6] != 6 + (points + 7) / 8)
        return "its bitmap is not of its grid";
    return NULL;
}

static const char *read_packing(const struct sections *sections, struct grib_field *out)
{
    const uint8_t *at = sections->at[5];
    uint64_t packing = number(at + 9, 2);
    out->packing = (uint8_t)packing;
    if (packing > UINT8_MAX || !grib_field_valid(out) || sections->length[5] < 21)
        return "its packing is not known";
    out->decimals = (int8_t)signed_number(at + 17, 2);
    return out->decimals == signed_number(at + 17, 2) ? check_packing(sections, out) : "its scale is none";
}

const char *grib_message_read(const void *bytes, size_t length, struct grib_field *out)
{
    const uint8_t *message = bytes;
    struct sections sections = {0};
    const char *fault = grib_message_fault(bytes, length);
    if (fault || (fault = find_sections(message, length, &sections)))
        return fault;
    *out = (struct grib_field){.magic = GRIB_MAGIC, .discipline = message[6]};
    if ((fault = read_time(&sections, out)) || (fault = read_grid(&sections, out)) ||
        (fault = read_product(&sections, out)))
        return fault;
    return read_packing(&sections, out);
}
