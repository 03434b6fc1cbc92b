#include "place/carriers.h"

#include "base/embed.h"
#include "base/span.h"

#include <stdlib.h>
#include <string.h>

EMBED(carrier_table, "data/carriers.tsv");

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool carriers_open(struct carriers *carriers, const uint32_t *added, size_t count)
{
    struct span file = span_between(carrier_table, carrier_table_end), line;
    size_t room = file.length / 2 + count; /* a line is two bytes at least */
    carriers->numbers = calloc(room, sizeof *carriers->numbers);
    if (!carriers->numbers)
        return false;
    while (span_cut(&file, '\n', &line))
        if (line.length > 0 && line.bytes[0] != '#') /* the number ends with a tab */
            carriers->numbers[carriers->count++] = (uint32_t)strtoul(line.bytes, NULL, 10);
    for (size_t i = 0; i < count; i++)
        carriers->numbers[carriers->count++] = added[i];
    qsort(carriers->numbers, carriers->count, sizeof *carriers->numbers, compare);
    return true;
}

void carriers_close(struct carriers *carriers)
{
    free(carriers->numbers);
}

bool carriers_contain(const struct carriers *carriers, uint32_t asn)
{
    return bsearch(&asn, carriers->numbers, carriers->count, sizeof asn, compare);
}
