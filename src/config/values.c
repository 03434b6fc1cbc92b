/* How each kind of value is read. Text is NUL-terminated, trimmed, at most CONFIG_VALUE_BYTES long. */
#include "base/clock.h"
#include "config/table.h"
#include "place/record.h"
#include "weather/cell.h"
#include "widget/words.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__attribute__((format(printf, 2, 3))) static bool fail(char error[CONFIG_ERROR_BYTES], const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, CONFIG_ERROR_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

static bool store_text(const char *text, size_t length, void *field, size_t size,
                       char error[CONFIG_ERROR_BYTES])
{
    if (length >= size)
        return fail(error, "longer than %zu bytes", size - 1);
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)text[i]))
            return fail(error, "holds a control character");
    memcpy(field, text, length);
    ((char *)field)[length] = '\0';
    return true;
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

bool read_text(const struct option *option, const char *text, const char *folder, void *field,
               char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    return store_text(text, strlen(text), field, option->size, error);
}

static bool resolve(const char *text, size_t length, const char *folder, char *out, size_t size,
                    char error[CONFIG_ERROR_BYTES])
{
    char path[CONFIG_VALUE_BYTES];
    bool relative = length > 0 && text[0] != '/' && strcmp(folder, ".") != 0;
    int whole = snprintf(path, sizeof path, "%s%s%.*s", relative ? folder : "", relative ? "/" : "",
                         (int)length, text);
    if (whole < 0 || (size_t)whole >= sizeof path)
        return fail(error, "path too long");
    return store_text(path, (size_t)whole, out, size, error);
}

bool read_path(const struct option *option, const char *text, const char *folder, void *field,
               char error[CONFIG_ERROR_BYTES])
{
    return resolve(text, strlen(text), folder, field, option->size, error);
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

bool read_url(const struct option *option, const char *text, const char *folder, void *field,
              char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    bool any_host = option->words != NULL; /* a proxy: optional, wherever it is */
    size_t length = strlen(text);
    bool plain = strncmp(text, "http://", 7) == 0;
    if (length == 0 && any_host)
        return store_text("", 0, field, option->size, error);
    if (!plain && strncmp(text, "https://", 8) != 0)
        return fail(error, "not an http:// or https:// URL");
    const char *host = text + (plain ? 7 : 8);
    if (*host == '\0' || *host == '/' || *host == ':' || strpbrk(text, " \t\"'<>\\?#") ||
        (!any_host && strchr(text, '@')))
        return fail(error, "not the base of a URL");
    if (plain && !any_host && !is_loopback_host(host))
        return fail(error, "plain http:// is for loopback only; use https://");
    while (text[length - 1] == '/')
        length--;
    return store_text(text, length, field, option->size, error);
}

bool read_duration(const struct option *option, const char *text, const char *folder, void *field,
                   char error[CONFIG_ERROR_BYTES])
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    (void)folder;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 12)
        return fail(error, "not a duration such as 250ms, 10s, 5m, 1h or 2d");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        double ms = strtod(text, NULL) * units[i].ms;
        if (ms < option->least || ms > option->most)
            return fail(error, "out of range (%gs to %gs)", option->least / 1000, option->most / 1000);
        *(int64_t *)field = (int64_t)ms;
        return true;
    }
    return fail(error, text[digits] ? "not a duration: unit must be ms, s, m, h or d"
                                    : "a duration needs a unit: ms, s, m, h or d");
}

/* A plain decimal number, then perhaps a space and the unit. */
static bool read_number(const struct option *option, const char *text, const char *unit, double *out,
                        char error[CONFIG_ERROR_BYTES])
{
    char *end;
    bool plain = text[0] != '\0' && strspn(text, "0123456789.") > 0;
    double value = strtod(text, &end);
    size_t number = (size_t)(end - text);
    const char *rest = end + strspn(end, " ");
    if (!plain || number != strspn(text, "0123456789.") || (*rest && strcmp(rest, unit) != 0))
        return fail(error, *unit ? "not a number (of %s)" : "not a number%s", unit);
    if (value < option->least || value > option->most)
        return fail(error, "out of range (%.10g to %.10g)", option->least, option->most);
    *out = value;
    return true;
}

bool read_count(const struct option *option, const char *text, const char *folder, void *field,
                char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    double value;
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return fail(error, "not a whole number");
    if (!read_number(option, text, "", &value, error))
        return false;
    *(int64_t *)field = (int64_t)value;
    return true;
}

