#include "sim/fault_rules.h"

#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE_BYTES 192
#define TIMES_MAX   1000000
#define EVERYTHING  "\"path\":null,\"box\":null,\"share\":1,\"seed\":1"

const char fault_rules_manual[] =
    "A FAULT is KIND[=VALUE][&path=...][&box=...][&share=...][&seed=...][&times=...] on the command\n"
    "line, and the same as the query kind=KIND&value=VALUE&... over HTTP:\n"
    "  path=API-OR-PATH  an API's name or one path, as above; without it, all\n"
    "  box=S,W,N,E       where the coordinates lie, in degrees; W > E crosses the 180th meridian\n"
    "  share=X           this share of the requests that match, more than 0 and at most 1\n"
    "  seed=N            which ones (1): the same for the same seed and sequence of requests\n"
    "  times=N           only the next N of them\n\n"
    "The first fault that matches a request is applied; a request outside its share goes on to the\n"
    "next. One that matches every request stands last. A new one replaces the one with the same path,\n"
    "box, share and seed; 16 are kept. The kind \"none\" makes an exception; without path, box and\n"
    "share it ends all.\n";

struct rule {
    const struct fault *fault;
    char value[FAULT_VALUE_BYTES];
    char path[64];                   /* an API's name or a path; "": all */
    double south, west, north, east; /* NAN: everywhere */
    double share;                    /* of the requests in its scope that it applies to */
    int64_t seed, times;             /* times: how often it may still be applied; -1: until changed */
    char scope[SCOPE_BYTES];         /* path to seed as members of a JSON object; equal when these are */
    unsigned short random_state[3];  /* of erand48 */
    int64_t matched, applied;        /* requests in its scope, and those of them that failed by it */
};

