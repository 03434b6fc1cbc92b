#include "place/vague.h"

#include "base/file.h"
#include "base/log.h"
#include "base/span.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Allocates for one more network. Returns an error, or NULL. */
static const char *grow(struct vague *vague)
{
    if (vague->count == VAGUE_MAX)
        return "too many vague networks";
    if (vague->count < vague->room)
        return NULL;
    size_t room = vague->room > 0 ? 2 * vague->room : 64;
    struct network *grown = reallocarray(vague->networks, room, sizeof *grown);
    if (!grown)
        return "no memory for vague networks";
    vague->networks = grown;
    vague->room = room;
    return NULL;
}

/* Adds the network of one line. Returns an error, or NULL. */
static const char *add_line(struct vague *vague, char *line)
{
    line[strcspn(line, "#\r\n")] = '\0';
    struct span text = span_trim((struct span){line, strlen(line)});
    const char *error = text.length > 0 ? grow(vague) : NULL;
    if (text.length == 0 || error)
        return error;
    if (!network_parse(text.bytes, text.length, &vague->networks[vague->count]))
        return "not a network";
    vague->count++;
    return NULL;
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
static void sort_and_reduce(struct vague *vague)
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
    char *line = NULL;
    const char *error = NULL, *reason = NULL;
    size_t size = 0;
    int64_t number = 0;
    if (path[0] == '\0')
        return true;
    FILE *file = file_open_stream(path, FILE_FOLLOW, &reason);
    while (file && !error && getline(&line, &size, file) >= 0) {
        number++;
        error = add_line(vague, line);
    }
    if (error)
        log_event(LOG_ERROR, error, log_str("file", path), log_int("line", number), log_str("text", line));
    bool read = file && feof(file); /* neither is it where memory is short for a line */
    if (!read && !error)
        log_event(LOG_ERROR, "cannot read vague networks", log_str("file", path),
                  log_str("error", reason ? reason : strerror(errno)));
    free(line);
    if (file)
        fclose(file);
    sort_and_reduce(vague);
    return read && !error;
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
