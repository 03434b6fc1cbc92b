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
    "  share=X           this share of the requests that fit, more than 0 and at most 1\n"
    "  seed=N            which ones (1): alike for the same seed and sequence of requests\n"
    "  times=N           only the next N of them\n\n"
    "The first fault that fits a request strikes; what its share lets go may be another's. One that\n"
    "fits every request stands last. A new one takes the place of the one with the same path, box,\n"
    "share and seed; 16 are kept. The kind \"none\" makes an exception; without path, box and share\n"
    "it ends all.\n";

struct rule {
    const struct fault *fault;
    char value[FAULT_VALUE_BYTES];
    char path[64];                   /* an API's name or a path; "": all */
    double south, west, north, east; /* NAN: everywhere */
    double share;                    /* of the requests that fit */
    int64_t seed, times;             /* times: how often it may yet strike; -1: until changed */
    char scope[SCOPE_BYTES];         /* path to seed as members of a JSON object; alike when these are */
    unsigned short dice[3];          /* of erand48 */
    int64_t fitting, struck;         /* requests */
};

static struct {
    pthread_mutex_t lock; /* guards the rest */
    size_t count;
    struct rule rule[FAULT_RULES_MAX];
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- reading one ---- */

static bool names(const char *path, const struct api *api)
{
    return strcmp(path, api->name) == 0 || strcmp(path, api->path) == 0;
}

static const char *read_path(const struct wire *wire, struct rule *o)
{
    if (!wire_parameter(wire, "path", o->path, sizeof o->path))
        return NULL;
    for (size_t i = 0; api_at(i); i++)
        if (names(o->path, api_at(i)))
            return NULL;
    return "path is open-meteo, met-norway, openweathermap or one of their paths";
}

static const char *read_box(const struct wire *wire, struct rule *o)
{
    char text[96];
    int end = 0;
    o->south = NAN;
    if (!wire_parameter(wire, "box", text, sizeof text))
        return NULL;
    bool four = sscanf(text, "%lf,%lf,%lf,%lf%n", &o->south, &o->west, &o->north, &o->east, &end) == 4;
    bool sound = four && text[end] == '\0' && o->south >= -90 && o->south <= o->north && o->north <= 90 &&
                 fabs(o->west) <= 180 && fabs(o->east) <= 180;
    return sound ? NULL : "box is south,west,north,east in degrees, e.g. 8,68,36,98";
}

static const char *read_share(const struct wire *wire, struct rule *o)
{
    char text[32], *end;
    o->share = 1;
    o->seed = 1;
    if (wire_parameter(wire, "share", text, sizeof text)) {
        o->share = strtod(text, &end);
        if (*end != '\0' || !(o->share > 0 && o->share <= 1))
            return "share is a number above 0 and at most 1, e.g. 0.3";
    }
    return wire_integer(wire, "seed", 0, UINT32_MAX, &o->seed) ? NULL
                                                               : "seed is a number from 0 to 4294967295";
}

static const char *read_fault(const struct wire *wire, struct rule *o)
{
    char kind[32], value[64];
    wire_parameter(wire, "kind", kind, sizeof kind);
    wire_parameter(wire, "value", value, sizeof value);
    const char *why = fault_read(kind, value, &o->fault, o->value);
    o->times = 0;
    if (!wire_integer(wire, "times", 0, TIMES_MAX, &o->times))
        why = "times is a number from 0 to 1000000";
    o->times = o->times == 0 ? -1 : o->times;
    return why;
}

static const char *read_rule(const struct wire *wire, struct rule *o)
{
    static const char *const known[] = {"kind", "value", "path", "box", "share", "seed", "times", NULL};
    const char *why = wire_only(wire, known) ? NULL : "say kind, value, path, box, share, seed or times";
    if (why || (why = read_fault(wire, o)) || (why = read_path(wire, o)) || (why = read_box(wire, o)) ||
        (why = read_share(wire, o)))
        return why;
    struct text scope = text_init(o->scope, sizeof o->scope);
    json_write(&scope, isnan(o->south) ? "'path':%s,'box':null" : "'path':%s,'box':[%.6g,%.6g,%.6g,%.6g]",
               o->path, o->south, o->west, o->north, o->east);
    json_write(&scope, ",'share':%.6g,'seed':%jd", o->share, o->seed);
    memcpy(o->dice, (unsigned short[]){0x330e, (unsigned short)o->seed, (unsigned short)(o->seed >> 16)},
           sizeof o->dice); /* as srand48 does it */
    return NULL;
}

/* ---- the list ---- */

static bool is_general(const struct rule *o)
{
    return strcmp(o->scope, EVERYTHING) == 0;
}

/* Puts it where one with its scope stands, else before the general one, which is the last. */
static const char *keep(const struct rule *o)
{
    size_t at = 0;
    while (at < list.count && strcmp(list.rule[at].scope, o->scope) != 0 && !is_general(&list.rule[at]))
        at++;
    if (at == list.count || strcmp(list.rule[at].scope, o->scope) != 0) {
        if (list.count == FAULT_RULES_MAX)
            return "16 faults are in force already; kind=none ends them";
        memmove(&list.rule[at + 1], &list.rule[at], (list.count - at) * sizeof *o);
        list.count++;
    }
    list.rule[at] = *o;
    return NULL;
}

const char *fault_rules_add(const struct wire *wire)
{
    struct rule o = {0};
    const char *why = read_rule(wire, &o);
    if (why)
        return why;
    if (o.fault == fault_at(0) && is_general(&o)) {
        fault_rules_clear();
        return NULL;
    }
    pthread_mutex_lock(&list.lock);
    why = keep(&o);
    pthread_mutex_unlock(&list.lock);
    return why;
}

void fault_rules_clear(void)
{
    pthread_mutex_lock(&list.lock);
    list.count = 0;
    pthread_mutex_unlock(&list.lock);
}

static bool in_box(const struct rule *o, const struct forecast *f)
{
    bool east_of = f->longitude >= o->west, west_of = f->longitude <= o->east;
    return f->latitude >= o->south && f->latitude <= o->north &&
           (o->west <= o->east ? east_of && west_of : east_of || west_of);
}

static bool matches(struct rule *o, const struct exchange *x)
{
    if (o->times == 0 || (o->path[0] && !names(o->path, x->api)) ||
        (!isnan(o->south) && !(x->forecast && in_box(o, x->forecast))))
        return false;
    o->fitting++;
    if (o->share < 1 && erand48(o->dice) >= o->share)
        return false;
    o->struck++;
    o->times -= o->times > 0;
    return true;
}

void fault_rules_apply(struct exchange *x)
{
    x->fault = fault_at(0);
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

static void write_rule(struct text *json, const struct rule *o)
{
    json_write(json, ",{'kind':%s,'value':%-s", o->fault->name, o->value);
    text_format(json, ",%s", o->scope);
    json_write(json, ",'times':%jd,'fitting':%jd,'struck':%jd}", o->times < 0 ? JSON_NONE : o->times,
               o->fitting, o->struck);
}

void fault_rules_write(struct text *json)
{
    pthread_mutex_lock(&list.lock);
    const struct rule *last = list.count > 0 ? &list.rule[list.count - 1] : NULL;
    if (last && (!is_general(last) || last->times == 0))
        last = NULL;
    json_write(json, "'fault':%s,'value':%-s,'times':%jd,'faults':[",
               last ? last->fault->name : fault_at(0)->name, last ? last->value : "",
               last && last->times > 0 ? last->times : 0);
    for (size_t i = 0; i < list.count; i++)
        write_rule(json, &list.rule[i]);
    text_string(json, "]");
    pthread_mutex_unlock(&list.lock);
}
