/* The office rule: each of its limits on both sides, the block and the point that a verdict belongs to, and
 * on many small trees the same answers as the plain rule counted out without any cleverness. */
#include "unit.h"

#include "address_of.h"
#include "place/offices.h"

#define SPANS      16
#define ASKS       8
#define TENTH_12   104857u /* addresses: a tenth of a /12 */
#define TWENTIETH  209715u /* a twentieth of a /10 */
#define SLASH_48   65536u  /* of IPv6, in /64s */
#define HUNDREDTH  687194767u
#define SPARED     (UINT64_C(70000) * SLASH_48)
#define POINT(row) ((uint32_t)(row) << 16 | 7u)

/* --- Trees --- */

static uint64_t base_of(const struct address *address)
{
    uint64_t base = 0;
    for (size_t i = 0; i < (address->family == ADDRESS_V4 ? 4 : 8); i++)
        base = base << 8 | address->bytes[i];
    return base;
}

static void add(struct office_tally *tally, enum address_family family, uint64_t base, unsigned bits,
                uint32_t point)
{
    struct mmdb_network network = {family, base, bits, 0};
    assert_true(office_tally_add(tally, &network, point));
}

/* Adds so many addresses (IPv4) or /64s (IPv6) from an address on, in as few networks as a tree has. */
static void add_span(struct office_tally *tally, const char *first, uint64_t units, uint32_t point)
{
    struct address address = address_of(first);
    unsigned width = address.family == ADDRESS_V4 ? 32 : 64;
    for (uint64_t base = base_of(&address); units > 0;) {
        unsigned bits = width;
        while (bits > 0 && base % (UINT64_C(2) << (width - bits)) == 0 &&
               UINT64_C(2) << (width - bits) <= units)
            bits--;
        add(tally, address.family, base, bits, point);
        base += UINT64_C(1) << (width - bits);
        units -= UINT64_C(1) << (width - bits);
    }
}

/* A record at the point with that number. */
static struct record record_at(uint32_t point, unsigned bits)
{
    struct record record = {.city = "Somewhere", .radius_km = -1, .prefix_bits = bits};
    record_set_point(&record, (point >> 16) / 100.0 - 90, (point & 0xffff) / 100.0 - 180);
    assert_int_equal(office_point(&record), point);
    return record;
}

static bool contain(const struct offices *offices, const char *text, unsigned bits, uint32_t point)
{
    struct address address = address_of(text);
    struct record record = record_at(point, bits);
    return offices_contain(offices, &address, &record);
}

static struct offices finish(struct office_tally *tally)
{
    struct offices offices;
    assert_true(office_tally_finish(tally, &offices));
    office_tally_close(tally);
    return offices;
}

/* Spans of a tree in the order of addresses, and what is asked of it. */
struct tree {
    const char *name;
    struct {
        const char *first;
        uint64_t units;
        int point;
    } spans[SPANS];
    struct {
        const char *address;
        unsigned bits;
        int point;
        bool office;
    } asks[ASKS];
};

static void check(const struct tree *tree)
{
    struct office_tally *tally = office_tally_open();
    assert_non_null(tally);
    for (size_t i = 0; i < SPANS && tree->spans[i].first; i++)
        add_span(tally, tree->spans[i].first, tree->spans[i].units, POINT(tree->spans[i].point));
    struct offices offices = finish(tally);
    for (size_t i = 0; i < ASKS && tree->asks[i].address; i++)
        if (contain(&offices, tree->asks[i].address, tree->asks[i].bits, POINT(tree->asks[i].point)) !=
            tree->asks[i].office)
            fail_msg("%s: point %d at %s should be %s", tree->name, tree->asks[i].point,
                     tree->asks[i].address, tree->asks[i].office ? "an office" : "no office");
    offices_free(&offices);
}

/* --- IPv4 --- */

