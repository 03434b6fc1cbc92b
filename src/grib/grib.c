/* masthead-grib: unpacks GRIB2 messages for the service, and packs them for the simulator and for tests.
 *
 * field.h tells what goes in and comes out. A message is hostile: what it says about itself is read and
 * checked by field.c, and only its values are left to g2c, in a process that can open nothing and may crash.
 */
#include "grib/field.h"

#include <grib2.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define CPU_S         10 /* unpacking a quarter of a degree takes up to 0.05, packing 0.2 */
#define DESCRIPTORS   3
#define MEMORY        ((rlim_t)1 << 28) /* unpacking that takes 26 MB, packing 71 */
#define SLACK         (1 << 20)         /* zeroes behind the message, for an unpacker that reads past it */
#define MISSING       9.999e20F /* stands for a missing value in packings 5.2 and 5.3, as wgrib2 has it */
#define DECIMALS_MAX  6         /* with which a temperature still fits 31 bits */
#define JPEG_2000     40        /* of which g2c 1.7 packs no more than 8 bits rightly */
#define NCEP          7
#define GFS_PROCESS   96
#define GRID_TEMPLATE 19 /* numbers in template 3.0 */
#define DATA_TEMPLATE 18 /* in template 5.3, which has the most */
#define PACKED_BYTES  8  /* for a value, at most */
#define HEADERS       4096

static int fail(const char *what)
{
    fprintf(stderr, "masthead-grib: %s\n", what);
    return EXIT_FAILURE;
}

static int fail_by_number(const char *what, g2int number)
{
    fprintf(stderr, "masthead-grib: %s %ld\n", what, (long)number);
    return EXIT_FAILURE;
}

/* Standard input, output and error stay open, and nothing else can be opened. Sanitizers map terabytes, and
 * open files. */
static void limit(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_S, CPU_S});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY, MEMORY});
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){DESCRIPTORS, DESCRIPTORS});
#endif
}

/* All of standard input, in a block of `room` bytes and SLACK zeroes; NULL when there is more, or no memory.
 */
static unsigned char *read_all(size_t room, size_t *length)
{
    unsigned char *bytes = calloc(1, room + SLACK);
    if (!bytes)
        return NULL;
    *length = fread(bytes, 1, room + 1, stdin);
    if (*length <= room)
        return bytes;
    free(bytes);
    return NULL;
}

static bool write_field(const struct grib_field *field, const float *values)
{
    return fwrite(field, sizeof *field, 1, stdout) == 1 &&
           fwrite(values, sizeof *values, grib_field_points(field), stdout) == grib_field_points(field) &&
           fflush(stdout) == 0;
}

/* --- Decoding --- */

