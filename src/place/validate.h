/* The validation of a database before it replaces one in use. A file that opens need not be sound: a few
 * changed bytes make libmaxminddb answer wrongly, a crafted file makes it crash. So the first to read a
 * candidate is a child process under limits. */
#pragma once

#include "place/survey.h"

/* The child's command line: masthead --examine-database FILE */
#define VALIDATE_COMMAND "--examine-database"

/* Lets a child read and survey the file behind `fd`, and kills it at the limit, whatever it does with its
 * output. False when it crashes, reaches the limit or finds an error; `error` then says what. Else the caller
 * frees the survey. Blocks meanwhile (some two seconds for a city database of both families), or until a
 * SIGTERM or SIGINT is pending, which all threads must have blocked. The limit is 15 s of real time, or as
 * given. Not for handlers. */
bool validate_in_child(int fd, struct survey *out, char error[PLACE_ERROR_BYTES]);
bool validate_within(int64_t limit_ms, int fd, struct survey *out, char error[PLACE_ERROR_BYTES]);

/* The child's main: validates the file at `path`, writes an error to standard output and the survey to the
 * descriptor that validate_within has opened for it. Returns the exit status. */
int validate_main(const char *path);

/* Whether a database has well-known networks, those that it has at all, in the right countries; else `error`
 * says how many it has not. */
bool validate_known_networks(const struct mmdb *, char error[PLACE_ERROR_BYTES]);
