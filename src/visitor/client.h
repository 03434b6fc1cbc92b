/* The client: which address is the reader's, the peer of the connection or one of a forwarding header.
 *
 * Each proxy appends the address that it was called from. So the walk begins at the right, with what the peer
 * wrote, and stops at the first address that is not a trusted proxy's: anyone may have written what is left
 * of it, and none of that is read as an address. An element that cannot be read is not skipped, since the
 * reader could then choose the address; the answer is no address.
 *
 * Pure functions, no allocation, no state. Thread-safe. */
#pragma once

#include "base/span.h"
#include "visitor/address.h"

enum client_header {
    CLIENT_X_FORWARDED_FOR, /* a list: X-Forwarded-For */
    CLIENT_FORWARDED,       /* RFC 7239: Forwarded */
    CLIENT_SINGLE,          /* any other name: one address, as X-Real-IP or CF-Connecting-IP */
};

struct client_options {
    char header[64]; /* name of the one header that is read, in any case */
    struct network_set trusted_proxies;
};

/* Where a request comes from. */
#define ORIGIN_LINES_MAX 64 /* no request has as many header lines */
struct origin {
    struct address peer;                 /* of the connection */
    const char *lines[ORIGIN_LINES_MAX]; /* values of the configured header, in order of arrival; borrowed */
    size_t line_count;
};

/* The kind of header that `name` is. */
enum client_header client_header_kind(const char *name);

/* Ceilings for the work that a header can cause, far above real chains. Empty elements do not count. */
#define CLIENT_ELEMENTS_MAX 32
#define CLIENT_HEADER_BYTES 2048

/* How client_find found its answer. */
enum client_reason {
    CLIENT_PEER_NOT_TRUSTED,
    CLIENT_NO_HEADER,
    CLIENT_FIRST_UNTRUSTED,
    CLIENT_ALL_TRUSTED,
    CLIENT_TOO_LONG, /* from here on: unreadable */
    CLIENT_MALFORMED,
    CLIENT_NOT_ONE_ADDRESS,
    CLIENT_NOT_AN_ADDRESS,
};

struct client_trace {
    enum client_reason reason;
    size_t element_count; /* elements that are not empty, also those past the ceiling, which are not kept; 0
                             when the header was not read */
    struct span elements[CLIENT_ELEMENTS_MAX]; /* from the left; of a readable Forwarded the values of for= */
    size_t hop_count; /* addresses read; with CLIENT_NOT_AN_ADDRESS it was the next element that failed */
    struct address hops[CLIENT_ELEMENTS_MAX]; /* from the right: the proxies passed, then the client */
};

/* Finds the reader's address, of any class (see address_classify). ADDRESS_NONE is "unreadable": a trusted
 * proxy sent a header that gives no certain answer. *trace becomes how it was found.
 *
 *   peer not a trusted proxy: the peer; the header is not read
 *   no header, or nothing in it: the peer
 *   otherwise, all lines joined: from the right, the first address that is not a trusted proxy's
 *   every address a trusted proxy's: the leftmost
 *   too long, malformed, or not an address where the walk arrives: unreadable
 *   CLIENT_SINGLE with more than one line or element: unreadable
 *
 * X-Forwarded-For and single headers take an address, IPv4 with a port, or IPv6 in brackets with or without
 * one; spaces and tabs around it do not count, and a zone ("%eth0") is cut off. Forwarded must follow RFC
 * 7239's grammar as a whole, since a quote that a stranger leaves open would swallow what later proxies
 * append. Accepted besides is what real proxies write and what opens no quote: spaces around ";", no value,
 * and ":", "[" and "]" without quotes ("for=[2001:db8::7]", "host=example.com:443"). An element without for=,
 * or with something other than an address there ("unknown", "_hidden"), makes it unreadable when the walk
 * arrives there. */
struct address client_find(const struct client_options *, const struct origin *, struct client_trace *trace);

/* The reason in words ("peer is not a trusted proxy"): a static string. */
const char *client_reason_text(enum client_reason);
