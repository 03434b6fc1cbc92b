/* A request read as a visit, with and without developer mode: what is ignored is told in our own words, a
 * reader who is no developer overrides nothing, and what is kept is clean. An input is a byte of flags, the
 * query, and after each '\n' a header line. */
#include "fuzz.h"

#include <civetweb.h>

#include "site/visit.h"

#define HEADERS 8

/* No byte of a reader's stands beside them. */
#define OUR_WORDS "abcdefghijklmnopqrstuvwxyzTZ.,;:- ()/0123456789"

/* In place of civetweb's: a connection is what it would say of one. */
const struct mg_request_info *mg_get_request_info(const struct mg_connection *connection)
{
    return (const struct mg_request_info *)(const void *)connection;
}

static struct visit_rules rules_of(uint8_t flags)
{
    struct visit_rules rules = {.dev = flags & 1, .hosts = {{"dev.example"}, 1}};
    strcpy(rules.client.header, flags & 2 ? "Forwarded" : "X-Forwarded-For");
    network_parse("10.0.0.0/8", 10, &rules.client.trusted_proxies.networks[0]);
    rules.client.trusted_proxies.count = 1;
    network_parse(flags & 4 ? "127.0.0.0/8" : "0.0.0.0/0", 11 - (flags & 4 ? 0 : 2),
                  &rules.dev_from.networks[0]);
    rules.dev_from.count = 1;
    if (flags & 8)
        rules.place_headers = (struct http_names){{"X-City", "X-Country", "X-Latitude", "X-Longitude"}, 4};
    return rules;
}

static void check(const struct visit_request *read, bool may_override)
{
    const struct record *record = &read->visit.record;
    PROPERTY(strlen(read->ignored.bytes) == read->ignored.length);
    PROPERTY(strspn(read->ignored.bytes, OUR_WORDS) == read->ignored.length);
    PROPERTY(may_override || !read->overridden);
    PROPERTY(read->visit.choice >= 0);
    PROPERTY(is_clean(record->city) && is_clean(record->country));
    PROPERTY(!record->located || (record->latitude >= -90 && record->latitude <= 90 &&
                                  record->longitude >= -180 && record->longitude <= 180));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char query[1024], lines[HEADERS][512], header[VISIT_HEADER_BYTES];
    static struct visit_request read;
    struct mg_request_info info = {.num_headers = 0};
    if (size == 0)
        return 0;
    struct visit_rules rules = rules_of(data[0]);
    struct http_request request = {
        .method = "GET", .path = data[0] & 16 ? "/widget" : "/places.json", .query = "", .connection = &info};
    address_parse("10.0.0.1", 8, &request.peer);
    data++, size--;
    if (take_string(&data, &size, '\n', query, sizeof query))
        request.query = query;
    while (info.num_headers < HEADERS &&
           take_string(&data, &size, '\n', lines[info.num_headers], sizeof lines[0])) {
        char *value = lines[info.num_headers], *name = strsep(&value, ":");
        info.http_headers[info.num_headers++] = (struct mg_header){name, value ? value : ""};
    }
    bool may_override = !visit_refusal(&rules, &request);
    http_accepts_coding(&request, "gzip");
    visit_read(&rules, &request, &read);
    check(&read, may_override);
    visit_parse_hypothetical(&rules, &request, header, &read);
    check(&read, true);
    return 0;
}
