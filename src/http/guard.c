#include "http/guard.h"

#include <civetweb.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static int lines_of(const struct mg_request_info *info, const char *name)
{
    int count = 0;
    for (int i = 0; i < info->num_headers; i++)
        count += strcasecmp(info->http_headers[i].name, name) == 0;
    return count;
}

/* Of the forms that say "no body", only a single "Content-Length: 0" may pass. */
static bool has_body(const struct mg_request_info *info)
{
    int lengths = 0;
    for (int i = 0; i < info->num_headers; i++)
        if (strcasecmp(info->http_headers[i].name, "Content-Length") == 0 &&
            (lengths++ > 0 || strcmp(info->http_headers[i].value, "0") != 0))
            return true;
    return false;
}

/* civetweb (1.15, 1.16) silently stops reading header lines at the 65th, at a folded line, and at a line that
 * begins with a colon or a byte over 0x7f. A proxy's X-Forwarded-For behind it is lost. After a complete list
 * the last value is followed by the NULs that civetweb wrote over CR and LF, and the CR of the empty line.
 * These three bytes are inside the buffer: the empty line was found before the lines were parsed. */
static bool headers_truncated(const struct mg_request_info *info)
{
    const char *version = info->http_version;
    if (info->num_headers == 0) /* NULs stand over all line ends behind the version, the empty line's too */
        return memcmp(version + strlen(version), "\0\0\0", 4) != 0;
    const char *value = info->http_headers[info->num_headers - 1].value;
    return memcmp(value + strlen(value), "\0\0\r", 3) != 0;
}

static bool has_control(const struct mg_request_info *info)
{
    for (int i = 0; i < info->num_headers; i++)
        for (const char *c = info->http_headers[i].value; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                return true;
    return false;
}

int guard_status(const struct mg_request_info *info)
{
    bool current = strcmp(info->http_version, "1.1") == 0;
    int hosts = lines_of(info, "Host");
    if (!current && strcmp(info->http_version, "1.0") != 0)
        return 505;
    if (info->num_headers >= MG_MAX_HEADERS)
        return 431;
    if (headers_truncated(info) || has_control(info) || has_body(info))
        return 400;
    if (lines_of(info, "Transfer-Encoding") > 0 || lines_of(info, "Upgrade") > 0)
        return 400;
    return hosts > 1 || (current && hosts != 1) ? 400 : 0;
}
