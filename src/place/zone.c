/* A file of version 2 or later is read in its second part, whose times have 64 bits, and its rule for what
 * comes after the last change in the line behind that part. */
#include "place/zone.h"

#include "base/log.h"
#include "base/span.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES    8192 /* the largest of tzdata has 3.5 kB */
#define NAME_BYTES    40
#define END_S         INT64_C(1000000000000) /* past every instant that the clock can have */
#define OFFSET_MAX_S  (26 * 3600)            /* RFC 8536 */
#define DAY_S         86400
#define HEADER_BYTES  44
#define HEADER_COUNTS 20
#define RULE_NAME_MIN 3
#define CHANGES_MAX   2000

struct change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

/* When summer time begins or ends, as POSIX writes it: M3.5.0/2 is the last Sunday of March at 2:00. */
struct rule_date {
    int month, week, weekday;
    int32_t time_s;
};

struct zone {
    char name[NAME_BYTES];
    struct change *changes;
    size_t count;         /* 1 or more: the first is what held before */
    bool endless, summer; /* what holds after the last change is known; it is the rule */
    int32_t standard_s, summer_s;
    struct rule_date begins, ends;
};

struct zones {
    struct zone *zones; /* by name */
    size_t count, capacity;
};

/* --- Bytes that may be anything --- */

static int64_t number(const uint8_t *bytes, size_t size)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

/* The six counts of a header: UT indicators, standard indicators, leap seconds, changes, types, characters.
 */
enum { UT, STANDARD, LEAPS, CHANGES, TYPES, CHARACTERS, COUNTS };

struct part {
    const uint8_t *bytes; /* behind its header */
    size_t counts[COUNTS], time_bytes, size;
};

/* Reads the header of a part of the file. False when the part is not whole. */
static bool read_part(const uint8_t *file, size_t length, size_t time_bytes, struct part *out)
{
    if (length < HEADER_BYTES || memcmp(file, "TZif", 4) != 0)
        return false;
    *out = (struct part){.bytes = file + HEADER_BYTES, .time_bytes = time_bytes};
    for (size_t i = 0; i < COUNTS; i++) {
        int64_t count = number(file + HEADER_COUNTS + 4 * i, 4);
        if (count < 0 || count > FILE_BYTES)
            return false;
        out->counts[i] = (size_t)count;
    }
    out->size = out->counts[CHANGES] * (time_bytes + 1) + out->counts[TYPES] * 6 + out->counts[CHARACTERS] +
                out->counts[LEAPS] * (time_bytes + 4) + out->counts[STANDARD] + out->counts[UT];
    return out->counts[TYPES] > 0 && out->counts[CHANGES] <= CHANGES_MAX &&
           out->size <= length - HEADER_BYTES;
}

/* The offset of a type; false when there is no such type, or it cannot be an offset. */
static bool read_offset(const struct part *part, size_t type, int32_t *offset_s)
{
    const uint8_t *types = part->bytes + part->counts[CHANGES] * (part->time_bytes + 1);
    if (type >= part->counts[TYPES])
        return false;
    *offset_s = (int32_t)number(types + 6 * type, 4);
    return *offset_s > -OFFSET_MAX_S && *offset_s < OFFSET_MAX_S;
}

/* Reads the changes that matter. They must be in order. */
static bool read_changes(const struct part *part, struct zone *zone)
{
    size_t count = part->counts[CHANGES];
    const uint8_t *types = part->bytes + count * part->time_bytes;
    struct change last = {.at_s = INT64_MIN};
    if (!(zone->changes = malloc((count + 1) * sizeof *zone->changes)) ||
        !read_offset(part, 0, &last.offset_s))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct change next = {.at_s = number(part->bytes + i * part->time_bytes, part->time_bytes)};
        if (!read_offset(part, types[i], &next.offset_s) || (i > 0 && next.at_s <= last.at_s))
            return false;
        if (next.at_s > 0)
            zone->changes[zone->count++] = last;
        last = next;
    }
    zone->changes[zone->count++] = last;
    return true;
}

/* --- The rule behind the last change --- */

static bool cut(struct span *rest, char c)
{
    bool there = rest->length > 0 && rest->bytes[0] == c;
    *rest = span_after(*rest, there);
    return there;
}

