/* What each kind of value in widget.conf may be, and may not; how long lists get; the forms a file may have.
 */
#include "unit.h"

#include "config_file.h"

#define BAD (-424242)

/* Whether a value is let pass; if not, its line, section and key are named. */
static void check_value(const char *section, const char *key, const char *value, bool good)
{
    char prefix[128];
    snprintf(prefix, sizeof prefix, "widget.conf:2: [%s] %s", section, key);
    if (good)
        assert_good(file_of(section, key, value));
    else
        assert_bad(file_of(section, key, value), prefix, "");
}

TEST(numbers_and_durations)
{
    static const struct {
        const char *section, *key;
        const int64_t *field;
        const char *value;
        int64_t number;
    } rows[] = {
        {"server", "threads", &config.public.threads, "4", 4},
        {"server", "threads", &config.public.threads, "4096", 4096},
        {"server", "threads", &config.public.threads, "3", BAD},
        {"server", "threads", &config.public.threads, "4097", BAD},
        {"server", "threads", &config.public.threads, "-8", BAD},
        {"server", "threads", &config.public.threads, "8.5", BAD},
        {"server", "threads", &config.public.threads, "0x10", BAD},
        {"server", "threads", &config.public.threads, "1e2", BAD},
        {"server", "threads", &config.public.threads, "99999999999999999999", BAD},
        {"weather", "wait", &config.weather.wait_ms, "250ms", 250},
        {"weather", "wait", &config.weather.wait_ms, "0s", 0},
        {"weather", "wait", &config.weather.wait_ms, "2s", 2000},
        {"weather", "wait", &config.weather.wait_ms, "2001ms", BAD},
        {"weather", "wait", &config.weather.wait_ms, "250", BAD},
        {"weather", "wait", &config.weather.wait_ms, "250 ms", BAD},
        {"weather", "wait", &config.weather.wait_ms, "1.5s", BAD},
        {"weather", "wait", &config.weather.wait_ms, "-1s", BAD},
        {"weather", "wait", &config.weather.wait_ms, "ms", BAD},
        {"weather", "wait", &config.weather.wait_ms, "1w", BAD},
        {"weather", "wait", &config.weather.wait_ms, "9999999999999999999d", BAD},
        {"weather", "wait", &config.weather.wait_ms, "1S", BAD},
        {"weather", "refresh", &config.weather.refresh_ms, "90m", 5400000},
        {"weather", "refresh", &config.weather.refresh_ms, "1d", 86400000},
        {"weather", "parallel", &config.weather.parallel, "auto", 0},
        {"weather", "parallel", &config.weather.parallel, "32", 32},
        {"weather", "parallel", &config.weather.parallel, "0", BAD},
        {"weather", "parallel", &config.weather.parallel, "33", BAD},
        {"weather", "cell", &config.weather.cell_udeg, "0.25", 250000},
        {"weather", "cell", &config.weather.cell_udeg, "1 degrees", 1000000},
        {"weather", "cell", &config.weather.cell_udeg, "0.7", BAD},
        {"weather", "cell", &config.weather.cell_udeg, "0", BAD},
        {"weather", "cell", &config.weather.cell_udeg, "nan", BAD},
        {"weather", "cell", &config.weather.cell_udeg, "0.1.0", BAD},
        {"weather", "cell", &config.weather.cell_udeg, "0.10000001", BAD},
        {"widget", "units", &config.widget.units, "auto", UNITS_AUTO},
        {"widget", "units", &config.widget.units, "f", UNITS_FAHRENHEIT},
        {"widget", "units", &config.widget.units, "F", BAD},
        {"widget", "units", &config.widget.units, "c f", BAD},
        {"widget", "units", &config.widget.units, "", BAD},
        {"widget", "credits", &config.widget.credits, "no", WIDGET_CREDITS_NO},
        {"dev", "at", &config.dev_at_s, "2026-01-31T23:30:00Z", 1769902200},
        {"dev", "at", &config.dev_at_s, "", 0},
        {"dev", "at", &config.dev_at_s, "yesterday", BAD},
        {"dev", "at", &config.dev_at_s, "1970-01-01T00:00:01Z", 1},
        {"dev", "at", &config.dev_at_s, "1970-01-01T00:00:00Z", BAD},
        {"dev", "at", &config.dev_at_s, "1969-12-31T23:59:59Z", BAD},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_value(rows[i].section, rows[i].key, rows[i].value, rows[i].number != BAD);
        if (rows[i].number != BAD)
            assert_int_equal(*rows[i].field, rows[i].number);
    }
}

