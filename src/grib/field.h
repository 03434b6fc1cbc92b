/* One field of weather on a grid around the whole earth: what a GRIB2 message says that holds it, and the
 * shape in which masthead-grib hands it on.
 *
 * masthead-grib is a program of its own, since the library that unpacks such messages, NCEP's g2c, must not
 * be trusted with hostile bytes. It works on standard input and output, and sets its own limits:
 *
 *     masthead-grib --decode    one message in; out come a struct grib_field and its values
 *     masthead-grib --encode    the reverse, in the packing that the struct names, but for JPEG 2000
 *
 * It exits with 0, or with 1 and one line on standard error and nothing of use on standard output, or with 2
 * on wrong usage; a message that makes g2c crash or spin ends it by a signal. What it writes is to be read by
 * grib_field_values, as hostile as the message was.
 *
 * Octets of a message are those of WMO's Manual on Codes, volume I.2, FM 92 GRIB edition 2. Pure functions;
 * thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRIB_COLUMNS_MAX 1440 /* at 0.25 degrees */
#define GRIB_ROWS_MAX    721
#define GRIB_MESSAGE_MAX (2 << 20) /* bytes; GFS' largest of the fields used had 0.87 million */
#define GRIB_MESSAGE_MIN 20        /* its first and its last section */
#define GRIB_MAGIC       UINT64_C(0x0a6c666873616d31) /* "1mashfl\n" */

/* Followed by columns * rows floats, in the message's unit, NaN where there is none: rows from north to
 * south, in each longitudes from 0 to the east. In the order of bytes of the machine, and without padding. */
struct grib_field {
    uint64_t magic;        /* GRIB_MAGIC */
    int64_t run_s;         /* Unix time of the run, the message's reference time */
    int32_t hours;         /* from the run to the instant that is forecast; 0: its analysis */
    uint32_t spacing_udeg; /* millionths of a degree, of both coordinates */
    uint16_t columns, rows;
    uint8_t discipline, category, number; /* of the parameter: code tables 0.0, 4.1, 4.2 */
    uint8_t surface;                      /* code table 4.5 */
    int32_t surface_value;                /* in the surface's unit: metres above the ground */
    uint8_t packing;    /* data representation template: 0 simple, 2 complex, 3 complex with spatial
                           differencing, 40 JPEG 2000, 41 PNG */
    int8_t decimals;    /* digits after the point that are kept; 0..6 when encoding */
    uint16_t reserved;  /* 0 */
    uint32_t missing;   /* how many values are NaN; written by --decode, ignored by --encode */
    uint32_t reserved2; /* 0 */
};

/* Whether the magic is there, the grid is one around the whole earth of at most GRIB_COLUMNS_MAX columns, and
 * the packing is one of the five. */
bool grib_field_valid(const struct grib_field *);

/* How many values it has. */
size_t grib_field_points(const struct grib_field *);

/* What --decode has written, copied into *out; the values stay in `bytes`, aligned if `bytes` is. NULL when
 * it is anything but one valid field, whole. */
const float *grib_field_values(const void *bytes, size_t length, struct grib_field *out);

/* Whether the bytes are one message as far as its ends tell: begins with "GRIB" and edition 2, is as long as
 * it says, ends with "7777". NULL when they are, else why not (static). */
const char *grib_message_fault(const void *bytes, size_t length);

/* Reads what a message says about its field. Takes messages with one field: product template 4.0 (an
 * instant), whole hours, grid template 3.0 around the whole earth, north first, from longitude 0, one of the
 * five packings, with a bitmap of its own or none. NULL, or why it is none (static); then *out is void. */
const char *grib_message_read(const void *bytes, size_t length, struct grib_field *out);