bool read_parallel(const struct option *option, const char *text, const char *folder, void *field,
                   char error[CONFIG_ERROR_BYTES])
{
    if (strcmp(text, "auto") != 0)
        return read_count(option, text, folder, field, error);
    *(int64_t *)field = 0;
    return true;
}

bool read_budget(const struct option *option, const char *text, const char *folder, void *field,
                 char error[CONFIG_ERROR_BYTES])
{
    static const char units[] = "mhd"; /* in the order of struct weather_budget */
    int64_t *limits = field;
    (void)option, (void)folder;
    memset(limits, 0, sizeof(struct weather_budget));
    while (*text) {
        char *end;
        long long count = strtoll(text, &end, 10);
        const char *unit = *end == '/' && end[1] ? strchr(units, end[1]) : NULL;
        bool ends = unit && (end[2] == ' ' || end[2] == '\0');
        if (!isdigit((unsigned char)*text) || !ends || count < 1 || count > 100000000)
            return fail(error, "not a budget such as 600/m 5000/h 10000/d");
        if (limits[unit - units] != 0)
            return fail(error, "two limits per %c", *unit);
        limits[unit - units] = count;
        text = end + 2 + strspn(end + 2, " ");
    }
    return true;
}

bool read_cell(const struct option *option, const char *text, const char *folder, void *field,
               char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    struct option in_degrees = *option;
    in_degrees.least /= CELL_MICRODEGREES;
    in_degrees.most /= CELL_MICRODEGREES;
    double degrees;
    if (!read_number(&in_degrees, text, "degrees", &degrees, error))
        return false;
    int64_t udeg = llround(degrees * CELL_MICRODEGREES);
    if (fabs((double)udeg - degrees * CELL_MICRODEGREES) > 1e-6 || !cell_size_valid((int32_t)udeg))
        return fail(error, "360 degrees must be a whole number of cells (0.1, 0.25, 0.5, 1, ...)");
    *(int64_t *)field = udeg;
    return true;
}

bool read_kilometres(const struct option *option, const char *text, const char *folder, void *field,
                     char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    return read_number(option, text, "km", field, error);
}

bool read_flag(const struct option *option, const char *text, const char *folder, void *field,
               char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    bool yes = strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "no") != 0)
        return fail(error, "must be yes or no");
    *(bool *)field = yes;
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

bool read_choice(const struct option *option, const char *text, const char *folder, void *field,
                 char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    int index = word_index(option->words, text, strlen(text));
    if (index < 0)
        return fail(error, "must be one of: %s", option->words);
    *(int64_t *)field = index;
    return true;
}

bool read_level(const struct option *option, const char *text, const char *folder, void *field,
                char error[CONFIG_ERROR_BYTES])
{
    int64_t index = 0;
    if (!read_choice(option, text, folder, &index, error))
        return false;
    *(int *)field = (int)index;
    return true;
}

