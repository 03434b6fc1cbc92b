#include "sim/gfs_file.h"

#include "base/clock.h"
#include "sim/gfs_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_S      3600
#define DAY_S       86400
#define RUN_EVERY_S (6 * HOUR_S)
#define LAST_HOUR   120
#define FIRST_S     12600 /* from a run's time to its first file */
#define SPREAD_S    2700  /* and from that to the file of hour SPREAD_HOUR */
#define SPREAD_HOUR 49
#define KEPT_DAYS   10
#define HULL_MIN    180 /* bytes of a record that nobody reads; the least of GFS' has 179 */
#define HULL_MAX    797
#define PAST_END    ((int64_t)1 << 30) /* twice as long as any file of GFS */
#define UNFINISHED  10                 /* bytes that a short index lacks of a line */
#define GAP_FEW     200
#define GAP_MANY    3

/* ---- the records ---- */

/* What a record tells of: an instant, or the hours since the last multiple of six, or since the run. */
enum span_kind { INSTANT, AVERAGE, MOST, LEAST, SUM, SUM_OF_RUN };

#define HULL (-1)

static const struct record {
    const char *name, *level;
    enum span_kind kind;
    int field; /* enum gfs_field, or HULL */
} records[] = {
    {"PRMSL", "mean sea level", INSTANT, HULL},
    {"REFC", "entire atmosphere", INSTANT, HULL},
    {"VIS", "surface", INSTANT, HULL},
    {"GUST", "surface", INSTANT, HULL},
    {"HGT", "0.01 mb", INSTANT, HULL},
    {"TMP", "0.01 mb", INSTANT, HULL},
    {"HGT", "500 mb", INSTANT, HULL},
    {"TMP", "500 mb", INSTANT, HULL},
    {"TCDC", "500 mb", INSTANT, HULL},
    {"HGT", "1000 mb", INSTANT, HULL},
    {"PRES", "surface", INSTANT, HULL},
    {"HGT", "surface", INSTANT, GFS_FIELD_HEIGHT},
    {"TMP", "surface", INSTANT, HULL},
    {"TSOIL", "0-0.1 m below ground", INSTANT, HULL},
    {"TMP", "2 m above ground", INSTANT, GFS_FIELD_TEMPERATURE},
    {"SPFH", "2 m above ground", INSTANT, HULL},
    {"DPT", "2 m above ground", INSTANT, HULL},
    {"APTMP", "2 m above ground", INSTANT, HULL},
    {"TMAX", "2 m above ground", MOST, HULL},
    {"TMIN", "2 m above ground", LEAST, HULL},
    {"UGRD", "10 m above ground", INSTANT, HULL},
    {"CPOFP", "surface", INSTANT, HULL},
    {"CPRAT", "surface", INSTANT, HULL},
    {"PRATE", "surface", INSTANT, GFS_FIELD_RATE},
    {"CPRAT", "surface", AVERAGE, HULL},
    {"PRATE", "surface", AVERAGE, HULL},
    {"APCP", "surface", SUM, HULL},
    {"APCP", "surface", SUM_OF_RUN, HULL},
    {"CSNOW", "surface", INSTANT, HULL},
    {"CICEP", "surface", INSTANT, HULL},
    {"CFRZR", "surface", INSTANT, GFS_FIELD_FREEZING},
    {"CRAIN", "surface", INSTANT, HULL},
    {"CSNOW", "surface", AVERAGE, HULL},
    {"CICEP", "surface", AVERAGE, HULL},
    {"CFRZR", "surface", AVERAGE, HULL},
    {"CRAIN", "surface", AVERAGE, HULL},
    {"LCDC", "low cloud layer", INSTANT, HULL},
    {"LCDC", "low cloud layer", AVERAGE, HULL},
    {"TCDC", "entire atmosphere", INSTANT, GFS_FIELD_COVER},
    {"TCDC", "entire atmosphere", AVERAGE, HULL},
    {"HGT", "cloud ceiling", INSTANT, HULL},
    {"TMP", "low cloud top level", AVERAGE, HULL},
    {"TCDC", "convective cloud layer", INSTANT, HULL},
    {"TCDC", "boundary layer cloud layer", AVERAGE, HULL},
    {"TMP", "80 m above ground", INSTANT, HULL},
    {"TMP", "0.995 sigma level", INSTANT, HULL},
    {"VWSH", "PV=-2e-06 (Km^2/kg/s) surface", INSTANT, HULL},
};
#define RECORDS (sizeof records / sizeof records[0])

