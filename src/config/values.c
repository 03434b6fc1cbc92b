/* How each kind of value is read. */
#include "base/clock.h"
#include "config/hosts.h"
#include "config/table.h"
#include "place/record.h"
#include "widget/words.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_PUNCTUATION "!#$%&'*+-.^_`|~" /* RFC 9110, 5.6.2 */

#define MICRODEGREES 1e6 /* of a degree */

__attribute__((format(printf, 2, 3))) static bool fail(struct setting *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->error, sizeof s->error, format, arguments);
    va_end(arguments);
    return false;
}

char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* --- Text --- */

static bool store(struct setting *s, const char *text, char *out, size_t size)
{
    if (strlen(text) >= size)
        return fail(s, "longer than %zu bytes", size - 1);
    for (const char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            return fail(s, "holds a control character");
    strcpy(out, text);
    return true;
}

bool read_text(struct setting *s)
{
    return store(s, s->text, s->field, s->option->size);
}

/* Stores a path as seen from the working folder. */
static bool store_path(struct setting *s, const char *text, char *out, size_t size)
{
    char path[CONFIG_VALUE_BYTES + PLACE_PATH_BYTES];
    bool relative = text[0] && text[0] != '/' && strcmp(s->folder, ".") != 0;
    snprintf(path, sizeof path, "%s%s%s", relative ? s->folder : "", relative ? "/" : "", text);
    return store(s, path, out, size);
}

bool read_path(struct setting *s)
{
    return store_path(s, s->text, s->field, s->option->size);
}

bool read_language(struct setting *s)
{
    const struct language *language = language_find(s->text, strlen(s->text));
    char storage[sizeof s->error];
    struct text known = text_init(storage, sizeof storage);
    if (language)
        return store(s, language->tag, s->field, s->option->size);
    for (size_t i = 0; (language = language_at(i)); i++)
        if (!strchr(language->tag, '-'))
            text_format(&known, " %s", language->tag);
    return fail(s, "not the tag of a language that has words; these have:%s", storage);
}

static bool is_header(const char *text)
{
    return is_made_of(text, LOWER UPPER DIGITS TOKEN_PUNCTUATION);
}

bool read_header(struct setting *s)
{
    return is_header(s->text) ? read_text(s) : fail(s, "not the name of a header");
}

/* --- Addresses --- */

bool read_listen(struct setting *s)
{
    struct http_options *out = s->field;
    struct address address;
    const char *text = s->text, *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (text[0] == '[' || memchr(text, ':', length))
        return fail(s, "IPv6 listen addresses are not supported by civetweb as Debian builds it; "
                       "listen on IPv4 and let the proxy in front take IPv6");
    if (!address_parse(text, length, &address))
        return fail(s, "not an IPv4 address and port such as 127.0.0.1:8080");
    if (!port_parse(colon + 1, &out->port))
        return fail(s, "the port must be 0 to %d", PORT_MAX);
    address_format(&address, out->host);
    return true;
}

/* Stores the base of a URL; one `anywhere` may be plain http and hold a user. */
static bool store_url(struct setting *s, const char *text, bool anywhere, char *field, size_t size)
{
    char url[CONFIG_VALUE_BYTES];
    bool plain = strncmp(text, "http://", 7) == 0;
    if (!plain && strncmp(text, "https://", 8) != 0)
        return fail(s, "not an http:// or https:// URL");
    const char *host = text + (plain ? 7 : 8);
    if (*host == '\0' || strchr("/:", *host) || strpbrk(host, " \t\"'<>\\?#") ||
        (!anywhere && strchr(host, '@')))
        return fail(s, "not the base of a URL");
    if (plain && !anywhere && !host_is_loopback(host))
        return fail(s, "plain http:// is for loopback only; use https://");
    strcpy(url, text);
    for (size_t length = strlen(url); url[length - 1] == '/'; length--)
        url[length - 1] = '\0';
    return store(s, url, field, size);
}

bool read_url(struct setting *s)
{
    return store_url(s, s->text, false, s->field, s->option->size);
}

bool read_proxy(struct setting *s)
{
    return s->text[0] ? store_url(s, s->text, true, s->field, s->option->size) : read_text(s);
}

bool read_redis(struct setting *s)
{
    struct redis_server *out = s->field;
    char port[6] = "", database[5] = "";
    int end = 0;
    *out = (struct redis_server){.host = ""};
    if (s->text[0] == '\0')
        return true;
    _Static_assert(sizeof out->host == 254, "a name fits");
    int fields =
        sscanf(s->text, "redis://%253[^][:/@?# \t]:%5[0-9]/%4[0-9]%n", out->host, port, database, &end);
    out->database = atol(database);
    return (fields == 3 && s->text[end] == '\0' && port_parse(port, &out->port) && out->port > 0) ||
           fail(s, "not a URL such as redis://127.0.0.1:6379/0");
}

/* --- Numbers --- */

/* Whether a number is in the option's range. One `unit` is `scale` of the units that are stored. */
static bool in_range(struct setting *s, double value, double scale, const char *unit)
{
    const struct option *option = s->option;
    return (value >= option->min && value <= option->max) ||
           fail(s, "out of range (%.10g%s to %.10g%s)", option->min / scale, unit, option->max / scale, unit);
}

/* Reads a plain decimal number, then perhaps a space and the unit. */
static bool read_number(struct setting *s, const char *unit, double scale, double *out)
{
    char *end;
    size_t length = strspn(s->text, DIGITS ".");
    *out = strtod(s->text, &end) * scale;
    const char *rest = end + strspn(end, " ");
    if (length == 0 || end != s->text + length || (*rest && strcmp(rest, unit) != 0))
        return fail(s, *unit ? "not a number (of %s)" : "not a number%s", unit);
    return in_range(s, *out, scale, "");
}

bool read_count(struct setting *s)
{
    double value = 0;
    bool word = s->option->words && strcmp(s->text, s->option->words) == 0;
    if (!word && !is_made_of(s->text, DIGITS))
        return fail(s, "not a whole number");
    if (!word && !read_number(s, "", 1, &value))
        return false;
    *(int64_t *)s->field = (int64_t)value;
    return true;
}

bool read_kilometres(struct setting *s)
{
    return read_number(s, "km", 1, s->field);
}

bool read_cell(struct setting *s)
{
    double udeg;
    if (!read_number(s, "degrees", MICRODEGREES, &udeg))
        return false;
    int64_t whole = llround(udeg);
    if (fabs((double)whole - udeg) > 1e-6 || !cell_size_valid(whole))
        return fail(s, "360 degrees must be a whole number of cells (0.1, 0.25, 0.5, 1, ...)");
    *(int64_t *)s->field = whole;
    return true;
}

bool read_duration(struct setting *s)
{
    int64_t *ms = s->field;
    if (!clock_parse_duration(s->text, ms))
        return fail(s, "not a duration: a whole number with the unit ms, s, m, h or d, such as 250ms, 10s, "
                       "5m, 1h or 2d");
    return in_range(s, (double)*ms, 1000, "s");
}

bool read_instant(struct setting *s)
{
    int64_t *unix_s = s->field;
    *unix_s = 0;
    if (s->text[0] && !clock_parse(s->text, unix_s))
        return fail(s, "not an instant such as 2026-01-31T23:30:00Z");
    return !s->text[0] || *unix_s > 0 || fail(s, "must be after 1970-01-01T00:00:00Z");
}

bool read_budget(struct setting *s)
{
    static const char units[] = "mhd"; /* in the order of enum quota_window */
    _Static_assert(sizeof units - 1 == QUOTA_WINDOWS, "a limit per unit");
    int64_t *limits = s->field;
    const char *text = s->text;
    memset(limits, 0, QUOTA_WINDOWS * sizeof *limits);
    while (*text) {
        char *end;
        long long count = strtoll(text, &end, 10);
        const char *unit = *end == '/' && end[1] ? strchr(units, end[1]) : NULL;
        bool ends = unit && (end[2] == ' ' || end[2] == '\0');
        if (!isdigit((unsigned char)*text) || !ends || count < 1 || count > 100000000)
            return fail(s, "not a budget such as 600/m 5000/h 10000/d");
        if (limits[unit - units] != 0)
            return fail(s, "two limits per %c", *unit);
        limits[unit - units] = count;
        text = end + 2 + strspn(end + 2, " ");
    }
    return true;
}

/* --- Words --- */

/* The index of a word in a space-separated list, or -1. */
static int word_index(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (int i = 0; *words; i++) {
        size_t here = strcspn(words, " ");
        if (here == length && strncmp(words, word, length) == 0)
            return i;
        words += here + (words[here] == ' ');
    }
    return -1;
}

bool read_choice(struct setting *s)
{
    int64_t *index = s->field;
    *index = word_index(s->option->words, s->text);
    return *index >= 0 || fail(s, "must be one of: %s", s->option->words);
}

bool read_flag(struct setting *s)
{
    bool *flag = s->field;
    *flag = strcmp(s->text, "yes") == 0;
    return *flag || strcmp(s->text, "no") == 0 || fail(s, "must be yes or no");
}

/* --- Lists --- */

/* The items of a list, none of them empty. */
struct list {
    size_t count;
    char *items[NETWORK_SET_MAX]; /* the longest list */
    char text[CONFIG_VALUE_BYTES];
};

_Static_assert(HTTP_NAMES_MAX <= NETWORK_SET_MAX && PLACE_DATABASES <= NETWORK_SET_MAX &&
                   WEATHER_PROVIDERS <= NETWORK_SET_MAX,
               "a struct list holds the items of every list");

/* Splits a list of at most `max` items. */
static bool split(struct setting *s, size_t max, struct list *list)
{
    list->count = 0;
    strcpy(list->text, s->text);
    for (char *rest = list->text; rest && *rest;) {
        char *item = trim(strsep(&rest, ","));
        if (*item == '\0')
            return fail(s, "nothing between two commas");
        if (list->count == max)
            return fail(s, "more than %zu items", max);
        list->items[list->count++] = item;
    }
    return true;
}

static bool has_no_repetition(struct setting *s, const struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(list->items[i], list->items[j]) == 0)
                return fail(s, "\"%s\" given twice", list->items[i]);
    return true;
}

