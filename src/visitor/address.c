#include "visitor/address.h"

#include "base/span.h"

#include <arpa/inet.h>
#include <string.h>

bool address_parse(const char *text, size_t length, struct address *out)
{
    *out = (struct address){.family = ADDRESS_NONE};
    char literal[ADDRESS_TEXT_BYTES];
    if (length >= sizeof literal || memchr(text, '\0', length))
        return false;
    memcpy(literal, text, length);
    literal[length] = '\0';

    struct in6_addr v6 = {.s6_addr = {[10] = 0xff, [11] = 0xff}}; /* where IPv4 is mapped */
    if (inet_pton(AF_INET, literal, &v6.s6_addr[12]) != 1 && inet_pton(AF_INET6, literal, &v6) != 1)
        return false;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
    out->family = mapped ? ADDRESS_V4 : ADDRESS_V6;
    memcpy(out->bytes, &v6.s6_addr[mapped ? 12 : 0], mapped ? 4 : 16);
    return true;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
    out[0] = '\0';
    if (address->family == ADDRESS_NONE)
        return;
    int family = address->family == ADDRESS_V4 ? AF_INET : AF_INET6;
    inet_ntop(family, address->bytes, out, ADDRESS_TEXT_BYTES);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct address address_judged(const struct address *address)
{
    static const struct network nat64 = {{ADDRESS_V6, {0, 0x64, 0xff, 0x9b}}, 96};
    if (!network_contains(&nat64, address))
        return *address;
    struct address inside = {.family = ADDRESS_V4};
    memcpy(inside.bytes, &address->bytes[12], 4);
    return inside;
}

static unsigned family_bits(uint8_t family)
{
    return family == ADDRESS_V4 ? 32 : 128;
}

static bool parse_prefix_length(struct span text, unsigned *bits)
{
    return span_number(text, 3, bits) && (text.bytes[0] != '0' || text.length == 1);
}

bool network_parse(const char *text, size_t length, struct network *out)
{
    *out = (struct network){.base.family = ADDRESS_NONE};
    struct network block;
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash ? (size_t)(slash - text) : length;
    if (!address_parse(text, address_length, &block.base))
        return false;
    block.bits = family_bits(block.base.family);
    if (slash && !parse_prefix_length((struct span){slash + 1, length - address_length - 1}, &block.bits))
        return false;
    if (slash && block.base.family == ADDRESS_V4 && memchr(text, ':', address_length)) {
        /* Lengths below 96 would leave some of the mapped prefix's ffff below the mask: host bits. */
        if (block.bits < 96)
            return false;
        block.bits -= 96;
    }
    struct network bare = network_around(&block.base, block.bits);
    if (block.bits > family_bits(block.base.family) || !address_equal(&bare.base, &block.base))
        return false; /* host bits are a likely mistake */
    *out = block;
    return true;
}

struct network network_around(const struct address *address, unsigned bits)
{
    unsigned length = family_bits(address->family);
    struct network network = {.base = *address, .bits = bits < length ? bits : length};
    for (unsigned bit = network.bits; bit < length; bit++)
        network.base.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return network;
}

bool network_contains(const struct network *network, const struct address *address)
{
    if (address->family == ADDRESS_NONE || network->base.family != address->family)
        return false;
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (whole > 0 && network->base.bytes[0] != address->bytes[0]) /* saves most calls */
        return false;
    return memcmp(network->base.bytes, address->bytes, whole) == 0 &&
           (rest == 0 || (network->base.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0);
}

bool network_set_contains(const struct network_set *set, const struct address *address)
{
    for (size_t i = 0; i < set->count; i++)
        if (network_contains(&set->networks[i], address))
            return true;
    return false;
}

/* The ranges that are not plain unicast, from the IANA IPv4 and IPv6 Special-Purpose Address Registries (IPv6
 * as of 2025-10-09), plus multicast and site-local, which those registries leave to others. ADDRESS_PUBLIC
 * here marks what the registry calls globally reachable; where it says "N/A" (Teredo, 6to4) the range is
 * reserved, because such an address is a tunnel's and not a reader's. IPv4-mapped IPv6 (RFC 4291) has no row:
 * struct address never holds it. IPv4-compatible IPv6 (RFC 4291, deprecated) is in none of the registries any
 * more. The well-known prefix of NAT64 is public as it stands; what is in it, address_judged tells. */

/* clang-format off */
#define V4(a, b, c, d, length) {{ADDRESS_V4, {(a), (b), (c), (d)}}, (length)}
/* The first four 16-bit groups and the last one; the three between are zero in every row. */
#define GROUP(g) (g) >> 8, (g) & 255
#define V6(a, b, c, d, last, length) \
    {{ADDRESS_V6, {GROUP(a), GROUP(b), GROUP(c), GROUP(d), 0, 0, 0, 0, 0, 0, GROUP(last)}}, (length)}

static const struct special_range {
    struct network network;
    uint8_t class; /* enum address_class */
    const char *name;
} special_ranges[] = {
    {V4(0, 0, 0, 0, 8),          ADDRESS_RESERVED,      "this network"},            /* RFC 791 */
    {V4(0, 0, 0, 0, 32),         ADDRESS_RESERVED,      "unspecified"},             /* RFC 1122 */
    {V4(10, 0, 0, 0, 8),         ADDRESS_PRIVATE,       "private"},                 /* RFC 1918 */
    {V4(100, 64, 0, 0, 10),      ADDRESS_PRIVATE,       "shared address space"},    /* RFC 6598 */
    {V4(127, 0, 0, 0, 8),        ADDRESS_PRIVATE,       "loopback"},                /* RFC 1122 */
    {V4(169, 254, 0, 0, 16),     ADDRESS_PRIVATE,       "link-local"},              /* RFC 3927 */
    {V4(172, 16, 0, 0, 12),      ADDRESS_PRIVATE,       "private"},                 /* RFC 1918 */
    {V4(192, 0, 0, 0, 24),       ADDRESS_RESERVED,      "protocol assignments"},    /* RFC 6890 */
    {V4(192, 0, 0, 0, 29),       ADDRESS_RESERVED,      "service continuity"},      /* RFC 7335 */
    {V4(192, 0, 0, 8, 32),       ADDRESS_RESERVED,      "dummy address"},           /* RFC 7600 */
    {V4(192, 0, 0, 9, 32),       ADDRESS_PUBLIC,        "port control anycast"},    /* RFC 7723 */
    {V4(192, 0, 0, 10, 32),      ADDRESS_PUBLIC,        "TURN anycast"},            /* RFC 8155 */
    {V4(192, 0, 0, 170, 31),     ADDRESS_RESERVED,      "NAT64 discovery"},         /* RFC 8880, RFC 7050 */
    {V4(192, 0, 2, 0, 24),       ADDRESS_DOCUMENTATION, "documentation"},           /* RFC 5737 */
    {V4(192, 31, 196, 0, 24),    ADDRESS_PUBLIC,        "AS112"},                   /* RFC 7535 */
    {V4(192, 52, 193, 0, 24),    ADDRESS_PUBLIC,        "multicast tunneling"},     /* RFC 7450 */
    {V4(192, 88, 99, 0, 24),     ADDRESS_RESERVED,      "6to4 relay"},              /* RFC 7526 */
    {V4(192, 88, 99, 2, 32),     ADDRESS_RESERVED,      "6a44 relay"},              /* RFC 6751 */
    {V4(192, 168, 0, 0, 16),     ADDRESS_PRIVATE,       "private"},                 /* RFC 1918 */
    {V4(192, 175, 48, 0, 24),    ADDRESS_PUBLIC,        "AS112"},                   /* RFC 7534 */
    {V4(198, 18, 0, 0, 15),      ADDRESS_RESERVED,      "benchmarking"},            /* RFC 2544 */
    {V4(198, 51, 100, 0, 24),    ADDRESS_DOCUMENTATION, "documentation"},           /* RFC 5737 */
    {V4(203, 0, 113, 0, 24),     ADDRESS_DOCUMENTATION, "documentation"},           /* RFC 5737 */
    {V4(224, 0, 0, 0, 4),        ADDRESS_RESERVED,      "multicast"},               /* RFC 5771 */
    {V4(240, 0, 0, 0, 4),        ADDRESS_RESERVED,      "reserved for future use"}, /* RFC 1112 */
    {V4(255, 255, 255, 255, 32), ADDRESS_RESERVED,      "broadcast"},               /* RFC 919, RFC 8190 */

    {V6(0, 0, 0, 0, 0, 96),              ADDRESS_RESERVED,      "IPv4-compatible"},      /* RFC 4291 */
    {V6(0, 0, 0, 0, 0, 128),             ADDRESS_RESERVED,      "unspecified"},          /* RFC 4291 */
    {V6(0, 0, 0, 0, 1, 128),             ADDRESS_PRIVATE,       "loopback"},             /* RFC 4291 */
    {V6(0x64, 0xff9b, 0, 0, 0, 96),      ADDRESS_PUBLIC,        "NAT64"},                /* RFC 6052 */
    {V6(0x64, 0xff9b, 1, 0, 0, 48),      ADDRESS_PRIVATE,       "local-use NAT64"},      /* RFC 8215 */
    {V6(0x100, 0, 0, 0, 0, 64),          ADDRESS_RESERVED,      "discard-only"},         /* RFC 6666 */
    {V6(0x100, 0, 0, 1, 0, 64),          ADDRESS_RESERVED,      "dummy prefix"},         /* RFC 9780 */
    {V6(0x2001, 0, 0, 0, 0, 23),         ADDRESS_RESERVED,      "protocol assignments"}, /* RFC 2928 */
    {V6(0x2001, 0, 0, 0, 0, 32),         ADDRESS_RESERVED,      "Teredo"},               /* RFC 4380, RFC 8190 */
    {V6(0x2001, 1, 0, 0, 1, 128),        ADDRESS_PUBLIC,        "port control anycast"}, /* RFC 7723 */
    {V6(0x2001, 1, 0, 0, 2, 128),        ADDRESS_PUBLIC,        "TURN anycast"},         /* RFC 8155 */
    {V6(0x2001, 1, 0, 0, 3, 128),        ADDRESS_PUBLIC,        "DNS-SD anycast"},       /* RFC 9665 */
    {V6(0x2001, 2, 0, 0, 0, 48),         ADDRESS_RESERVED,      "benchmarking"},         /* RFC 5180 */
    {V6(0x2001, 3, 0, 0, 0, 32),         ADDRESS_PUBLIC,        "multicast tunneling"},  /* RFC 7450 */
    {V6(0x2001, 4, 0x112, 0, 0, 48),     ADDRESS_PUBLIC,        "AS112"},                /* RFC 7535 */
    {V6(0x2001, 0x10, 0, 0, 0, 28),      ADDRESS_RESERVED,      "ORCHID"},               /* RFC 4843 */
    {V6(0x2001, 0x20, 0, 0, 0, 28),      ADDRESS_PUBLIC,        "ORCHIDv2"},             /* RFC 7343 */
    {V6(0x2001, 0x30, 0, 0, 0, 28),      ADDRESS_PUBLIC,        "drone identifiers"},    /* RFC 9374 */
    {V6(0x2001, 0xdb8, 0, 0, 0, 32),     ADDRESS_DOCUMENTATION, "documentation"},        /* RFC 3849 */
    {V6(0x2002, 0, 0, 0, 0, 16),         ADDRESS_RESERVED,      "6to4"},                 /* RFC 3056 */
    {V6(0x2620, 0x4f, 0x8000, 0, 0, 48), ADDRESS_PUBLIC,        "AS112"},                /* RFC 7534 */
    {V6(0x3fff, 0, 0, 0, 0, 20),         ADDRESS_DOCUMENTATION, "documentation"},        /* RFC 9637 */
    {V6(0x5f00, 0, 0, 0, 0, 16),         ADDRESS_RESERVED,      "segment routing"},      /* RFC 9602 */
    {V6(0xfc00, 0, 0, 0, 0, 7),          ADDRESS_PRIVATE,       "unique local"},         /* RFC 4193 */
    {V6(0xfe80, 0, 0, 0, 0, 10),         ADDRESS_PRIVATE,       "link-local"},           /* RFC 4291 */
    {V6(0xfec0, 0, 0, 0, 0, 10),         ADDRESS_RESERVED,      "site-local"},           /* RFC 3879 */
    {V6(0xff00, 0, 0, 0, 0, 8),          ADDRESS_RESERVED,      "multicast"},            /* RFC 4291 */
};
/* clang-format on */

enum address_class address_classify(const struct address *address, const char **name)
{
    static const struct special_range none = {.class = ADDRESS_RESERVED, .name = "no address"};
    static const struct special_range ordinary = {.class = ADDRESS_PUBLIC, .name = "public"};

    const struct special_range *found = address->family == ADDRESS_NONE ? &none : &ordinary;
    for (size_t i = 0; i < sizeof special_ranges / sizeof special_ranges[0]; i++) {
        const struct special_range *range = &special_ranges[i];
        if (range->network.bits > found->network.bits && network_contains(&range->network, address))
            found = range;
    }
    if (name)
        *name = found->name;
    return (enum address_class)found->class;
}