static bool cut_number(struct span *rest, int max, int *out)
{
    size_t digits = 0;
    *out = 0;
    for (; digits < rest->length && digits < 3 && rest->bytes[digits] >= '0' && rest->bytes[digits] <= '9';
         digits++)
        *out = *out * 10 + rest->bytes[digits] - '0';
    *rest = span_after(*rest, digits);
    return digits > 0 && *out <= max;
}

/* Hours, minutes, seconds, with a sign. */
static bool cut_time(struct span *rest, int max_hours, int32_t *out)
{
    int part, sign = cut(rest, '-') ? -1 : 1;
    if (sign > 0)
        cut(rest, '+');
    if (!cut_number(rest, max_hours, &part))
        return false;
    *out = part * 3600;
    for (int unit = 60; unit > 0 && cut(rest, ':'); unit /= 60) {
        if (!cut_number(rest, 59, &part))
            return false;
        *out += part * unit;
    }
    *out *= sign;
    return true;
}

/* An abbreviation: letters, or anything in angle brackets. */
static bool cut_name(struct span *rest)
{
    size_t length = 0;
    bool bracketed = cut(rest, '<');
    while (length < rest->length &&
           (bracketed ? rest->bytes[length] != '>' : (rest->bytes[length] | 0x20) >= 'a'))
        length++;
    *rest = span_after(*rest, length);
    return length >= RULE_NAME_MIN && (!bracketed || cut(rest, '>'));
}

static bool cut_date(struct span *rest, struct rule_date *out)
{
    out->time_s = 2 * 3600;
    return cut(rest, ',') && cut(rest, 'M') && cut_number(rest, 12, &out->month) && out->month > 0 &&
           cut(rest, '.') && cut_number(rest, 5, &out->week) && out->week > 0 && cut(rest, '.') &&
           cut_number(rest, 6, &out->weekday) && (!cut(rest, '/') || cut_time(rest, 167, &out->time_s));
}

/* Reads "IST-5:30" or "CET-1CEST,M3.5.0,M10.5.0/3", whose offsets are those of UTC from local time. */
static bool read_rule(struct span rule, struct zone *zone)
{
    int32_t west_s;
    if (!cut_name(&rule) || !cut_time(&rule, 24, &west_s))
        return false;
    zone->standard_s = zone->summer_s = -west_s;
    zone->summer = rule.length > 0;
    if (!zone->summer)
        return true;
    zone->summer_s += 3600;
    if (!cut_name(&rule))
        return false;
    if (rule.length > 0 && rule.bytes[0] != ',') {
        if (!cut_time(&rule, 24, &west_s))
            return false;
        zone->summer_s = -west_s;
    }
    return cut_date(&rule, &zone->begins) && cut_date(&rule, &zone->ends) && rule.length == 0;
}