/* Stores names that all fulfil `rule`, which the error states. */
static bool store_names(struct setting *s, bool (*is_name)(const char *), const char *rule)
{
    struct http_names *out = s->field;
    struct list list;
    if (!split(s, HTTP_NAMES_MAX, &list))
        return false;
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        if (!is_name(list.items[i]))
            return fail(s, "\"%.60s\" is not %s", list.items[i], rule);
        if (!store(s, list.items[i], out->names[i], HTTP_NAME_BYTES))
            return false;
    }
    return true;
}

bool read_hosts(struct setting *s)
{
    return store_names(s, host_is_sendable,
                       "a host name such as www.example.com: no scheme, port, path or wildcard");
}

bool read_origins(struct setting *s)
{
    return store_names(s, origin_is_sendable,
                       "an origin as browsers send it, such as https://www.example.com or "
                       "http://example.com:8080: lower case; no path, user, wildcard or default port");
}

bool read_place_headers(struct setting *s)
{
    if (!store_names(s, is_header, "the name of a header"))
        return false;
    size_t count = ((struct http_names *)s->field)->count;
    return count == 0 || count == 4 || fail(s, "must name four headers: city, country, latitude, longitude");
}

bool read_networks(struct setting *s)
{
    struct network_set *out = s->field;
    struct list list;
    if (!split(s, NETWORK_SET_MAX, &list))
        return false;
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (!network_parse(list.items[i], strlen(list.items[i]), &out->networks[i]))
            return fail(s, "not a network such as 10.0.0.0/8: \"%.60s\"", list.items[i]);
    return true;
}