/* ---- the path ---- */

static int64_t modified_s(const struct forecast *f)
{
    return f->start_s + FIRST_S + (int64_t)f->hour * SPREAD_S / SPREAD_HOUR;
}

const char *gfs_file_read(const struct wire *wire, int64_t now_s, struct forecast *f, int *status)
{
    static const char missing[] = "The specified key does not exist.";
    struct tm run = {0};
    int hour = 0;
    const char *path = strstr(wire->path, "/gfs.");
    *status = 404;
    *f = (struct forecast){.latitude = NAN, .longitude = NAN, .now_s = now_s};
    if (!path || sscanf(path, "/gfs.%4d%2d%2d/%2d/atmos/gfs.t%2dz.pgrb2.0p25.f%3d", &run.tm_year, &run.tm_mon,
                        &run.tm_mday, &run.tm_hour, &hour, &f->hour) != 6)
        return missing;
    struct tm normal = run;
    normal.tm_year -= 1900;
    normal.tm_mon -= 1;
    f->start_s = timegm(&normal);
    bool there = normal.tm_mday == run.tm_mday && hour == run.tm_hour && f->start_s % RUN_EVERY_S == 0 &&
                 f->hour <= LAST_HOUR && modified_s(f) <= now_s &&
                 now_s < modified_s(f) + KEPT_DAYS * DAY_S && gfs_fields_there();
    return there ? NULL : missing;
}

bool gfs_file_headers(struct text *lines, const struct wire *wire, const struct forecast *f)
{
    char modified[CLOCK_HTTP_BYTES];
    clock_format_http(modified_s(f), modified);
    text_format(lines, "Last-Modified: %s\r\nAccept-Ranges: bytes\r\nServer: AmazonS3\r\n", modified);
    return strcmp(wire->if_modified_since, modified) == 0;
}

void gfs_file_error(struct text *xml, int status, const char *reason)
{
    static const struct {
        int status;
        const char *code, *message;
    } errors[] = {
        {403, "AccessDenied", "Access Denied"},
        {404, "NoSuchKey", "The specified key does not exist."},
        {416, "InvalidRange", "The requested range is not satisfiable"},
        {503, "SlowDown", "Please reduce your request rate."},
        {0, "InternalError", NULL},
    };
    size_t i = 0;
    while (errors[i].status != 0 && errors[i].status != status)
        i++;
    text_format(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>",
                errors[i].code);
    text_html(xml, errors[i].message ? errors[i].message : reason);
    text_string(xml, "</Message><RequestId>0000000000000000</RequestId></Error>");
}

/* ---- the index ---- */

static void write_forecast(struct text *out, enum span_kind kind, int hour)
{
    static const char *const words[] = {
        [AVERAGE] = "ave", [MOST] = "max", [LEAST] = "min", [SUM] = "acc", [SUM_OF_RUN] = "acc"};
    bool in_days = kind == SUM_OF_RUN && hour % 24 == 0;
    int from = kind == SUM_OF_RUN ? 0 : (hour - 1) / 6 * 6;
    if (hour == 0)
        text_string(out, "anl");
    else if (kind == INSTANT)
        text_format(out, "%d hour fcst", hour);
    else
        text_format(out, "%d-%d %s %s fcst", from, in_days ? hour / 24 : hour, in_days ? "day" : "hour",
                    words[kind]);
}

static void write_line(struct text *out, int number, int64_t offset, const struct forecast *f,
                       const struct record *record)
{
    char run[16];
    struct tm parts;
    time_t time = f->start_s;
    gmtime_r(&time, &parts);
    strftime(run, sizeof run, "%Y%m%d%H", &parts);
    text_format(out, "%d:%jd:d=%s:%s:%s:", number, offset, run, record->name, record->level);
    write_forecast(out, record->kind, f->hour);
    text_string(out, ":\n");
}

/* ---- the messages ---- */

/* Writes a number of `size` octets, the most significant first. */
static void put(uint8_t *at, size_t size, int64_t value)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

