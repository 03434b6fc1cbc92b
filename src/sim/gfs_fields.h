/* Fields of GFS as its model would forecast them if the weather were the synthetic one: GRIB2 messages,
 * packed by masthead-grib, one child for each (grib/field.h). They are made once and kept, LRU, in bounded
 * memory.
 *
 * Thread-safe after gfs_fields_open. */
#pragma once

#include "grib/field.h"

/* In the order of GFS' files. */
enum gfs_field {
    GFS_FIELD_HEIGHT,      /* of the ground, m: 0, since the synthetic weather knows no height */
    GFS_FIELD_TEMPERATURE, /* 2 m above it, K, to 0.01 */
    GFS_FIELD_RATE,        /* of precipitation, kg per square metre and second */
    GFS_FIELD_FREEZING,    /* rain that freezes: 0 or 1 */
    GFS_FIELD_COVER,       /* by clouds, % */
    GFS_FIELDS
};

/* How fields are made. */
struct gfs_manner {
    int gap_every; /* of as many values one is missing; 0: none */
    bool shifted;  /* by 180 degrees of longitude, in their values and not in what they say */
    bool coarse;   /* on a grid of 7.5 degrees */
    int packing;   /* data representation template, GFS' is 3; as far as masthead-grib can */
};

/* Whether a grid may have this spacing: it divides 180 degrees, and is 0.25 at least. */
bool gfs_fields_spacing(double degrees);

/* `program` is the path of masthead-grib; where it is none, there are no fields. Call once, before threads.
 */
void gfs_fields_open(const char *program, double degrees);

/* Whether they can be made. */
bool gfs_fields_there(void);

/* The messages of an instant, one behind the other. Each says of itself that it is the analysis at that
 * instant. */
struct gfs_messages {
    uint8_t *bytes; /* the caller's, to be freed */
    size_t length[GFS_FIELDS];
};

/* Makes or finds those of `valid_s`. False when masthead-grib fails or memory is out. */
bool gfs_fields_take(int64_t valid_s, const struct gfs_manner *, struct gfs_messages *);

/* What a model says of the sky where the weather has this WMO code, so that MET Norway's thresholds give the
 * code back, as far as a model knows it: drizzle is light rain, fog an overcast sky, thunder a heavy shower.
 */
struct gfs_sky {
    float cover_percent, rate_mm_h, freezing;
};
struct gfs_sky gfs_sky_of(int code);