bool read_databases(struct setting *s)
{
    struct place_options *out = s->field;
    struct list list;
    if (!split(s, PLACE_DATABASES, &list) || !has_no_repetition(s, &list))
        return false;
    out->database_count = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (!store_path(s, list.items[i], out->databases[i], PLACE_PATH_BYTES))
            return false;
    return true;
}

bool read_asns(struct setting *s)
{
    struct place_options *out = s->field;
    struct list list;
    _Static_assert(PLACE_ASNS <= NETWORK_SET_MAX, "a list has room for them");
    if (!split(s, PLACE_ASNS, &list))
        return false;
    out->vague_asn_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        const char *digits = list.items[i] + (strncasecmp(list.items[i], "AS", 2) == 0 ? 2 : 0);
        double number = strlen(digits) <= 10 && is_made_of(digits, DIGITS) ? strtod(digits, NULL) : 0;
        if (number < 1 || number > UINT32_MAX)
            return fail(s, "not the number of an autonomous system such as 55836: \"%.60s\"", list.items[i]);
        out->vague_asns[i] = (uint32_t)number;
    }
    return true;
}

bool read_providers(struct setting *s)
{
    struct weather_options *out = s->field;
    struct list list;
    if (!split(s, WEATHER_PROVIDERS, &list) || !has_no_repetition(s, &list))
        return false;
    out->provider_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        if (word_index(s->option->words, list.items[i]) < 0)
            return fail(s, "must be a list of: %s", s->option->words);
        if (!store(s, list.items[i], out->providers[i], WEATHER_NAME_BYTES))
            return false;
    }
    return true;
}

bool read_mirrors(struct setting *s)
{
    struct load_options *out = s->field;
    struct list list;
    if (!split(s, LOAD_MIRRORS_MAX, &list) || !has_no_repetition(s, &list))
        return false;
    out->mirror_count = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (!store_url(s, list.items[i], false, out->mirrors[i], sizeof out->mirrors[i]))
            return false;
    return list.count > 0 || fail(s, "must name at least one mirror");
}

static bool read_coordinate(const char *item, double max, double *out)
{
    *out = record_number(item, strlen(item));
    return fabs(*out) <= max; /* false for NaN, too */
}

bool read_home(struct setting *s)
{
    struct place *home = s->field;
    struct list list;
    *home = (struct place){.source = s->text[0] ? PLACE_FROM_HOME : PLACE_FROM_NONE};
    if (home->source == PLACE_FROM_NONE)
        return true;
    if (!split(s, 4, &list) || list.count < 4 || strlen(list.items[1]) != 2 ||
        !is_made_of(list.items[1], UPPER))
        return fail(s, "must be name, country code, latitude, longitude: Mumbai, IN, 19.08, 72.88");
    if (!read_coordinate(list.items[2], 90, &home->latitude) ||
        !read_coordinate(list.items[3], 180, &home->longitude))
        return fail(s, "latitude must be -90 to 90 and longitude -180 to 180");
    strcpy(home->country, list.items[1]);
    return text_sanitize(list.items[0], strlen(list.items[0]), home->name, sizeof home->name) ||
           fail(s, "the name is empty or not UTF-8");
}
