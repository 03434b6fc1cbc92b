/* A library to load before a program, whose memory then fails as the file says that FAILING_MEMORY names: a
 * struct failing_memory, which whoever tests maps, too. Child processes share it. */
#include "../failing_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((constructor)) static void open_failing_memory(void)
{
    const char *path = getenv("FAILING_MEMORY");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *memory = mmap(NULL, sizeof *failing_memory, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED)
        failing_memory = memory;
}
