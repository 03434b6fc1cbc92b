#include "place/mmdb.h"

#include "base/text.h"

#include <math.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLED_TYPE    "Masthead-" /* see data/visitors.pl */
#define PATH_STEPS      5
#define NAME_LANGUAGE   ((const char *)1) /* in a path: the asked language */
#define RECORD_PATHS    3
#define TYPE_BYTES      64
#define RADIUS_SEARCHED ((size_t)1 << 20)
#define V4_BITS         32
#define V6_BITS         128
#define V4_DEPTH        96 /* of the node in a tree of both families where IPv4 begins */
#define WALK_NODE_SHARE 4  /* how often a node may be met, on average; a sound tree leads to each once */
#define WALK_NODES_MIN  65536

struct mmdb {
    MMDB_s file;
    struct mmdb_facts facts;
};

/* The paths to each field, by schema; the first that exists counts. `city` tells the two families of schema
 * apart: a map of names (GeoIP2, GeoLite2, DB-IP) or a plain string, if anything (ip-location-db, IPinfo in
 * both schemas, country-only). */
enum field { CITY, CITY_LOCAL, REGION, COUNTRY, LATITUDE, LONGITUDE, RADIUS, TIMEZONE, ANYCAST, ASN, FIELDS };
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
    [ASN] = {[FLAT] = {{"autonomous_system_number"}, {"asn"}}},
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

/* Whether the records' keys name a radius. A key stands in full where it is first used, and in the first
 * records all keys are. */
static bool find_radii(const MMDB_s *file)
{
    static const char key[] = "radius";
    size_t size = file->data_section_size < RADIUS_SEARCHED ? file->data_section_size : RADIUS_SEARCHED;
    return memmem(file->data_section, size, key, strlen(key)) != NULL;
}

struct mmdb *mmdb_map(const char *path, char error[PLACE_ERROR_BYTES])
{
    struct mmdb *db = calloc(1, sizeof *db);
    int status = db ? MMDB_open(path, MMDB_MODE_MMAP, &db->file) : MMDB_OUT_OF_MEMORY_ERROR;
    if (!db || status != MMDB_SUCCESS) {
        snprintf(error, PLACE_ERROR_BYTES, "%s", MMDB_strerror(status));
        free(db);
        return NULL;
    }
    const MMDB_metadata_s *metadata = &db->file.metadata;
    db->facts.built_s = (int64_t)metadata->build_epoch;
    db->facts.type = metadata->database_type ? metadata->database_type : "";
    db->facts.ages = strncmp(db->facts.type, BUNDLED_TYPE, strlen(BUNDLED_TYPE)) != 0;
    return db;
}

