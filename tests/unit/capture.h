/* Catches what the code under test writes to standard output or standard error: meanwhile the descriptor is a
 * nameless file. Not thread-safe; what other threads of the process write there is caught, too. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    FILE *file;
    int descriptor; /* the one that is caught */
    int saved;
};

static inline struct capture capture_begin(int descriptor)
{
    fflush(NULL);
    struct capture capture = {.file = tmpfile(), .descriptor = descriptor, .saved = dup(descriptor)};
    if (!capture.file || capture.saved < 0 || dup2(fileno(capture.file), descriptor) < 0)
        abort();
    return capture;
}

/* Ends it and gives what was written, cut to fit, as a string. */
static inline void capture_end(struct capture *capture, char *out, size_t size)
{
    fflush(NULL);
    dup2(capture->saved, capture->descriptor);
    close(capture->saved);
    rewind(capture->file);
    out[fread(out, 1, size - 1, capture->file)] = '\0';
    fclose(capture->file);
}
