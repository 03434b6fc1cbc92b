/* Networks that are never believed: an address is found in a sorted list exactly where it lies in one of the
 * file's networks, whatever their order; and a list has a ceiling. */
#include "unit.h"

#include "address_of.h"
#include "capture.h"
#include "folder.h"
#include "place/vague.h"

static struct vague read_text(const char *text)
{
    struct vague vague = {0};
    write_string(in_folder("vague"), text);
    assert_true(vague_read(&vague, in_folder("vague")));
    return vague;
}

static bool holds(const struct vague *vague, const char *text)
{
    struct address address = address_of(text);
    return vague_contains(vague, &address);
}

TEST(networks_hold_their_first_and_last_address_and_no_more)
{
    static const struct {
        const char *network, *before, *first, *last, *after;
    } rows[] = {
        {"192.0.2.16/28", "192.0.2.15", "192.0.2.16", "192.0.2.31", "192.0.2.32"},
        {"192.0.2.17", "192.0.2.16", "192.0.2.17", "192.0.2.17", "192.0.2.18"},
        {"10.0.0.0/7", "9.255.255.255", "10.0.0.0", "11.255.255.255", "12.0.0.0"},
        {"0.0.0.0/0", "::", "0.0.0.0", "255.255.255.255", "::1"},
        {"::/0", "0.0.0.0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255"},
        {"2001:db8::/33", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db8:8000::"},
        {"2001:db8::7", "2001:db8::6", "2001:db8::7", "2001:db8::7", "2001:db8::8"},
    };
    static const char *const around[] = {"", "\n1.0.0.0/24\n2000::/16\n", "\n223.0.0.0/24\nfd00::/8\n",
                                         "\n223.0.0.0/24\n2000::/16\nfd00::/8\n1.0.0.0/24\n"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t j = 0; j < COUNT(around); j++) {
            char text[256];
            snprintf(text, sizeof text, "%s%s", rows[i].network, around[j]);
            struct vague vague = read_text(text);
            if (holds(&vague, rows[i].before) || !holds(&vague, rows[i].first) ||
                !holds(&vague, rows[i].last) || holds(&vague, rows[i].after))
                fail_msg("%s", text);
            vague_free(&vague);
        }
    }
}

TEST(what_lies_within_another_is_dropped)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {"", 0},
        {"# none\n\n", 0},
        {"192.0.2.0/24\n192.0.2.0/24\n192.0.2.0/24\n", 1},
        {"192.0.2.128/25\n192.0.2.0/28\n192.0.2.0/24\n192.0.2.255\n", 1},
        {"192.0.2.128/25\n192.0.2.0/25\n", 2},
        {"10.0.0.0/8\n10.1.0.0/16\n10.1.1.0/24\n11.0.0.0/8\n10.255.0.0/16\n", 2},
        {"2001:db8:1::/48\n2001:db8::/32\n2001:db8::/48\n2001:db9::/32\n", 2},
        {"::/0\n0.0.0.0/0\n2001:db8::/32\n192.0.2.1\n", 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vague vague = read_text(rows[i].text);
        assert_int_equal(vague.count, rows[i].count);
        vague_free(&vague);
    }
}

TEST(an_empty_list_and_no_file_hold_nothing)
{
    struct vague none = {0}, empty = read_text("");
    assert_true(vague_read(&none, ""));
    assert_false(holds(&none, "192.0.2.1") || holds(&empty, "192.0.2.1"));
    vague_free(&none);
    vague_free(&empty);
    struct vague all = read_text("0.0.0.0/0\n::/0\n");
    assert_false(vague_contains(&all, &(struct address){.family = ADDRESS_NONE}));
    vague_free(&all);
}

TEST(what_is_no_file_is_refused_at_once)
{
    char said[1024];
    struct vague vague = {0};
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    struct capture capture = capture_begin(STDERR_FILENO);
    assert_false(vague_read(&vague, in_folder("fifo")));
    assert_false(vague_read(&vague, in_folder("missing")));
    capture_end(&capture, said, sizeof said);
    assert_non_null(strstr(said, "not a regular file"));
    assert_non_null(strstr(said, "No such file"));
    vague_free(&vague);
}

/* Of few addresses, so that many lie in many networks. */
static struct address random_address(void)
{
    struct address address = {.family = random_below(2) ? ADDRESS_V4 : ADDRESS_V6};
    address.bytes[0] = 0x20;
    for (unsigned i = 1; i < 4; i++)
        address.bytes[i] = (uint8_t)(random_below(4) * 0x55);
    return address;
}

TEST(it_finds_what_a_walk_through_the_file_finds)
{
    enum { ROUNDS = 50, ADDRESSES = 500, NETWORKS = 100 };
    unsigned found = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct network networks[NETWORKS];
        size_t count = random_below(NETWORKS);
        struct vague vague = {0};
        FILE *file = fopen(in_folder("vague"), "w");
        assert_non_null(file);
        for (unsigned i = 0; i < count; i++) {
            char text[ADDRESS_TEXT_BYTES];
            struct address address = random_address();
            networks[i] = network_around(&address, 10 + (unsigned)random_below(24));
            address_format(&networks[i].base, text);
            fprintf(file, "%s/%u\n", text, networks[i].bits);
        }
        assert_int_equal(fclose(file), 0);
        assert_true(vague_read(&vague, in_folder("vague")));
        for (unsigned i = 0; i < ADDRESSES; i++) {
            struct address address = random_address();
            bool within = false;
            for (unsigned j = 0; j < count; j++)
                within = within || network_contains(&networks[j], &address);
            assert_int_equal(vague_contains(&vague, &address), within);
            found += within;
        }
        vague_free(&vague);
    }
    assert_in_range(found, ROUNDS * ADDRESSES / 10, ROUNDS * ADDRESSES * 9 / 10);
}

TEST(a_list_over_the_ceiling_is_refused)
{
    static const char line[] = "192.0.2.1\n";
    struct vague full = {0}, over = {0};
    char said[1024];
    const char *path = in_folder("vague");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < VAGUE_MAX; i++)
        fputs(line, file);
    assert_int_equal(fflush(file), 0);
    assert_true(vague_read(&full, path));
    assert_int_equal(full.count, 1);
    fputs(line, file);
    assert_int_equal(fclose(file), 0);
    struct capture capture = capture_begin(STDERR_FILENO);
    bool good = vague_read(&over, path);
    capture_end(&capture, said, sizeof said);
    assert_false(good);
    assert_non_null(strstr(said, "too many vague networks"));
    assert_non_null(strstr(said, path));
    vague_free(&full);
    vague_free(&over);
}

UNIT_MAIN(make_folder, remove_folder)
