/* Private copies of database files, so that later changes of the original (a rewrite in place, truncation,
 * removal) reach no lookup. */
#pragma once

#include "place/record.h"

/* Opens a copy of the file at `path` for reading: a file without a name in `folder`, which is made if it is
 * missing, or, where that takes none, in memory (logged). With "" the file itself is opened, for commands
 * that end before it may change. Returns the descriptor, which the caller closes; -1 on failure, with a
 * sentence in `error`: what is no regular file, empty or larger than 1 GB is refused. */
int copy_open(const char *path, const char *folder, char error[PLACE_ERROR_BYTES]);