TEST(ipv4)
{
    static const struct tree trees[] = {
        {"nothing at all", {{NULL, 0, 0}}, {{"10.0.0.1", 24, 1, false}, {"2400::1", 48, 1, false}}},
        {"a tenth of a /12", {{"10.0.0.0", TENTH_12, 1}}, {{"10.0.0.1", 24, 1, false}}},
        {"more than a tenth of a /12",
         {{"10.0.0.0", TENTH_12 + 1, 1}, {"10.8.0.0", 256, 2}},
         {{"10.0.0.1", 24, 1, true},
          {"10.15.255.255", 24, 1, true}, /* wherever in the block */
          {"10.16.0.0", 24, 1, false},    /* and nowhere else */
          {"9.255.255.255", 24, 1, false},
          {"10.8.0.1", 24, 2, false}}}, /* nor any other point in it */
        {"more than a tenth, in pieces",
         {{"10.0.0.0", 60000, 1},
          {"10.2.0.0", 1000, 2},
          {"10.4.0.0", TENTH_12 - 60000, 1},
          {"10.15.0.0", 1, 1}},
         {{"10.0.0.1", 24, 1, true}, {"10.2.0.1", 24, 2, false}}},
        {"more than a tenth, across two blocks",
         {{"10.15.0.0", 65536, 1}, {"10.16.0.0", 65536, 1}},
         {{"10.15.0.1", 16, 1, false}, {"10.16.0.1", 16, 1, false}}},
        {"a twentieth of a /10",
         {{"10.0.0.0", TENTH_12, 1}, {"10.16.0.0", TENTH_12, 1}, {"10.32.0.0", 1, 1}},
         {{"10.0.0.1", 24, 1, false}, {"10.32.0.1", 24, 1, false}}},
        {"more than a twentieth of a /10",
         {{"10.0.0.0", TENTH_12, 1}, {"10.16.0.0", TENTH_12, 1}, {"10.32.0.0", 2, 1}},
         {{"10.0.0.1", 24, 1, true}, {"10.63.255.255", 24, 1, true}, {"10.64.0.0", 24, 1, false}}},
        {"one point that is an office in two blocks",
         {{"10.0.0.0", 200000, 1}, {"10.16.0.0", 5, 1}, {"20.0.0.0", 200000, 1}},
         {{"10.0.0.1", 24, 1, true}, {"10.16.0.1", 30, 1, false}, {"20.0.0.1", 24, 1, true}}},
        {"the first and the last block",
         {{"0.0.0.0", TENTH_12 + 1, 1}, {"255.240.0.0", TENTH_12 + 1, 1}},
         {{"0.0.0.1", 24, 1, true}, {"255.255.255.255", 32, 1, true}, {"0.16.0.0", 24, 1, false}}},
        {"networks as long as a block and shorter",
         {{"10.0.0.0", 1u << 20, 1}, {"64.0.0.0", 1u << 26, 2}},
         {{"10.0.0.1", 12, 1, true},
          {"64.0.0.1", 6, 2, true},
          {"8.8.8.8", 0, 3, true}}}, /* whatever was counted */
        {"a /11 is more than a twentieth of its /10",
         {{"10.0.0.0", 1u << 21, 1}, {"10.32.0.0", 256, 1}},
         {{"10.32.0.1", 24, 1, true}, {"10.64.0.1", 24, 1, false}}},
    };
    for (size_t i = 0; i < COUNT(trees); i++)
        check(&trees[i]);
}

/* --- IPv6 --- */

/* So that 2400:10::/32 names nine points, or eight, with the one that is counted. */
#define EIGHT_OTHERS                                                                                \
    {"2400:10::", 1, 2}, {"2400:10:0:1::", 1, 3}, {"2400:10:0:2::", 1, 4}, {"2400:10:0:3::", 1, 5}, \
        {"2400:10:0:4::", 1, 6}, {"2400:10:0:5::", 1, 7}, {"2400:10:0:6::", 1, 8},                  \
    {                                                                                               \
        "2400:10:0:7::", 1, 9                                                                       \
    }
