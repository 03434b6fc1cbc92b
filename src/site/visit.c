#include "site/visit.h"

#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOPBACK "127.0.0.1"

/* A query as far as it is read. */
struct query {
    const struct visit_rules *rules;
    const struct http_request *request;
    struct visit *visit;
    struct visit_notes *notes;
    const char *refusal; /* why this client may fake nothing; NULL: it may */
    char *header;        /* room for a supposed forwarding header; NULL: there is nothing to suppose */
    bool has_header;     /* it was given */
    /* What is faked, which counts once all is read. */
    struct address ip; /* ADDRESS_NONE: not given */
    struct scenario scenario;
    int64_t at_s; /* negative: not given */
    bool applied;
};

/* Reads the value of a parameter. NULL when it counts, else why it is ignored, in our words. */
typedef const char *parameter_reader(struct query *, const struct http_parameter *);

static parameter_reader read_lang, read_units, read_show, read_ip, read_place, read_at, read_scenario,
    read_header, read_own;

static const char *const parameter_names[] = {"lang",     "units",  "show", "ip", "place",   "at",
                                              "scenario", "header", "cell", "q",  "country", "parameter"};
static parameter_reader *const parameter_readers[] = {
    read_lang,     read_units,  read_show, read_ip,  read_place, read_at,
    read_scenario, read_header, read_own,  read_own, read_own,
};
#define PARAMETERS \
    (sizeof parameter_readers / sizeof parameter_readers[0]) /* the last name is for all others */

static struct metric ignored_total =
    COUNTER("masthead_http_ignored_parameters_total", "Query parameters that did not count, by name.",
            .labels = {{"parameter", parameter_names, PARAMETERS + 1}}, .sparse = true);

void visit_register(void)
{
    metrics_register(&ignored_total, 1, NULL);
}

static const char *read_lang(struct query *query, const struct http_parameter *parameter)
{
    query->visit->language = language_find(parameter->value, strlen(parameter->value));
    return query->visit->language ? NULL : "not known";
}

static const char *read_units(struct query *query, const struct http_parameter *parameter)
{
    static const char *const names[] = {
        [UNITS_CELSIUS] = "c", [UNITS_FAHRENHEIT] = "f", [UNITS_AUTO] = "auto"};
    size_t units = 0;
    while (units <= UNITS_AUTO && strcasecmp(parameter->value, names[units]) != 0)
        units++;
    if (units > UNITS_AUTO)
        return "not c, f or auto";
    query->visit->units = (enum units)units;
    return NULL;
}

/* A list, with commas or spaces. */
static const char *read_show(struct query *query, const struct http_parameter *parameter)
{
    const char *value = parameter->value;
    bool icon = false, condition = false;
    while (*value) {
        size_t length = strcspn(value, ", ");
        if (length == 4 && strncmp(value, "icon", length) == 0)
            icon = true;
        else if (length == 9 && strncmp(value, "condition", length) == 0)
            condition = true;
        else if (length > 0)
            return "not a list of icon and condition";
        value += length + (value[length] != '\0');
    }
    query->visit->icon = icon;
    query->visit->condition = condition;
    return NULL;
}

/* The resolved client decides, not the peer: behind a proxy on this machine every peer is local. */
static const char *refusal(const struct visit_rules *rules, const struct http_request *request,
                           const struct visit *resolved)
{
    if (!rules->dev)
        return "not in developer mode";
    if (!network_set_contains(&rules->dev_from, &resolved->address))
        return "client not in dev.from";
    return http_host_allowed(request, &rules->hosts) ? NULL : "host not in server.hosts";
}

static const char *read_ip(struct query *query, const struct http_parameter *parameter)
{
    if (query->refusal && !query->header)
        return query->refusal;
    return address_parse(parameter->value, strlen(parameter->value), &query->ip) ? NULL : "not an address";
}

static const char *read_header(struct query *query, const struct http_parameter *parameter)
{
    if (!query->header)
        return "not known";
    query->has_header = http_parameter_value(parameter, query->header, VISIT_HEADER_BYTES);
    return query->has_header ? NULL : "longer than any header, or not one";
}

static const char *read_scenario(struct query *query, const struct http_parameter *parameter)
{
    const char *why = query->refusal ? query->refusal : scenario_read(parameter->value, &query->scenario);
    query->applied = query->applied || !why;
    return why;
}

static const char *read_at(struct query *query, const struct http_parameter *parameter)
{
    int64_t at_s;
    if (query->refusal)
        return query->refusal;
    if (!clock_parse(parameter->value, &at_s) || at_s < 0)
        return "not an instant such as " SCENARIO_AT;
    query->at_s = at_s;
    query->applied = true;
    return NULL;
}

static const char *read_place(struct query *query, const struct http_parameter *parameter)
{
    const char *value = parameter->value;
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > 10 || value[digits] != '\0')
        return "not an id";
    query->visit->choice = strtoll(value, NULL, 10);
    return query->visit->choice > 0 ? NULL : "not an id";
}

