#include "config/hosts.h"

#include "visitor/address.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_BYTES 512 /* no value is longer */

bool is_made_of(const char *text, const char *characters)
{
    return text[0] && text[strspn(text, characters)] == '\0';
}

bool port_parse(const char *text, int64_t *port)
{
    *port = is_made_of(text, DIGITS) && strlen(text) <= 5 ? atol(text) : -1;
    return *port >= 0 && *port <= PORT_MAX;
}

bool host_is_loopback(const char *host)
{
    bool bracket = host[0] == '[';
    size_t length = strcspn(host + bracket, bracket ? "]" : ":/");
    struct address address;
    const char *range;
    if (length == 9 && strncasecmp(host, "localhost", length) == 0)
        return true;
    address_parse(host + bracket, length, &address);
    address_classify(&address, &range);
    return strcmp(range, "loopback") == 0;
}

bool host_is_sendable(const char *text)
{
    struct address address;
    const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;
    if (!is_made_of(text, LOWER UPPER DIGITS "-_.") || text[0] == '.' || strstr(text, ".."))
        return false;
    return !is_made_of(last, DIGITS) || address_parse(text, strlen(text), &address);
}

/* Whether this is how a browser writes an IPv6 address, without brackets. */
static bool is_canonical_v6(const char *text)
{
    struct address address;
    char canonical[ADDRESS_TEXT_BYTES];
    bool parsed = address_parse(text, strlen(text), &address) && address.family == ADDRESS_V6;
    address_format(&address, canonical);
    return parsed && strcmp(text, canonical) == 0;
}

/* Whether a browser would send this port after a colon: it leaves out the scheme's own. */
static bool is_origin_port(const char *text, const char *origin)
{
    int64_t port;
    bool usual = strcmp(text, strncmp(origin, "https:", 6) == 0 ? "443" : "80") == 0;
    return !usual && text[0] != '0' && port_parse(text, &port);
}

bool origin_is_sendable(const char *text)
{
    char host[HOST_BYTES];
    size_t scheme = strspn(text, LOWER DIGITS "+-.");
    if (!islower((unsigned char)text[0]) || strncmp(text + scheme, "://", 3) != 0)
        return false;
    snprintf(host, sizeof host, "%s", text + scheme + 3);
    char *end = host + strcspn(host, host[0] == '[' ? "]" : ":");
    bool v6 = host[0] == '[' && *end == ']';
    const char *rest = v6 ? end + 1 : end;
    if (*rest && (*rest != ':' || !is_origin_port(rest + 1, text)))
        return false;
    *end = '\0';
    return v6 ? is_canonical_v6(host + 1) : host_is_sendable(host) && !strpbrk(host, UPPER);
}