#define SEVEN_OTHERS                                                                                \
    {"2400:10::", 1, 2}, {"2400:10:0:1::", 1, 3}, {"2400:10:0:2::", 1, 4}, {"2400:10:0:3::", 1, 5}, \
        {"2400:10:0:4::", 1, 6}, {"2400:10:0:5::", 1, 7}, {"2400:10:0:6::", 1, 8},                  \
    {                                                                                               \
        "2400:10:0:7::", 1, 8                                                                       \
    }

TEST(ipv6)
{
    static const struct tree trees[] = {
        {"a hundredth of a /28",
         {EIGHT_OTHERS, {"2400:10:1::", HUNDREDTH, 1}},
         {{"2400:10:1::1", 48, 1, false}}},
        {"more than a hundredth of a /28",
         {EIGHT_OTHERS, {"2400:10:1::", HUNDREDTH + 1, 1}},
         {{"2400:10:1::1", 48, 1, true},
          {"2400:10::1", 48, 2, false}, /* not another point */
          {"2400:20::1", 48, 1, false}, /* not in another block */
          {"2400:f:ffff::1", 48, 1, false}}},
        {"a small local provider: fewer than nine points",
         {SEVEN_OTHERS, {"2400:10:1::", HUNDREDTH + 1, 1}},
         {{"2400:10:1::1", 48, 1, false}}},
        {"a local /32 beside one that is not",
         {EIGHT_OTHERS, {"2400:10:1::", HUNDREDTH + 1, 1}, {"2400:11::", SLASH_48, 1}},
         {{"2400:10:1::1", 48, 1, true},
          {"2400:11::1", 48, 1, false},  /* it spares the point */
          {"2400:12::1", 48, 1, true}}}, /* which no record names there */
        {"a local /32 beside one that is not, with 70,000 /48s",
         {EIGHT_OTHERS, {"2400:10:1::", 1, 1}, {"2400:11::", SPARED - 1, 1}},
         {{"2400:10:1::1", 64, 1, true}, {"2400:11::1", 48, 1, false}}},
        {"the tenth point of a /32",
         {EIGHT_OTHERS, {"2400:10:0:8::", 1, 10}, {"2400:10:1::", HUNDREDTH + 1, 1}},
         {{"2400:10:1::1", 48, 1, true}, {"2400:11::1", 48, 1, true}}},
        {"70,000 /48s are spared",
         {{"2400:10::", SPARED, 1}},
         {{"2400:10::1", 48, 1, false}, {"2400:11::1", 48, 1, false}}},
        {"more than 70,000 /48s are not",
         {{"2400:10::", SPARED + 1, 1}},
         {{"2400:10::1", 48, 1, true}, {"2400:11::1", 48, 1, true}, {"2400:20::1", 48, 1, false}}},
        {"a network across several /32s counts in each of them",
         {EIGHT_OTHERS, {"2400:10:1::", SLASH_48, 1}, {"2400:12::", 2 * (UINT64_C(1) << 32) - SLASH_48, 2}},
         {{"2400:12::1", 31, 2, true}, {"2400:13::1", 31, 2, true}}},
        {"networks as long as the block and shorter",
         {{"2400:10::", UINT64_C(1) << 36, 1}, {"2600::", UINT64_C(1) << 40, 2}},
         {{"2400:10::1", 28, 1, true}, {"2400:10::1", 29, 1, false}, {"2600::1", 24, 2, true}}},
        {"the other family's offices are its own",
         {{"10.0.0.0", TENTH_12 + 1, 1}, {"a00::", 256, 1}},
         {{"a00::1", 56, 1, false}, {"10.0.0.1", 24, 1, true}}},
    };
    for (size_t i = 0; i < COUNT(trees); i++)
        check(&trees[i]);
}

