#include "config/hosts.h"

#include "visitor/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
