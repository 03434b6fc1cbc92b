#include "site/visit.h"

#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOPBACK "127.0.0.1"

/* A query while it is read. Overrides take effect when all of it is read. */
struct query {
    const struct visit_rules *rules;
    const struct http_request *request;
    struct visit_request *out;
    const char *refusal;    /* why `scenario=` and `at=` do not count; NULL: they do */
    const char *ip_refusal; /* the same for `ip=` */
    char *header;           /* storage for `header=`; NULL: it is no parameter */
    bool has_header;        /* it was read */
    struct address ip;      /* ADDRESS_NONE: not given */
    int64_t at_s;           /* negative: not given */
    bool applied;           /* `scenario=` or `at=` counts */
};

/* The readers return NULL when the parameter counts, else why it is ignored, a static string. */

static const char *read_lang(struct query *query, const struct http_parameter *parameter)
{
    query->out->visit.language = language_find(parameter->value, strlen(parameter->value));
    return query->out->visit.language ? NULL : "not known";
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
    query->out->visit.units = (enum units)units;
    return NULL;
}

/* A list with commas or spaces, of which a word that is not known is ignored. */
static const char *read_show(struct query *query, const struct http_parameter *parameter)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {{"icon", WIDGET_ICON},
                 {"condition", WIDGET_CONDITION},
                 {"feels", WIDGET_FEELS},
                 {"range", WIDGET_RANGE},
                 {"rain", WIDGET_RAIN}};
    bool all = true;
    for (const char *value = parameter->value; *value; value += strspn(value, ", ")) {
        size_t length = strcspn(value, ", "), i = 0;
        while (i < sizeof known / sizeof known[0] &&
               (strncmp(known[i].name, value, length) != 0 || known[i].name[length]))
            i++;
        if (i < sizeof known / sizeof known[0])
            query->out->visit.show |= known[i].bit;
        else
            all = all && length == 0;
        value += length;
    }
    return all ? NULL : "a word is not icon, condition, feels, range or rain";
}

static const char *read_ip(struct query *query, const struct http_parameter *parameter)
{
    if (query->ip_refusal)
        return query->ip_refusal;
    return address_parse(parameter->value, strlen(parameter->value), &query->ip) ? NULL : "not an address";
}

static const char *read_header(struct query *query, const struct http_parameter *parameter)
{
    if (!query->header)
        return "not known";
    query->has_header =
        http_decode(parameter->raw, parameter->raw_length, true, query->header, VISIT_HEADER_BYTES);
    return query->has_header ? NULL : "longer than any header, or not one";
}

static const char *read_scenario(struct query *query, const struct http_parameter *parameter)
{
    struct scenario *scenario = &query->out->scenario;
    const char *reason = query->refusal ? query->refusal : scenario_read(parameter->value, scenario);
    query->applied = query->applied || !reason;
    return reason;
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
    query->out->visit.choice = strtoll(value, NULL, 10);
    return query->out->visit.choice > 0 ? NULL : "not an id";
}

/* A parameter that only some paths have; their handlers read it. */
static const char *read_own(struct query *query, const struct http_parameter *parameter)
{
    const char *path = query->request->path;
    (void)parameter;
    bool has_own = strcmp(path, "/weather.json") == 0 || strcmp(path, "/places.json") == 0;
    return has_own ? NULL : "not known";
}

typedef const char *parameter_reader(struct query *, const struct http_parameter *);

static const char *const parameter_names[] = {"lang",    "units",    "show",     "ip",   "place",
                                              "at",      "scenario", "header",   "cell", "q",
                                              "country", "near",     "parameter"};
static parameter_reader *const parameter_readers[] = {read_lang,  read_units, read_show,     read_ip,
                                                      read_place, read_at,    read_scenario, read_header,
                                                      read_own,   read_own,   read_own,      read_own};
/* The last name stands for all others. */
#define PARAMETERS (sizeof parameter_readers / sizeof parameter_readers[0])
_Static_assert(sizeof parameter_names / sizeof parameter_names[0] == PARAMETERS + 1,
               "a name for each reader");

static struct metric ignored_total =
    COUNTER("masthead_http_ignored_parameters_total", "Query parameters that did not count, by name.",
            .labels = {{"parameter", parameter_names, PARAMETERS + 1}}, .sparse = true);

void visit_register(void)
{
    metrics_register(&ignored_total, 1, NULL);
}

static size_t parameter_index(const char *name)
{
    size_t i = 0;
    while (i < PARAMETERS && strcmp(name, parameter_names[i]) != 0)
        i++;
    return i;
}

void visit_ignore(struct visit_request *request, const char *parameter, const char *reason)
{
    struct text *ignored = &request->ignored;
    size_t i = parameter_index(parameter), before = ignored->length;
    metric_add(&ignored_total, i, 0);
    if (ignored->overflow)
        return;
    text_format(ignored, "%s%s; %s", before > 0 ? ", " : "", parameter_names[i], reason);
    if (ignored->overflow) {
        ignored->length = before;
        ignored->bytes[before] = '\0';
    }
}

static void read_query(struct query *query)
{
    bool seen[PARAMETERS] = {false};
    struct visit_request *out = query->out;
    const char *rest = query->request->query;
    struct http_parameter parameter;
    out->overridden = false;
    out->scenario = (struct scenario){.reader = NULL};
    out->ignored = text_init(out->storage, sizeof out->storage);
    while (http_next_parameter(&rest, &parameter)) {
        size_t i = parameter_index(parameter.name);
        const char *reason = "not known";
        if (i < PARAMETERS) {
            reason = seen[i] ? "given twice" : parameter_readers[i](query, &parameter);
            seen[i] = true;
        }
        if (reason)
            visit_ignore(out, parameter.name, reason);
    }
    if (out->scenario.reader && (query->ip.family != ADDRESS_NONE || query->has_header)) {
        visit_ignore(out, "scenario", "its reader gives way to the address given");
        out->scenario.reader = NULL;
    }
}