/* What stands for a missing value among those of packings 5.2 and 5.3, if something does; else NaN. */
static float substitute(const gribfield *packed)
{
    float value;
    bool managed = (packed->idrtnum == 2 || packed->idrtnum == 3) && packed->idrtmpl[6] != 0;
    uint32_t bits = managed ? (uint32_t)packed->idrtmpl[7] : UINT32_MAX;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void mark_missing(const gribfield *packed, struct grib_field *field)
{
    float missing = substitute(packed);
    for (size_t i = 0; i < grib_field_points(field); i++) {
        float *value = &packed->fld[i];
        if (isfinite(*value) && *value != missing && (!packed->bmap || packed->bmap[i] != 0))
            continue;
        *value = NAN;
        field->missing++;
    }
}

static int decode(void)
{
    size_t length;
    struct grib_field field;
    gribfield *packed = NULL;
    unsigned char *message = read_all(GRIB_MESSAGE_MAX, &length);
    if (!message)
        return fail("the message is too long, or there is no memory for it");
    const char *fault = grib_message_read(message, length, &field);
    if (fault)
        return fail(fault);
    g2int status = g2_getfld(message, 1, 1, 1, &packed);
    if (status != 0)
        return fail_by_number("its values cannot be unpacked: g2c says", status);
    if (!packed->unpacked || !packed->expanded || !packed->fld ||
        packed->ngrdpts != (g2int)grib_field_points(&field))
        return fail("its values are not all there");
    mark_missing(packed, &field);
    bool written = write_field(&field, packed->fld);
    g2_free(packed);
    free(message);
    return written ? EXIT_SUCCESS : fail("the field cannot be written");
}

/* --- Encoding --- */

static g2int begin_message(unsigned char *message, const struct grib_field *field)
{
    struct tm run;
    time_t run_s = field->run_s;
    gmtime_r(&run_s, &run);
    g2int indicator[] = {field->discipline, 2};
    g2int identification[] = {
        NCEP,        0,          2,          1, 1, run.tm_year + 1900, run.tm_mon + 1, run.tm_mday,
        run.tm_hour, run.tm_min, run.tm_sec, 0, 1};
    g2int status = g2_create(message, indicator, identification);
    g2int last = 360000000 - (g2int)field->spacing_udeg, spacing = field->spacing_udeg;
    g2int definition[] = {0, (g2int)grib_field_points(field), 0, 0, 0};
    g2int grid[GRID_TEMPLATE] = {6,           0,       0, 0,        0, 0,  0,         field->columns,
                                 field->rows, 0,       0, 90000000, 0, 48, -90000000, last,
                                 spacing,     spacing, 0};
    return status < 0 ? status : g2_addgrid(message, definition, grid, NULL, 0);
}

/* Adds the values. Where some are missing, packings 5.2 and 5.3 have a substitute, the others a bitmap. */
static g2int add_values(unsigned char *message, const struct grib_field *field, float *values, g2int *bitmap)
{
    static const float missing = MISSING;
    uint32_t missing_bits;
    bool complex = field->packing == 2 || field->packing == 3, gaps = false;
    g2int points = (g2int)grib_field_points(field);
    for (g2int i = 0; i < points; i++) {
        bitmap[i] = isfinite(values[i]) != 0;
        gaps = gaps || !bitmap[i];
        if (!bitmap[i])
            values[i] = complex ? MISSING : 0;
    }
    memcpy(&missing_bits, &missing, sizeof missing_bits);
    g2int product[] = {
        field->category,      field->number, 2, 0, GFS_PROCESS, 0, 0, 1, field->hours, field->surface, 0,
        field->surface_value, 255,           0, 0};
    g2int data[DATA_TEMPLATE] = {[2] = field->decimals};
    if (complex) {
        data[5] = 1;
        data[6] = gaps;
        data[7] = data[8] = missing_bits;
        data[16] = 2; /* second order, as GFS has it */
    }
    bool mapped = gaps && !complex;
    return g2_addfield(message, 0, product, NULL, 0, field->packing, data, values, points, mapped ? 0 : 255,
                       mapped ? bitmap : NULL);
}

static int encode(void)
{
    size_t length, room = sizeof(struct grib_field) + sizeof(float) * GRIB_COLUMNS_MAX * GRIB_ROWS_MAX;
    struct grib_field field;
    unsigned char *bytes = read_all(room, &length);
    const float *given = bytes ? grib_field_values(bytes, length, &field) : NULL;
    if (!given || field.packing == JPEG_2000 || field.decimals < 0 || field.decimals > DECIMALS_MAX)
        return fail("standard input is no field that can be packed");
    size_t points = grib_field_points(&field);
    float *values = calloc(points, sizeof *values);
    g2int *bitmap = calloc(points, sizeof *bitmap);
    unsigned char *message = calloc(1, HEADERS + PACKED_BYTES * points);
    if (!values || !bitmap || !message)
        return fail("no memory");
    memcpy(values, given, points * sizeof *values);
    g2int status = begin_message(message, &field);
    if (status < 0 || (status = add_values(message, &field, values, bitmap)) < 0 ||
        (status = g2_gribend(message)) < 0)
        return fail_by_number("the field cannot be packed: g2c says", status);
    bool written = fwrite(message, (size_t)status, 1, stdout) == 1 && fflush(stdout) == 0;
    free(message);
    free(bitmap);
    free(values);
    free(bytes);
    return written ? EXIT_SUCCESS : fail("the message cannot be written");
}

int main(int count, char **arguments)
{
    limit();
    if (count == 2 && strcmp(arguments[1], "--decode") == 0)
        return decode();
    if (count == 2 && strcmp(arguments[1], "--encode") == 0)
        return encode();
    fprintf(stderr, "usage: masthead-grib --decode | --encode, from standard input to standard output\n");
    return 2;
}
