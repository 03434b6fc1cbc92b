/* Addresses: IPv4 and IPv6 as values, blocks of them, and what kind of network an address belongs to.
 *
 * Pure functions over flat values: no allocation, no name resolution, no state. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_family { ADDRESS_NONE, ADDRESS_V4, ADDRESS_V6 };

/* In network byte order. IPv4 uses bytes[0..3]; bytes not used are zero. An IPv4-mapped IPv6 address
 * (::ffff:a.b.c.d) is always held as the IPv4 address it stands for, so that one reader has one address and
 * one rule matches it. */
struct address {
    uint8_t family; /* enum address_family; zero-initialised: no address */
    uint8_t bytes[16];
};

/* Reads a whole numeric literal as inet_pton(3) does: dotted quad without leading zeros, or IPv6; no zone,
 * port, brackets or spaces. `text` need not be NUL-terminated; a NUL inside it is refused. On false *out is
 * ADDRESS_NONE. */
bool address_parse(const char *text, size_t length, struct address *out);

/* The shortest usual text (as inet_ntop(3)); "" for ADDRESS_NONE. 46 is INET6_ADDRSTRLEN. */
#define ADDRESS_TEXT_BYTES 46
void address_format(const struct address *, char out[ADDRESS_TEXT_BYTES]);

bool address_equal(const struct address *, const struct address *);

/* The address by which a reader's place is judged: the IPv4 address inside an address of NAT64's well-known
 * prefix (64:ff9b::/96, RFC 6052), any other address as it is. For places only, never for trust: unlike
 * ::ffff:0:0/96, which an operating system writes for its own IPv4 peers, anyone can send from 64:ff9b::/96,
 * so 64:ff9b::127.0.0.1 is nobody's loopback and such an address stays IPv6 to every block and class. */
struct address address_judged(const struct address *);

/* A CIDR block: the addresses of base's family that share its first `bits` bits. */
struct network {
    struct address base;
    unsigned bits; /* 0-32 or 0-128 by base's family */
};

/* Reads "10.0.0.0/8", or a bare address as a block of one. The length is decimal without sign or leading
 * zeros. A base with bits set below its length is refused as a likely mistake ("10.0.0.1/8").
 * ::ffff:a.b.c.d/96+N is a.b.c.d/N. On false *out is a block that contains nothing. */
bool network_parse(const char *text, size_t length, struct network *out);

/* The block of `bits` bits around an address, which must not be ADDRESS_NONE; bits past its length mean all.
 */
struct network network_around(const struct address *, unsigned bits);

/* Families do not mix: ::/0 holds no IPv4 address, and no block holds ADDRESS_NONE. */
bool network_contains(const struct network *, const struct address *);

#define NETWORK_SET_MAX 64
struct network_set {
    struct network networks[NETWORK_SET_MAX];
    size_t count;
};
bool network_set_contains(const struct network_set *, const struct address *);

/* What an address is by the registries alone. */
enum address_class {
    ADDRESS_PUBLIC,        /* may be a reader somewhere on the Internet */
    ADDRESS_PRIVATE,       /* a reader on the same local or carrier network, which may be anywhere */
    ADDRESS_RESERVED,      /* no reader has it; also ADDRESS_NONE */
    ADDRESS_DOCUMENTATION, /* for examples in texts */
};

/* Classifies by the longest matching range of the IANA special-purpose registries (address.c). *name, where
 * `name` is not NULL, becomes our word for that range ("loopback"), "public" outside all of them: a static
 * string. */
enum address_class address_classify(const struct address *, const char **name);
