/* How each kind of value is read. Text is NUL-terminated, trimmed, at most CONFIG_VALUE_BYTES long. */
#include "base/clock.h"
#include "config/table.h"
#include "place/record.h"
#include "weather/weather.h"
#include "widget/words.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__attribute__((format(printf, 2, 3))) static bool fail(struct setting *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->error, sizeof s->error, format, arguments);
    va_end(arguments);
    return false;
}

static bool store(struct setting *s, const char *text, size_t length, char *out, size_t size)
{
    if (length >= size)
        return fail(s, "longer than %zu bytes", size - 1);
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)text[i]))
            return fail(s, "holds a control character");
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* Stores text where the option has one char[]. */
static bool store_text(struct setting *s, const char *text, size_t length)
{
    return store(s, text, length, s->field, s->option->size);
}

/* Cuts the next item off a list: trimmed, between commas. False at the end. Items may be empty. */
static bool next_item(const char **list, const char **item, size_t *length)
{
    if (**list == '\0')
        return false;
    const char *start = *list + strspn(*list, " \t");
    size_t all = strcspn(start, ",");
    *list = start + all + (start[all] == ',');
    while (all > 0 && (start[all - 1] == ' ' || start[all - 1] == '\t'))
        all--;
    *item = start;
    *length = all;
    return true;
}

bool read_text(struct setting *s)
{
    return store_text(s, s->text, strlen(s->text));
}

/* Stores a path as seen from the service's own folder. */
static bool store_path(struct setting *s, const char *text, size_t length, char *out, size_t size)
{
    char path[CONFIG_VALUE_BYTES];
    bool relative = length > 0 && text[0] != '/' && strcmp(s->folder, ".") != 0;
    int whole = snprintf(path, sizeof path, "%s%s%.*s", relative ? s->folder : "", relative ? "/" : "",
                         (int)length, text);
    if (whole < 0 || (size_t)whole >= sizeof path)
        return fail(s, "path too long");
    return store(s, path, (size_t)whole, out, size);
}

bool read_path(struct setting *s)
{
    return store_path(s, s->text, strlen(s->text), s->field, s->option->size);
}

static bool is_loopback_host(const char *host)
{
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    struct address address;
    static const struct network loopback = {.base = {.family = ADDRESS_V4, .bytes = {127}}, .bits = 8};
    if (length == 9 && strncasecmp(host, "localhost", length) == 0)
        return true;
    if (length == 5 && strncmp(host, "[::1]", length) == 0)
        return true;
    return address_parse(host, length, &address) && network_contains(&loopback, &address);
}

bool read_url(struct setting *s)
{
    bool any_host = s->option->words != NULL; /* a proxy: optional, wherever it is */
    const char *text = s->text;
    size_t length = strlen(text);
    bool plain = strncmp(text, "http://", 7) == 0;
    if (length == 0 && any_host)
        return store_text(s, "", 0);
    if (!plain && strncmp(text, "https://", 8) != 0)
        return fail(s, "not an http:// or https:// URL");
    const char *host = text + (plain ? 7 : 8);
    if (*host == '\0' || *host == '/' || *host == ':' || strpbrk(text, " \t\"'<>\\?#") ||
        (!any_host && strchr(text, '@')))
        return fail(s, "not the base of a URL");
    if (plain && !any_host && !is_loopback_host(host))
        return fail(s, "plain http:// is for loopback only; use https://");
    while (text[length - 1] == '/')
        length--;
    return store_text(s, text, length);
}

bool read_duration(struct setting *s)
{
    int64_t ms;
    if (!clock_parse_duration(s->text, &ms))
        return fail(s, "a duration needs a unit, such as 250ms, 10s, 5m, 1h or 2d");
    if ((double)ms < s->option->least || (double)ms > s->option->most)
        return fail(s, "out of range (%gs to %gs)", s->option->least / 1000, s->option->most / 1000);
    *(int64_t *)s->field = ms;
    return true;
}

