/* A file of version 2 or later is read in its second part, whose times have 64 bits. The line behind that
 * part is a rule for what comes after the last change. */
#include "place/zone.h"

#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES    8192 /* the largest of tzdata has 3.5 kB */
#define NAME_BYTES    40
#define FULL_UNTIL_S  INT64_C(2114380800) /* 2037: the year in which full files end */
#define OFFSET_MAX_S  (26 * 3600)         /* RFC 8536 */
#define HEADER_BYTES  44
#define HEADER_COUNTS 20
#define CHANGES_MAX   2000
#define PATH_BYTES    256
#define DAY_S         86400
#define FOLDERS_DEEP  3 /* tzdata's are two; a loop of links has no end */

struct change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

struct zone {
    char name[NAME_BYTES];
    struct change *changes;
    size_t count; /* 1 or more: the first is what held before */
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
    const uint8_t *rule = part.bytes + part.size; /* it has a comma where summer time goes on for ever */
    bool goes_on = memchr(rule, ',', length - second - HEADER_BYTES - part.size);
    return !goes_on || zone->changes[zone->count - 1].at_s >= FULL_UNTIL_S;
}

/* Adds the zone of a file, if it is one. False when out of memory. */
static bool add_zone(struct zones *zones, const char *path, const char *name)
{
    uint8_t bytes[FILE_BYTES];
    const char *reason; /* is not told: there are more zones than readers have */
    struct zone zone = {.changes = NULL};
    ssize_t length = file_read(path, FILE_FOLLOW, bytes, sizeof bytes, &reason);
    errno = 0;
    if (length < 0 || length == sizeof bytes || !read_zone(bytes, (size_t)length, &zone)) {
        free(zone.changes);
        return errno != ENOMEM;
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

/* Adds the zones in a folder and in those below it; `name` is what their names begin with. False when out of
 * memory. */
static bool add_folder(struct zones *zones, const char *path, const char *name, unsigned deep)
{
    DIR *folder = opendir(path);
    bool ok = folder || errno != ENOMEM;
    for (const struct dirent *entry; ok && folder && (entry = readdir(folder));) {
        char inner[PATH_BYTES], longer[NAME_BYTES + 1];
        struct stat status;
        /* The folders posix and right hold the same zones again, the latter with leap seconds. */
        bool copy = deep == 0 && (strcmp(entry->d_name, "posix") == 0 || strcmp(entry->d_name, "right") == 0);
        if (copy || entry->d_name[0] == '.' ||
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner ||
            snprintf(longer, sizeof longer, "%s%s/", name, entry->d_name) >= (int)sizeof longer ||
            stat(inner, &status) < 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            ok = deep + 1 == FOLDERS_DEEP || add_folder(zones, inner, longer, deep + 1);
        } else {
            longer[strlen(longer) - 1] = '\0';
            ok = add_zone(zones, inner, longer);
        }
    }
    if (folder)
        closedir(folder);
    return ok;
}

struct zones *zones_open(const char *folder)
{
    struct zones *zones = calloc(1, sizeof *zones);
    if (!zones || !add_folder(zones, folder, "", 0)) {
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

/* The last change that is not later. */
static const struct change *change_at(const struct zone *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (zone->changes[middle].at_s <= unix_s)
            low = middle;
        else
            high = middle;
    }
    return &zone->changes[low];
}

bool zones_offset(const struct zones *zones, const char *name, int64_t unix_s, int32_t *offset_s)
{
    const struct zone *zone = find(zones, name);
    if (!zone || unix_s < 0)
        return false;
    *offset_s = change_at(zone, unix_s)->offset_s;
    return true;
}

/* The first instant of a local day, counted from 1970: midnight, or the change of clocks that skips it. */
static int64_t day_begin_s(const struct zone *zone, int64_t day)
{
    const struct change *end = zone->changes + zone->count;
    const struct change *change = change_at(zone, day * DAY_S - OFFSET_MAX_S);
    while (change + 1 < end && change[1].at_s <= day * DAY_S - change->offset_s)
        change++;
    int64_t midnight_s = day * DAY_S - change->offset_s;
    return midnight_s > change->at_s ? midnight_s : change->at_s;
}

bool zones_day(const struct zones *zones, const char *name, int64_t unix_s, int64_t *begin_s, int64_t *end_s)
{
    const struct zone *zone = find(zones, name);
    if (!zone || unix_s < 0)
        return false;
    int64_t day = (unix_s + change_at(zone, unix_s)->offset_s + DAY_S) / DAY_S - 1;
    *begin_s = day_begin_s(zone, day);
    *end_s = day_begin_s(zone, day + 1);
    return true;
}
