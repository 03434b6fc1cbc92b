/* The examination of a database before it may replace one that serves. A file that opens is not yet sane: a
 * few bytes changed make libmaxminddb answer wrongly, a crafted one makes it crash. So the first to read a
 * candidate is a child process with little to lose. */
#pragma once

#include "place/mmdb.h"

#include <stdbool.h>

/* The child's command line: masthead --examine-database FILE */
#define VALIDATE_COMMAND "--examine-database"

/* Lets a child examine the file behind `fd`, under limits of time and memory. False when it crashes, takes
 * too long or finds fault; `error` then says what. Blocks for the time that takes (a second for a city
 * database), or until a blocked SIGTERM or SIGINT comes. Not for handlers. */
bool validate_in_child(int fd, char error[MMDB_ERROR_BYTES]);

/* The child: examines the file at `path`, says a fault on standard output. Returns the exit status. */
int validate_main(const char *path);

/* Whether a database agrees with what everybody knows about some networks, if it has them at all. */
bool validate_known_networks(const struct mmdb *, char error[MMDB_ERROR_BYTES]);
