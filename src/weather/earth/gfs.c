#include "weather/earth/gfs.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOUR_S        3600
#define OFFSET_DIGITS 12
#define ABOVE_GROUND  103 /* code table 4.5: a height in metres */

/* How a parameter is called in an index and in a message. Numbers from 192 on are NCEP's own. */
static const struct parameter {
    const char *name, *level;
    uint8_t discipline, category, number, surface;
    int32_t surface_value;
} parameters[GFS_PARAMETERS] = {
    [GFS_TEMPERATURE] = {"TMP", "2 m above ground", 0, 0, 0, ABOVE_GROUND, 2},
    [GFS_CLOUD_COVER] = {"TCDC", "entire atmosphere", 0, 6, 1, 10, 0},
    [GFS_PRECIPITATION] = {"PRATE", "surface", 0, 1, 7, 1, 0},
    [GFS_FREEZING_RAIN] = {"CFRZR", "surface", 0, 1, 193, 1, 0},
    [GFS_OROGRAPHY] = {"HGT", "surface", 0, 3, 5, 1, 0},
};

int64_t gfs_run_s(int64_t now_s, unsigned back)
{
    int64_t whole_s = now_s - GFS_SOONEST_S;
    return whole_s - whole_s % GFS_RUN_EVERY_S - (int64_t)back * GFS_RUN_EVERY_S;
}

int gfs_first_hour(int64_t run_s, int64_t now_s, int count)
{
    int64_t hour = (now_s - run_s) / HOUR_S;
    return now_s < run_s || hour + count - 1 > GFS_HOURLY_TO ? -1 : (int)hour;
}

bool gfs_settled(int64_t modified_s, int64_t now_s)
{
    return now_s - modified_s >= GFS_SETTLED_S;
}

static struct tm utc(int64_t unix_s)
{
    struct tm parts;
    time_t time = unix_s;
    gmtime_r(&time, &parts);
    return parts;
}

void gfs_path(int64_t run_s, int hour, bool index, char out[GFS_PATH_BYTES])
{
    struct tm run = utc(run_s);
    char folder[40] = "";
    strftime(folder, sizeof folder, "/gfs.%Y%m%d/%H/atmos/gfs.t%Hz", &run);
    snprintf(out, GFS_PATH_BYTES, "%s.pgrb2.0p25.f%03u%s", folder, (unsigned)hour % 1000,
             index ? ".idx" : "");
}

/* --- The index --- */

struct line {
    int64_t offset;
    bool part; /* of a message that begins on a line before: "12.2" */
    struct span run, name, level, forecast;
};

static bool read_offset(struct span text, int64_t *offset)
{
    *offset = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        *offset = 10 * *offset + text.bytes[i] - '0';
    }
    return true;
}

static bool read_line(struct span text, struct line *out)
{
    struct span number, offset;
    bool whole = span_cut(&text, ':', &number) && span_cut(&text, ':', &offset) &&
                 span_cut(&text, ':', &out->run) && span_cut(&text, ':', &out->name) &&
                 span_cut(&text, ':', &out->level) && span_cut(&text, ':', &out->forecast);
    if (!whole || number.length == 0 || offset.length == 0 || offset.length > OFFSET_DIGITS)
        return false;
    out->part = memchr(number.bytes, '.', number.length) != NULL;
    return read_offset(offset, &out->offset);
}

static bool is(struct span text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.bytes, string, text.length) == 0;
}

/* What an index is searched for, and what was found. */
struct search {
    const struct parameter *parameter;
    char run[16], forecast[16];
    int64_t last;           /* offset of the line before */
    struct gfs_range found; /* first < 0: not yet; last < 0: its end is not known yet */
};

static const char *look_at(struct search *search, struct span text)
{
    struct line line;
    if (!read_line(text, &line))
        return "a line of its index is none";
    if (!is(line.run, search->run))
        return "its index is of another run";
    if (line.offset < search->last || (line.offset == search->last && !line.part))
        return "the offsets of its index do not ascend";
    struct gfs_range *found = &search->found;
    search->last = line.offset;
    if (found->first >= 0 && found->last < 0 && line.offset > found->first)
        found->last = line.offset - 1;
    if (!is(line.name, search->parameter->name) || !is(line.level, search->parameter->level) ||
        !is(line.forecast, search->forecast))
        return NULL;
    if (found->first >= 0)
        return "its index has it twice";
    found->first = line.offset;
    return NULL;
}

static const char *judge(struct search *search, int64_t file_bytes, struct gfs_range *out)
{
    struct gfs_range *found = &search->found;
    if (found->first < 0)
        return "its index does not have it";
    if (file_bytes > 0 && search->last >= file_bytes)
        return "its index points past the end of the file";
    if (found->last < 0 && file_bytes == 0)
        return "its index ends with it, and may be cut short";
    if (found->last < 0)
        found->last = file_bytes - 1;
    if (found->last - found->first >= GRIB_MESSAGE_MAX)
        return "its message is too long";
    *out = *found;
    return NULL;
}

const char *gfs_find(const char *index, size_t length, enum gfs_parameter parameter, int64_t run_s, int hour,
                     int64_t file_bytes, struct gfs_range *out)
{
    struct search search = {
        .parameter = &parameters[parameter], .last = -1, .found = {-1, -1}, .forecast = "anl"};
    struct span rest = {index, length}, text;
    struct tm run = utc(run_s);
    const char *fault = NULL;
    if (length == 0 || length > GFS_INDEX_MAX || index[length - 1] != '\n')
        return length > GFS_INDEX_MAX ? "its index is too long" : "its index is cut short";
    strftime(search.run, sizeof search.run, "d=%Y%m%d%H", &run);
    if (hour > 0)
        snprintf(search.forecast, sizeof search.forecast, "%u hour fcst", (unsigned)hour % 1000);
    while (!fault && span_cut(&rest, '\n', &text))
        fault = look_at(&search, text);
    return fault ? fault : judge(&search, file_bytes, out);
}

/* --- What came --- */

const char *gfs_message_fault(const void *bytes, size_t length, const struct gfs_range *range)
{
    if ((int64_t)length != range->last - range->first + 1)
        return "not as many bytes as were asked for";
    return grib_message_fault(bytes, length);
}

const char *gfs_field_fault(const struct grib_field *field, enum gfs_parameter parameter, int64_t run_s,
                            int hour)
{
    const struct parameter *wanted = &parameters[parameter];
    if (field->discipline != wanted->discipline || field->category != wanted->category ||
        field->number != wanted->number)
        return "of another parameter";
    if (field->surface != wanted->surface || field->surface_value != wanted->surface_value)
        return "of another surface";
    if (field->run_s != run_s)
        return "of another run";
    return field->hours == hour ? NULL : "of another hour";
}
