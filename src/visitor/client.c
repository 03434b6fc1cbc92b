#include "visitor/client.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum client_header client_header_kind(const char *name)
{
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        return CLIENT_X_FORWARDED_FOR;
    return strcasecmp(name, "Forwarded") == 0 ? CLIENT_FORWARDED : CLIENT_SINGLE;
}

const char *client_reason_text(enum client_reason reason)
{
    static const char *const texts[] = {
        [CLIENT_PEER_NOT_TRUSTED] = "peer is not a trusted proxy",
        [CLIENT_NO_HEADER] = "trusted proxy sent no address",
        [CLIENT_FIRST_UNTRUSTED] = "first address from the right that is not a trusted proxy",
        [CLIENT_ALL_TRUSTED] = "every address is a trusted proxy; the leftmost counts",
        [CLIENT_TOO_LONG] = "header is too long",
        [CLIENT_MALFORMED] = "header is malformed",
        [CLIENT_NOT_ONE_ADDRESS] = "single-address header holds more than one",
        [CLIENT_NOT_AN_ADDRESS] = "reached an element that is not an address",
    };
    return texts[reason];
}

/* Whether every character is alphanumeric or one of `more`; true for an empty text. */
static bool is_made_of(struct span text, const char *more)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (!isalnum((unsigned char)c) && (c == '\0' || !strchr(more, c)))
            return false;
    }
    return true;
}

/* --- One address as proxies write it --- */

/* Whether this may follow the colon: a number, or in RFC 7239 also an identifier that starts with "_". */
static bool is_port(struct span text, bool rfc7239)
{
    unsigned port;
    if (rfc7239 && text.length > 1 && text.bytes[0] == '_')
        return is_made_of(text, "._-");
    return span_number(text, 5, &port) && port <= 65535;
}

/* An IPv6 literal; one that stands for an IPv4 address must be written as IPv6. RFC 7239 knows no zones. */
static bool parse_v6(struct span text, bool rfc7239, struct address *out)
{
    struct span literal, zone = text;
    span_cut(&zone, '%', &literal);
    bool zoned = literal.length < text.length;
    if (zoned && (rfc7239 || zone.length == 0 || !is_made_of(zone, "._~-%")))
        return false;
    return memchr(literal.bytes, ':', literal.length) && address_parse(literal.bytes, literal.length, out);
}

static bool parse_bracketed(struct span text, bool rfc7239, struct address *out)
{
    struct span literal, rest = span_after(text, 1);
    if (!memchr(rest.bytes, ']', rest.length))
        return false;
    span_cut(&rest, ']', &literal);
    return parse_v6(literal, rfc7239, out) &&
           (rest.length == 0 || (rest.bytes[0] == ':' && is_port(span_after(rest, 1), rfc7239)));
}

/* An address with or without a port; IPv6 without brackets has none, whatever its last group looks like. */
static bool parse_node(struct span text, bool rfc7239, struct address *out)
{
    if (text.length == 0)
        return false;
    if (text.bytes[0] == '[')
        return parse_bracketed(text, rfc7239, out);
    struct span host, port = text;
    span_cut(&port, ':', &host);
    if (memchr(port.bytes, ':', port.length))
        return parse_v6(text, rfc7239, out);
    bool bare = host.length == text.length;
    return (bare || is_port(port, rfc7239)) && address_parse(host.bytes, host.length, out);
}

/* --- Forwarded (RFC 7239) --- */

#define TOKEN_PUNCTUATION "!#$%&'*+-.^_`|~" /* RFC 9110, 5.6.2 */

/* What stands without quotes: a token, and what real proxies write as if it were one: nothing, a port, an
 * IPv6 address. None of it is a quote or a backslash: whoever leaves a quote open turns inside out what
 * proxies quote behind it, and then either a quote of theirs is left open in turn, or a backslash of theirs
 * stands outside of quotes. */
static bool is_unquoted(struct span text)
{
    return is_made_of(text, TOKEN_PUNCTUATION ":[]");
}

/* RFC 9110, 5.6.4, of printable ASCII only: bytes from 0x80 on would be allowed, but no address needs them.
 */
