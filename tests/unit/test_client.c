/* Which address is the reader's: a table of headers with their answers, and random headers in which
 * everything that a stranger could have written must not matter.
 *
 * In all of it 203.0.113.7 is the reader, 6.6.6.6 what a reader may have forged, 10.0.0.0/8 and fd00::/8 the
 * trusted proxies, and 10.0.0.1 the peer unless a row says otherwise. */
#include "address_of.h"

#include "visitor/client.h"

#define C "203.0.113.7"
#define E "6.6.6.6"

static struct client_options options_with(const char *header)
{
    struct client_options options = {.trusted_proxies.count = 2};
    snprintf(options.header, sizeof options.header, "%s", header);
    network_parse("10.0.0.0/8", 10, &options.trusted_proxies.networks[0]);
    network_parse("fd00::/8", 8, &options.trusted_proxies.networks[1]);
    return options;
}

static const char *const headers[] = {"X-Forwarded-For", "Forwarded"};

#define PEER "10.0.0.1"

static struct address find(const struct client_options *options, const char *peer, const char *const *lines,
                           size_t count, struct client_trace *trace)
{
    struct origin origin = {.peer = address_of(peer), .line_count = count};
    memcpy(origin.lines, lines, count * sizeof *lines);
    return client_find(options, &origin, trace);
}

struct row {
    const char *lines[4]; /* up to the first NULL */
    const char *answer;   /* NULL: unreadable */
    enum client_reason reason;
    const char *peer; /* NULL: PEER */
};

static void check_rows(const char *header, const struct row *rows, size_t count)
{
    struct client_options options = options_with(header);
    for (size_t i = 0; i < count; i++) {
        const char *peer = rows[i].peer ? rows[i].peer : PEER;
        struct client_trace trace;
        size_t line_count = 0;
        while (line_count < COUNT(rows[i].lines) && rows[i].lines[line_count])
            line_count++;
        struct address client = find(&options, peer, rows[i].lines, line_count, &trace);
        char text[ADDRESS_TEXT_BYTES];
        address_format(&client, text);
        const char *expected = rows[i].answer ? rows[i].answer : "";
        if (strcmp(text, expected) != 0 || trace.reason != rows[i].reason)
            fail_msg("%s row %zu (%s): '%s' because %s; expected '%s' because %s", header, i,
                     rows[i].lines[0] ? rows[i].lines[0] : "no line", text, client_reason_text(trace.reason),
                     expected, client_reason_text(rows[i].reason));
    }
}

static void check_unreadable(const char *header, const char *const *lines, size_t count,
                             enum client_reason reason)
{
    for (size_t i = 0; i < count; i++)
        check_rows(header, &(struct row){{lines[i]}, NULL, reason, NULL}, 1);
}