bool read_listen(const struct option *option, const char *text, const char *folder, void *field,
                 char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    struct listen_address *out = field;
    struct address address;
    const char *colon = strrchr(text, ':');
    if (text[0] == '[' || (colon && memchr(text, ':', (size_t)(colon - text))))
        return fail(error, "IPv6 listen addresses are not supported by civetweb as Debian builds it; "
                           "listen on IPv4 and let the proxy in front take IPv6");
    if (!colon || !address_parse(text, (size_t)(colon - text), &address))
        return fail(error, "not an IPv4 address and port such as 127.0.0.1:8080");
    size_t digits = strlen(colon + 1);
    if (digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") != digits || atol(colon + 1) > 65535)
        return fail(error, "the port must be 0 to 65535");
    *out = (struct listen_address){.port = atol(colon + 1)};
    return store_text(text, (size_t)(colon - text), out->host, sizeof out->host, error);
}

bool read_names(const struct option *option, const char *text, const char *folder, void *field,
                char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    struct http_names names = {.count = 0};
    const char *item;
    size_t length;
    while (next_item(&text, &item, &length)) {
        if (length == 0 || memchr(item, ' ', length))
            return fail(error, "not a list of names between commas");
        if (names.count == HTTP_NAMES_MAX)
            return fail(error, "more than %d names", HTTP_NAMES_MAX);
        if (!store_text(item, length, names.names[names.count++], HTTP_NAME_BYTES, error))
            return false;
    }
    *(struct http_names *)field = names;
    return true;
}

bool read_place_headers(const struct option *option, const char *text, const char *folder, void *field,
                        char error[CONFIG_ERROR_BYTES])
{
    if (!read_names(option, text, folder, field, error))
        return false;
    size_t count = ((struct http_names *)field)->count;
    return count == 0 || count == 4 ||
           fail(error, "must name four headers: city, country, latitude, longitude");
}

bool read_networks(const struct option *option, const char *text, const char *folder, void *field,
                   char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    struct network_set set = {.count = 0};
    const char *item;
    size_t length;
    while (next_item(&text, &item, &length)) {
        if (set.count == NETWORK_SET_MAX)
            return fail(error, "more than %d networks", NETWORK_SET_MAX);
        if (!network_parse(item, length, &set.networks[set.count++]))
            return fail(error, "not a network such as 10.0.0.0/8: \"%.*s\"", (int)(length < 60 ? length : 60),
                        item);
    }
    *(struct network_set *)field = set;
    return true;
}

bool read_databases(const struct option *option, const char *text, const char *folder, void *field,
                    char error[CONFIG_ERROR_BYTES])
{
    (void)option;
    struct place_options *out = field;
    const char *item;
    size_t length;
    out->database_count = 0;
    while (next_item(&text, &item, &length)) {
        if (length == 0)
            return fail(error, "an empty name between commas");
        if (out->database_count == PLACE_DATABASES)
            return fail(error, "more than %d databases", PLACE_DATABASES);
        if (!resolve(item, length, folder, out->databases[out->database_count], PLACE_PATH_BYTES, error))
            return false;
        for (size_t i = 0; i < out->database_count; i++)
            if (strcmp(out->databases[i], out->databases[out->database_count]) == 0)
                return fail(error, "\"%.*s\" given twice", (int)length, item);
        out->database_count++;
    }
    return true;
}

bool read_providers(const struct option *option, const char *text, const char *folder, void *field,
                    char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    struct weather_options *out = field;
    const char *item;
    size_t length;
    out->provider_count = 0;
    while (next_item(&text, &item, &length)) {
        if (word_index(option->words, item, length) < 0)
            return fail(error, "must be a list of: %s", option->words);
        for (size_t i = 0; i < out->provider_count; i++)
            if (strlen(out->providers[i]) == length && strncmp(out->providers[i], item, length) == 0)
                return fail(error, "\"%.*s\" given twice", (int)length, item);
        if (!store_text(item, length, out->providers[out->provider_count++], WEATHER_NAME_BYTES, error))
            return false;
    }
    return out->provider_count > 0 || fail(error, "must name at least one of: %s", option->words);
}

static bool read_coordinate(const char *item, size_t length, double most, double *out)
{
    *out = record_number(item, length);
    return fabs(*out) <= most; /* nor is NaN */
}

bool read_home(const struct option *option, const char *text, const char *folder, void *field,
               char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    struct place_home *home = field;
    const char *items[4];
    size_t lengths[4], count = 0;
    *home = (struct place_home){.set = false};
    if (text[0] == '\0')
        return true;
    while (count < 4 && next_item(&text, &items[count], &lengths[count]))
        count++;
    if (count < 4 || *text || lengths[1] != 2 || !isupper((unsigned char)items[1][0]) ||
        !isupper((unsigned char)items[1][1]))
        return fail(error, "must be name, country code, latitude, longitude: Mumbai, IN, 19.08, 72.88");
    if (!read_coordinate(items[2], lengths[2], 90, &home->latitude) ||
        !read_coordinate(items[3], lengths[3], 180, &home->longitude))
        return fail(error, "latitude must be -90 to 90 and longitude -180 to 180");
    if (!text_clean(items[0], lengths[0], home->name, sizeof home->name))
        return fail(error, "the name is empty or not UTF-8");
    memcpy(home->country, items[1], 2);
    home->set = true;
    return true;
}

bool read_language(const struct option *option, const char *text, const char *folder, void *field,
                   char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    const struct language *language = language_find(text, strlen(text));
    if (!language)
        return fail(error, "no words in this language");
    return store_text(language->tag, strlen(language->tag), field, option->size, error);
}

bool read_instant(const struct option *option, const char *text, const char *folder, void *field,
                  char error[CONFIG_ERROR_BYTES])
{
    (void)option, (void)folder;
    *(int64_t *)field = 0;
    if (text[0] && !clock_parse(text, field))
        return fail(error, "not an instant such as 2026-01-31T23:30:00Z");
    return true;
}

bool read_header(const struct option *option, const char *text, const char *folder, void *field,
                 char error[CONFIG_ERROR_BYTES])
{
    (void)folder;
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
            return fail(error, "not the name of a header");
    return length > 0 ? store_text(text, length, field, option->size, error)
                      : fail(error, "must name a header");
}
