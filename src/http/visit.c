#include "http/visit.h"

#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_LINES 64 /* as many as a request can have */

/* What a reader of a parameter says: NULL when it counts, else why it is ignored, in our words. */
typedef const char *parameter_reader(const struct visit_rules *, const struct http_request *,
                                     const char *value, struct visit *, struct visit_notes *);

static parameter_reader read_lang, read_units, read_show, read_ip, read_place, read_own, read_not_built_in;

static const char *const parameter_names[] = {"lang",     "units", "show", "ip",      "place",    "at",
                                              "scenario", "cell",  "q",    "country", "parameter"};
static parameter_reader *const parameter_readers[] = {
    read_lang,         read_units,        read_show, read_ip,  read_place,
    read_not_built_in, read_not_built_in, read_own,  read_own, read_own,
};
#define PARAMETERS \
    (sizeof parameter_readers / sizeof parameter_readers[0]) /* the last name is for all others */

static struct metric ignored_total = {
    .name = "masthead_http_ignored_parameters_total",
    .help = "Query parameters that did not count, by name.",
    .type = METRIC_COUNTER,
    .labels = {{"parameter", parameter_names, PARAMETERS + 1}},
    .sparse = true,
};

void visit_register(void)
{
    metrics_register(&ignored_total, 1, NULL);
}

static const char *read_lang(const struct visit_rules *rules, const struct http_request *request,
                             const char *value, struct visit *visit, struct visit_notes *notes)
{
    (void)rules, (void)request, (void)notes;
    visit->language = language_find(value, strlen(value));
    return visit->language ? NULL : "not known";
}

static const char *read_units(const struct visit_rules *rules, const struct http_request *request,
                              const char *value, struct visit *visit, struct visit_notes *notes)
{
    static const struct {
        const char *name;
        enum units units;
    } names[] = {{"c", UNITS_CELSIUS}, {"f", UNITS_FAHRENHEIT}, {"auto", UNITS_AUTO}};
    (void)rules, (void)request, (void)notes;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(value, names[i].name) == 0) {
            visit->units = names[i].units;
            return NULL;
        }
    }
    return "not c, f or auto";
}

/* A list, with commas or spaces. */
static const char *read_show(const struct visit_rules *rules, const struct http_request *request,
                             const char *value, struct visit *visit, struct visit_notes *notes)
{
    (void)rules, (void)request, (void)notes;
    while (*value) {
        size_t length = strcspn(value, ", ");
        if (length == 4 && strncmp(value, "icon", length) == 0)
            visit->icon = true;
        else if (length == 9 && strncmp(value, "condition", length) == 0)
            visit->condition = true;
        else if (length > 0)
            return "not a list of icon and condition";
        value += length + (value[length] != '\0');
    }
    return NULL;
}

/* The resolved client decides, not the peer: behind a proxy on this machine every peer is local. */
static const char *read_ip(const struct visit_rules *rules, const struct http_request *request,
                           const char *value, struct visit *visit, struct visit_notes *notes)
{
    struct address address;
    if (!rules->dev)
        return "not in developer mode";
    if (!visit->readable || !network_set_contains(&rules->dev_from, &visit->address))
        return "client not in dev.from";
    if (!http_host_allowed(request, &rules->hosts))
        return "host not in server.hosts";
    if (!address_parse(value, strlen(value), &address))
        return "not an address";
    visit->address = address;
    visit->placed = false;
    notes->faked = true;
    return NULL;
}

static const char *read_place(const struct visit_rules *rules, const struct http_request *request,
                              const char *value, struct visit *visit, struct visit_notes *notes)
{
    (void)rules, (void)request, (void)notes;
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > 10 || value[digits] != '\0')
        return "not an id";
    visit->choice = strtoll(value, NULL, 10);
    return visit->choice > 0 ? NULL : "not an id";
}

