#include "sim/fault_rules.h"

#include "base/clock.h"
#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE_BYTES 256
#define TIMES_MAX   1000000
#define EVERYTHING  "\"path\":null,\"mirror\":null,\"box\":null,\"share\":1,\"seed\":1"

const char fault_rules_manual[] =
    "A FAULT is KIND[=VALUE][&path=...][&mirror=...][&box=...][&share=...][&seed=...][&times=...]\n"
    "[&for=...] on the command line, and the same as the query kind=KIND&value=VALUE&... over HTTP:\n"
    "  path=API-OR-PATH  an API's name or one path, as above; without it, all\n"
    "  mirror=N          those of one mirror, 1 to 9; 0: those of none\n"
    "  box=S,W,N,E       where the coordinates lie, in degrees; W > E crosses the 180th meridian\n"
    "  share=X           this share of the requests that match, more than 0 and at most 1\n"
    "  seed=N            which ones (1): the same for the same seed and sequence of requests\n"
    "  times=N           only the next N of them\n"
    "  for=6h            until the simulator's clock is as far on (ms s m h d)\n\n"
    "The first fault that matches a request is applied; a request outside its share goes on to the\n"
    "next. One that matches every request stands last. A new one replaces the one with the same path,\n"
    "mirror, box, share and seed; 16 are kept. The kind \"none\" makes an exception; without path, mirror,\n"
    "box and share it ends all.\n";

struct rule {
    const struct fault *fault;
    char value[FAULT_VALUE_BYTES];
    char path[64];                   /* an API's name or a path; "": all */
    int64_t mirror;                  /* -1: all */
    double south, west, north, east; /* NAN: everywhere */
    double share;                    /* of the requests in its scope that it applies to */
    int64_t seed, times;             /* times: how often it may still be applied; -1: until changed */
    int64_t until_ms;                /* of the clock; INT64_MAX: until changed */
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

static const char *read_mirror(const struct wire *wire, struct rule *rule)
{
    rule->mirror = -1;
    return wire_integer(wire, "mirror", 0, API_MIRRORS - 1, &rule->mirror) ? NULL : "mirror is from 0 to 9";
}

static const char *read_path(const struct wire *wire, struct rule *rule)
{
    if (!wire_parameter(wire, "path", rule->path, sizeof rule->path))
        return NULL;
    const char *path = rule->path;
    int mirror;
    if (api_of(&path, &mirror))
        return mirror == 0 ? NULL : "a path is said without its mirror, which is mirror=N";
    for (const struct api *api = apis; api->name; api++)
        if (strcmp(rule->path, api->name) == 0)
            return NULL;
    return "path is open-meteo, met-norway, openweathermap, metar, gfs-index, gfs-data or one of their paths";
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

static const char *read_end(const struct wire *wire, struct rule *rule)
{
    char text[32];
    int64_t ms = 0;
    rule->times = 0;
    rule->until_ms = INT64_MAX;
    if (!wire_integer(wire, "times", 0, TIMES_MAX, &rule->times))
        return "times is a number from 0 to 1000000";
    rule->times = rule->times == 0 ? -1 : rule->times;
    if (!wire_parameter(wire, "for", text, sizeof text))
        return NULL;
    bool ok = clock_parse_duration(text, &ms) && ms > 0 &&
              !__builtin_add_overflow(clock_now().wall_ms, ms, &rule->until_ms);
    return ok ? NULL : "for is how long, e.g. 30m or 6h";
}

static const char *read_fault(const struct wire *wire, struct rule *rule)
{
    char kind[32], value[64];
    wire_parameter(wire, "kind", kind, sizeof kind);
    wire_parameter(wire, "value", value, sizeof value);
    return fault_read(kind, value, &rule->fault, rule->value);
}

static const char *read_rule(const struct wire *wire, struct rule *rule)
{
    static const char *const known[] = {"kind",  "value", "path",  "mirror", "box",
                                        "share", "seed",  "times", "for",    NULL};
    const char *reason =
        wire_only(wire, known) ? NULL : "say kind, value, path, mirror, box, share, seed, times or for";
    if (reason || (reason = read_fault(wire, rule)) || (reason = read_end(wire, rule)) ||
        (reason = read_path(wire, rule)) || (reason = read_mirror(wire, rule)) ||
        (reason = read_box(wire, rule)) || (reason = read_share(wire, rule)))
        return reason;
    struct text scope = text_init(rule->scope, sizeof rule->scope);
    json_write(&scope, "'path':%s,'mirror':%jd", rule->path, rule->mirror < 0 ? JSON_NONE : rule->mirror);
    json_write(&scope, isnan(rule->south) ? ",'box':null" : ",'box':[%.6g,%.6g,%.6g,%.6g]", rule->south,
               rule->west, rule->north, rule->east);
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

static bool is_over(const struct rule *rule)
{
    return rule->times == 0 || clock_now().wall_ms >= rule->until_ms;
}

static bool is_of(const struct rule *rule, const struct exchange *x)
{
    return (rule->mirror < 0 || rule->mirror == x->mirror) &&
           (rule->path[0] == '\0' || strcmp(rule->path, x->api->name) == 0 ||
            strcmp(rule->path, x->path) == 0);
}

static bool matches(struct rule *rule, const struct exchange *x)
{
    if (is_over(rule) || !is_of(rule, x) ||
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
    json_write(json, ",'times':%jd,'until':%td,'fitting':%jd,'struck':%jd}",
               rule->times < 0 ? JSON_NONE : rule->times,
               rule->until_ms == INT64_MAX ? JSON_NONE : rule->until_ms / 1000, rule->matched, rule->applied);
}

void fault_rules_write(struct text *json)
{
    pthread_mutex_lock(&list.lock);
    static const struct rule none = {.fault = faults, .until_ms = INT64_MAX};
    const struct rule *last = list.count > 0 ? &list.rule[list.count - 1] : &none;
    if (!matches_all(last) || is_over(last))
        last = &none;
    json_write(json, "'fault':%s,'value':%-s,'times':%jd,'faults':[", last->fault->name, last->value,
               last->times > 0 ? last->times : 0);
    for (size_t i = 0; i < list.count; i++)
        write_rule(json, &list.rule[i]);
    text_string(json, "]");
    pthread_mutex_unlock(&list.lock);
}