/* A parameter of the path's own, which its handler reads. */
static const char *read_own(struct query *query, const struct http_parameter *parameter)
{
    const char *path = query->request->path;
    (void)parameter;
    bool has_own = strcmp(path, "/weather.json") == 0 || strcmp(path, "/places.json") == 0;
    return has_own ? NULL : "not known";
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

static void read_query(struct query *query)
{
    bool seen[PARAMETERS] = {false};
    const char *rest = query->request->query;
    struct http_parameter parameter;
    query->notes->ignored = text_init(query->notes->storage, sizeof query->notes->storage);
    while (http_next_parameter(&rest, &parameter)) {
        size_t i = parameter_index(parameter.name);
        const char *reason = "not known";
        if (i < PARAMETERS) {
            reason = seen[i] ? "given twice" : parameter_readers[i](query, &parameter);
            seen[i] = true;
        }
        if (reason)
            visit_ignore(query->notes, parameter.name, reason);
    }
    if (query->scenario.reader && (query->ip.family != ADDRESS_NONE || query->has_header)) {
        visit_ignore(query->notes, "scenario", "its reader gives way to the address given");
        query->scenario.reader = NULL;
    }
}

/* Turns the visit into what the scenario says: who asks, if it says so, when, and what is behind the weather.
 */
static void stage(const struct scenario *scenario, int64_t at_s, struct visit *visit)
{
    _Static_assert(SCENARIO_NEVER == WEATHER_NEVER, "the age is handed on as it is");
    const struct scenario_fault *fault = scenario_fault_of(scenario);
    int64_t at_ms = 1000 * (at_s < 0 ? scenario_at_s(scenario) : at_s);
    visit->now = (struct instant){.wall_ms = at_ms, .boot_ms = at_ms};
    visit->simulated = true;
    visit->scenario = (struct weather_scenario){.age_s = fault->age_s, .retry_s = fault->retry_s};
    if (!scenario->reader)
        return;
    address_parse(scenario->reader->address, strlen(scenario->reader->address), &visit->address);
    visit->placed = false;
}

/* Makes the visit what the query says, or the usual scenario where it names none. */
static void fake(struct query *query)
{
    const struct scenario *usual = &query->rules->scenario;
    struct scenario *scenario = &query->scenario;
    bool ip = query->ip.family != ADDRESS_NONE;
    if (!scenario->reader && !scenario->fault && (usual->reader || usual->fault)) {
        query->applied = true;
        *scenario = *usual;
        if (ip || query->refusal)
            scenario->reader = NULL;
    }
    if (query->applied)
        stage(scenario, query->at_s, query->visit);
    if (ip) {
        query->visit->address = query->ip;
        query->visit->placed = false;
    }
    query->notes->overridden = ip || query->applied;
    query->notes->scenario = *scenario;
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
        text_sanitize(city, strlen(city), record->city, sizeof record->city);
    record_set_country(record, values[COUNTRY], strlen(values[COUNTRY]));
    record_set_point(record, record_number(values[LATITUDE], strlen(values[LATITUDE])),
                     record_number(values[LONGITUDE], strlen(values[LONGITUDE])));
}

static void find_client(const struct origin *origin, struct visit *visit)
{
    struct client_trace unread;
    visit->address = client_find(origin->options, &origin->peer, origin->lines, origin->line_count, &unread);
}

static void read_origin(const struct visit_rules *rules, const struct http_request *request,
                        struct origin *out, struct visit *visit)
{
    out->options = &rules->client;
    out->peer = request->peer;
    out->line_count = http_header(request, rules->client.header, out->lines, ORIGIN_LINES);
    find_client(out, visit);
}

/* Puts what the query supposes in the place of where the request comes from, if it supposes anything. */
static void suppose(struct query *query, struct origin *origin)
{
    const struct scenario_reader *reader = query->scenario.reader;
    const char *header = query->has_header ? query->header : NULL;
    struct address peer = query->ip;
    if (!reader && !header && peer.family == ADDRESS_NONE)
        return;
    if (reader && !address_parse(reader->address, strlen(reader->address), &peer))
        header = "unknown"; /* no address can be read from it */
    if (peer.family == ADDRESS_NONE)
        address_parse(LOOPBACK, strlen(LOOPBACK), &peer);
    origin->peer = peer;
    origin->lines[0] = header;
    origin->line_count = header != NULL;
    find_client(origin, query->visit);
    query->visit->placed = false;
    query->ip = (struct address){.family = ADDRESS_NONE};
}

void visit_parse_hypothetical(const struct visit_rules *rules, const struct http_request *request,
                              char header[VISIT_HEADER_BYTES], struct origin *origin, struct visit *visit,
                              struct visit_notes *notes)
{
    struct query query = {
        .rules = rules, .request = request, .visit = visit, .notes = notes, .header = header, .at_s = -1};
    *visit = (struct visit){.now = clock_now(), .units = (enum units)rules->units};
    read_origin(rules, request, origin, visit);
    read_place_headers(rules, request, visit);
    query.refusal = header && rules->dev ? NULL : refusal(rules, request, visit);
    read_query(&query);
    if (header) {
        suppose(&query, origin);
        query.refusal = refusal(rules, request, visit);
    }
    fake(&query);
}

void visit_read(const struct visit_rules *rules, const struct http_request *request, struct visit *visit,
                struct visit_notes *notes)
{
    struct origin origin;
    visit_parse_hypothetical(rules, request, NULL, &origin, visit, notes);
}

const char *visit_refusal(const struct visit_rules *rules, const struct http_request *request)
{
    struct origin origin;
    struct visit visit;
    read_origin(rules, request, &origin, &visit);
    return refusal(rules, request, &visit);
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
