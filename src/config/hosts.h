/* Hosts, ports and origins as text. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DIGITS   "0123456789"
#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PORT_MAX 65535

/* Whether a text is not empty and holds no other characters than these. */
bool is_made_of(const char *text, const char *characters);

/* Reads a port, 0 to PORT_MAX. */
bool port_parse(const char *text, int64_t *port);

/* Whether the host that a URL goes on with (a port or path may follow) is this machine itself. */
bool host_is_loopback(const char *text);

/* Whether a browser may send this in a Host header, a port aside: labels between dots; what ends in a number
 * is an IPv4 address. In any case, since hosts are compared without regard to it. */
bool host_is_sendable(const char *text);

/* Whether a browser may send this as an origin (RFC 6454, 6.2): scheme://host[:port] in lower case, without
 * the scheme's own port, since origins are compared byte for byte. */
bool origin_is_sendable(const char *text);
