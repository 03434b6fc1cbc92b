#include "place/name_index.h"

#include "place/fold.h"

#include <stdlib.h>
#include <string.h>

/* Folding makes nothing longer, and a word with its separator takes two bytes at least. */
bool name_index_allocate(struct name_index *index, size_t bytes)
{
    index->folded = malloc(bytes + 1);
    index->keys = malloc((bytes / 2 + 1) * sizeof *index->keys);
    return index->folded && index->keys;
}

void name_index_free(struct name_index *index)
{
    free(index->folded);
    free(index->keys);
}

static void add_key(struct name_index *index, size_t text, uint16_t owner, bool whole)
{
    index->keys[index->key_count++] = (struct name_key){(uint32_t)text, owner, whole};
}

void name_index_add(struct name_index *index, const char *name, size_t length, uint16_t owner)
{
    char text[FOLD_BYTES];
    size_t folded = fold(name, length, text), start = index->folded_bytes;
    if (folded == 0)
        return;
    memcpy(index->folded + start, text, folded + 1);
    index->folded_bytes += folded + 1;
    add_key(index, start, owner, true);
    for (size_t i = 1; i < folded; i++)
        if (text[i - 1] == ' ')
            add_key(index, start + i, owner, false);
}

static int compare_keys(const void *a, const void *b, void *context)
{
    const struct name_key *x = a, *y = b;
    const char *folded = context;
    int order = strcmp(folded + x->text, folded + y->text);
    return order ? order : (x->owner > y->owner) - (x->owner < y->owner);
}

void name_index_sort(struct name_index *index)
{
    char *folded = realloc(index->folded, index->folded_bytes + 1);
    struct name_key *keys = realloc(index->keys, (index->key_count + 1) * sizeof *keys);
    index->folded = folded ? folded : index->folded;
    index->keys = keys ? keys : index->keys;
    qsort_r(index->keys, index->key_count, sizeof *index->keys, compare_keys, index->folded);
}

size_t name_index_first(const struct name_index *index, const char *text, size_t length)
{
    size_t low = 0, high = index->key_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strncmp(index->folded + index->keys[middle].text, text, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool name_index_begins(const struct name_index *index, size_t i, const char *text, size_t length)
{
    return i < index->key_count && strncmp(index->folded + index->keys[i].text, text, length) == 0;
}

bool name_index_equals(const struct name_index *index, size_t i, const char *text)
{
    return i < index->key_count && strcmp(index->folded + index->keys[i].text, text) == 0;
}