static void set_address(struct visit *visit, const struct address *address)
{
    visit->address = *address;
    visit->placed = false; /* a proxy's headers tell the place of another address */
}

/* Makes the visit what the scenario and the instant say. Where the query says neither, the rules' scenario
 * counts, whose reader needs `reader_allowed`. */
static void apply_scenario(struct query *query, bool reader_allowed)
{
    _Static_assert(SCENARIO_NEVER == WEATHER_NEVER, "ages are passed on unchanged");
    const struct scenario *usual = &query->rules->scenario;
    struct scenario *scenario = &query->out->scenario;
    struct visit *visit = &query->out->visit;
    if (!scenario->reader && !scenario->fault && (usual->reader || usual->fault)) {
        *scenario = (struct scenario){reader_allowed ? usual->reader : NULL, usual->fault};
        query->applied = true;
    }
    if (!query->applied)
        return;
    const struct scenario_fault *fault = scenario->fault;
    int64_t at_ms = 1000 * (query->at_s < 0 ? scenario_at_s(scenario) : query->at_s);
    visit->now = (struct instant){.wall_ms = at_ms, .boot_ms = at_ms};
    visit->simulated = query->out->overridden = true;
    if (fault)
        visit->scenario = (struct weather_scenario){.age_s = fault->age_s, .retry_s = fault->retry_s};
    if (!scenario->reader)
        return;
    address_parse(scenario->reader->address, strlen(scenario->reader->address), &visit->address);
    visit->placed = false;
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
    if (http_decode(values[CITY], strlen(values[CITY]), false, city, sizeof city))
        text_sanitize(city, strlen(city), record->city, sizeof record->city);
    record_set_country(record, values[COUNTRY], strlen(values[COUNTRY]));
    record_set_point(record, record_number(values[LATITUDE], strlen(values[LATITUDE])),
                     record_number(values[LONGITUDE], strlen(values[LONGITUDE])));
}

/* Reads where a request comes from; returns its reader's address. */
static struct address read_origin(const struct visit_rules *rules, const struct http_request *request,
                                  struct origin *out)
{
    struct client_trace unread;
    out->peer = request->peer;
    out->line_count = http_header(request, rules->client.header, out->lines, ORIGIN_LINES_MAX);
    return client_find(&rules->client, out, &unread);
}

/* The resolved client decides, not the peer: behind a proxy on this machine every peer is local. */
static const char *refusal_of(const struct visit_rules *rules, const struct http_request *request,
                              const struct address *client)
{
    if (!rules->dev)
        return "not in developer mode";
    if (!network_set_contains(&rules->dev_from, client))
        return "client not in dev.from";
    return http_host_allowed(request, &rules->hosts) ? NULL : "host not in server.hosts";
}

const char *visit_refusal(const struct visit_rules *rules, const struct http_request *request)
{
    struct origin origin;
    struct address client = read_origin(rules, request, &origin);
    return refusal_of(rules, request, &client);
}

/* Reads a request as it comes, without its query. */
static void read_plain(const struct visit_rules *rules, const struct http_request *request,
                       struct visit_request *out)
{
    out->visit = (struct visit){.now = clock_now(), .units = (enum units)rules->units};
    out->visit.address = read_origin(rules, request, &out->origin);
    read_place_headers(rules, request, &out->visit);
}

void visit_read(const struct visit_rules *rules, const struct http_request *request,
                struct visit_request *out)
{
    struct query query = {.rules = rules, .request = request, .out = out, .at_s = -1};
    read_plain(rules, request, out);
    query.refusal = query.ip_refusal = refusal_of(rules, request, &out->visit.address);
    read_query(&query);
    bool ip = query.ip.family != ADDRESS_NONE;
    apply_scenario(&query, !ip && !query.refusal);
    if (ip) {
        set_address(&out->visit, &query.ip);
        out->overridden = true;
    }
}

/* Replaces the origin by what the query describes, if it describes one. */
static void apply_hypothetical(const struct query *query)
{
    const struct scenario_reader *reader = query->out->scenario.reader;
    const char *header = query->has_header ? query->header : NULL;
    struct address peer = query->ip;
    struct client_trace unread;
    if (!reader && !header && peer.family == ADDRESS_NONE)
        return;
    if (reader && !address_parse(reader->address, strlen(reader->address), &peer))
        header = "unknown"; /* the scenario of a header without an address */
    if (peer.family == ADDRESS_NONE)
        address_parse(LOOPBACK, strlen(LOOPBACK), &peer);
    query->out->origin = (struct origin){.peer = peer, .lines = {header}, .line_count = header != NULL};
    struct address client = client_find(&query->rules->client, &query->out->origin, &unread);
    set_address(&query->out->visit, &client);
}

void visit_parse_hypothetical(const struct visit_rules *rules, const struct http_request *request,
                              char header[VISIT_HEADER_BYTES], struct visit_request *out)
{
    struct query query = {.rules = rules, .request = request, .out = out, .header = header, .at_s = -1};
    read_plain(rules, request, out);
    query.refusal = rules->dev ? NULL : "not in developer mode";
    read_query(&query);
    apply_hypothetical(&query);
    apply_scenario(&query, !refusal_of(rules, request, &out->visit.address));
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
