/* Files that are replaced whole: a reader of the path finds the old content or the new one, never a part of
 * either, and so does the next process after a crash or a power cut. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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
