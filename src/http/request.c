/* What a handler can ask of a request: header lines, host, query. */
#include "http/server.h"

#include <civetweb.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t http_header(const struct http_request *request, const char *name, const char **values, size_t max)
{
    const struct mg_request_info *info = mg_get_request_info(request->connection);
    size_t count = 0;
    for (int i = 0; i < info->num_headers; i++) {
        if (strcasecmp(info->http_headers[i].name, name) != 0)
            continue;
        if (count < max)
            values[count] = info->http_headers[i].value;
        count++;
    }
    return count;
}

/* Whether an element of a list with weights, "gzip;q=0.5", is of weight zero. */
static bool weighs_nothing(const char *element, size_t length)
{
    const char *end = element + length, *weight = memchr(element, ';', length);
    while (weight && ++weight < end && (*weight == ' ' || *weight == '\t'))
        ;
    if (!weight || end - weight < 3 || tolower((unsigned char)weight[0]) != 'q' || weight[1] != '=')
        return false;
    for (weight += 2; weight < end && strchr("0. \t", *weight); weight++)
        ;
    return weight == end;
}

bool http_accepts_coding(const struct http_request *request, const char *coding)
{
    enum { LINES = 4 };
    const char *lines[LINES];
    size_t count = http_header(request, "Accept-Encoding", lines, LINES);
    bool any = false;
    for (size_t i = 0; i < count && i < LINES; i++) {
        for (const char *at = lines[i]; *at; at += *at == ',') {
            at += strspn(at, " \t");
            size_t length = strcspn(at, ","), name = strcspn(at, "; \t,");
            if (name == strlen(coding) && strncasecmp(at, coding, name) == 0)
                return !weighs_nothing(at, length);
            if (name == 1 && *at == '*')
                any = !weighs_nothing(at, length);
            at += length;
        }
    }
    return any;
}

bool http_split_host(const char *header, char host[HTTP_NAME_BYTES], bool *literal)
{
    bool bracketed = header[0] == '[';
    const char *start = header + bracketed;
    size_t length = bracketed ? strcspn(start, "]") : strcspn(start, ":");
    const char *rest = start + length + (bracketed && start[length] == ']');
    if (length == 0 || length >= HTTP_NAME_BYTES || (bracketed && start[length] != ']'))
        return false;
    if (*rest != '\0' && (*rest != ':' || strspn(rest + 1, "0123456789") != strlen(rest + 1)))
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    struct address address;
    *literal = address_parse(host, length, &address);
    return *literal || !bracketed;
}

bool http_host_allowed(const struct http_request *request, const struct http_names *hosts)
{
    const char *header;
    char host[HTTP_NAME_BYTES];
    bool literal;
    if (http_header(request, "Host", &header, 1) != 1 || !http_split_host(header, host, &literal))
        return false;
    if (literal || strcasecmp(host, "localhost") == 0)
        return true;
    for (size_t i = 0; i < hosts->count; i++)
        if (strcasecmp(host, hosts->names[i]) == 0)
            return true;
    return false;
}

/* The host and port of an origin, "http://host:port"; "" for "null". */
static const char *origin_host(const char *origin)
{
    const char *host = strstr(origin, "://");
    return host ? host + strlen("://") : "";
}

bool http_same_site(const struct http_request *request)
{
    const char *site, *origin, *host;
    size_t sites = http_header(request, "Sec-Fetch-Site", &site, 1);
    size_t origins = http_header(request, "Origin", &origin, 1);
    if (sites > 1 || (sites == 1 && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0))
        return false;
    return origins == 0 || (origins == 1 && http_header(request, "Host", &host, 1) == 1 &&
                            strcasecmp(origin_host(origin), host) == 0);
}

/* civetweb's own decoder refuses, from Debian 13 on, a space as it is; a header may have one ("New
 * York"). */
bool http_decode(const char *encoded, size_t length, bool form, char *out, size_t size)
{
    size_t used = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < length; i++) {
        char c = form && encoded[i] == '+' ? ' ' : encoded[i];
        if (c == '%' && length - i > 2 && isxdigit((unsigned char)encoded[i + 1]) &&
            isxdigit((unsigned char)encoded[i + 2])) {
            c = (char)strtol((const char[]){encoded[i + 1], encoded[i + 2], '\0'}, NULL, 16);
            i += 2;
        }
        ok = used + 1 < size && (unsigned char)c >= 0x20 && c != 0x7f;
        if (ok)
            out[used++] = c;
    }
    out[ok ? used : 0] = '\0';
    return ok;
}

bool http_next_parameter(const char **query, struct http_parameter *out)
{
    while (**query == '&')
        (*query)++;
    if (**query == '\0')
        return false;
    size_t length = strcspn(*query, "&");
    const char *equals = memchr(*query, '=', length);
    size_t name_length = equals ? (size_t)(equals - *query) : length;
    http_decode(*query, name_length, true, out->name, sizeof out->name);
    out->raw = equals ? equals + 1 : "";
    out->raw_length = equals ? length - name_length - 1 : 0;
    http_decode(out->raw, out->raw_length, true, out->value, sizeof out->value);
    *query += length;
    return true;
}
