#include "place/vague.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(struct vague *vague, const struct network *network, const char *path)
{
    if (vague->count == VAGUE_MAX) {
        log_event(LOG_ERROR, "too many vague networks", log_str("file", path), log_int("most", VAGUE_MAX));
        return false;
    }
    if (vague->count == vague->room) {
        size_t room = vague->room > 0 ? 2 * vague->room : 64;
        struct network *grown = reallocarray(vague->networks, room, sizeof *grown);
        if (!grown) {
            log_event(LOG_ERROR, "no memory for vague networks", log_str("file", path),
                      log_int("networks", (int64_t)room));
            return false;
        }
        vague->networks = grown;
        vague->room = room;
    }
    vague->networks[vague->count++] = *network;
    return true;
}

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
    return add(vague, &network, path);
}

static int compare_addresses(const struct address *a, const struct address *b)
{
    return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* By base; of one base, the largest first. */
static int compare_networks(const void *left, const void *right)
{
    const struct network *a = left, *b = right;
    int order = compare_addresses(&a->base, &b->base);
    return order ? order : (int)a->bits - (int)b->bits;
}

/* Sorts the list and drops what lies within another network. Two networks are apart or one holds the other,
 * so that the last one kept is the only one that can hold the next. */
static void put_in_order(struct vague *vague)
{
    size_t kept = 0;
    if (vague->count > 0)
        qsort(vague->networks, vague->count, sizeof *vague->networks, compare_networks);
    for (size_t i = 0; i < vague->count; i++)
        if (kept == 0 || !network_contains(&vague->networks[kept - 1], &vague->networks[i].base))
            vague->networks[kept++] = vague->networks[i];
    vague->count = kept;
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
    if (good && !feof(file)) { /* an error, or a line for which memory is short */
        log_event(LOG_ERROR, "cannot read vague networks", log_str("file", path),
                  log_str("error", strerror(errno)));
        good = false;
    }
    free(line);
    fclose(file);
    put_in_order(vague);
    return good;
}

void vague_free(struct vague *vague)
{
    free(vague->networks);
}

bool vague_contains(const struct vague *vague, const struct address *address)
{
    /* The last network that does not begin after the address: `low` of them do not. */
    size_t low = 0, high = vague->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_addresses(&vague->networks[middle].base, address) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && network_contains(&vague->networks[low - 1], address);
}
