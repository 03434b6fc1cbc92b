/* X-Forwarded-For and headers of one address: the reader is the address that the first proxy appended, or
 * nobody, whatever a stranger sent before; and the peer itself where that is no trusted proxy. */
#include "hops.h"

static void check_single(const struct hops *hops)
{
    struct client_trace trace;
    struct address client = hops_find(hops, "X-Real-IP", PEER, &trace), peer = hops_address(PEER);
    bool is_readable = client.family != ADDRESS_NONE && !address_equal(&client, &peer);
    PROPERTY(!is_readable || (hops->count == 1 && trace.element_count == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const forms[] = {READER, READER ":51234", "::ffff:" READER, "[::ffff:" READER "]:1"};
    static const char *const proxies[] = {"10.0.0.2", "fd00::2", "[fd00::3]:443", "10.1.1.1:80"};
    static struct hops hops;
    struct client_trace trace;
    const struct address reader = hops_address(READER), stranger = hops_address("198.51.100.1");
    if (size == 0)
        return 0;
    hops_start(&hops, data + 1, size - 1);
    check_single(&hops);
    struct address client = hops_find(&hops, "X-Forwarded-For", "198.51.100.1", &trace);
    PROPERTY(address_equal(&client, &stranger));
    hops_finish(&hops, data[0], forms, 4, proxies, 4);
    client = hops_find(&hops, "X-Forwarded-For", PEER, &trace);
    PROPERTY(client.family == ADDRESS_NONE ? trace.reason == CLIENT_TOO_LONG
                                           : address_equal(&client, &reader));
    return 0;
}
