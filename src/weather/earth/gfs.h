/* NOAA's Global Forecast System as it is published: which run is wanted, where its files are, and which bytes
 * of them hold a field. Pure functions, over bytes of which each may be hostile; thread-safe.
 *
 * A run has a file for each hour of the forecast, half a gigabyte long, of some 740 GRIB2 messages, and
 * beside it an index of one line for each:
 *
 *     580:415216076:d=2026060100:TMP:2 m above ground:6 hour fcst:
 *
 * Faults are static strings, to be logged behind what was attempted. */
#pragma once

#include "grib/field.h"

#define GFS_RUN_EVERY_S 21600
#define GFS_SOONEST_S   14400 /* after its time no run has 49 hours; they are there after about 4 h 15 min */
#define GFS_SETTLED_S   180   /* after its last change a file is whole; it is listed before */
#define GFS_HOURLY_TO   120   /* the last hour of which there is one each hour */
#define GFS_INDEX_MAX   (128 << 10) /* bytes; an index has 41,000 */
#define GFS_PATH_BYTES  64

enum gfs_parameter {
    GFS_TEMPERATURE,   /* 2 m above the ground, K */
    GFS_CLOUD_COVER,   /* % */
    GFS_PRECIPITATION, /* its rate, kg per square metre and second */
    GFS_FREEZING_RAIN, /* 0 or 1 */
    GFS_OROGRAPHY,     /* height of the model's ground, m */
    GFS_PARAMETERS
};

/* The time of the newest run that may be whole at `now_s`, or, with `back`, of one of those before it.
 * Whether it is whole is told by the index of the last hour that is wanted (gfs_settled). */
int64_t gfs_run_s(int64_t now_s, unsigned back);

/* The hour of a run's forecast from which `count` hours are wanted at `now_s`: the one that has begun. -1
 * when the run does not have all of them. */
int gfs_first_hour(int64_t run_s, int64_t now_s, int count);

/* Whether a file that was last changed at `modified_s` is whole. */
bool gfs_settled(int64_t modified_s, int64_t now_s);

/* The path of the file of an hour (0..999) below a mirror's address, or of its index:
 * "/gfs.20260601/00/atmos/ gfs.t00z.pgrb2.0p25.f006". */
void gfs_path(int64_t run_s, int hour, bool index, char out[GFS_PATH_BYTES]);

/* A part of a file; both bytes belong to it. */
struct gfs_range {
    int64_t first, last;
};

/* Finds the message of a parameter at an instant in an index: by name, level and forecast, each whole, so
 * that APTMP is no TMP, and "0-6 hour ave fcst" not "6 hour fcst". `file_bytes` is the size of the file, 0
 * where not known. NULL, or why there is none: the index is empty, too long or cut short, of another run, not
 * of this form, has offsets that do not ascend or lie past the file's end, has no such record or two of them,
 * or the message would be longer than GRIB_MESSAGE_MAX. */
const char *gfs_find(const char *index, size_t length, enum gfs_parameter, int64_t run_s, int hour,
                     int64_t file_bytes, struct gfs_range *out);

/* Whether the bytes that came for a range are as many, and one message (grib_message_fault). NULL, or why
 * not. */
const char *gfs_message_fault(const void *bytes, size_t length, const struct gfs_range *);

/* Whether an unpacked field is what was wanted: discipline, category, number, surface, run and hour. NULL, or
 * which is not. */
const char *gfs_field_fault(const struct grib_field *, enum gfs_parameter, int64_t run_s, int hour);