/* A /128 is counted as a /64: a tree names few of them. */
TEST(networks_longer_than_a_64_count_as_one)
{
    for (unsigned long extra = 0; extra <= 1; extra++) {
        struct office_tally *tally = office_tally_open();
        for (uint32_t i = 0; i < 8; i++)
            add(tally, ADDRESS_V6, UINT64_C(0x2400001000000000) + i, 64, POINT(2 + i));
        add_span(tally, "2400:10:1::", HUNDREDTH - 1, POINT(1));
        for (unsigned long i = 0; i <= extra; i++)
            add(tally, ADDRESS_V6, UINT64_C(0x24000010f0000000) + i, 65 + 63 * (unsigned)i, POINT(1));
        struct offices offices = finish(tally);
        assert_int_equal(contain(&offices, "2400:10:f000::1", 128, POINT(1)), extra == 1);
        offices_free(&offices);
    }
}

/* --- Points --- */

TEST(coordinates_of_32_and_64_bits_are_the_same_point)
{
    for (int i = 0; i < 100000; i++) {
        struct record wide = {.city = "x"}, narrow = {.city = "x"};
        double latitude = (double)random_below(1800001) / 1e4 - 90;
        double longitude = (double)random_below(3600001) / 1e4 - 180;
        record_set_point(&wide, latitude, longitude);
        record_set_point(&narrow, (double)(float)latitude, (double)(float)longitude);
        if (office_point(&wide) != office_point(&narrow))
            fail_msg("%.4f, %.4f", latitude, longitude);
    }
}

TEST(a_point_is_a_hundredth_of_a_degree)
{
    static const struct {
        double latitude, longitude;
        uint32_t point;
    } rows[] = {
        {-90, -180, 0},
        {90, 180, 18000u << 16 | 36000},
        {0, 0, 9000u << 16 | 18000},
        {19.0749, 72.8777, 10907u << 16 | 25288},
        {19.0751, 72.8777, 10908u << 16 | 25288},
        {-0.004, 0.004, 9000u << 16 | 18000},
        {-0.006, 0.006, 8999u << 16 | 18001},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct record record = {.city = "x"};
        record_set_point(&record, rows[i].latitude, rows[i].longitude);
        assert_int_equal(office_point(&record), rows[i].point);
    }
}

/* --- Many --- */

TEST(an_office_is_found_among_many_points)
{
    enum { POINTS = 300000 };
    struct office_tally *tally = office_tally_open();
    add_span(tally, "10.0.0.0", TENTH_12 + 1, POINT(1));
    for (uint32_t i = 0; i < POINTS; i++)
        add(tally, ADDRESS_V4, 0x0a080000 + i, 32, POINT(2 + i % 18000) + (i / 18000));
    struct offices offices = finish(tally);
    assert_int_equal(offices.count, 1);
    assert_true(contain(&offices, "10.15.0.1", 32, POINT(1)));
    assert_false(contain(&offices, "10.8.0.0", 32, POINT(2)));
    offices_free(&offices);
}

TEST(there_is_a_ceiling_of_offices)
{
    struct office_tally *tally = office_tally_open();
    struct mmdb_network network = {.family = ADDRESS_V6, .base = UINT64_C(0x2400000000000000), .bits = 29};
    size_t added = 0;
    for (; added < 2 * OFFICE_KEYS_MAX && office_tally_add(tally, &network, POINT(1)); added++)
        network.base += UINT64_C(1) << 36;        /* the next /28 */
    assert_int_equal(added, OFFICE_KEYS_MAX + 1); /* a block ends when the next one begins */
    office_tally_close(tally);
    office_tally_close(NULL);
}

/* --- The same as the plain rule --- */

#define NETWORKS 60

struct network_at {
    struct mmdb_network network;
    uint32_t point;
};

static uint64_t units_of(const struct network_at *at)
{
    unsigned width = at->network.family == ADDRESS_V4 ? 32 : 64;
    return at->network.bits < width ? UINT64_C(1) << (width - at->network.bits) : 1;
}

/* The space of a point in the block of that length around a base; `points` counts the points in it. */
static uint64_t space_in(const struct network_at networks[], size_t count, uint64_t base, unsigned bits,
                         uint32_t point)
{
    uint64_t space = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned width = networks[i].network.family == ADDRESS_V4 ? 32 : 64;
        if (networks[i].network.bits > bits && networks[i].point == point &&
            networks[i].network.base >> (width - bits) == base >> (width - bits))
            space += units_of(&networks[i]);
    }
    return space;
}

