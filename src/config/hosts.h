/* Hosts and ports as text. Pure functions. */
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
