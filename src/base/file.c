#include "base/file.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NULL_DEVICE makedev(1, 3) /* /dev/null of Linux */

static bool is_readable_kind(const struct stat *status)
{
    return S_ISREG(status->st_mode) || (S_ISCHR(status->st_mode) && status->st_rdev == NULL_DEVICE);
}

int file_open(const char *path, enum file_links links, const char **reason)
{
    struct stat status;
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == FILE_NO_LINK ? O_NOFOLLOW : 0));
    if (fd < 0) {
        *reason = errno == ENOENT ? NULL : errno == ELOOP ? "a symbolic link" : strerror(errno);
        return -1;
    }
    if (fstat(fd, &status) == 0 && is_readable_kind(&status))
        return fd;
    *reason = "not a regular file";
    close(fd);
    return -1;
}

FILE *file_open_stream(const char *path, enum file_links links, const char **reason)
{
    int fd = file_open(path, links, reason);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !file) {
        *reason = strerror(errno);
        close(fd);
    }
    return file;
}

ssize_t file_read(const char *path, enum file_links links, void *bytes, size_t size, const char **reason)
{
    int fd = file_open(path, links, reason);
    ssize_t length = 0, count = 1;
    if (fd < 0)
        return -1;
    while (count > 0 && (size_t)length < size) {
        count = read(fd, (char *)bytes + length, size - (size_t)length);
        length += count;
    }
    if (count < 0)
        *reason = strerror(errno);
    close(fd);
    return count < 0 ? -1 : length;
}

bool file_read_key(const char *path, char *out, size_t size)
{
    const char *reason;
    ssize_t read = file_read(path, FILE_FOLLOW, out, size, &reason);
    size_t length = 0;
    if (read < 0) {
        log_event(LOG_ERROR, "cannot read key file", log_str("file", path),
                  log_str("error", reason ? reason : strerror(ENOENT)));
        return false;
    }
    while (length < (size_t)read && !strchr("\r\n", out[length])) /* a zero byte ends it, too */
        length++;
    if (length == 0 || length == size || strchr("\t ", out[0])) {
        log_event(LOG_ERROR, "the key file must hold the key in its first line", log_str("file", path));
        return false;
    }
    out[length] = '\0';
    return true;
}

/* Writes and syncs what is behind `fd`, and closes it. */
static bool write_stream(int fd, file_writer *write, void *context)
{
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    errno = 0;
    bool ok = write(file, context) && fflush(file) == 0 && !ferror(file) && fsync(fd) == 0;
    int error = errno ? errno : EIO;
    fclose(file);
    errno = error;
    return ok;
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

bool file_replace(const char *path, file_writer *write, void *context)
{
    char folder[PATH_MAX], fresh[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    mkdir(folder, 0755); /* open says why the folder is missing */
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    if (!write_stream(fd, write, context) || rename(fresh, path) < 0) {
        int error = errno;
        unlink(fresh);
        errno = error;
        return false;
    }
    sync_folder(folder);
    return true;
}

struct content {
    const void *bytes;
    size_t length;
};

static bool write_content(FILE *file, void *context)
{
    const struct content *content = context;
    return fwrite(content->bytes, 1, content->length, file) == content->length;
}

bool file_replace_bytes(const char *path, const void *bytes, size_t length)
{
    return file_replace(path, write_content, &(struct content){bytes, length});
}