TEST(x_forwarded_for)
{
    static const struct row rows[] = {
        /* Who is believed. */
        {{E}, C, CLIENT_PEER_NOT_TRUSTED, C},
        {{"junk"}, C, CLIENT_PEER_NOT_TRUSTED, C},
        {{E}, "::1", CLIENT_PEER_NOT_TRUSTED, "::1"},
        {{C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{E ", " C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{E ", " C ", 10.0.0.2"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{E, C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{E ", " C, "10.0.0.2"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{C}, C, CLIENT_FIRST_UNTRUSTED, "::ffff:10.0.0.1"},
        {{E "," C}, C, CLIENT_FIRST_UNTRUSTED, "fd00::1"},
        {{C ", fd00::2, 10.9.9.9"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{C ", ::ffff:10.0.0.2"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        /* NAT64 with a proxy's address inside is whoever sends it, and no proxy. */
        {{C ", 64:ff9b::10.0.0.2"}, "64:ff9b::a00:2", CLIENT_FIRST_UNTRUSTED, NULL},
        {{C}, "64:ff9b::a00:1", CLIENT_PEER_NOT_TRUSTED, "64:ff9b::10.0.0.1"},
        {{C}, "::10.0.0.1", CLIENT_PEER_NOT_TRUSTED, "::10.0.0.1"},
        {{"10.0.0.3, 10.0.0.2"}, "10.0.0.3", CLIENT_ALL_TRUSTED, NULL},
        {{"10.0.0.3", "10.0.0.2", "fd00::9"}, "10.0.0.3", CLIENT_ALL_TRUSTED, NULL},
        /* An insider in a trusted network chooses his address: trust proxies, not networks of people. */
        {{E ", 10.0.0.9"}, E, CLIENT_FIRST_UNTRUSTED, NULL},

        /* Nothing in it. */
        {{NULL}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{""}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{" , \t,,"}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{"", " ", ","}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{",, " C " ,"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"", C, ""}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"\t" C "\t,\t10.0.0.2 \t"}, C, CLIENT_FIRST_UNTRUSTED, NULL},

        /* How an address may be written. */
        {{C ":51234"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{C ":0"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{C ":65535"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{C ", 10.0.0.2:80"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"[2001:db8::7]:443"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"[2001:db8::7]"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"2001:db8::7"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"2001:db8::7:443"}, "2001:db8::7:443", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"::ffff:" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"[::ffff:" C "]:80"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"fe80::1%eth0"}, "fe80::1", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"[fe80::1%25eth0]:80"}, "fe80::1", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"0.0.0.0"}, "0.0.0.0", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"::"}, "::", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"224.0.0.1"}, "224.0.0.1", CLIENT_FIRST_UNTRUSTED, NULL},

        /* What is not an address is not skipped, but what is left of the reader does not matter. */
        {{E, "junk", "10.0.0.2"}, NULL, CLIENT_NOT_AN_ADDRESS, NULL},
        {{"junk, " C ", 10.0.0.2"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
    };
    check_rows("X-Forwarded-For", rows, COUNT(rows));
}

/* Each, as the only line, where the walk arrives at it. */
TEST(x_forwarded_for_that_is_no_address)
{
    /* clang-format off */
    static const char *const lines[] = {
        "unknown", "_hidden", "-", "6.6.6.6, unknown", "6.6.6.6, junk", "6.6.6.6, junk, 10.0.0.2",
        "203.0.113.007", "3405803783", "0xCB007107", "0313.0.113.7", "203.0.113", "1.2.3.4.5", "256.1.1.1",
        "203.0.113.7 6.6.6.6", "203.0.113.7\t6.6.6.6", "203.0.113.7;6.6.6.6", "203.0.113.7\r",
        "\001203.0.113.7", "203.0.113.7\200", "\"203.0.113.7\"", "for=203.0.113.7", "203.0.113.7/32",
        "203.0.113.7:", "203.0.113.7:99999", "203.0.113.7:65536", "203.0.113.7:000080", "203.0.113.7:+80",
        "203.0.113.7:http", "203.0.113.7:_x", "203.0.113.7:80:80", "203.0.113.7%eth0", ":80", ":",
        "[203.0.113.7]", "[::1", "::1]", "[", "[]", "[[::1]]", "[::1]80", "[::1]:", "[::1]:80 x",
        "fe80::1%", "fe80::1%eth0 x", "fe80::1%eth0:80",
    };
    /* clang-format on */
    check_unreadable("X-Forwarded-For", lines, COUNT(lines), CLIENT_NOT_AN_ADDRESS);
}

TEST(forwarded)
{
    static const struct row rows[] = {
        {{"for=" E}, C, CLIENT_PEER_NOT_TRUSTED, C},
        {{NULL}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{", ,"}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{"for=" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" E ", for=" C ";by=10.0.0.1"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" E, "for=" C, "for=10.0.0.2"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=10.0.0.3,for=10.0.0.2"}, "10.0.0.3", CLIENT_ALL_TRUSTED, NULL},
        {{"For=\"[2001:db8::7]:80\";proto=https"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"FOR=\"[2001:db8::7]\""}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\"" C "\""}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\"" C ":47011\""}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\"" C ":_made-up.port\""}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\"\\2\\03.0.113\\.7\""}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"proto=https;host=\"a,b;c\\\"d\";for=" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"by=_x;;for=" C ";"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{" for=" C " ; proto=https , for=10.0.0.2\t"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=unknown, for=" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"proto=https, for=" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\", for=" E "\", for=" C}, C, CLIENT_FIRST_UNTRUSTED, NULL},

        /* Against the grammar, but as real proxies write it; none of it opens a quote. */
        {{"for=" C ";host=name:443"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" C ";host=[2001:db8::1]:443;by=fd00::1"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" C ";proto="}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"proto=;host=;for=" C ";by="}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" C ":80"}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=[2001:db8::7]"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=[2001:db8::7]:443;proto=https"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=2001:db8::7"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=\"2001:db8::7\""}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=" E ", for=2001:db8::7, for=[fd00::2];host=a:1"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"for=, for=" C ", for=10.0.0.2;host=b:80"}, C, CLIENT_FIRST_UNTRUSTED, NULL},

        {{"for=\"" E, "for=" C}, NULL, CLIENT_MALFORMED, NULL},
    };
    check_rows("forwarded", rows, COUNT(rows));
}

TEST(forwarded_that_is_no_address)
{
    /* clang-format off */
    static const char *const lines[] = {
        "for=unknown", "for=_x", "proto=https", ";", "for=6.6.6.6, proto=https", "for=6.6.6.6, for=\"\"",
        "fort=203.0.113.7", "for=", "for=;proto=https", "for=6.6.6.6, for=", "for=[2001:db8::7",
        "for=2001:db8::7]", "for=[203.0.113.7]", "for=203.0.113.7:", "for=203.0.113.7:99999", "for=:80", "for=\"[fe80::1%eth0]\"", "for=\" 203.0.113.7\"",
        "for=\"203.0.113.7:_\"", "for=\"203.0.113.7:_a b\"", "for=\"203.0.113.7:\"",
        "for=\"[203.0.113.7]\"",
    };
    /* clang-format on */
    check_unreadable("Forwarded", lines, COUNT(lines), CLIENT_NOT_AN_ADDRESS);

    char text[256] = "for=\"" C ":_"; /* grammatical, but longer than any address */
    memset(text + strlen(text), 'x', 150);
    strcat(text, "\"");
    const char *line = text;
    check_unreadable("Forwarded", &line, 1, CLIENT_NOT_AN_ADDRESS);
}

TEST(forwarded_that_is_malformed)
{
    /* clang-format off */
    static const char *const lines[] = {
        "203.0.113.7", "for=;for=203.0.113.7", "for=203.0.113.7;for=", "for=203.0.113.7;host=a\\",
        "for=203.0.113.7;host=a/b", "for=203.0.113.7;host=a\"b\"", "for=203.0.113.7;[x]=y",
        "for=\"6.6.6.6, for=203.0.113.7", "for=\"203.0.113.7\\\"", "for=\"203.0.113.7\\",
        "for=\"203.0.113.7\"x", "for=x\"203.0.113.7\"", "for=\"203.0.113.7\"\"\"", "for=\"203.0.113.7\t\"",
        "for=\"203.0.113.7\200\"", "for=\"203.0.113.7\177\"", "for=6.6.6.6;for=203.0.113.7",
        "for=6.6.6.6;FOR=6.6.6.6, for=203.0.113.7", "for=\"\";for=203.0.113.7",
        "for=203.0.113.7 proto=https", "for= 203.0.113.7", "for =203.0.113.7", "for",
        "=203.0.113.7", "\"for\"=203.0.113.7", "f/r=x, for=203.0.113.7",
    };
    /* clang-format on */
    check_unreadable("Forwarded", lines, COUNT(lines), CLIENT_MALFORMED);

    /* A quote that a stranger left open, and a host of his making that the proxy quotes. */
    static const char *const inside_out[] = {
        "for=\"x, for=203.0.113.7;host=\",for=6.6.6.6;z=\\\"\"",
        "for=\"x, for=203.0.113.7;host=\",for=6.6.6.6,\\\"\", for=10.0.0.2",
        "for=\"x, for=203.0.113.7;host=\",for=6.6.6.6;z=\", for=10.0.0.2;host=\",for=6.6.6.6;z=\"",
        "for=\"x, for=203.0.113.7;host=\",for=[::6];z=\\\", for=10.0.0.2"};
    check_unreadable("Forwarded", inside_out, COUNT(inside_out), CLIENT_MALFORMED);
}

TEST(single_address_headers)
{
    static const struct row rows[] = {
        {{E}, C, CLIENT_PEER_NOT_TRUSTED, C},
        {{NULL}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{"", " "}, "10.0.0.1", CLIENT_NO_HEADER, NULL},
        {{C}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{" " C ":80 "}, C, CLIENT_FIRST_UNTRUSTED, NULL},
        {{"[2001:db8::7]:443"}, "2001:db8::7", CLIENT_FIRST_UNTRUSTED, NULL},
        {{"10.0.0.9"}, "10.0.0.9", CLIENT_ALL_TRUSTED, NULL},
        {{E ", " C}, NULL, CLIENT_NOT_ONE_ADDRESS, NULL},
        {{E, C}, NULL, CLIENT_NOT_ONE_ADDRESS, NULL},
        {{"", C}, NULL, CLIENT_NOT_ONE_ADDRESS, NULL},
        {{"unknown"}, NULL, CLIENT_NOT_AN_ADDRESS, NULL},
    };
    check_rows("X-Real-IP", rows, COUNT(rows));
    check_rows("CF-Connecting-IP", rows, COUNT(rows));
}

TEST(the_kind_of_header_follows_from_its_name)
{
    assert_int_equal(client_header_kind("X-Forwarded-For"), CLIENT_X_FORWARDED_FOR);
    assert_int_equal(client_header_kind("x-forwarded-FOR"), CLIENT_X_FORWARDED_FOR);
    assert_int_equal(client_header_kind("FORWARDED"), CLIENT_FORWARDED);
    assert_int_equal(client_header_kind("X-Real-IP"), CLIENT_SINGLE);
    assert_int_equal(client_header_kind("X-Forwarded"), CLIENT_SINGLE);
}

/* What is found but cannot be a reader: the class, not this room, then makes the verdict. */
TEST(found_addresses_that_no_place_belongs_to)
{
    static const struct {
        const char *line;
        enum address_class class;
    } rows[] = {
        {"", ADDRESS_PRIVATE},
        {"fe80::1%eth0", ADDRESS_PRIVATE},
        {"10.0.0.3, 10.0.0.2", ADDRESS_PRIVATE},
        {"0.0.0.0", ADDRESS_RESERVED},
        {"::", ADDRESS_RESERVED},
        {"224.0.0.1", ADDRESS_RESERVED},
        {"ff02::1", ADDRESS_RESERVED},
    };
    struct client_options options = options_with("X-Forwarded-For");
    struct client_trace trace;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address client = find(&options, PEER, &rows[i].line, 1, &trace);
        assert_int_not_equal(client.family, ADDRESS_NONE);
        assert_int_equal(address_classify(&client, NULL), rows[i].class);
    }
}

TEST(a_trace_tells_the_hops_from_the_right)
{
    struct client_options options = options_with("X-Forwarded-For");
    const char *lines[] = {E ", " C, "fd00::1,,10.0.0.2"};
    struct client_trace trace;
    struct address client = find(&options, PEER, lines, 2, &trace);
    assert_true(address_equal(&client, &trace.hops[2]));
    static const char *const hops[] = {"10.0.0.2", "fd00::1", C};
    assert_int_equal(trace.element_count, 4);
    assert_int_equal(trace.hop_count, COUNT(hops));
    for (size_t i = 0; i < COUNT(hops); i++) {
        struct address hop = address_of(hops[i]);
        assert_true(address_equal(&trace.hops[i], &hop));
    }
}

/* Writes `count` times `element`, with commas between, into `out`. */
static void repeat(char *out, const char *element, size_t count)
{
    *out = '\0';
    for (size_t i = 0; i < count; i++) {
        out = stpcpy(out, i ? "," : "");
        out = stpcpy(out, element);
    }
}

static void check_ceiling(const struct client_options *options, const char *const *lines, size_t count,
                          bool too_long)
{
    struct client_trace trace;
    struct address client = find(options, PEER, lines, count, &trace);
    assert_int_equal(trace.reason, too_long ? CLIENT_TOO_LONG : CLIENT_FIRST_UNTRUSTED);
    assert_int_equal(client.family == ADDRESS_NONE, too_long);
}

TEST(ceilings_are_exact)
{
    static const char *const elements[] = {C, "for=" C};
    char text[4096];
    const char *lines[2] = {text, elements[0]};
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct client_options options = options_with(headers[i]);
        lines[1] = elements[i];
        repeat(text, elements[i], CLIENT_ELEMENTS_MAX);
        check_ceiling(&options, lines, 1, false);
        check_ceiling(&options, lines, 2, true);

        size_t fits = CLIENT_HEADER_BYTES - strlen(elements[i]);
        for (size_t over = 0; over <= 1; over++) {
            memset(text, ',', sizeof text);
            text[fits + over] = '\0';
            check_ceiling(&options, lines, 2, over == 1);
        }
    }
}

TEST(a_chain_of_proxies_up_to_the_ceiling_is_walked)
{
    struct client_options options = options_with("X-Forwarded-For");
    struct client_trace trace;
    char text[1024];
    const char *line = text;
    repeat(text, "10.0.0.2", CLIENT_ELEMENTS_MAX);
    find(&options, PEER, &line, 1, &trace);
    assert_int_equal(trace.reason, CLIENT_ALL_TRUSTED);
    assert_int_equal(trace.hop_count, CLIENT_ELEMENTS_MAX);
}

/* --- Random headers: first what a stranger sent, then what proxies appended --- */

struct random_header {
    char lines[12][1024];
    size_t count;
};

/* Continues the last line, or begins another one, as proxies do. */
static void append(struct random_header *header, const char *part)
{
    if (header->count == 0 || random_below(4) == 0) {
        strcpy(header->lines[header->count++], part);
        return;
    }
    static const char *const commas[] = {", ", ",", " ,\t", ",,"};
    char *line = header->lines[header->count - 1];
    strcat(line, commas[random_below(COUNT(commas))]);
    strcat(line, part);
}

/* Anything that might unsettle a parser, and forged addresses. */
static void append_forgery(struct random_header *header)
{
    /* clang-format off */
    static const char *const pieces[] = {
        E, "6.6.6.7", "10.0.0.6", "[2001:db8::6]:66", "for=", "for=" E, "for=\"[2001:db8::6]\"", "\"",
        "\\", ";", ",", "=", " ", "\t", ":", "[", "]", "%", "_x", "unknown", "junk", "\\\"", "\x80",
        "\x01", ";for=" E, "0", ".", "for=\"", ", ",
    };
    /* clang-format on */
    for (size_t parts = random_below(3); parts > 0; parts--) {
        char text[256] = "";
        for (size_t i = random_below(8); i > 0; i--)
            strcat(text, pieces[random_below(COUNT(pieces))]);
        append(header, text);
    }
}

/* The forms in which an honest proxy names the reader, then proxies before it. */
static const char *const honest_xff[] = {C, C ":51234", "::ffff:" C, "[::ffff:" C "]:1"};
static const char *const honest_forwarded[] = {"for=" C,
                                               "for=\"" C ":51234\"",
                                               "proto=https;for=" C ";by=\"[fd00::1]:443\"",
                                               "For=\"[::ffff:" C "]\"",
                                               "for=" C ";host=\"a, b; for=" E "\"",
                                               "for=" C ":80;host=name:443;proto=",
                                               "for=[::ffff:" C "]"};
static const char *const proxy_xff[] = {"10.0.0.2", "fd00::2", "[fd00::3]:443", "10.1.1.1:80"};
static const char *const proxy_forwarded[] = {"for=10.0.0.2", "for=\"[fd00::2]\"",
                                              "for=\"10.0.0.2:_p\";proto=http", "by=10.0.0.1;for=10.0.0.3"};

static void append_honest(struct random_header *header, bool rfc7239)
{
    if (rfc7239)
        append(header, honest_forwarded[random_below(COUNT(honest_forwarded))]);
    else
        append(header, honest_xff[random_below(COUNT(honest_xff))]);
    for (size_t proxies = random_below(4); proxies > 0; proxies--)
        append(header, rfc7239 ? proxy_forwarded[random_below(COUNT(proxy_forwarded))]
                               : proxy_xff[random_below(COUNT(proxy_xff))]);
}

/* Runs client_find over copies of exact size, so that reading past an end shows under a sanitizer. */
static struct address find_in(const struct random_header *header, const struct client_options *options)
{
    struct client_trace trace;
    char *copies[COUNT(header->lines)];
    for (size_t i = 0; i < header->count; i++)
        assert_non_null(copies[i] = strdup(header->lines[i]));
    struct address client = find(options, PEER, (const char *const *)copies, header->count, &trace);
    for (size_t i = 0; i < header->count; i++)
        free(copies[i]);
    return client;
}

/* The reader is found whatever a stranger put before. Forwarded is one grammar, so that what he broke may
 * make the whole unreadable; never may it make another reader. */
TEST(what_strangers_wrote_never_counts)
{
    const struct address reader = address_of(C);
    enum { ROUNDS = 100000 };
    for (size_t kind = 0; kind < COUNT(headers); kind++) {
        struct client_options options = options_with(headers[kind]);
        size_t unreadable = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            struct random_header header = {.count = 0};
            append_forgery(&header);
            append_honest(&header, kind == 1);
            struct address client = find_in(&header, &options);
            unreadable += client.family == ADDRESS_NONE;
            if (client.family != ADDRESS_NONE && !address_equal(&client, &reader))
                fail_msg("%s: %s", headers[kind], header.lines[0]);
        }
        /* Forgeries are at most 2 parts of 7 pieces and honest ones at most 4: no ceiling is near. */
        if (kind == 0)
            assert_int_equal(unreadable, 0);
        else
            assert_in_range(unreadable, 1, ROUNDS * 3 / 4);
    }
}

/* When the hop that names the reader cannot be read, no one left of it is taken instead. */
TEST(an_unreadable_hop_ends_the_walk)
{
    static const char *const broken[2][6] = {
        {"unknown", "203.0.113.007", C ":99999", "\"" C "\"", "[" C "]", C " " C},
        {"for=unknown", "proto=https", "for=[2001:db8::7", "for=\"" C, "for=_h", "for=" C ";for=" C},
    };
    for (size_t round = 0; round < 50000; round++) {
        size_t kind = round % 2;
        struct client_options options = options_with(headers[kind]);
        struct random_header header = {.count = 0};
        append_forgery(&header);
        append(&header, broken[kind][random_below(COUNT(broken[kind]))]);
        for (size_t proxies = random_below(4); proxies > 0; proxies--)
            append(&header, kind ? "for=10.0.0.2" : "10.0.0.2");
        if (find_in(&header, &options).family != ADDRESS_NONE)
            fail_msg("%s: %s", headers[kind], header.lines[0]);
    }
}

UNIT_MAIN(NULL, NULL)