TEST(other_kinds_of_values)
{
    static const struct {
        const char *section, *key, *value;
        bool good;
    } rows[] = {
        {"log", "access", "yes", true},
        {"log", "access", "true", false},
        {"log", "level", "warn", true},
        {"log", "level", "warning", false},
        {"server", "listen", "0.0.0.0:0", true},
        {"server", "listen", "127.0.0.1:65535", true},
        {"server", "listen", "127.0.0.1:65536", false},
        {"server", "listen", "127.0.0.1", false},
        {"server", "listen", "8080", false},
        {"server", "listen", ":8080", false},
        {"server", "listen", "localhost:8080", false},
        {"server", "listen", "[::1]:8080", false},
        {"server", "listen", "::1:8080", false},
        {"server", "listen", "127.0.0.1:80x", false},
        {"server", "listen", "127.0.0.1:", false},
        {"visitor", "header", "CF-Connecting-IP", true},
        {"visitor", "header", "", false},
        {"visitor", "header", "X Forwarded", false},
        {"visitor", "header", "X:Y", false},
        {"visitor", "trusted_proxies", "10.0.0.0/8, fd00::/8,192.168.1.1", true},
        {"visitor", "trusted_proxies", "", true},
        {"visitor", "trusted_proxies", "10.0.0.1/8", false},
        {"visitor", "trusted_proxies", "10.0.0.0/8,,fd00::/8", false},
        {"visitor", "trusted_proxies", "any", false},
        {"geoip", "max_radius", "25 km", true},
        {"geoip", "max_radius", "25", true},
        {"geoip", "max_radius", "25km", true},
        {"geoip", "max_radius", "25 miles", false},
        {"geoip", "max_radius", "0.5", false},
        {"geoip", "home", "Mumbai, IN, 19.08, 72.88", true},
        {"geoip", "home", "S\xc3\xa3o Paulo, BR, -23.55, -46.63", true},
        {"geoip", "home", "", true},
        {"geoip", "home", "Mumbai, IN, 19.08", false},
        {"geoip", "home", "Mumbai, IN, 19.08, 72.88, 5", false},
        {"geoip", "home", "Mumbai, in, 19.08, 72.88", false},
        {"geoip", "home", "Mumbai, IND, 19.08, 72.88", false},
        {"geoip", "home", "Mumbai, IN, 90.1, 72.88", false},
        {"geoip", "home", "Mumbai, IN, 19.08, -180.1", false},
        {"geoip", "home", "Mumbai, IN, nan, inf", false},
        {"geoip", "home", "Mumbai, IN, 0x13, 72.88", false},
        {"geoip", "home", ", IN, 19.08, 72.88", false},
        {"geoip", "home", "M\xfcnchen, DE, 48.1, 11.6", false},
        {"weather", "providers", "met-norway", true},
        {"weather", "providers", "openweathermap, met-norway, open-meteo", true},
        {"weather", "providers", "", true},
        {"weather", "providers", "yahoo", false},
        {"weather", "providers", "open-meteo, open-meteo", false},
        {"weather", "providers", "open-meteo,, met-norway", false},
        {"weather", "providers", "gfs", false},
        {"weather", "open_meteo_url", "https://example.com/base/", true},
        {"weather", "open_meteo_url", "http://127.0.0.1:8080", true},
        {"weather", "open_meteo_url", "http://localhost:8080/", true},
        {"weather", "open_meteo_url", "http://[::1]:8080", true},
        {"weather", "open_meteo_url", "http://127.1.2.3", true},
        {"weather", "open_meteo_url", "", false},
        {"weather", "open_meteo_url", "api.open-meteo.com", false},
        {"weather", "open_meteo_url", "ftp://example.com", false},
        {"weather", "open_meteo_url", "http://example.com", false},
        {"weather", "open_meteo_url", "http://127.0.0.1.example.com", false},
        {"weather", "open_meteo_url", "http://[64:ff9b::127.0.0.1]", false},
        {"weather", "open_meteo_url", "http://[::127.0.0.1]", false},
        {"weather", "open_meteo_url", "http://localhost.example.com", false},
        {"weather", "open_meteo_url", "http://127.0.0.1:80@example.com", false},
        {"weather", "open_meteo_url", "http://[::1]@example.com", false},
        {"weather", "open_meteo_url", "https://example.com/?a=b", false},
        {"weather", "open_meteo_url", "https://example.com/#a", false},
        {"weather", "open_meteo_url", "https://exa mple.com", false},
        {"weather", "open_meteo_url", "https://", false},
        {"weather", "open_meteo_url", "https:///path", false},
        {"weather", "contact", "a\x1b[31mb", false},
        {"widget", "lang", "hi-IN", true},
        {"widget", "lang", "xx", false},
        {"widget", "lang", "", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_value(rows[i].section, rows[i].key, rows[i].value, rows[i].good);
}

/* What no browser sends can never match, and would be a silent mistake. */
TEST(hosts_and_origins_are_such_as_browsers_send)
{
    static const char *const origins[] = {
        "https://www.example.com",
        "http://example.com:8080",
        "https://example.com:80",
        "http://localhost:3000",
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "https://xn--mnchen-3ya.de",
        "https://example.com.",
        "capacitor://localhost",
        "https://under_score.example",
        "http://a",
        "moz-extension://0a1b2c3d",
        "https://a.example, https://b",
        "https://4.example4",
        "https://example.com:65535",
    };
    static const char *const no_origins[] = {"https://example.com/",
                                             "https://example.com/news",
                                             "example.com",
                                             "//example.com",
                                             "https://Example.com",
                                             "HTTPS://example.com",
                                             "https://*.example.com",
                                             "*",
                                             "https://a b",
                                             "https://user@example.com",
                                             "https://u:p@a.example",
                                             "null",
                                             "https://example.com:443",
                                             "http://example.com:80",
                                             "https://example.com:",
                                             "https://",
                                             "https://example.com:0",
                                             "https://example.com:65536",
                                             "https://a:080",
                                             "https://a:80x",
                                             "https://mÃ¼nchen.de",
                                             "https://a..b",
                                             "https://.a",
                                             "https://a?b",
                                             "https://[2001:DB8::1]",
                                             "https://[2001:db8::1",
                                             "https://[::1]x",
                                             "https://127.1",
                                             "https://2001:db8::1",
                                             "https://a, b",
                                             "https://[127.0.0.1]",
                                             "://a",
                                             "https://example.com#a",
                                             "https://a%20b",
                                             "https:/a",
                                             "https//a",
                                             "https://[0:0:0:0:0:0:0:1]"};
    static const char *const hosts[] = {"news.example",      "a, b",        "News.Example", "192.0.2.1",
                                        "xn--mnchen-3ya.de", "under_score", "localhost",    "a.example."};
    static const char *const no_hosts[] = {"news.example:8080",
                                           "https://news.example",
                                           "news.example/",
                                           "*.news.example",
                                           "user@news.example",
                                           "[::1]",
                                           "::1",
                                           "mÃ¼nchen.de",
                                           "a..b",
                                           ".a",
                                           "127.1",
                                           "a b",
                                           "a, b:80"};
    for (size_t i = 0; i < COUNT(origins); i++)
        assert_good(file_of("widget", "origins", origins[i]));
    for (size_t i = 0; i < COUNT(no_origins); i++)
        assert_bad(file_of("widget", "origins", no_origins[i]), "widget.conf:2: [widget] origins",
                   "is not an origin as browsers send it, such as https://www.example.com");
    for (size_t i = 0; i < COUNT(hosts); i++)
        assert_good(file_of("server", "hosts", hosts[i]));
    for (size_t i = 0; i < COUNT(no_hosts); i++)
        assert_bad(file_of("server", "hosts", no_hosts[i]), "widget.conf:2: [server] hosts",
                   "is not a host name such as www.example.com: no scheme, port, path or wildcard");
}

/* `count` items between commas, all different: each a number between `before` and `after`. */
static const char *list_of(const char *before, int count, const char *after)
{
    static char list[8192];
    list[0] = '\0';
    for (int i = 0; i < count; i++)
        sprintf(list + strlen(list), "%s%s%x%s", i ? "," : "", before, i, after);
    return list;
}

TEST(lists_have_limits)
{
    check_value("geoip", "databases", list_of("", PLACE_DATABASES + 1, ".mmdb"), false);
    check_value("geoip", "databases", list_of("", PLACE_DATABASES, ".mmdb"), true);
    assert_int_equal(config.place.database_count, PLACE_DATABASES);
    check_value("visitor", "trusted_proxies", list_of("::", NETWORK_SET_MAX + 1, ""), false);
    check_value("visitor", "trusted_proxies", list_of("::", NETWORK_SET_MAX, ""), true);
    assert_int_equal(config.visits.client.trusted_proxies.count, NETWORK_SET_MAX);
    check_value("widget", "origins", list_of("https://h", HTTP_NAMES_MAX + 1, ""), false);
    check_value("widget", "origins", list_of("https://h", HTTP_NAMES_MAX, ""), true);
    assert_int_equal(config.origins.count, HTTP_NAMES_MAX);
    assert_good(file_of("geoip", "databases", ""));
    assert_int_equal(config.place.database_count, 0);
}

TEST(forms_of_a_file)
{
    static const char *const texts[] = {
        "[server]\nthreads = 12\n[cache]\ncapacity = 50",
        "[server]\r\nthreads = 12\r\n\r\n[cache]\r\ncapacity = 50\r\n",
        "\xef\xbb\xbf[server]\nthreads = 12\n[cache]\ncapacity = 50\n",
        "# a\n; b\n\n [server] \n\tthreads=12\n[cache]\n  capacity   =   50   \n",
        "[cache]\ncapacity = 50\n[server]\n[log]\n[server]\nthreads = 12\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_good(texts[i]);
        assert_int_equal(config.public.threads, 12);
        assert_int_equal(config.weather.capacity, 50);
    }
    assert_good("[weather]\ncontact = me; myself # and I\n"); /* comments have lines of their own */
    assert_string_equal(config.weather.contact, "me; myself # and I");
    assert_good("[geoip]\ndatabases =  a.mmdb ,\tb.mmdb  \n");
    assert_string_equal(config.place.databases[1], "b.mmdb");
    assert_good("[weather]\nopen_meteo_url = https://example.com//\n");
    assert_string_equal(config.weather.provider[PROVIDER_OPEN_METEO].url, "https://example.com");
}

TEST(the_fleets_redis)
{
    static const char *const bad[] = {
        "127.0.0.1:6379",          "redis://127.0.0.1",       "redis://127.0.0.1:6379",
        "redis://127.0.0.1:6379/", "redis://:6379/0",         "redis://host:0/0",
        "redis://host:65536/0",    "redis://host:6379/12345", "redis://host:6379/0/1",
        "redis://u:p@host:6379/0", "rediss://host:6379/0",    "redis://a b:6379/0",
        "redis://[::1]:6379/0",    "redis://host:6379/0?x"};
    for (size_t i = 0; i < COUNT(bad); i++)
        check_value("fleet", "url", bad[i], false);
    check_value("fleet", "url", "redis://redis.example:6380/12", true);
    assert_string_equal(config.weather.fleet.server.host, "redis.example");
    assert_int_equal(config.weather.fleet.server.port, 6380);
    assert_int_equal(config.weather.fleet.server.database, 12);
    check_value("fleet", "url", "", true);
    assert_string_equal(config.weather.fleet.server.host, "");
}

UNIT_MAIN(enter_folder, leave_folder)
