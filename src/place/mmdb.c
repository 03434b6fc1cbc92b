#include "place/mmdb.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLED_TYPE    "Masthead-" /* see data/visitors.pl */
#define PATH_STEPS      5
#define FILE_MAX_BYTES  ((off_t)1 << 30)  /* GeoIP2 Enterprise has under half of it */
#define NAME_LANGUAGE   ((const char *)1) /* in a path: the asked language */
#define RECORD_PATHS    3
#define COPY_STEP_BYTES ((size_t)16 << 20)
#define RADIUS_SEARCHED ((size_t)1 << 20)

struct mmdb {
    MMDB_s file;
    struct mmdb_facts facts;
};

/* The paths to each field, by schema; the first that exists counts. `city` tells the two families of schema
 * apart: a map of names (GeoIP2, GeoLite2, DB-IP) or a plain string, if anything (ip-location-db, IPinfo in
 * both schemas, country-only). */
enum field { CITY, CITY_LOCAL, REGION, COUNTRY, LATITUDE, LONGITUDE, RADIUS, TIMEZONE, ANYCAST, FIELDS };
enum schema { NESTED, FLAT, SCHEMAS };

typedef const char *record_path[PATH_STEPS];
static const record_path paths[FIELDS][SCHEMAS][RECORD_PATHS] = {
    [CITY] = {{{"city", "names", "en"}, {"city", "names", NAME_LANGUAGE}}, {{"city"}}},
    [CITY_LOCAL] = {{{"city", "names", NAME_LANGUAGE}}},
    [REGION] = {{{"subdivisions", "0", "names", "en"}}, {{"region"}, {"state1"}}},
    [COUNTRY] = {{{"country", "iso_code"}}, {{"country_code"}, {"country", "iso_code"}, {"country"}}},
    [LATITUDE] = {{{"location", "latitude"}}, {{"latitude"}, {"lat"}, {"location", "latitude"}}},
    [LONGITUDE] = {{{"location", "longitude"}}, {{"longitude"}, {"lng"}, {"location", "longitude"}}},
    [RADIUS] = {{{"location", "accuracy_radius"}},
                {{"accuracy_radius"}, {"radius"}, {"location", "accuracy_radius"}}},
    [TIMEZONE] = {{{"location", "time_zone"}}, {{"timezone"}, {"location", "time_zone"}}},
    [ANYCAST] = {{{"traits", "is_anycast"}}, {{"is_anycast"}, {"anycast"}, {"traits", "is_anycast"}}},
};

/* Credits by what a vendor's metadata or file name contains. */
static const struct {
    const char *mark;
    struct credit credit;
} credits[] = {
    {"dbip", {"IP Geolocation by DB-IP", "https://db-ip.com"}},
    {"geolite2", {"GeoLite2 data by MaxMind", "https://www.maxmind.com/"}},
    {"ipinfo", {"IP address data by IPinfo", "https://ipinfo.io/"}},
};

static const struct credit *credit_for(const char *type, const char *path)
{
    const char *name = basename(path);
    for (size_t i = 0; i < sizeof credits / sizeof credits[0]; i++)
        if (strcasestr(type, credits[i].mark) || strcasestr(name, credits[i].mark))
            return &credits[i].credit;
    return NULL;
}

