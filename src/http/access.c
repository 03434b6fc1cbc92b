/* The access log: a line for each answer of the instrumented listener, where it is configured.
 *
 *     msg=answered method=GET endpoint=widget.json status=200 us=112 state=fresh source=geoip
 * visitor=192.0.2.0/24
 *
 * Of a request's own bytes only the method is in it, escaped; the endpoint is the route's label. */
#include "http/listener.h"

#include "base/log.h"

#include <stdio.h>

#define FIELDS_MAX 8
#define V4_BITS    24
#define V6_BITS    48

static atomic_bool enabled;
static atomic_int visitor; /* enum access_visitor */

void access_configure(const struct access_options *options)
{
    atomic_store(&visitor, (int)options->visitor);
    atomic_store(&enabled, options->lines);
}

static void write_visitor(const struct address *reader, bool full, char *out, size_t size)
{
    char text[ADDRESS_TEXT_BYTES];
    unsigned bits = reader->family == ADDRESS_V4 ? V4_BITS : V6_BITS;
    struct network network = network_around(reader, bits);
    address_format(full ? reader : &network.base, text);
    snprintf(out, size, full ? "%s" : "%s/%u", text, bits);
}

void access_log(const char *method, const char *endpoint, int64_t us, const struct http_answer *answer)
{
    if (!atomic_load(&enabled))
        return;
    struct log_field fields[FIELDS_MAX] = {log_str("method", method), log_str("endpoint", endpoint),
                                           log_int("status", answer->status), log_int("us", us)};
    char reader[ADDRESS_TEXT_BYTES + 8];
    int detail = atomic_load(&visitor);
    size_t count = 4;
    if (answer->log_fields.state) {
        fields[count++] = log_str("state", answer->log_fields.state);
        fields[count++] = log_str("source", answer->log_fields.source);
    }
    if (detail != ACCESS_NONE && answer->log_fields.reader.family != ADDRESS_NONE) {
        write_visitor(&answer->log_fields.reader, detail == ACCESS_FULL, reader, sizeof reader);
        fields[count++] = log_str("visitor", reader);
    }
    fields[count].key = NULL;
    log_write(LOG_ALWAYS, "answered", fields);
}
