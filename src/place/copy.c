#include "place/copy.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES  ((off_t)1 << 30) /* GeoIP2 Enterprise has under half of it */
#define COPY_STEP_BYTES ((size_t)16 << 20)

static int open_regular(const char *path, off_t *size, char error[PLACE_ERROR_BYTES])
{
    struct stat status;
    const char *reason;
    int fd = file_open(path, FILE_FOLLOW, &reason);
    if (fd < 0) {
        snprintf(error, PLACE_ERROR_BYTES, "%s", reason ? reason : strerror(ENOENT));
    } else if (fstat(fd, &status) < 0) {
        snprintf(error, PLACE_ERROR_BYTES, "%s", strerror(errno));
    } else if (status.st_size == 0 || status.st_size > FILE_MAX_BYTES) {
        snprintf(error, PLACE_ERROR_BYTES, status.st_size == 0 ? "empty file" : "larger than 1 GB");
    } else {
        *size = status.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static int unlinked_file(const char *folder)
{
    char name[512];
    mkdir(folder, 0755);
    snprintf(name, sizeof name, "%s/database.XXXXXX", folder);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* Fills `to` with the whole file. Returns it; -1, with errno set, where that fails: then it is closed. */
static int filled(int to, int from, off_t size)
{
    off_t copied = 0;
    if (to < 0)
        return -1;
    errno = 0;
    while (copied < size) {
        ssize_t count = sendfile(to, from, &copied, COPY_STEP_BYTES);
        if (count == 0 || (count < 0 && errno != EINTR))
            break;
    }
    if (copied == size)
        return to;
    int error = errno ? errno : ESTALE; /* it became shorter or longer meanwhile */
    close(to);
    errno = error;
    return -1;
}

/* A private, nameless copy of the file: in the folder, else in memory. Closes `from`; -1 with the reason in
 * `error`. */
static int private_copy(int from, off_t size, const char *folder, char error[PLACE_ERROR_BYTES])
{
    int to = filled(unlinked_file(folder), from, size);
    if (to < 0) {
        log_event(LOG_WARN, "state folder takes no copy of a database, memory does",
                  log_str("folder", folder), log_str("error", strerror(errno)));
        to = filled(memfd_create("database", MFD_CLOEXEC), from, size);
    }
    if (to < 0)
        snprintf(error, PLACE_ERROR_BYTES, "cannot be copied: %s", strerror(errno));
    close(from);
    return to;
}

int copy_open(const char *path, const char *folder, char error[PLACE_ERROR_BYTES])
{
    off_t size = 0;
    int fd = open_regular(path, &size, error);
    return fd >= 0 && folder[0] ? private_copy(fd, size, folder, error) : fd;
}
