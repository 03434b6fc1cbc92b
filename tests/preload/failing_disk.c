/* A library to load before a program, whose disk then fails (EIO) as long as the file is there that
 * FAILING_DISK names: what is written does not get onto it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int fsync(int fd)
{
    int (*next)(int);
    const char *path = getenv("FAILING_DISK");
    if (path && access(path, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    return next(fd);
}
