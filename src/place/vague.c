#include "place/vague.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the network of one line. */
static bool add_line(struct vague *vague, char *line, const char *path, size_t number)
{
    line[strcspn(line, "#\r\n")] = '\0';
    char *start = line + strspn(line, " \t");
    size_t length = strcspn(start, " \t");
    if (length == 0)
        return true;
    struct network network;
    if (start[length + strspn(start + length, " \t")] || !network_parse(start, length, &network)) {
        log_event(LOG_ERROR, "not a network", log_str("file", path), log_int("line", (int64_t)number),
                  log_str("text", start));
        return false;
    }
    struct network *grown = realloc(vague->networks, (vague->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    grown[vague->count++] = network;
    vague->networks = grown;
    return true;
}

bool vague_read(struct vague *vague, const char *path)
{
    if (path[0] == '\0')
        return true;
    FILE *file = fopen(path, "re");
    if (!file) {
        log_event(LOG_ERROR, "cannot read vague networks", log_str("file", path),
                  log_str("error", strerror(errno)));
        return false;
    }
    char *line = NULL;
    size_t size = 0, number = 1;
    bool good = true;
    for (; good && getline(&line, &size, file) >= 0; number++)
        good = add_line(vague, line, path, number);
    if (ferror(file)) {
        log_event(LOG_ERROR, "cannot read vague networks", log_str("file", path),
                  log_str("error", strerror(errno)));
        good = false;
    }
    free(line);
    fclose(file);
    return good;
}

void vague_free(struct vague *vague)
{
    free(vague->networks);
}

bool vague_contains(const struct vague *vague, const struct address *address)
{
    for (size_t i = 0; i < vague->count; i++)
        if (network_contains(&vague->networks[i], address))
            return true;
    return false;
}
