/* A file of planes: values for each point of a grid around the whole earth, some planes of 16-bit values and
 * some of bytes, written plane by plane and read through a map of the file.
 *
 * The file at `path` is replaced whole. The next one is written beside it, as `path`.new, and takes its place
 * by a rename when it is finished: so there are two on disk at most, if the old one is closed before another
 * is begun. A plane that was put survives SIGKILL and a power cut: its checksum stands in the header only
 * when its values are on disk. Values are in the machine's own order of bytes; the file is no format of
 * exchange.
 *
 * Within the file a row of the grid has its values of all planes side by side, so that to read a place in
 * every plane touches few pages. 49 planes of 16 bits and 17 of bytes at 0.25 degrees take 119.4 MB. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLANES_MAX         80 /* in a file */
#define PLANES_ERROR_BYTES 128
#define PLANES_NO_VALUE    INT16_MIN /* for who writes and reads 16-bit values */

/* What a file holds; two are the same if all of their bytes are. */
struct planes_shape {
    int64_t run_s;         /* Unix time of the model's run */
    uint32_t spacing_udeg; /* millionths of a degree */
    uint16_t columns, rows;
    uint16_t first_hour; /* of the forecast: what the first planes are for */
    uint8_t kind;        /* the owner's own mark */
    uint8_t simulated;   /* 1: values are not of this world; else 0 */
    uint8_t wide;        /* planes of 16-bit values: numbers 0 to wide - 1 */
    uint8_t narrow;      /* planes of bytes: the numbers after these */
    uint16_t reserved;   /* 0 */
};

/* Whether the grid goes around the earth (columns * spacing, rows from pole to pole), is of at most 1440
 * columns, and there are 1 to PLANES_MAX planes. */
bool planes_shape_valid(const struct planes_shape *);

/* A file that is open, to be written by one thread or to be read by any. */
struct planes;

/* The path of the next file: `path`.new, cut where that is too long for a path. */
void planes_name_next(const char *path, char next[PATH_MAX]);

/* Begins the next file, or goes on with a `path`.new of the same shape, of which the planes that are as they
 * were written count. Its whole size is allocated, so that a full disk is met here. NULL, with the reason in
 * `error`; `path` is untouched in any case. */
struct planes *planes_begin(const char *path, const struct planes_shape *, char error[PLANES_ERROR_BYTES]);

/* Writes a plane of columns * rows values, int16_t or uint8_t, north to south and then eastwards from 0, and
 * waits for the disk. A plane is written once: false, with errno EEXIST, for one that is there. False, with
 * errno set, when the disk fails; the plane is then not there. */
bool planes_put(struct planes *, size_t plane, const void *values);

/* Puts the file into the place of `path`, the one that it was begun for, with the planes that it has; it is
 * still to be closed. False, with errno set: `path` is as before. */
bool planes_finish(const struct planes *, const char *path);

/* Opens a file for reading, `path`.new included: the planes that it has now, which never change. Every byte
 * is doubted: its size, header and shape must be right, and a plane whose checksum is not its own counts as
 * absent. That reads the whole file once; resident is afterwards only what is read again. NULL, with the
 * reason in `error`: the file is missing, damaged, or its header was being written at that moment. Whoever
 * else cuts the file short while it is open can end the process: its folder must be the service's own. */
struct planes *planes_open(const char *path, char error[PLANES_ERROR_BYTES]);

/* NULL is allowed. A file that was begun and not finished stays, as `path`.new. */
void planes_close(struct planes *);

const struct planes_shape *planes_shape(const struct planes *);
bool planes_there(const struct planes *, size_t plane);

/* The value of a point of a plane that is there. */
int16_t planes_wide(const struct planes *, size_t plane, size_t row, size_t column);
uint8_t planes_narrow(const struct planes *, size_t plane, size_t row, size_t column);
