/* GFS' files and their indexes as NOAA has them in its buckets at Amazon, with fewer and smaller records, and
 * those that nobody reads no more than hulls of messages. weather/earth/gfs.h tells what is known of them;
 * names and order of the records are those of a real index of January 2023.
 *
 * The file of hour h of a run (0 to 120; 00, 06, 12 and 18 h) is there from 3.5 hours after the run's time
 * and 45 minutes for each 49 h on, for ten days. */
#pragma once

#include "sim/api.h"

#define GFS_FILE_PATH "/gfs.YYYYMMDD/HH/atmos/gfs.tHHz.pgrb2.0p25.fNNN"

/* As struct api has them; `start_s` of the forecast is the run. */
const char *gfs_file_read(const struct wire *, int64_t now_s, struct forecast *, int *status);
bool gfs_file_headers(struct text *, const struct wire *, const struct forecast *);

/* Set `overflow` where no fields can be made. What the corruptions do is told in sim/faults.c. */
void gfs_file_write(struct text *, const struct forecast *, enum corruption);
void gfs_file_write_index(struct text *, const struct forecast *, enum corruption);

/* S3's document for an error. */
void gfs_file_error(struct text *, int status, const char *reason);