static uint8_t *section_of(uint8_t *message, int section)
{
    uint8_t *at = message + 16;
    while (at[4] != section)
        at += (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return at;
}

/* Makes an analysis the forecast of a run, as the corruption has it. Places are those of WMO's octets, from
 * 0.
 */
static void stamp(uint8_t *message, size_t length, const struct forecast *f, enum corruption corruption)
{
    struct tm run;
    time_t time = f->start_s - (corruption == WRONG_RUN ? RUN_EVERY_S : 0);
    uint8_t *times = section_of(message, 1), *grid = section_of(message, 3),
            *product = section_of(message, 4);
    gmtime_r(&time, &run);
    put(times + 12, 2, run.tm_year + 1900);
    times[14] = (uint8_t)(run.tm_mon + 1);
    times[15] = (uint8_t)run.tm_mday;
    times[16] = (uint8_t)run.tm_hour;
    put(product + 18, 4, f->hour + (corruption == WRONG_HOUR));
    product[10] = (uint8_t)(product[10] + (corruption == WRONG_PARAMETER));
    if (corruption == HUGE_GRID) {
        put(grid + 30, 4, INT32_MAX);
        put(grid + 34, 4, INT32_MAX);
    }
    if (corruption == CUT_MESSAGE)
        memset(message + length / 2, 0, length - length / 2);
}

/* The length of a hull differs from run to run, so that no two files have the same offsets. */
static size_t hull_length(const struct forecast *f, size_t record)
{
    int64_t mixed = f->start_s / HOUR_S * 31 + f->hour * 17 + (int64_t)record * 101;
    return HULL_MIN + (size_t)(mixed % (HULL_MAX - HULL_MIN));
}

/* A message without sections. */
static void write_hull(struct text *out, size_t length)
{
    uint8_t hull[HULL_MAX] = {'G', 'R', 'I', 'B', [7] = 2};
    put(hull + 8, 8, (int64_t)length);
    memcpy(hull + length - 4, "7777", 4);
    text_bytes(out, (const char *)hull, length);
}

static struct gfs_manner manner_of(enum corruption corruption)
{
    return (struct gfs_manner){.gap_every = corruption == GAPS        ? GAP_FEW
                                            : corruption == MANY_GAPS ? GAP_MANY
                                                                      : 0,
                               .shifted = corruption == SHIFTED,
                               .coarse = corruption == WRONG_GRID,
                               .packing = corruption == PACKED_SIMPLE    ? 0
                                          : corruption == PACKED_COMPLEX ? 2
                                          : corruption == PACKED_PNG     ? 41
                                                                         : 3};
}

/* ---- both ---- */

static bool is_wanted(const struct record *record)
{
    return record->field != HULL;
}

void gfs_file_write(struct text *out, const struct forecast *f, enum corruption corruption)
{
    struct gfs_messages messages;
    struct gfs_manner manner = manner_of(corruption);
    if (!gfs_fields_take(f->start_s + (int64_t)f->hour * HOUR_S, &manner, &messages)) {
        out->overflow = true;
        return;
    }
    uint8_t *message = messages.bytes;
    for (size_t i = 0; i < RECORDS; i++) {
        if (f->hour == 0 && records[i].kind != INSTANT)
            continue;
        if (!is_wanted(&records[i])) {
            write_hull(out, hull_length(f, i));
            continue;
        }
        size_t length = messages.length[records[i].field];
        stamp(message, length, f, corruption);
        text_bytes(out, (const char *)message, length);
        message += length;
    }
    free(messages.bytes);
    if (corruption == EARLY)
        out->length /= 2;
}

void gfs_file_write_index(struct text *out, const struct forecast *f, enum corruption corruption)
{
    struct gfs_messages messages;
    struct gfs_manner manner = manner_of(corruption);
    struct forecast laid_out = *f; /* the file whose offsets are told */
    laid_out.start_s -= corruption == STALE_INDEX ? RUN_EVERY_S : 0;
    if (!gfs_fields_take(laid_out.start_s + (int64_t)f->hour * HOUR_S, &manner, &messages)) {
        out->overflow = true;
        return;
    }
    free(messages.bytes);
    int64_t offset = 0;
    int number = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        const struct record *record = &records[i];
        if (f->hour == 0 && record->kind != INSTANT)
            continue;
        bool twin = corruption == TWINS && i > 0 && is_wanted(record - 1);
        if (corruption == INDEX_PAST_END && record->field == GFS_FIELD_TEMPERATURE)
            offset += PAST_END;
        write_line(out, ++number, offset, f, twin ? record - 1 : record);
        if (corruption == SHORT_INDEX && record->field == GFS_FIELD_RATE) {
            out->length -= UNFINISHED;
            return;
        }
        offset += (int64_t)(is_wanted(record) ? messages.length[record->field] : hull_length(&laid_out, i));
    }
    if (corruption == EARLY)
        out->length /= 2;
}