static int64_t days_from_epoch(int64_t year, int month, int day)
{
    /* Years that begin in March: the leap day is the last. */
    int64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* The instant in a year at which the rule's date begins, on a clock of that offset. */
static int64_t date_s(const struct rule_date *date, int64_t year, int32_t offset_s)
{
    int64_t first = days_from_epoch(year, date->month, 1);
    int64_t next =
        date->month < 12 ? days_from_epoch(year, date->month + 1, 1) : days_from_epoch(year + 1, 1, 1);
    int64_t day =
        first + (date->weekday - (first + 4) % 7 + 7) % 7 + 7 * (date->week - 1); /* 1970-01-01: Thursday */
    return (day < next ? day : day - 7) * DAY_S + date->time_s - offset_s;
}

static int32_t offset_by_rule(const struct zone *zone, int64_t unix_s)
{
    if (!zone->summer)
        return zone->standard_s;
    int64_t year = 1970 + (int64_t)((double)(unix_s + zone->standard_s) / (365.2425 * DAY_S));
    year += unix_s + zone->standard_s >= days_from_epoch(year + 1, 1, 1) * DAY_S;
    year -= unix_s + zone->standard_s < days_from_epoch(year, 1, 1) * DAY_S;
    int64_t begins_s = date_s(&zone->begins, year, zone->standard_s),
            ends_s = date_s(&zone->ends, year, zone->summer_s);
    bool summer =
        begins_s < ends_s ? unix_s >= begins_s && unix_s < ends_s : unix_s >= begins_s || unix_s < ends_s;
    return summer ? zone->summer_s : zone->standard_s;
}

/* --- Files and the table --- */

/* Reads the bytes of a file, every one of which may be wrong. False: it is none, or is damaged. */
static bool read_zone(const uint8_t *file, size_t length, struct zone *zone)
{
    struct part part;
    if (!read_part(file, length, 4, &part))
        return false;
    size_t second = HEADER_BYTES + part.size;
    if (file[4] < '2') /* the version; 0 for the first */
        return read_changes(&part, zone);
    if (!read_part(file + second, length - second, 8, &part) || !read_changes(&part, zone))
        return false;
    const char *rule = (const char *)part.bytes + part.size;
    struct span rest = {rule, length - second - HEADER_BYTES - part.size}, line;
    zone->endless = cut(&rest, '\n') && memchr(rest.bytes, '\n', rest.length) &&
                    span_cut(&rest, '\n', &line) && read_rule(line, zone);
    return true;
}

static bool add_zone(struct zones *zones, const char *path, const char *name)
{
    uint8_t bytes[FILE_BYTES];
    FILE *file = strlen(name) < NAME_BYTES ? fopen(path, "re") : NULL;
    size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    struct zone zone = {.changes = NULL};
    if (file)
        fclose(file);
    if (length == sizeof bytes || !read_zone(bytes, length, &zone)) {
        free(zone.changes);
        return true;
    }
    memcpy(zone.name, name, strlen(name));
    if (zones->count == zones->capacity) {
        size_t capacity = zones->capacity ? 2 * zones->capacity : 256;
        struct zone *grown = realloc(zones->zones, capacity * sizeof *grown);
        if (!grown) {
            free(zone.changes);
            return false;
        }
        zones->zones = grown;
        zones->capacity = capacity;
    }
    zones->zones[zones->count++] = zone;
    return true;
}

static int compare_zones(const void *a, const void *b)
{
    return strcmp(((const struct zone *)a)->name, ((const struct zone *)b)->name);
}

/* The folders posix and right hold the same zones again, the latter with leap seconds. */
static bool is_copy(const FTSENT *entry)
{
    return entry->fts_level == 1 &&
           (strcmp(entry->fts_name, "posix") == 0 || strcmp(entry->fts_name, "right") == 0);
}

struct zones *zones_open(const char *folder)
{
    struct zones *zones = calloc(1, sizeof *zones);
    char path[256];
    snprintf(path, sizeof path, "%s", folder);
    FTS *tree = zones ? fts_open((char *[]){path, NULL}, FTS_LOGICAL | FTS_NOCHDIR, NULL) : NULL;
    bool ok = tree != NULL;
    for (FTSENT *entry; ok && (entry = fts_read(tree));) {
        if (is_copy(entry))
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F)
            ok = add_zone(zones, entry->fts_path, entry->fts_path + strlen(path) + 1);
    }
    if (tree)
        fts_close(tree);
    if (!ok) {
        zones_close(zones);
        return NULL;
    }
    if (zones->count > 0)
        qsort(zones->zones, zones->count, sizeof *zones->zones, compare_zones);
    else
        log_event(LOG_WARN, "no time zones: offsets from UTC are not known", log_str("folder", folder));
    return zones;
}

void zones_close(struct zones *zones)
{
    if (!zones)
        return;
    for (size_t i = 0; i < zones->count; i++)
        free(zones->zones[i].changes);
    free(zones->zones);
    free(zones);
}

size_t zones_count(const struct zones *zones)
{
    return zones->count;
}

static const struct zone *find(const struct zones *zones, const char *name)
{
    struct zone key = {.count = 0};
    size_t length = strnlen(name, sizeof key.name);
    if (length == 0 || length == sizeof key.name || zones->count == 0)
        return NULL;
    memcpy(key.name, name, length + 1);
    return bsearch(&key, zones->zones, zones->count, sizeof *zones->zones, compare_zones);
}

bool zones_known(const struct zones *zones, const char *name)
{
    return find(zones, name) != NULL;
}

bool zones_offset(const struct zones *zones, const char *name, int64_t unix_s, int32_t *offset_s)
{
    const struct zone *zone = find(zones, name);
    if (!zone || unix_s < 0 || unix_s > END_S)
        return false;
    size_t low = 0, high = zone->count; /* the last change that is not later */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (zone->changes[middle].at_s <= unix_s)
            low = middle;
        else
            high = middle;
    }
    bool last = low + 1 == zone->count;
    *offset_s = last && zone->endless ? offset_by_rule(zone, unix_s) : zone->changes[low].offset_s;
    return !last || zone->endless;
}