static size_t points_in_32(const struct network_at networks[], size_t count, uint64_t base)
{
    size_t points = 0;
    for (size_t i = 0; i < count; i++) {
        bool within = networks[i].network.bits > 28 && networks[i].network.base >> 32 <= base >> 32 &&
                      (networks[i].network.base + units_of(&networks[i]) - 1) >> 32 >= base >> 32;
        bool known = false;
        for (size_t j = 0; j < i && within; j++)
            known = known || (networks[j].point == networks[i].point && networks[j].network.bits > 28 &&
                              networks[j].network.base >> 32 <= base >> 32 &&
                              (networks[j].network.base + units_of(&networks[j]) - 1) >> 32 >= base >> 32);
        points += within && !known;
    }
    return points;
}

static bool plain_rule(const struct network_at networks[], size_t count, const struct network_at *asked)
{
    uint64_t base = asked->network.base;
    if (asked->network.family == ADDRESS_V4)
        return asked->network.bits <= 12 || space_in(networks, count, base, 12, asked->point) > TENTH_12 ||
               space_in(networks, count, base, 10, asked->point) > TWENTIETH;
    uint64_t space = space_in(networks, count, base, 28, asked->point);
    bool spared = space <= SPARED && points_in_32(networks, count, base) < 9;
    return asked->network.bits <= 28 || (space > HUNDREDTH && !spared);
}

/* Networks that follow each other, mostly large ones, around the edges of blocks, at few points. */
static size_t make_networks(enum address_family family, struct network_at out[NETWORKS])
{
    bool is_v4 = family == ADDRESS_V4;
    unsigned width = is_v4 ? 32 : 64;
    uint64_t base = is_v4 ? 0x0a000000 : UINT64_C(0x2400000f00000000);
    size_t few = 2 + random_below(12);
    for (size_t i = 0; i < NETWORKS; i++) {
        unsigned bits = (is_v4 ? 10 : 26) + (unsigned)random_below(random_below(2) ? 8 : 20);
        uint64_t size = UINT64_C(1) << (width - bits);
        base = (base + size - 1) / size * size;
        out[i] = (struct network_at){{family, base, bits, 0}, POINT(1 + random_below(few))};
        base += size;
    }
    return NETWORKS;
}

static void compare(enum address_family family, size_t found[2])
{
    struct network_at networks[NETWORKS];
    size_t count = make_networks(family, networks);
    struct office_tally *tally = office_tally_open();
    for (size_t i = 0; i < count; i++)
        assert_true(office_tally_add(tally, &networks[i].network, networks[i].point));
    struct offices offices = finish(tally);
    for (size_t i = 0; i < count; i++) {
        const struct mmdb_network *network = &networks[i].network;
        struct record record = record_at(networks[i].point, network->bits);
        struct address address = {.family = family};
        for (unsigned j = 0; j < (family == ADDRESS_V4 ? 4 : 8); j++)
            address.bytes[j] = (uint8_t)(network->base >> (family == ADDRESS_V4 ? 24 - 8 * j : 56 - 8 * j));
        bool expected = plain_rule(networks, count, &networks[i]);
        if (offices_contain(&offices, &address, &record) != expected)
            fail_msg("%llx/%u, point %x: expected %d", (unsigned long long)network->base, network->bits,
                     networks[i].point, expected);
        found[expected] += network->bits > 28;
    }
    offices_free(&offices);
}

TEST(random_trees_have_the_offices_of_the_plain_rule)
{
    size_t v4[2] = {0, 0}, v6[2] = {0, 0};
    for (int round = 0; round < 2000; round++) {
        compare(ADDRESS_V4, v4);
        compare(ADDRESS_V6, v6);
    }
    assert_true(v6[false] > 10000 && v6[true] > 10000);
}

UNIT_MAIN(NULL, NULL)
