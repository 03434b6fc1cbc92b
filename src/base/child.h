/* A child process that does what must not be done in this one: reading hostile bytes with code that may crash
 * or spin. It inherits files by number, writes into files in memory whose size is fixed, and is killed at a
 * limit of real time. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHILD_FILES_MAX   5
#define CHILD_ERROR_BYTES 128

struct child_task {
    const char *program;
    char *const *arguments;     /* terminated by NULL; no environment is handed on */
    int files[CHILD_FILES_MAX]; /* by the number that each has in the child; -1: as in this process. One that
                                   is below CHILD_FILES_MAX here must not be covered before its turn */
    int64_t limit_ms;           /* of real time */
};

/* A file in memory for what a child reads or writes: `bytes` zeroes at first, and nobody can change its size.
 * The caller closes it. -1 with errno set on failure. */
int child_file(size_t bytes);

/* Runs the child to its end. True when it ended by itself, with *exit_status as from waitpid. False, with the
 * reason in `error`, when it could not be started, reached the limit and was killed, or was killed because a
 * SIGTERM or SIGINT is pending, which all threads must have blocked. Blocks meanwhile. Thread-safe. */
bool child_run(const struct child_task *, int *exit_status, char error[CHILD_ERROR_BYTES]);

/* The path of a program that stands beside this one. False, with errno set, when that is not known. */
bool child_beside(const char *name, char out[PATH_MAX]);