/* A plain decimal number, then perhaps a space and the unit. */
static bool parse_number(struct setting *s, const char *unit, double scale, double *out)
{
    char *end;
    size_t length = strspn(s->text, "0123456789.");
    double value = strtod(s->text, &end) * scale;
    const char *rest = end + strspn(end, " ");
    if (length == 0 || end != s->text + length || (*rest && strcmp(rest, unit) != 0))
        return fail(s, *unit ? "not a number (of %s)" : "not a number%s", unit);
    if (value < s->option->least || value > s->option->most)
        return fail(s, "out of range (%.10g to %.10g)", s->option->least / scale, s->option->most / scale);
    *out = value;
    return true;
}

bool read_count(struct setting *s)
{
    double value;
    if (s->text[0] == '\0' || s->text[strspn(s->text, "0123456789")] != '\0')
        return fail(s, "not a whole number");
    if (!parse_number(s, "", 1, &value))
        return false;
    *(int64_t *)s->field = (int64_t)value;
    return true;
}

bool read_parallel(struct setting *s)
{
    if (strcmp(s->text, "auto") != 0)
        return read_count(s);
    *(int64_t *)s->field = 0;
    return true;
}

bool read_budget(struct setting *s)
{
    static const char units[] = "mhd"; /* in the order of struct weather_budget */
    int64_t *limits = s->field;
    const char *text = s->text;
    memset(limits, 0, sizeof(struct weather_budget));
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

bool read_cell(struct setting *s)
{
    double udeg;
    if (!parse_number(s, "degrees", 1e6, &udeg))
        return false;
    int64_t whole = llround(udeg);
    if (fabs((double)whole - udeg) > 1e-6 || !weather_cell_size_valid(whole))
        return fail(s, "360 degrees must be a whole number of cells (0.1, 0.25, 0.5, 1, ...)");
    *(int64_t *)s->field = whole;
    return true;
}

bool read_kilometres(struct setting *s)
{
    return parse_number(s, "km", 1, s->field);
}

bool read_flag(struct setting *s)
{
    bool yes = strcmp(s->text, "yes") == 0;
    if (!yes && strcmp(s->text, "no") != 0)
        return fail(s, "must be yes or no");
    *(bool *)s->field = yes;
    return true;
}

/* The index of a word in a space-separated list, or -1. */
static int word_index(const char *words, const char *word, size_t length)
{
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
    int index = word_index(s->option->words, s->text, strlen(s->text));
    if (index < 0)
        return fail(s, "must be one of: %s", s->option->words);
    if (s->option->size == sizeof(int))
        *(int *)s->field = index;
    else
        *(int64_t *)s->field = index;
    return true;
}

bool read_listen(struct setting *s)
{
    struct listen_address *out = s->field;
    struct address address;
    const char *text = s->text;
    const char *colon = strrchr(text, ':');
    if (text[0] == '[' || (colon && memchr(text, ':', (size_t)(colon - text))))
        return fail(s, "IPv6 listen addresses are not supported by civetweb as Debian builds it; "
                       "listen on IPv4 and let the proxy in front take IPv6");
    if (!colon || !address_parse(text, (size_t)(colon - text), &address))
        return fail(s, "not an IPv4 address and port such as 127.0.0.1:8080");
    size_t digits = strlen(colon + 1);
    if (digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") != digits || atol(colon + 1) > 65535)
        return fail(s, "the port must be 0 to 65535");
    *out = (struct listen_address){.port = atol(colon + 1)};
    return store(s, text, (size_t)(colon - text), out->host, sizeof out->host);
}

bool read_names(struct setting *s)
{
    struct http_names names = {.count = 0};
    const char *rest = s->text, *item;
    size_t length;
    while (next_item(&rest, &item, &length)) {
        if (length == 0 || memchr(item, ' ', length))
            return fail(s, "not a list of names between commas");
        if (names.count == HTTP_NAMES_MAX)
            return fail(s, "more than %d names", HTTP_NAMES_MAX);
        if (!store(s, item, length, names.names[names.count++], HTTP_NAME_BYTES))
            return false;
    }
    *(struct http_names *)s->field = names;
    return true;
}

bool read_place_headers(struct setting *s)
{
    if (!read_names(s))
        return false;
    size_t count = ((struct http_names *)s->field)->count;
    return count == 0 || count == 4 || fail(s, "must name four headers: city, country, latitude, longitude");
}

bool read_networks(struct setting *s)
{
    struct network_set set = {.count = 0};
    const char *rest = s->text, *item;
    size_t length;
    while (next_item(&rest, &item, &length)) {
        if (set.count == NETWORK_SET_MAX)
            return fail(s, "more than %d networks", NETWORK_SET_MAX);
        if (!network_parse(item, length, &set.networks[set.count++]))
            return fail(s, "not a network such as 10.0.0.0/8: \"%.*s\"", (int)(length < 60 ? length : 60),
                        item);
    }
    *(struct network_set *)s->field = set;
    return true;
}

bool read_databases(struct setting *s)
{
    struct place_options *out = s->field;
    const char *rest = s->text, *item;
    size_t length;
    out->database_count = 0;
    while (next_item(&rest, &item, &length)) {
        if (length == 0)
            return fail(s, "an empty name between commas");
        if (out->database_count == PLACE_DATABASES)
            return fail(s, "more than %d databases", PLACE_DATABASES);
        if (!store_path(s, item, length, out->databases[out->database_count], PLACE_PATH_BYTES))
            return false;
        for (size_t i = 0; i < out->database_count; i++)
            if (strcmp(out->databases[i], out->databases[out->database_count]) == 0)
                return fail(s, "\"%.*s\" given twice", (int)length, item);
        out->database_count++;
    }
    return true;
}

bool read_providers(struct setting *s)
{
    struct weather_options *out = s->field;
    const char *rest = s->text, *item;
    size_t length;
    out->provider_count = 0;
    while (next_item(&rest, &item, &length)) {
        if (word_index(s->option->words, item, length) < 0)
            return fail(s, "must be a list of: %s", s->option->words);
        for (size_t i = 0; i < out->provider_count; i++)
            if (strlen(out->providers[i]) == length && strncmp(out->providers[i], item, length) == 0)
                return fail(s, "\"%.*s\" given twice", (int)length, item);
        if (!store(s, item, length, out->providers[out->provider_count++], WEATHER_NAME_BYTES))
            return false;
    }
    return out->provider_count > 0 || fail(s, "must name at least one of: %s", s->option->words);
}

static bool read_coordinate(const char *item, size_t length, double most, double *out)
{
    *out = record_number(item, length);
    return fabs(*out) <= most; /* nor is NaN */
}

bool read_home(struct setting *s)
{
    struct place_home *home = s->field;
    const char *rest = s->text, *items[4];
    size_t lengths[4], count = 0;
    *home = (struct place_home){.set = false};
    if (*rest == '\0')
        return true;
    while (count < 4 && next_item(&rest, &items[count], &lengths[count]))
        count++;
    if (count < 4 || *rest || lengths[1] != 2 || !isupper((unsigned char)items[1][0]) ||
        !isupper((unsigned char)items[1][1]))
        return fail(s, "must be name, country code, latitude, longitude: Mumbai, IN, 19.08, 72.88");
    if (!read_coordinate(items[2], lengths[2], 90, &home->latitude) ||
        !read_coordinate(items[3], lengths[3], 180, &home->longitude))
        return fail(s, "latitude must be -90 to 90 and longitude -180 to 180");
    if (!text_sanitize(items[0], lengths[0], home->name, sizeof home->name))
        return fail(s, "the name is empty or not UTF-8");
    memcpy(home->country, items[1], 2);
    home->set = true;
    return true;
}

bool read_language(struct setting *s)
{
    const struct language *language = language_find(s->text, strlen(s->text));
    if (!language)
        return fail(s, "no words in this language");
    return store_text(s, language->tag, strlen(language->tag));
}

bool read_instant(struct setting *s)
{
    *(int64_t *)s->field = 0;
    if (s->text[0] && !clock_parse(s->text, s->field))
        return fail(s, "not an instant such as 2026-01-31T23:30:00Z");
    if (s->text[0] && *(int64_t *)s->field <= 0)
        return fail(s, "must be after 1970-01-01T00:00:00Z");
    return true;
}

bool read_header(struct setting *s)
{
    size_t length = strlen(s->text);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)s->text[i]) && s->text[i] != '-' && s->text[i] != '_')
            return fail(s, "not the name of a header");
    return length > 0 ? store_text(s, s->text, length) : fail(s, "must name a header");
}