struct mmdb *mmdb_open(int fd, const char *path, char error[PLACE_ERROR_BYTES])
{
    char behind[64];
    snprintf(behind, sizeof behind, "/proc/self/fd/%d", fd);
    struct mmdb *db = mmdb_map(behind, error); /* the mapping outlives the descriptor */
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

bool mmdb_equal(const struct mmdb *a, const struct mmdb *b)
{
    return a->file.file_size == b->file.file_size &&
           memcmp(a->file.file_content, b->file.file_content, (size_t)a->file.file_size) == 0;
}

const struct mmdb_facts *mmdb_facts(const struct mmdb *db)
{
    return &db->facts;
}

void mmdb_add_type(const struct mmdb *db, char error[PLACE_ERROR_BYTES])
{
    char type[TYPE_BYTES];
    size_t length = strlen(error);
    text_sanitize(db->facts.type, strlen(db->facts.type), type, sizeof type);
    if (type[0])
        snprintf(error + length, PLACE_ERROR_BYTES - length, " (its type is %s)", type);
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

static double number_of(const MMDB_entry_data_s *data)
{
    switch (data->type) {
    case MMDB_DATA_TYPE_DOUBLE:
        return data->double_value;
    case MMDB_DATA_TYPE_FLOAT:
        return (double)data->float_value;
    case MMDB_DATA_TYPE_UINT16:
        return data->uint16;
    case MMDB_DATA_TYPE_UINT32:
        return data->uint32;
    case MMDB_DATA_TYPE_UINT64:
        return (double)data->uint64;
    case MMDB_DATA_TYPE_INT32:
        return data->int32;
    case MMDB_DATA_TYPE_BOOLEAN:
        return data->boolean ? 1 : 0;
    case MMDB_DATA_TYPE_UTF8_STRING:
        return record_number(data->utf8_string, data->data_size);
    default:
        return NAN;
    }
}

static double get_number(const MMDB_entry_s *record, enum schema schema, enum field field)
{
    MMDB_entry_data_s data;
    size_t path = 0;
    return next_value(record, schema, field, "", &path, &data) ? number_of(&data) : NAN;
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

/* Finds the entry of an address, and the length of its network in the tree. */
static bool find_entry(const struct mmdb *db, const struct address *address, MMDB_lookup_result_s *result)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int status;
    memcpy(&v4.sin_addr, address->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
    bool is_v4 = address->family == ADDRESS_V4;
    *result = MMDB_lookup_sockaddr(
        &db->file, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &status);
    return status == MMDB_SUCCESS && result->found_entry;
}

bool mmdb_locate(const struct mmdb *db, const struct address *address, uint32_t *record,
                 unsigned *prefix_bits)
{
    MMDB_lookup_result_s result;
    if (!find_entry(db, address, &result))
        return false;
    unsigned bits = result.netmask;
    unsigned before = address->family == ADDRESS_V4 && db->file.metadata.ip_version == 6 ? V4_DEPTH : 0;
    *prefix_bits = bits > before ? bits - before : 0; /* 0 also where all of IPv4 has one record */
    *record = result.entry.offset;
    return true;
}

void mmdb_record(const struct mmdb *db, uint32_t record, const char *language, struct record *out)
{
    MMDB_entry_s entry = {&db->file, record};
    *out = (struct record){0};
    read_record(&entry, language, out);
}

bool mmdb_find(const struct mmdb *db, const struct address *address, const char *language, struct record *out)
{
    uint32_t record;
    unsigned prefix_bits;
    if (!mmdb_locate(db, address, &record, &prefix_bits))
        return false;
    mmdb_record(db, record, language, out);
    out->prefix_bits = prefix_bits;
    return true;
}

/* The number in a text such as "AS55836", as the databases of IPinfo have it; NaN where it is none. */
static double number_of_text(const char *bytes, size_t count)
{
    size_t before = count > 2 && memcmp(bytes, "AS", 2) == 0 ? 2 : 0;
    return record_number(bytes + before, count - before);
}

static bool read_asn(const MMDB_entry_s *entry, uint32_t *asn)
{
    MMDB_entry_data_s data;
    size_t path = 0;
    if (!next_value(entry, FLAT, ASN, "", &path, &data))
        return false;
    double number = data.type == MMDB_DATA_TYPE_UTF8_STRING ? number_of_text(data.utf8_string, data.data_size)
                                                            : number_of(&data);
    *asn = number >= 1 && number <= UINT32_MAX ? (uint32_t)number : 0;
    return *asn != 0;
}

bool mmdb_find_asn(const struct mmdb *db, const struct address *address, uint32_t *asn)
{
    MMDB_lookup_result_s result;
    return find_entry(db, address, &result) && read_asn(&result.entry, asn);
}

/* --- All of a database --- */

/* A part of the search tree that is yet to be walked. */
struct branch {
    uint8_t type;
    uint32_t node, record; /* by its type */
    unsigned bits;         /* the length of its prefix, which is its base */
    uint64_t base;
};

struct walk {
    const MMDB_s *file;
    mmdb_visitor *visit;
    void *context;
    enum address_family family;
    unsigned width;                      /* of a base */
    uint64_t steps_left;                 /* a damaged tree may lead to one node again and again */
    struct branch branches[V6_BITS + 2]; /* depth first, the lower half on top */
    size_t count;
};

static bool damaged(char error[PLACE_ERROR_BYTES])
{
    snprintf(error, PLACE_ERROR_BYTES, "its search tree is damaged");
    return false;
}

static bool walk_node(struct walk *walk, const struct branch *at, char error[PLACE_ERROR_BYTES])
{
    MMDB_search_node_s node;
    if (at->bits >= (walk->family == ADDRESS_V4 ? V4_BITS : V6_BITS) || walk->steps_left == 0 ||
        MMDB_read_node(walk->file, at->node, &node) != MMDB_SUCCESS)
        return damaged(error);
    walk->steps_left--;
    uint64_t half = at->bits < walk->width ? UINT64_C(1) << (walk->width - at->bits - 1) : 0;
    walk->branches[walk->count++] =
        (struct branch){node.right_record_type, (uint32_t)node.right_record, node.right_record_entry.offset,
                        at->bits + 1, at->base + half};
    walk->branches[walk->count++] = (struct branch){node.left_record_type, (uint32_t)node.left_record,
                                                    node.left_record_entry.offset, at->bits + 1, at->base};
    return true;
}

static bool walk_branch(struct walk *walk, const struct branch *at, char error[PLACE_ERROR_BYTES])
{
    const MMDB_ipv4_start_node_s *start = &walk->file->ipv4_start_node;
    switch (at->type) {
    case MMDB_RECORD_TYPE_EMPTY:
        return true;
    case MMDB_RECORD_TYPE_SEARCH_NODE:
        if (walk->family == ADDRESS_V6 && start->netmask == V4_DEPTH && start->node_value == at->node)
            return true;
        return walk_node(walk, at, error);
    case MMDB_RECORD_TYPE_DATA:
        return walk->visit(walk->context,
                           &(struct mmdb_network){walk->family, at->base, at->bits, at->record}, error);
    default:
        return damaged(error);
    }
}

/* Walks one family from the node where its addresses begin. */
static bool walk_family(struct walk *walk, uint32_t node, char error[PLACE_ERROR_BYTES])
{
    walk->count = 0;
    walk->width = walk->family == ADDRESS_V4 ? V4_BITS : V6_BITS / 2;
    walk->branches[walk->count++] = (struct branch){.type = MMDB_RECORD_TYPE_SEARCH_NODE, .node = node};
    while (walk->count > 0) {
        struct branch next = walk->branches[--walk->count];
        if (!walk_branch(walk, &next, error))
            return false;
    }
    return true;
}

bool mmdb_walk(const struct mmdb *db, mmdb_visitor *visit, void *context, char error[PLACE_ERROR_BYTES])
{
    const MMDB_metadata_s *metadata = &db->file.metadata;
    const MMDB_ipv4_start_node_s *start = &db->file.ipv4_start_node;
    struct walk walk = {.file = &db->file, .visit = visit, .context = context, .family = ADDRESS_V4};
    walk.steps_left = (uint64_t)metadata->node_count * WALK_NODE_SHARE + WALK_NODES_MIN;
    bool is_v6 = metadata->ip_version == 6;
    bool has_v4 = !is_v6 || (start->netmask == V4_DEPTH && start->node_value < metadata->node_count);
    if (has_v4 && !walk_family(&walk, is_v6 ? start->node_value : 0, error))
        return false;
    walk.family = ADDRESS_V6;
    return !is_v6 || walk_family(&walk, 0, error);
}

bool mmdb_record_asn(const struct mmdb *db, uint32_t record, uint32_t *asn)
{
    MMDB_entry_s entry = {&db->file, record};
    return read_asn(&entry, asn);
}

void mmdb_record_point(const struct mmdb *db, uint32_t record, struct record *out)
{
    MMDB_entry_s entry = {&db->file, record};
    enum schema schema = schema_of(&entry);
    *out = (struct record){0};
    get_text(&entry, schema, CITY, "en", out->city, sizeof out->city);
    record_set_point(out, get_number(&entry, schema, LATITUDE), get_number(&entry, schema, LONGITUDE));
}

bool mmdb_decodes(const struct mmdb *db, uint32_t record, char error[PLACE_ERROR_BYTES])
{
    MMDB_entry_s entry = {&db->file, record};
    MMDB_entry_data_list_s *list = NULL;
    int status = MMDB_get_entry_data_list(&entry, &list);
    MMDB_free_entry_data_list(list);
    if (status != MMDB_SUCCESS)
        snprintf(error, PLACE_ERROR_BYTES, "a record cannot be decoded: %s", MMDB_strerror(status));
    return status == MMDB_SUCCESS;
}
