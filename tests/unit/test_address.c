/* Addresses and blocks: what is read and refused, and the class of every special range at its two edges. */
#include "address_of.h"

static struct network network_of(const char *text)
{
    struct network network;
    if (!network_parse(text, strlen(text), &network))
        fail_msg("not read as a block: %s", text);
    return network;
}

TEST(literals_are_read_and_written)
{
    static const struct {
        const char *text;
        uint8_t family;
        const char *written;
    } rows[] = {
        {"0.0.0.0", ADDRESS_V4, "0.0.0.0"},
        {"203.0.113.7", ADDRESS_V4, "203.0.113.7"},
        {"255.255.255.255", ADDRESS_V4, "255.255.255.255"},
        {"::", ADDRESS_V6, "::"},
        {"::1", ADDRESS_V6, "::1"},
        {"2001:DB8:0:0:0:0:0:7", ADDRESS_V6, "2001:db8::7"},
        {"2001:db8::7:443", ADDRESS_V6, "2001:db8::7:443"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_V6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"1111:2222:3333:4444:5555:6666:255.255.255.255", ADDRESS_V6,
         "1111:2222:3333:4444:5555:6666:ffff:ffff"},
        {"::ffff:203.0.113.7", ADDRESS_V4, "203.0.113.7"},
        {"::FFFF:cb00:7107", ADDRESS_V4, "203.0.113.7"},
        {"0:0:0:0:0:ffff:203.0.113.7", ADDRESS_V4, "203.0.113.7"},
        {"::ffff:0:203.0.113.7", ADDRESS_V6, "::ffff:0:cb00:7107"},
        {"::fffe:203.0.113.7", ADDRESS_V6, "::fffe:cb00:7107"},
        {"1::ffff:203.0.113.7", ADDRESS_V6, "1::ffff:cb00:7107"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address = address_of(rows[i].text);
        char written[ADDRESS_TEXT_BYTES];
        address_format(&address, written);
        assert_string_equal(written, rows[i].written);
        assert_int_equal(address.family, rows[i].family);
        if (address.family == ADDRESS_V4)
            assert_memory_equal(address.bytes + 4, "\0\0\0\0\0\0\0\0\0\0\0", 12);
    }
}

TEST(anything_else_is_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        "203.0.113",
        "1.2.3.4.5",
        "256.1.1.1",
        "203.0.113.007",
        "203.0.113.00",
        "0313.0.113.7",
        "0xcb.0.113.7",
        "3405803783",
        "0xCB007107",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "+1.2.3.4",
        "1.2.3.-4",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4\n",
        "1.2.3.4/32",
        "1.2.3.4:80",
        "1.2.3.4%eth0",
        "localhost",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "12345::",
        "00001::",
        "g::",
        "[::1]",
        "fe80::1%eth0",
        "::ffff:203.0.113.007",
        "::ffff:203.0.113",
        "::203.0.113.7:1",
        "\xef\xbc\x91.2.3.4",
        "1111:2222:3333:4444:5555:6666:255.255.255.2555",
        "0000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address address = {.family = ADDRESS_V6, .bytes = {1}};
        if (address_parse(texts[i], strlen(texts[i]), &address))
            fail_msg("read as an address: %s", texts[i]);
        assert_memory_equal(&address, &(struct address){0}, sizeof address);
    }
}

TEST(the_length_decides_where_a_literal_ends)
{
    struct address address;
    assert_true(address_parse("1.2.3.45", 7, &address));
    struct address expected = address_of("1.2.3.4");
    assert_true(address_equal(&address, &expected));
    assert_false(address_parse("1.2.3.4\0", 8, &address));
    assert_false(address_parse("1.2.\0003.4", 8, &address));
    assert_false(address_parse("1.2.3.4", 0, &address));
}

TEST(equal_means_same_family_and_bytes)
{
    struct address a = address_of("1.2.3.4"), mapped = address_of("::ffff:1.2.3.4");
    struct address other = address_of("1.2.3.5"), wide = address_of("102:304::"), none = {0};
    assert_true(address_equal(&a, &mapped));
    assert_false(address_equal(&a, &other));
    assert_false(address_equal(&a, &wide));
    assert_true(address_equal(&none, &none));
    char text[ADDRESS_TEXT_BYTES] = "x";
    address_format(&none, text);
    assert_string_equal(text, "");
}