static bool is_quoted_string(struct span text)
{
    if (text.length == 0 || text.bytes[0] != '"')
        return false;
    size_t i = 1;
    while (i < text.length && text.bytes[i] != '"') {
        if (text.bytes[i] == '\\')
            i++;
        if (i == text.length || text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
            return false;
        i++;
    }
    return i + 1 == text.length;
}

/* Reads one name=value. Sets *value, quotes included, for "for", which may be given once: until then its
 * bytes are NULL. False when malformed. */
static bool read_pair(struct span pair, struct span *value)
{
    struct span name, whole = pair;
    span_cut(&pair, '=', &name);
    if (name.length == 0 || name.length == whole.length || !is_made_of(name, TOKEN_PUNCTUATION) ||
        (!is_unquoted(pair) && !is_quoted_string(pair)))
        return false;
    if (name.length != 3 || strncasecmp(name.bytes, "for", 3) != 0)
        return true;
    if (value->bytes)
        return false;
    *value = pair;
    return true;
}

/* Cuts as span_cut does, and trims the piece. With `quoting` separators in quoted strings do not count; a
 * string that does not close reaches to the end, for is_quoted_string to refuse. */
static bool cut_piece(struct span *rest, char separator, bool quoting, struct span *piece)
{
    bool quoted = false, some = rest->length > 0;
    size_t i = 0;
    for (; i < rest->length && (quoted || rest->bytes[i] != separator); i++) {
        if (quoting && rest->bytes[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->bytes[i] == '\\' && i + 1 < rest->length)
            i++;
    }
    *piece = span_trim((struct span){rest->bytes, i});
    *rest = span_after(*rest, i + (i < rest->length));
    return some;
}

/* Puts the value of for= in the element's place, an empty one when it has none. False when malformed. */
static bool read_for_value(struct span *element)
{
    struct span pair, value = {NULL, 0};
    while (cut_piece(element, ';', true, &pair))
        if (pair.length > 0 && !read_pair(pair, &value))
            return false;
    *element = value.bytes ? value : (struct span){element->bytes, 0};
    return true;
}

/* The address in the value of a for=, quoted or not. */
static bool parse_for_value(struct span value, struct address *out)
{
    char plain[128]; /* an address and a port; one with a longer identifier for a port is not read */
    struct span text = {plain, 0};
    bool quoted = value.length > 0 && value.bytes[0] == '"';
    for (size_t i = quoted; i < value.length - quoted; i++) {
        if (quoted && value.bytes[i] == '\\')
            i++;
        if (text.length == sizeof plain)
            return false;
        plain[text.length++] = value.bytes[i];
    }
    return parse_node(text, true, out);
}

/* --- The header as a list --- */

/* Adds the elements of one line that are not empty. */
static void split_line(const char *line, bool quoting, struct client_trace *trace)
{
    struct span element, rest = {line, strlen(line)};
    while (cut_piece(&rest, ',', quoting, &element))
        if (element.length > 0 && trace->element_count++ < CLIENT_ELEMENTS_MAX)
            trace->elements[trace->element_count - 1] = element;
}

static bool is_too_long(const struct origin *origin)
{
    size_t left = CLIENT_HEADER_BYTES;
    for (size_t i = 0; i < origin->line_count; i++) {
        size_t length = strnlen(origin->lines[i], left + 1);
        if (length > left)
            return true;
        left -= length;
    }
    return false;
}

/* Walks the elements from the right; *client is the last address read. */
static enum client_reason walk(enum client_header kind, const struct network_set *trusted,
                               struct address *client, struct client_trace *trace)
{
    for (size_t i = trace->element_count; i-- > 0;) {
        bool readable = kind == CLIENT_FORWARDED ? parse_for_value(trace->elements[i], client)
                                                 : parse_node(trace->elements[i], false, client);
        if (!readable)
            return CLIENT_NOT_AN_ADDRESS;
        trace->hops[trace->hop_count++] = *client;
        if (!network_set_contains(trusted, client))
            return CLIENT_FIRST_UNTRUSTED;
    }
    return CLIENT_ALL_TRUSTED;
}

/* Reads the header of a trusted peer; *client stays as it is when there is nothing in it. */
static enum client_reason read_header(const struct client_options *options, const struct origin *origin,
                                      struct address *client, struct client_trace *trace)
{
    if (is_too_long(origin))
        return CLIENT_TOO_LONG;
    enum client_header kind = client_header_kind(options->header);
    for (size_t i = 0; i < origin->line_count; i++)
        split_line(origin->lines[i], kind == CLIENT_FORWARDED, trace);
    if (trace->element_count == 0)
        return CLIENT_NO_HEADER;
    if (trace->element_count > CLIENT_ELEMENTS_MAX)
        return CLIENT_TOO_LONG;
    if (kind == CLIENT_SINGLE && (trace->element_count > 1 || origin->line_count > 1))
        return CLIENT_NOT_ONE_ADDRESS;
    for (size_t i = 0; kind == CLIENT_FORWARDED && i < trace->element_count; i++)
        if (!read_for_value(&trace->elements[i]))
            return CLIENT_MALFORMED;
    return walk(kind, &options->trusted_proxies, client, trace);
}

struct address client_find(const struct client_options *options, const struct origin *origin,
                           struct client_trace *trace)
{
    struct address client = origin->peer;
    trace->reason = CLIENT_PEER_NOT_TRUSTED;
    trace->element_count = trace->hop_count = 0;
    if (network_set_contains(&options->trusted_proxies, &origin->peer))
        trace->reason = read_header(options, origin, &client, trace);
    return trace->reason < CLIENT_TOO_LONG ? client : (struct address){.family = ADDRESS_NONE};
}
