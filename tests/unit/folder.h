/* A temporary folder for a test program, and files in it as bytes. */
#pragma once

#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static inline int make_folder_in(const char *parent)
{
    snprintf(folder, sizeof folder, "%s/masthead-test.XXXXXX", parent);
    return mkdtemp(folder) ? 0 : -1;
}

/* Setup and teardown of cmocka, for a group or a test. */
static inline int make_folder(void **state)
{
    (void)state;
    return make_folder_in("/tmp");
}

static inline int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static inline int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path inside the folder; valid until the fourth next call. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void write_string(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The bytes of a file and a NUL, to be freed. */
static inline char *read_file(const char *path, size_t *length)
{
    struct stat status;
    FILE *file = fopen(path, "r");
    if (!file || fstat(fileno(file), &status) < 0)
        fail_msg("no %s here: run from the project's folder", path);
    char *bytes = calloc(1, (size_t)status.st_size + 1);
    assert_non_null(bytes);
    *length = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static inline bool there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static inline void assert_file_holds(const char *path, const char *text)
{
    size_t length;
    char *bytes = read_file(path, &length);
    assert_string_equal(bytes, text);
    assert_int_equal(length, strlen(text));
    free(bytes);
}
