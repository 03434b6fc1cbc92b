/* A forwarding header as it reaches the service: first what a stranger sent, whatever it is, then what
 * proxies appended. An input is a byte of flags, the stranger's lines ('\n' between them), and after a '\x1f'
 * the Host that he sent, which proxies quote. */
#pragma once

#include "fuzz.h"

#include "visitor/client.h"

#define READER  "203.0.113.7"
#define PEER    "10.0.0.1"
#define LINES   8
#define PROXIES 4

struct hops {
    char text[4 * CLIENT_HEADER_BYTES];
    size_t length;
    size_t starts[LINES + PROXIES];
    size_t count;
    char host[64]; /* as proxies quote it */
};

static inline void hops_add(struct hops *hops, const char *text)
{
    size_t length = strlen(text);
    memcpy(hops->text + hops->length, text, length);
    hops->length += length;
}

static inline void hops_begin_line(struct hops *hops)
{
    if (hops->count > 0)
        hops->text[hops->length++] = '\0';
    hops->starts[hops->count++] = hops->length;
}

/* Appends an element as a proxy does: to the last line, or on one of its own. "%" in it is the Host. */
static inline void hops_append(struct hops *hops, bool own_line, const char *element)
{
    const char *host = strchr(element, '%');
    if (own_line || hops->count == 0)
        hops_begin_line(hops);
    else
        hops_add(hops, ", ");
    char before[128];
    snprintf(before, sizeof before, "%.*s", host ? (int)(host - element) : 127, element);
    hops_add(hops, before);
    if (host) {
        hops_add(hops, hops->host);
        hops_add(hops, host + 1);
    }
}

/* What the stranger sent. */
static inline void hops_start(struct hops *hops, const uint8_t *data, size_t size)
{
    char lines[CLIENT_HEADER_BYTES], host[24], *quoted = hops->host;
    hops->length = hops->count = 0;
    take_string(&data, &size, '\x1f', lines, sizeof lines);
    host[0] = '\0';
    take_string(&data, &size, '\x1f', host, sizeof host);
    for (const char *c = host; *c; c++) {
        if (*c == '"' || *c == '\\')
            *quoted++ = '\\';
        *quoted++ = *c;
    }
    *quoted = '\0';
    for (char *rest = lines, *line; hops->count < LINES && (line = strsep(&rest, "\n"));) {
        hops_begin_line(hops);
        hops_add(hops, line);
    }
}

static inline struct address hops_address(const char *text)
{
    struct address address;
    address_parse(text, strlen(text), &address);
    return address;
}

/* Finds the client, from a copy of exact size, so that reading past the end shows. */
static inline struct address hops_find(const struct hops *hops, const char *header, const char *peer,
                                       struct client_trace *trace)
{
    static struct client_options options;
    struct origin origin = {.peer = hops_address(peer), .line_count = hops->count};
    char *copy = malloc(hops->length + 1);
    memcpy(copy, hops->text, hops->length);
    copy[hops->length] = '\0';
    for (size_t i = 0; i < hops->count; i++)
        origin.lines[i] = copy + hops->starts[i];
    if (options.trusted_proxies.count == 0) {
        network_parse("10.0.0.0/8", 10, &options.trusted_proxies.networks[0]);
        network_parse("fd00::/8", 8, &options.trusted_proxies.networks[1]);
        options.trusted_proxies.count = 2;
    }
    strcpy(options.header, header);
    struct address client = client_find(&options, &origin, trace);
    PROPERTY(trace->hop_count <= CLIENT_ELEMENTS_MAX);
    free(copy);
    return client;
}

/* Appends the reader in one of `forms`, then proxies in theirs, as the flags say. */
static inline void hops_finish(struct hops *hops, uint8_t flags, const char *const *forms, size_t form_count,
                               const char *const *proxies, size_t proxy_count)
{
    hops_append(hops, flags & 1, forms[(flags >> 1) % form_count]);
    for (size_t i = 0; i < (size_t)(flags >> 5 & 3); i++)
        hops_append(hops, flags & 0x80, proxies[(flags + i) % proxy_count]);
}