static int open_regular(const char *path, off_t *size, char error[MMDB_ERROR_BYTES])
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0) {
        snprintf(error, MMDB_ERROR_BYTES, "%s", strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        snprintf(error, MMDB_ERROR_BYTES, "not a regular file");
    } else if (status.st_size == 0 || status.st_size > FILE_MAX_BYTES) {
        snprintf(error, MMDB_ERROR_BYTES, status.st_size == 0 ? "empty file" : "larger than 1 GB");
    } else {
        *size = status.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static int unlinked_file(const char *folder)
{
    char name[512];
    mkdir(folder, 0755);
    snprintf(name, sizeof name, "%s/database.XXXXXX", folder);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* Fills `to` with the whole file. Returns it; -1, with errno set, where that fails: then it is closed. */
static int filled(int to, int from, off_t size)
{
    off_t copied = 0;
    if (to < 0)
        return -1;
    errno = 0;
    while (copied < size) {
        ssize_t count = sendfile(to, from, &copied, COPY_STEP_BYTES);
        if (count == 0 || (count < 0 && errno != EINTR))
            break;
    }
    if (copied == size)
        return to;
    int error = errno ? errno : ESTALE; /* it became shorter or longer meanwhile */
    close(to);
    errno = error;
    return -1;
}

/* A private, nameless copy of the file: in the folder, else in memory. Closes `from`; -1 with the reason in
 * `error`. */
static int private_copy(int from, off_t size, const char *folder, char error[MMDB_ERROR_BYTES])
{
    int to = filled(unlinked_file(folder), from, size);
    if (to < 0) {
        log_event(LOG_WARN, "state folder takes no copy of a database, memory does",
                  log_str("folder", folder), log_str("error", strerror(errno)));
        to = filled(memfd_create("database", MFD_CLOEXEC), from, size);
    }
    if (to < 0)
        snprintf(error, MMDB_ERROR_BYTES, "cannot be copied: %s", strerror(errno));
    close(from);
    return to;
}

/* Whether the records' keys name a radius. A key stands in full where it is first used, and in the first
 * records all keys are. */
static bool find_radii(const MMDB_s *file)
{
    static const char key[] = "radius";
    size_t size = file->data_section_size < RADIUS_SEARCHED ? file->data_section_size : RADIUS_SEARCHED;
    return memmem(file->data_section, size, key, strlen(key)) != NULL;
}

struct mmdb *mmdb_map(const char *path, char error[MMDB_ERROR_BYTES])
{
    struct mmdb *db = calloc(1, sizeof *db);
    int status = db ? MMDB_open(path, MMDB_MODE_MMAP, &db->file) : MMDB_OUT_OF_MEMORY_ERROR;
    if (!db || status != MMDB_SUCCESS) {
        snprintf(error, MMDB_ERROR_BYTES, "%s", MMDB_strerror(status));
        free(db);
        return NULL;
    }
    const MMDB_metadata_s *metadata = &db->file.metadata;
    db->facts.built_s = (int64_t)metadata->build_epoch;
    db->facts.type = metadata->database_type ? metadata->database_type : "";
    db->facts.ages = strncmp(db->facts.type, BUNDLED_TYPE, strlen(BUNDLED_TYPE)) != 0;
    return db;
}

struct mmdb *mmdb_open(const char *path, const char *state_folder, mmdb_validator *validate,
                       char error[MMDB_ERROR_BYTES])
{
    char behind[64];
    off_t size = 0;
    int fd = open_regular(path, &size, error);
    if (fd >= 0 && state_folder[0])
        fd = private_copy(fd, size, state_folder, error);
    if (fd < 0)
        return NULL;
    snprintf(behind, sizeof behind, "/proc/self/fd/%d", fd);
    struct mmdb *db = !validate || validate(fd, error) ? mmdb_map(behind, error) : NULL;
    close(fd); /* the mapping stays */
    if (!db)
        return NULL;
    db->facts.credit = credit_for(db->facts.type, path);
    db->facts.has_radii = find_radii(&db->file);
    return db;
}

void mmdb_close(struct mmdb *db)
{
    if (!db)
        return;
    MMDB_close(&db->file);
    free(db);
}

const struct mmdb_facts *mmdb_facts(const struct mmdb *db)
{
    return &db->facts;
}

static bool get(const MMDB_entry_s *record, const char *const *path, const char *language,
                MMDB_entry_data_s *data)
{
    const char *steps[PATH_STEPS];
    for (size_t i = 0; i < PATH_STEPS; i++)
        steps[i] = path[i] == NAME_LANGUAGE ? language : path[i];
    /* The library takes the record by a pointer without const, and does not write to it. */
    return MMDB_aget_value((MMDB_entry_s *)(uintptr_t)record, data, steps) == MMDB_SUCCESS && data->has_data;
}

/* Finds the next of a field's paths that the record has a value at. *path counts them, from 0 on. */
static bool next_value(const MMDB_entry_s *record, enum schema schema, enum field field, const char *language,
                       size_t *path, MMDB_entry_data_s *data)
{
    while (*path < RECORD_PATHS && paths[field][schema][*path][0])
        if (get(record, paths[field][schema][(*path)++], language, data))
            return true;
    return false;
}

static void get_text(const MMDB_entry_s *record, enum schema schema, enum field field, const char *language,
                     char *out, size_t size)
{
    MMDB_entry_data_s data;
    out[0] = '\0';
    for (size_t path = 0; !out[0] && next_value(record, schema, field, language, &path, &data);)
        if (data.type == MMDB_DATA_TYPE_UTF8_STRING)
            text_sanitize(data.utf8_string, data.data_size, out, size);
}

static double get_number(const MMDB_entry_s *record, enum schema schema, enum field field)
{
    MMDB_entry_data_s data;
    size_t path = 0;
    if (!next_value(record, schema, field, "", &path, &data))
        return NAN;
    switch (data.type) {
    case MMDB_DATA_TYPE_DOUBLE:
        return data.double_value;
    case MMDB_DATA_TYPE_FLOAT:
        return (double)data.float_value;
    case MMDB_DATA_TYPE_UINT16:
        return data.uint16;
    case MMDB_DATA_TYPE_UINT32:
        return data.uint32;
    case MMDB_DATA_TYPE_UINT64:
        return (double)data.uint64;
    case MMDB_DATA_TYPE_INT32:
        return data.int32;
    case MMDB_DATA_TYPE_BOOLEAN:
        return data.boolean ? 1 : 0;
    case MMDB_DATA_TYPE_UTF8_STRING:
        return record_number(data.utf8_string, data.data_size);
    default:
        return NAN;
    }
}

/* The country may be a code or, in one schema, a full name, which does not count. */
static void get_country(const MMDB_entry_s *entry, enum schema schema, struct record *out)
{
    MMDB_entry_data_s data;
    for (size_t path = 0; !out->country[0] && next_value(entry, schema, COUNTRY, "", &path, &data);)
        if (data.type == MMDB_DATA_TYPE_UTF8_STRING)
            record_set_country(out, data.utf8_string, data.data_size);
}

static enum schema schema_of(const MMDB_entry_s *record)
{
    MMDB_entry_data_s data;
    static const char *const city[PATH_STEPS] = {"city"};
    return get(record, city, "", &data) && data.type == MMDB_DATA_TYPE_MAP ? NESTED : FLAT;
}

static void read_record(const MMDB_entry_s *entry, const char *language, struct record *out)
{
    enum schema schema = schema_of(entry);
    get_text(entry, schema, CITY, language, out->city, sizeof out->city);
    if (strcmp(language, "en") != 0)
        get_text(entry, schema, CITY_LOCAL, language, out->city_local, sizeof out->city_local);
    get_text(entry, schema, REGION, language, out->region, sizeof out->region);
    get_text(entry, schema, TIMEZONE, language, out->timezone, sizeof out->timezone);
    get_country(entry, schema, out);
    record_set_point(out, get_number(entry, schema, LATITUDE), get_number(entry, schema, LONGITUDE));
    double radius = get_number(entry, schema, RADIUS);
    out->radius_km = radius >= 0 ? radius : -1;
    out->anycast = get_number(entry, schema, ANYCAST) == 1;
}

bool mmdb_find(const struct mmdb *db, const struct address *address, const char *language, struct record *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = address->family == ADDRESS_V4;
    int status;
    memcpy(&v4.sin_addr, address->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(
        &db->file, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &status);
    if (status != MMDB_SUCCESS || !result.found_entry)
        return false;
    *out = (struct record){0};
    bool mapped = is_v4 && db->file.metadata.ip_version == 6 && result.netmask >= 96;
    out->prefix_bits = (unsigned)result.netmask - (mapped ? 96 : 0);
    read_record(&result.entry, language, out);
    return true;
}