/* A parameter of the path's own, which its handler reads. */
static const char *read_own(const struct visit_rules *rules, const struct http_request *request,
                            const char *value, struct visit *visit, struct visit_notes *notes)
{
    (void)rules, (void)value, (void)visit, (void)notes;
    bool has_own = strcmp(request->path, "/weather.json") == 0 || strcmp(request->path, "/places.json") == 0;
    return has_own ? NULL : "not known";
}

static const char *read_not_built_in(const struct visit_rules *rules, const struct http_request *request,
                                     const char *value, struct visit *visit, struct visit_notes *notes)
{
    (void)rules, (void)request, (void)value, (void)visit, (void)notes;
    return "not known to this version";
}

static size_t parameter_index(const char *name)
{
    size_t i = 0;
    while (i < PARAMETERS && strcmp(name, parameter_names[i]) != 0)
        i++;
    return i;
}

void visit_ignore(struct visit_notes *notes, const char *parameter, const char *reason)
{
    size_t i = parameter_index(parameter);
    metric_add(&ignored_total, i, 0);
    if (notes->ignored.overflow)
        return;
    size_t before = notes->ignored.length;
    text_format(&notes->ignored, "%s%s; %s", notes->ignored.length > 0 ? ", " : "", parameter_names[i],
                reason);
    if (notes->ignored.overflow) {
        notes->ignored.length = before;
        notes->ignored.bytes[before] = '\0';
    }
}

static void read_query(const struct visit_rules *rules, const struct http_request *request,
                       struct visit *visit, struct visit_notes *notes)
{
    bool seen[PARAMETERS] = {false};
    const char *query = request->query;
    struct http_parameter parameter;
    while (http_next_parameter(&query, &parameter)) {
        size_t i = parameter_index(parameter.name);
        const char *reason = "not known";
        if (i < PARAMETERS) {
            reason =
                seen[i] ? "given twice" : parameter_readers[i](rules, request, parameter.value, visit, notes);
            seen[i] = true;
        }
        if (reason)
            visit_ignore(notes, parameter.name, reason);
    }
}

/* Reads the headers in which a proxy or CDN says where the reader is. City names come percent-encoded or as
 * UTF-8. */
static void read_place_headers(const struct visit_rules *rules, const struct http_request *request,
                               struct visit *visit)
{
    enum { CITY, COUNTRY, LATITUDE, LONGITUDE, HEADERS };
    const char *values[HEADERS];
    char city[RECORD_TEXT_BYTES];
    struct record *record = &visit->record;
    if (rules->place_headers.count != HEADERS ||
        !network_set_contains(&rules->client.trusted_proxies, &request->peer))
        return;
    for (size_t i = 0; i < HEADERS; i++) {
        size_t lines = http_header(request, rules->place_headers.names[i], &values[i], 1);
        if (lines != 1)
            values[i] = "";
        visit->placed = visit->placed || lines > 0;
    }
    *record = (struct record){.radius_km = -1};
    if (http_decode(values[CITY], city, sizeof city))
        text_clean(city, strlen(city), record->city, sizeof record->city);
    record_set_country(record, values[COUNTRY], strlen(values[COUNTRY]));
    record_set_point(record, record_number(values[LATITUDE], strlen(values[LATITUDE])),
                     record_number(values[LONGITUDE], strlen(values[LONGITUDE])));
}

void visit_read(const struct visit_rules *rules, const struct http_request *request, struct visit *visit,
                struct visit_notes *notes)
{
    const char *lines[HEADER_LINES];
    size_t count = http_header(request, rules->client.header, lines, HEADER_LINES);
    *visit = (struct visit){.now = clock_now(), .units = (enum units)rules->units};
    visit->readable =
        client_find(&rules->client, &request->peer, lines, count, &visit->address) == CLIENT_FOUND;
    read_place_headers(rules, request, visit);
    notes->faked = false;
    notes->ignored = text_over(notes->storage, sizeof notes->storage);
    read_query(rules, request, visit, notes);
}

const char *visit_parameter(const struct http_request *request, const char *name,
                            struct http_parameter *storage)
{
    const char *query = request->query;
    while (http_next_parameter(&query, storage))
        if (strcmp(storage->name, name) == 0)
            return storage->value;
    return "";
}
