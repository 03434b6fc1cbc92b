/* The configuration: the value of one option, or (first byte 0xff) a whole file, which takes as long as a
 * hundred options, and is read the first of 16 times. What is refused is refused
 * in one line, which shows no password. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "config/table.h"

static struct config config;

static void check_error(const char *line)
{
    PROPERTY(line[0] && !strchr(line, '\n'));
}

static void read_file(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("config", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    PROPERTY(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    config_load(&(struct config_sources){.file = path, .on_error = check_error}, &config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[CONFIG_VALUE_BYTES];
    if (size == 0)
        return 0;
    if (data[0] == 0xff) {
        static unsigned files;
        if (files++ % 16 == 0)
            read_file(data + 1, size - 1);
        return 0;
    }
    const struct option *option = &option_table[data[0] % option_count];
    struct setting setting = {
        .option = option, .folder = "/etc/masthead", .field = (char *)&config + option->offset};
    data++, size--;
    text[0] = '\0';
    take_string(&data, &size, '\n', text, sizeof text);
    setting.text = trim(text);
    bool read = option->read(&setting);
    PROPERTY(read || setting.error[0]);
    return 0;
}