TEST(blocks_are_read)
{
    static const struct {
        const char *text;
        const char *base;
        unsigned bits;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0", 8},          {"0.0.0.0/0", "0.0.0.0", 0},
        {"203.0.113.7", "203.0.113.7", 32},     {"203.0.113.7/32", "203.0.113.7", 32},
        {"203.0.113.6/31", "203.0.113.6", 31},  {"::/0", "::", 0},
        {"2001:db8::7", "2001:db8::7", 128},    {"fe80::/10", "fe80::", 10},
        {"::ffff:10.0.0.0/104", "10.0.0.0", 8}, {"::ffff:0:0/96", "0.0.0.0", 0},
        {"::ffff:10.0.0.1", "10.0.0.1", 32},    {"::ffff:10.0.0.1/128", "10.0.0.1", 32},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct network network = network_of(rows[i].text);
        struct address base = address_of(rows[i].base);
        assert_true(address_equal(&network.base, &base));
        assert_int_equal(network.bits, rows[i].bits);
    }
}

TEST(malformed_blocks_are_refused_and_hold_nothing)
{
    static const char *const texts[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/-1",
        "10.0.0.0/1e1",
        "10.0.0.0/4294967304",
        "10.0.0.0//8",
        "10/8",
        "10.0.0.1/8",
        "10.128.0.0/8",
        "::1/0",
        "::/129",
        "::/1000",
        "fe80::1/10",
        "fec0::/9",
        "::ffff:0:0/95",
        "::ffff:0:0/0",
        "::ffff:10.0.0.1/104",
        "10.0.0.0/104",
        "10.0.0.0/8/8",
    };
    struct address ten = address_of("10.0.0.1"), one = address_of("::1");
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct network network = network_of("0.0.0.0/0");
        if (network_parse(texts[i], strlen(texts[i]), &network))
            fail_msg("read as a block: %s", texts[i]);
        assert_false(network_contains(&network, &ten));
        assert_false(network_contains(&network, &one));
    }
}

TEST(a_block_holds_its_own_family_only)
{
    struct network all4 = network_of("0.0.0.0/0"), all6 = network_of("::/0");
    struct address four = address_of("10.0.0.1"), six = address_of("::10.0.0.1"), none = {0};
    assert_true(network_contains(&all4, &four));
    assert_true(network_contains(&all6, &six));
    assert_false(network_contains(&all4, &six));
    assert_false(network_contains(&all6, &four));
    assert_false(network_contains(&all4, &none));
    assert_false(network_contains(&(struct network){0}, &none));
}

/* Every length of both families: the base and an address that differs below the mask are inside, one that
 * differs in the last bit of the mask is outside. */