static struct {
    pthread_mutex_t lock; /* guards the rest */
    size_t count;
    struct rule rule[FAULT_RULES_MAX];
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- one rule, read ---- */

static bool is_of(const char *path, const struct api *api)
{
    return strcmp(path, api->name) == 0 || strcmp(path, api->path) == 0;
}

static const char *read_path(const struct wire *wire, struct rule *rule)
{
    if (!wire_parameter(wire, "path", rule->path, sizeof rule->path))
        return NULL;
    for (const struct api *api = apis; api->name; api++)
        if (is_of(rule->path, api))
            return NULL;
    return "path is open-meteo, met-norway, openweathermap, metar or one of their paths";
}

static const char *read_box(const struct wire *wire, struct rule *rule)
{
    char text[96];
    int end = 0;
    rule->south = NAN;
    if (!wire_parameter(wire, "box", text, sizeof text))
        return NULL;
    bool four =
        sscanf(text, "%lf,%lf,%lf,%lf%n", &rule->south, &rule->west, &rule->north, &rule->east, &end) == 4;
    bool ok = four && text[end] == '\0' && rule->south >= -90 && rule->south <= rule->north &&
              rule->north <= 90 && fabs(rule->west) <= 180 && fabs(rule->east) <= 180;
    return ok ? NULL : "box is south,west,north,east in degrees, e.g. 8,68,36,98";
}

static const char *read_share(const struct wire *wire, struct rule *rule)
{
    char text[32], *end;
    rule->share = 1;
    rule->seed = 1;
    if (wire_parameter(wire, "share", text, sizeof text)) {
        rule->share = strtod(text, &end);
        if (*end != '\0' || !(rule->share > 0 && rule->share <= 1))
            return "share is a number above 0 and at most 1, e.g. 0.3";
    }
    return wire_integer(wire, "seed", 0, UINT32_MAX, &rule->seed) ? NULL
                                                                  : "seed is a number from 0 to 4294967295";
}

static const char *read_fault(const struct wire *wire, struct rule *rule)
{
    char kind[32], value[64];
    wire_parameter(wire, "kind", kind, sizeof kind);
    wire_parameter(wire, "value", value, sizeof value);
    const char *reason = fault_read(kind, value, &rule->fault, rule->value);
    rule->times = 0;
    if (!wire_integer(wire, "times", 0, TIMES_MAX, &rule->times))
        reason = "times is a number from 0 to 1000000";
    rule->times = rule->times == 0 ? -1 : rule->times;
    return reason;
}

static const char *read_rule(const struct wire *wire, struct rule *rule)
{
    static const char *const known[] = {"kind", "value", "path", "box", "share", "seed", "times", NULL};
    const char *reason = wire_only(wire, known) ? NULL : "say kind, value, path, box, share, seed or times";
    if (reason || (reason = read_fault(wire, rule)) || (reason = read_path(wire, rule)) ||
        (reason = read_box(wire, rule)) || (reason = read_share(wire, rule)))
        return reason;
    struct text scope = text_init(rule->scope, sizeof rule->scope);
    json_write(&scope, isnan(rule->south) ? "'path':%s,'box':null" : "'path':%s,'box':[%.6g,%.6g,%.6g,%.6g]",
               rule->path, rule->south, rule->west, rule->north, rule->east);
    json_write(&scope, ",'share':%.6g,'seed':%jd", rule->share, rule->seed);
    memcpy(rule->random_state,
           (unsigned short[]){0x330e, (unsigned short)rule->seed, (unsigned short)(rule->seed >> 16)},
           sizeof rule->random_state); /* as srand48 does it */
    return NULL;
}

/* ---- the list ---- */

static bool matches_all(const struct rule *rule)
{
    return strcmp(rule->scope, EVERYTHING) == 0;
}

/* Puts it in the place of the one with its scope, else before the one that matches all, which is the last. */
static const char *insert(const struct rule *rule)
{
    struct rule *at = list.rule, *end = &list.rule[list.count];
    while (at < end && strcmp(at->scope, rule->scope) != 0 && !matches_all(at))
        at++;
    if (at == end || strcmp(at->scope, rule->scope) != 0) {
        if (list.count == FAULT_RULES_MAX)
            return "16 faults are in force already; kind=none ends them";
        memmove(at + 1, at, (size_t)(end - at) * sizeof *at);
        list.count++;
    }
    *at = *rule;
    return NULL;
}

const char *fault_rules_add(const struct wire *wire)
{
    struct rule rule = {0};
    const char *reason = read_rule(wire, &rule);
    bool ends_all = !reason && rule.fault == faults && matches_all(&rule);
    pthread_mutex_lock(&list.lock);
    if (ends_all)
        list.count = 0;
    else if (!reason)
        reason = insert(&rule);
    pthread_mutex_unlock(&list.lock);
    return reason;
}

static bool in_box(const struct rule *rule, const struct forecast *f)
{
    bool east_of = f->longitude >= rule->west, west_of = f->longitude <= rule->east;
    return f->latitude >= rule->south && f->latitude <= rule->north &&
           (rule->west <= rule->east ? east_of && west_of : east_of || west_of);
}

static bool matches(struct rule *rule, const struct exchange *x)
{
    if (rule->times == 0 || (rule->path[0] && !is_of(rule->path, x->api)) ||
        (!isnan(rule->south) && !(x->forecast && in_box(rule, x->forecast))))
        return false;
    rule->matched++;
    if (rule->share < 1 && erand48(rule->random_state) >= rule->share)
        return false;
    rule->applied++;
    rule->times -= rule->times > 0;
    return true;
}

void fault_rules_apply(struct exchange *x)
{
    x->fault = faults;
    pthread_mutex_lock(&list.lock);
    size_t i = 0;
    while (i < list.count && !matches(&list.rule[i], x))
        i++;
    if (i < list.count) {
        x->fault = list.rule[i].fault;
        memcpy(x->value, list.rule[i].value, sizeof x->value);
    }
    pthread_mutex_unlock(&list.lock);
}

static void write_rule(struct text *json, const struct rule *rule)
{
    json_write(json, ",{'kind':%s,'value':%-s", rule->fault->name, rule->value);
    text_format(json, ",%s", rule->scope);
    json_write(json, ",'times':%jd,'fitting':%jd,'struck':%jd}", rule->times < 0 ? JSON_NONE : rule->times,
               rule->matched, rule->applied);
}

void fault_rules_write(struct text *json)
{
    pthread_mutex_lock(&list.lock);
    static const struct rule none = {.fault = faults};
    const struct rule *last = list.count > 0 ? &list.rule[list.count - 1] : &none;
    if (!matches_all(last) || last->times == 0)
        last = &none;
    json_write(json, "'fault':%s,'value':%-s,'times':%jd,'faults':[", last->fault->name, last->value,
               last->times > 0 ? last->times : 0);
    for (size_t i = 0; i < list.count; i++)
        write_rule(json, &list.rule[i]);
    text_string(json, "]");
    pthread_mutex_unlock(&list.lock);
}
