/* Forwarded: the reader is the address that the first proxy appended, or nobody, whatever a stranger sent
 * before, and whatever Host of his the proxies quote. */
#include "hops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const forms[] = {
        "for=" READER,
        "for=\"" READER ":51234\"",
        "for=" READER ";host=\"%\"",
        "host=\"%\";For=\"[::ffff:" READER "]\";proto=https",
        "for=" READER ":80;host=name:443;proto=",
        "by=\"[fd00::1]:443\";for=[::ffff:" READER "]",
    };
    static const char *const proxies[] = {"for=10.0.0.2", "for=10.0.0.2;host=\"%\"", "for=[fd00::2];by=_x",
                                          "proto=;host=\"%\";for=\"[fd00::3]:443\""};
    static struct hops hops;
    struct client_trace trace;
    const struct address reader = hops_address(READER);
    if (size == 0)
        return 0;
    hops_start(&hops, data + 1, size - 1);
    hops_find(&hops, "Forwarded", PEER, &trace);
    hops_finish(&hops, data[0], forms, 6, proxies, 4);
    struct address client = hops_find(&hops, "Forwarded", PEER, &trace);
    PROPERTY(client.family == ADDRESS_NONE ? trace.reason >= CLIENT_TOO_LONG
                                           : address_equal(&client, &reader));
    return 0;
}