TEST(every_length_cuts_at_its_bit)
{
    static const char *const bases[] = {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff::ffff:ffff"};
    for (size_t i = 0; i < COUNT(bases); i++) {
        struct address base = address_of(bases[i]);
        unsigned width = base.family == ADDRESS_V4 ? 32 : 128;
        for (unsigned bits = 0; bits <= width; bits++) {
            struct network network = {base, bits};
            assert_true(network_contains(&network, &base));
            for (unsigned bit = 0; bit < width; bit++) {
                struct address flipped = base;
                flipped.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                assert_int_equal(network_contains(&network, &flipped), bit >= bits);
            }
        }
    }
}

TEST(a_set_holds_what_any_of_its_blocks_holds)
{
    struct network_set set = {.count = 0};
    struct address ten = address_of("10.9.8.7"), local = address_of("fd00::1"),
                   other = address_of("11.0.0.0");
    assert_false(network_set_contains(&set, &ten));
    set.networks[set.count++] = network_of("10.0.0.0/8");
    set.networks[set.count++] = network_of("fd00::/8");
    assert_true(network_set_contains(&set, &ten));
    assert_true(network_set_contains(&set, &local));
    assert_false(network_set_contains(&set, &other));
    set.count = 1;
    assert_false(network_set_contains(&set, &local));
}

/* One step up or down the number line of the family; false at its end. */
static bool step(struct address *address, int direction)
{
    size_t width = address->family == ADDRESS_V4 ? 4 : 16;
    uint8_t end = direction > 0 ? 0xff : 0;
    for (size_t i = width; i-- > 0;) {
        bool carry = address->bytes[i] == end;
        address->bytes[i] = (uint8_t)(address->bytes[i] + direction);
        if (!carry)
            return true;
    }
    return false;
}

static void assert_class(struct address address, enum address_class expected, const char *where)
{
    char text[ADDRESS_TEXT_BYTES];
    address_format(&address, text);
    enum address_class class = address_classify(&address, NULL);
    if (class != expected)
        fail_msg("%s %s: class %d, expected %d", where, text, (int)class, (int)expected);
}

enum { PUB = ADDRESS_PUBLIC, PRIV = ADDRESS_PRIVATE, RES = ADDRESS_RESERVED, DOC = ADDRESS_DOCUMENTATION };

TEST(ranges_have_their_class_up_to_the_last_address)
{
    static const struct {
        const char *first, *last;
        int inside, before, after; /* enum address_class; before and after: of the neighbours just outside */
    } rows[] = {
        {"0.0.0.0", "0.255.255.255", RES, RES, PUB},
        {"10.0.0.0", "10.255.255.255", PRIV, PUB, PUB},
        {"100.64.0.0", "100.127.255.255", PRIV, PUB, PUB},
        {"127.0.0.0", "127.255.255.255", PRIV, PUB, PUB},
        {"169.254.0.0", "169.254.255.255", PRIV, PUB, PUB},
        {"172.16.0.0", "172.31.255.255", PRIV, PUB, PUB},
        {"192.0.0.0", "192.0.0.8", RES, PUB, PUB},
        {"192.0.0.9", "192.0.0.10", PUB, RES, RES},
        {"192.0.0.11", "192.0.0.255", RES, PUB, PUB},
        {"192.0.0.170", "192.0.0.171", RES, RES, RES},
        {"192.0.2.0", "192.0.2.255", DOC, PUB, PUB},
        {"192.31.196.0", "192.31.196.255", PUB, PUB, PUB},
        {"192.52.193.0", "192.52.193.255", PUB, PUB, PUB},
        {"192.88.99.0", "192.88.99.255", RES, PUB, PUB},
        {"192.168.0.0", "192.168.255.255", PRIV, PUB, PUB},
        {"192.175.48.0", "192.175.48.255", PUB, PUB, PUB},
        {"198.18.0.0", "198.19.255.255", RES, PUB, PUB},
        {"198.51.100.0", "198.51.100.255", DOC, PUB, PUB},
        {"203.0.113.0", "203.0.113.255", DOC, PUB, PUB},
        {"224.0.0.0", "239.255.255.255", RES, PUB, RES},
        {"240.0.0.0", "255.255.255.255", RES, RES, RES},

        {"::", "::", RES, RES, PRIV},
        {"::1", "::1", PRIV, RES, RES},
        {"::2", "::255.255.255.255", RES, PRIV, PUB},
        {"64:ff9b::", "64:ff9b::ffff:ffff", PUB, PUB, PUB},
        {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", PRIV, PUB, PUB},
        {"100::", "100::1:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2001::", "2001:1::", RES, PUB, PUB},
        {"2001:1::1", "2001:1::3", PUB, RES, RES},
        {"2001:1::4", "2001:2:ffff:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", PUB, RES, RES},
        {"2001:4::", "2001:4:111:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", PUB, RES, RES},
        {"2001:4:113::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", RES, RES, PUB},
        {"2001:20::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", PUB, RES, RES},
        {"2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", DOC, PUB, PUB},
        {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", PUB, PUB, PUB},
        {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", DOC, PUB, PUB},
        {"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RES, PUB, PUB},
        {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", PRIV, PUB, PUB},
        {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", PRIV, PUB, RES},
        {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RES, PRIV, RES},
        {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RES, RES, RES},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address first = address_of(rows[i].first), last = address_of(rows[i].last);
        assert_class(first, (enum address_class)rows[i].inside, "first");
        assert_class(last, (enum address_class)rows[i].inside, "last");
        if (step(&first, -1))
            assert_class(first, (enum address_class)rows[i].before, "before");
        if (step(&last, 1))
            assert_class(last, (enum address_class)rows[i].after, "after");
    }
}

TEST(the_most_specific_range_gives_the_name)
{
    static const struct {
        const char *text, *name;
    } rows[] = {
        {"1.1.1.1", "public"},
        {"0.0.0.0", "unspecified"},
        {"0.0.0.1", "this network"},
        {"10.1.2.3", "private"},
        {"100.100.0.1", "shared address space"},
        {"127.0.0.1", "loopback"},
        {"169.254.1.1", "link-local"},
        {"192.0.0.7", "service continuity"},
        {"192.0.0.8", "dummy address"},
        {"192.0.0.9", "port control anycast"},
        {"192.0.0.10", "TURN anycast"},
        {"192.0.0.11", "protocol assignments"},
        {"192.0.0.171", "NAT64 discovery"},
        {"192.88.99.1", "6to4 relay"},
        {"192.88.99.2", "6a44 relay"},
        {"198.19.0.1", "benchmarking"},
        {"203.0.113.7", "documentation"},
        {"224.0.0.1", "multicast"},
        {"255.255.255.254", "reserved for future use"},
        {"255.255.255.255", "broadcast"},
        {"::ffff:127.0.0.1", "loopback"},
        {"2606:4700::1111", "public"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::192.0.2.1", "IPv4-compatible"},
        {"::127.0.0.1", "IPv4-compatible"},
        {"64:ff9b::1.1.1.1", "NAT64"},
        {"64:ff9b::127.0.0.1", "NAT64"},
        {"64:ff9b:1::1", "local-use NAT64"},
        {"100::1", "discard-only"},
        {"100:0:0:1::1", "dummy prefix"},
        {"2001::1", "Teredo"},
        {"2001:1::1", "port control anycast"},
        {"2001:1::2", "TURN anycast"},
        {"2001:1::3", "DNS-SD anycast"},
        {"2001:1::4", "protocol assignments"},
        {"2001:2::1", "benchmarking"},
        {"2001:3::1", "multicast tunneling"},
        {"2001:4:112::1", "AS112"},
        {"2001:1f::1", "ORCHID"},
        {"2001:2f::1", "ORCHIDv2"},
        {"2001:3f::1", "drone identifiers"},
        {"2002::1", "6to4"},
        {"3fff::1", "documentation"},
        {"5f00::1", "segment routing"},
        {"fd00::1", "unique local"},
        {"fe80::1", "link-local"},
        {"fec0::1", "site-local"},
        {"ff02::1", "multicast"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address = address_of(rows[i].text);
        const char *name = NULL;
        address_classify(&address, &name);
        assert_string_equal(name, rows[i].name);
    }
}

TEST(an_address_behind_nat64_is_judged_by_the_one_inside)
{
    static const struct {
        const char *text, *judged;
    } rows[] = {
        {"64:ff9b::", "0.0.0.0"},
        {"64:ff9b::10.0.0.1", "10.0.0.1"},
        {"64:ff9b::192.0.2.1", "192.0.2.1"},
        {"64:FF9B::cb00:7107", "203.0.113.7"},
        {"64:ff9b::255.255.255.255", "255.255.255.255"},
        {"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"64:ff9b::1:0:0", "64:ff9b::1:0:0"},
        {"64:ff9b:1::10.0.0.1", "64:ff9b:1::10.0.0.1"},
        {"::192.0.2.1", "::192.0.2.1"},
        {"2001:db8::192.0.2.1", "2001:db8::192.0.2.1"},
        {"10.0.0.1", "10.0.0.1"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address = address_of(rows[i].text), expected = address_of(rows[i].judged);
        struct address judged = address_judged(&address);
        assert_memory_equal(&judged, &expected, sizeof judged);
    }
}

/* Anyone can send from 64:ff9b::/96, so it opens no door that the address inside would. */
TEST(an_address_behind_nat64_is_in_no_block_of_the_one_inside)
{
    struct network loopback = network_of("127.0.0.0/8"), all4 = network_of("0.0.0.0/0");
    struct network own = network_of("64:ff9b::/96");
    struct address address = address_of("64:ff9b::127.0.0.1");
    assert_false(network_contains(&loopback, &address));
    assert_false(network_contains(&all4, &address));
    assert_true(network_contains(&own, &address));
}

TEST(no_address_is_reserved)
{
    const char *name = NULL;
    assert_int_equal(address_classify(&(struct address){0}, &name), ADDRESS_RESERVED);
    assert_string_equal(name, "no address");
}

UNIT_MAIN(NULL, NULL)
