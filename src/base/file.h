/* Files as they are opened and replaced everywhere in the program.
 *
 * A file is opened without trust in what stands at its path: a FIFO would hold the thread until somebody
 * writes, a device may do anything. And it is replaced whole: a reader of the path finds the old content or
 * the new one, never a part of either, and so does the next process after a crash or a power cut. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum file_links {
    FILE_FOLLOW,  /* what people name: a symbolic link is followed */
    FILE_NO_LINK, /* what this program writes itself: a link in its place is refused */
};

/* Opens a file for reading; never waits for anybody. Regular files only, and /dev/null, which is an empty
 * one. Returns a descriptor, or a stream, that the caller closes; -1, or NULL, with why in *reason (static,
 * or valid until the thread's next call of strerror): NULL where there is no such file. */
int file_open(const char *path, enum file_links, const char **reason);
FILE *file_open_stream(const char *path, enum file_links, const char **reason);

/* Reads a file into `bytes`, `size` of its first at most. Returns how many; -1 with why in *reason, as above.
 * Allocates nothing: memory that is short is no reason to take a file for damaged. */
ssize_t file_read(const char *path, enum file_links, void *bytes, size_t size, const char **reason);

/* Reads the key or password that is the first line of a file, and no longer than `size` - 1. False when it
 * cannot be read, or holds none (logged). */
bool file_read_key(const char *path, char *out, size_t size);

/* Writes the new content to a stream that can seek. False, with errno set, when that fails; what the stream
 * itself reports (a full disk) need not be checked. It neither flushes nor closes the stream. */
typedef bool file_writer(FILE *, void *context);

/* Replaces the file at `path` by what `write` writes: into `path`.new (mode 0600, never through a link; one
 * that a killed process left is removed), synced, then renamed. Makes the file's folder if that is missing,
 * the one above it not. False, with errno set: the old file, or its absence, is as before, and no `path`.new
 * is left. The folder is synced last, and a file system that refuses that is no failure: a power cut may then
 * bring the old file back, whole. Blocks while the disk does. Not for two threads at once on one path. */
bool file_replace(const char *path, file_writer *write, void *context);

/* The same, for content that is in memory. */
bool file_replace_bytes(const char *path, const void *bytes, size_t length);
