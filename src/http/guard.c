/* Of what civetweb (1.15, 1.16) does with a request the guard uses: the words and lines stand in one buffer
 * in the order in which they came, and NULs stand over what ended them. */
#include "http/guard.h"

#include <civetweb.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *end_of(const char *text)
{
    return text + strlen(text);
}

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

/* civetweb silently stops reading header lines at the 65th, at a folded line, and at a line that begins with
 * a colon or a byte over 0x7f, or with a bare CR. After a complete list the last value is followed by NULs
 * over CR and LF, and the empty line, over whose LF civetweb writes a NUL before it parses. These four bytes
 * are inside the buffer: the empty line was found before. */
static bool list_is_cut(const struct mg_request_info *info)
{
    if (info->num_headers == 0) /* NULs stand over all line ends behind the version, the empty line's too */
        return memcmp(end_of(info->http_version), "\0\0\0", 4) != 0;
    const char *end = end_of(info->http_headers[info->num_headers - 1].value);
    return memcmp(end, "\0\0\r", 3) != 0 || (end[3] != '\0' && end[3] != '\n');
}

/* The words of the request line stand apart by one space each, and it ends with CR LF. */
static bool line_is_odd(const struct mg_request_info *info)
{
    const char *target_end = end_of(info->query_string ? info->query_string : info->request_uri);
    return info->request_uri != end_of(info->request_method) + 1 ||
           info->http_version != target_end + 1 + strlen("HTTP/") ||
           (info->num_headers > 0 && info->http_headers[0].name != end_of(info->http_version) + 2);
}

/* A name ends at its colon; a line ends with CR LF, and the next begins there. */
static bool lines_are_odd(const struct mg_request_info *info)
{
    for (int i = 0; i < info->num_headers; i++) {
        const struct mg_header *line = &info->http_headers[i];
        const char *behind_colon = end_of(line->name) + 1;
        if (memchr(behind_colon, '\0', (size_t)(line->value - behind_colon)) ||
            (i + 1 < info->num_headers && line[1].name != end_of(line->value) + 2))
            return true;
    }
    return false;
}

static bool has_control(const struct mg_request_info *info)
{
    for (int i = 0; i < info->num_headers; i++)
        for (const char *c = info->http_headers[i].value; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                return true;
    return false;
}

/* clang-format off */
int guard_status(const struct mg_request_info *info, const char *start)
{
    bool current = strcmp(info->http_version, "1.1") == 0;
    int hosts = lines_of(info, "Host");
    const struct { bool broken; int status; } rules[] = {
        {!current && strcmp(info->http_version, "1.0") != 0, 505}, /* no other version is spoken here */
        {info->num_headers >= MG_MAX_HEADERS, 431},     /* what comes behind is lost: a proxy's line */
        {info->request_method != start, 400},           /* civetweb answers two blank lines as a request, too */
        {line_is_odd(info), 400},                       /* others read another target, or version 0.9 */
        {list_is_cut(info), 400},                       /* what comes behind is lost: a length, a proxy's line */
        {lines_are_odd(info), 400},                     /* proxies hand on "X-Forwarded-For :" as another name */
        {has_control(info), 400},                       /* others end a value or a line there */
        {has_body(info), 400},                          /* it could be read as the next request */
        {lines_of(info, "Transfer-Encoding") > 0, 400}, /* the same */
        {hosts > 1 || (current && hosts != 1), 400},    /* others read another site's name (RFC 9112, 3.2) */
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].broken)
            return rules[i].status;
    return 0;
}
/* clang-format on */
