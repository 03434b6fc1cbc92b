/* A list of networks: whatever its lines are, an address is found exactly where one of them holds it. */
#include "fuzz.h"

#include "place/vague.c"

#define NETWORKS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vague vague = {0};
    struct network as_written[NETWORKS];
    char line[128];
    size_t count = 0;
    while (count < NETWORKS && take_string(&data, &size, '\n', line, sizeof line))
        if (!add_line(&vague, line) && vague.count > count) {
            as_written[count] = vague.networks[count];
            count++;
        }
    sort_and_reduce(&vague);
    PROPERTY(vague.count <= count);
    for (size_t i = 0; i < count; i++) {
        struct address probe = as_written[i].base;
        PROPERTY(vague_contains(&vague, &probe));
        probe.bytes[3] ^= 1;
        bool expected = false;
        for (size_t j = 0; j < count; j++)
            expected = expected || network_contains(&as_written[j], &probe);
        PROPERTY(vague_contains(&vague, &probe) == expected);
    }
    vague_free(&vague);
    return 0;
}
