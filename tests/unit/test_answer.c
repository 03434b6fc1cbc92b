/* Answers as readers and scripts get them: the fragment to the byte, JSON with every field of the contract in
 * every state, one line of text. Whatever a database calls a city, it stays a name. */
#include "unit.h"

#include "address_of.h"

#include <jansson.h>
#include <math.h>

#include "base/log.h"
#include "widget/explain.h"
#include "widget/widget.h"

#define NBSP      "\xc2\xa0"
#define MINUS     "\xe2\x88\x92"
#define DEGREE    "\xc2\xb0"
#define C         NBSP DEGREE "C"
#define NOW       1769851000
#define OUT_BYTES 8192

static const struct credit weather_credit = {"Weather data by Open-Meteo.com", "https://open-meteo.com/"};
static const struct credit place_credit = {"IP Geolocation by DB-IP", "https://db-ip.com"};

/* The answer of the contract's example. */
static struct answer mumbai(void)
{
    return (struct answer){
        .place = {.verdict = PLACE_CITY,
                  .source = PLACE_FROM_GEOIP,
                  .name = "Mumbai",
                  .region = "Maharashtra",
                  .country = "IN",
                  .timezone = "Asia/Kolkata",
                  .latitude = 19.076,
                  .longitude = 72.8777,
                  .id = 1275339,
                  .confidence = PLACE_CLAIMED,
                  .credits = {&place_credit},
                  .credit_count = 1},
        .reading = {.state = WEATHER_FRESH,
                    .cell = "19.1,72.9",
                    .refresh_in_s = 6500,
                    .temperature_ddeg = 312,
                    .code = 2,
                    .is_day = 1,
                    .fetched_s = NOW - 840,
                    .age_s = 840,
                    .provider = "open-meteo",
                    .credit = &weather_credit,
                    .ahead = {.known = true,
                              .feels_ddeg = 340,
                              .high_ddeg = 334,
                              .low_ddeg = 249,
                              .rain_s = 1769857200,
                              .rain_percent = 60,
                              .first_s = 1769853600,
                              .hour_count = 1,
                              .hours = {{310, 2, 1, 20}}}},
        .rain_minute = 16 * 60 + 30,
        .language = language_find("en", 2),
        .units = UNITS_CELSIUS,
        .now_s = NOW,
        .unknown = "",
        .offset_known = true,
        .utc_offset_s = 19800,
    };
}

/* The other states, as the room makes them. */
static struct answer mumbai_without_weather(void)
{
    struct answer answer = mumbai();
    answer.reading = (struct reading){.state = WEATHER_MISS, .cell = "19.1,72.9", .code = -1, .is_day = -1};
    return answer;
}

static struct answer nowhere(void)
{
    struct answer answer = mumbai();
    answer.place = (struct place){.verdict = PLACE_NOT_FOUND};
    answer.reading = (struct reading){0};
    answer.offset_known = false;
    return answer;
}

static struct answer at_home(void)
{
    struct answer answer = mumbai();
    answer.place.verdict = PLACE_PRIVATE;
    answer.place.source = PLACE_FROM_HOME;
    answer.place.region[0] = '\0';
    answer.place.id = 0;
    answer.place.credit_count = 0;
    answer.place.confidence = PLACE_NO_CONFIDENCE;
    return answer;
}

static struct answer stale(void)
{
    struct answer answer = mumbai();
    answer.reading.state = WEATHER_STALE;
    answer.reading.age_s = 9000;
    answer.reading.refresh_in_s = -1800;
    return answer;
}

static struct answer hostile(void)
{
    struct answer answer = mumbai();
    strcpy(answer.place.name, "<b>\"&'</script><!--\xe2\x80\xa8");
    strcpy(answer.place.region, "\"},{\"\\");
    return answer;
}

typedef void renderer(const struct answer *, struct text *);

static const char *rendered(renderer *render, const struct answer *answer)
{
    static char storage[OUT_BYTES];
    struct text out = text_init(storage, sizeof storage);
    render(answer, &out);
    assert_false(out.overflow);
    assert_int_equal(strlen(storage), out.length);
    assert_int_equal(storage[out.length - 1], '\n');
    return storage;
}

/* --- The fragment --- */

#define FRAGMENT(state, source, more, lang, place, degrees, credits)                            \
    "<span class=\"masthead-weather\" data-state=\"" state "\" data-source=\"" source "\"" more \
    " lang=\"" lang "\"><span class=\"masthead-place\">" place "</span> " degrees credits "</span>\n"
#define DATA(value, shown) "<data class=\"masthead-temp\" value=\"" value "\">" shown "</data>"
#define CLAIMED            " data-confidence=\"claimed\""
#define NO_DATA(shown)     "<span class=\"masthead-temp\">" shown "</span>"

static void assert_html(struct answer answer, const char *expected)
{
    const char *html = rendered(widget_html, &answer);
    assert_string_equal(html, expected);
    assert_ptr_equal(strchr(html, '\n'), html + strlen(html) - 1); /* one line */
}

TEST(fragments)
{
    assert_html(mumbai(), FRAGMENT("fresh", "geoip", CLAIMED "", "en", "Mumbai", DATA("31.2", "31" C), ""));
    assert_html(stale(), FRAGMENT("stale", "geoip", " data-age=\"9000\"" CLAIMED, "en", "Mumbai",
                                  DATA("31.2", "31" C), ""));
    assert_html(mumbai_without_weather(),
                FRAGMENT("place", "geoip", CLAIMED "", "en", "Mumbai", NO_DATA("--" C), ""));
    assert_html(nowhere(), FRAGMENT("unknown", "none", "", "en", "", NO_DATA(""), ""));
    assert_html(at_home(), FRAGMENT("fresh", "home", "", "en", "Mumbai", DATA("31.2", "31" C), ""));
    assert_html(hostile(), FRAGMENT("fresh", "geoip", CLAIMED "", "en",
                                    "&lt;b&gt;&quot;&amp;&#39;&lt;/script&gt;&lt;!--\xe2\x80\xa8",
                                    DATA("31.2", "31" C), ""));
}

TEST(the_fragment_of_an_unknown_place_holds_the_sites_text)
{
    struct answer answer = nowhere(), known = mumbai();
    answer.unknown = "Weather <&\"'>";
    assert_html(answer,
                FRAGMENT("unknown", "none", "", "en", "Weather &lt;&amp;&quot;&#39;&gt;", NO_DATA(""), ""));
    known.unknown = "Weather";
    assert_html(known, FRAGMENT("fresh", "geoip", CLAIMED "", "en", "Mumbai", DATA("31.2", "31" C), ""));
}

TEST(fragments_show_icon_and_condition_when_asked)
{
    struct answer day = mumbai(), night = mumbai(), without = mumbai_without_weather();
    day.show = WIDGET_ICON;
    assert_html(day,
                FRAGMENT("fresh", "geoip", " data-weather=\"2\"" CLAIMED, "en", "Mumbai",
                         "<span class=\"masthead-icon\" aria-hidden=\"true\"></span> " DATA("31.2", "31" C),
                         ""));
    night.show = WIDGET_CONDITION;
    night.reading.is_day = 0;
    assert_html(
        night, FRAGMENT("fresh", "geoip", CLAIMED "", "en", "Mumbai",
                        DATA("31.2", "31" C) " <span class=\"masthead-condition\">Partly cloudy</span>", ""));
    night.show |= WIDGET_ICON;
    night.reading.code = 95;
    assert_non_null(strstr(rendered(widget_html, &night), " data-weather=\"95n\" "));
    night.reading.code = -1;
    assert_null(strstr(rendered(widget_html, &night), "data-weather"));
    without.show = WIDGET_ICON | WIDGET_CONDITION;
    assert_html(without, FRAGMENT("place", "geoip", CLAIMED "", "en", "Mumbai",
                                  "<span class=\"masthead-icon\" aria-hidden=\"true\"></span> " NO_DATA(
                                      "--" C) " <span class=\"masthead-condition\"></span>",
                                  ""));
}

/* Each where it is asked for and known, in an order of their own. */
TEST(fragments_show_what_is_to_come_when_asked)
{
#define EXTRA(name, words) " <span class=\"masthead-" name "\">" words "</span>"
    struct answer answer = mumbai(), without = mumbai_without_weather(), aged = stale();
    answer.show = WIDGET_RANGE | WIDGET_RAIN | WIDGET_FEELS;
    assert_html(answer, FRAGMENT("fresh", "geoip", CLAIMED "", "en", "Mumbai",
                                 DATA("31.2", "31" C) EXTRA("feels", "Feels like 34" DEGREE) EXTRA(
                                     "range", "33" DEGREE " / 25" DEGREE) EXTRA("rain", "Rain from 16:30"),
                                 ""));
    answer.reading.ahead.rain_s = 0;
    answer.reading.ahead.feels_ddeg = AHEAD_NO_DEGREES;
    answer.units = UNITS_FAHRENHEIT;
    answer.language = language_find("hi", 2);
    assert_html(answer,
                FRAGMENT("fresh", "geoip", CLAIMED "", "hi", "Mumbai",
                         DATA("31.2", "88" NBSP DEGREE "F") EXTRA("range", "92" DEGREE " / 77" DEGREE), ""));
    without.show = answer.show;
    assert_html(without, FRAGMENT("place", "geoip", CLAIMED "", "en", "Mumbai", NO_DATA("--" C), ""));
    aged.show = WIDGET_RAIN;
    assert_html(aged, FRAGMENT("stale", "geoip", " data-age=\"9000\"" CLAIMED, "en", "Mumbai",
                               DATA("31.2", "31" C) EXTRA("rain", "Rain from 16:30"), ""));
}

TEST(fragments_in_other_units_languages_and_worlds)
{
    struct answer answer = mumbai();
    answer.language = language_find("hi", 2);
    answer.place.source = PLACE_FROM_READER;
    answer.units = UNITS_FAHRENHEIT;
    answer.reading.temperature_ddeg = -225;
    assert_html(answer, FRAGMENT("fresh", "reader", CLAIMED "", "hi", "Mumbai",
                                 DATA("-22.5", MINUS "9" NBSP DEGREE "F"), ""));
    answer = mumbai();
    answer.simulated = true;
    answer.reading.temperature_ddeg = -4;
    assert_html(answer, FRAGMENT("fresh", "geoip", " data-simulated" CLAIMED, "en", "Mumbai",
                                 DATA("-0.4", "0" C), ""));
}

static struct answer with_credits(struct answer answer)
{
    answer.credits_inline = true;
    return answer;
}

TEST(credits_stand_in_the_fragment_only_when_inline)
{
#define LINK(url, text) "<a href=\"" url "\">" text "</a>"
#define SMALL(links)    "<small class=\"masthead-credits\">" links "</small>"
    assert_html(with_credits(mumbai()),
                FRAGMENT("fresh", "geoip", CLAIMED "", "en", "Mumbai", DATA("31.2", "31" C),
                         SMALL(LINK("https://open-meteo.com/", "Weather data by Open-Meteo.com") " " LINK(
                             "https://db-ip.com", "IP Geolocation by DB-IP"))));
    assert_html(with_credits(mumbai_without_weather()),
                FRAGMENT("place", "geoip", CLAIMED "", "en", "Mumbai", NO_DATA("--" C),
                         SMALL(LINK("https://db-ip.com", "IP Geolocation by DB-IP"))));
    assert_html(with_credits(nowhere()), FRAGMENT("unknown", "none", "", "en", "", NO_DATA(""), ""));
    assert_html(with_credits(at_home()),
                FRAGMENT("fresh", "home", "", "en", "Mumbai", DATA("31.2", "31" C),
                         SMALL(LINK("https://open-meteo.com/", "Weather data by Open-Meteo.com"))));
}

/* --- One line of text --- */

TEST(lines_of_text)
{
    struct answer answers[] = {mumbai(), mumbai_without_weather(), nowhere(), stale()};
    static const char *const lines[] = {"Mumbai 31" C "\n", "Mumbai --" C "\n", "\n",
                                        "Mumbai 88" NBSP DEGREE "F\n"};
    answers[3].units = UNITS_FAHRENHEIT;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_string_equal(rendered(widget_text, &answers[i]), lines[i]);
}

/* --- JSON --- */

/* The contract's example, word for word but for the space before the unit. */
static const char contract[] =
    "{\"state\":\"fresh\",\"lang\":\"en\",\"later\":\"Try again later\",\"text\":\"Mumbai 31" C "\","
    "\"place\":{\"name\":\"Mumbai\",\"region\":\"Maharashtra\",\"country\":\"IN\",\"source\":\"geoip\","
    "\"verdict\":\"city\",\"reason\":null,\"confidence\":\"claimed\",\"id\":1275339},"
    "\"temperature\":{\"celsius\":31.2,\"value\":31,\"unit\":\"C\",\"text\":\"31" C "\","
    "\"feels_text\":\"Feels like 34" DEGREE "\"},"
    "\"weather\":{\"code\":2,\"text\":\"Partly cloudy\",\"is_day\":true},"
    "\"cell\":\"19.1,72.9\",\"fetched_at\":\"2026-01-31T09:02:40Z\",\"age_s\":840,"
    "\"refresh_at\":\"2026-01-31T11:05:00Z\","
    "\"feels_like\":34.0,\"today\":{\"high\":33.4,\"low\":24.9,\"text\":\"33" DEGREE " / 25" DEGREE "\"},"
    "\"rain\":{\"starts_at\":\"2026-01-31T11:00:00Z\",\"probability\":60,\"text\":\"Rain from 16:30\"},"
    "\"hours\":[{\"at\":\"2026-01-31T10:00:00Z\",\"celsius\":31.0,\"code\":2,\"is_day\":true,"
    "\"rain_probability\":20}],"
    "\"timezone\":\"Asia/Kolkata\",\"utc_offset_s\":19800,\"provider\":\"open-meteo\",\"simulated\":false,"
    "\"credits\":[{\"text\":\"Weather data by Open-Meteo.com\",\"url\":\"https://open-meteo.com/\"},"
    "{\"text\":\"IP Geolocation by DB-IP\",\"url\":\"https://db-ip.com\"},"
    "{\"text\":\"City names by GeoNames\",\"url\":\"https://www.geonames.org/\"}]}";

/* The same keys, and each value null or of the same kind; what is to come may be null as a whole. */
static void check_shape(const json_t *model, const json_t *value, const char *where)
{
    bool leaf = !json_is_object(model) && !json_is_array(model);
    bool whole = strcmp(where, "today") == 0 || strcmp(where, "rain") == 0 || strcmp(where, "hours") == 0;
    if (json_is_null(model) || (json_is_null(value) && (leaf || whole)))
        return;
    bool booleans = json_is_boolean(model) && json_is_boolean(value);
    bool numbers = json_is_number(model) && json_is_number(value);
    if (!booleans && !numbers && json_typeof(model) != json_typeof(value))
        fail_msg("%s is of another kind", where);
    if (!json_is_object(model))
        return;
    const char *key;
    json_t *member;
    assert_int_equal(json_object_size(model), json_object_size(value));
    json_object_foreach((json_t *)(uintptr_t)model, key, member)
    {
        if (!json_object_get(value, key))
            fail_msg("%s lacks %s", where, key);
        check_shape(member, json_object_get(value, key), key);
    }
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The answer as JSON, checked for shape; the caller drops it. */
static json_t *json_of(const struct answer *answer)
{
    json_t *model = json_loads(contract, JSON_REJECT_DUPLICATES, NULL);
    json_t *value = json_loads(rendered(widget_json, answer), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(model);
    if (!value)
        fail_msg("no JSON: %s", rendered(widget_json, answer));
    check_shape(model, value, "the answer");
    json_decref(model);
    return value;
}

/* `expected` is what differs from the contract's example: an object whose members replace those of it. */
static void assert_json(struct answer answer, const char *expected)
{
    json_t *value = json_of(&answer), *model = json_loads(contract, 0, NULL);
    json_t *differences = json_loads(expected, 0, NULL);
    assert_non_null(differences);
    json_object_update(model, differences);
    if (!json_equal(model, value)) {
        char *wanted = json_dumps(model, JSON_SORT_KEYS), *got = json_dumps(value, JSON_SORT_KEYS);
        fail_msg("expected\n%s, got\n%s", wanted, got);
    }
    json_decref(differences);
    json_decref(model);
    json_decref(value);
}

#define NOTHING_AHEAD "\"feels_like\":null,\"today\":null,\"rain\":null,\"hours\":null,"

TEST(json_in_every_state)
{
    assert_json(mumbai(), "{}");
    assert_json(stale(), "{\"state\":\"stale\",\"age_s\":9000,\"refresh_at\":\"2026-01-31T08:46:40Z\"}");
    assert_json(mumbai_without_weather(),
                "{\"state\":\"place\",\"text\":\"Mumbai --" C "\","
                "\"temperature\":{\"celsius\":null,\"value\":null,\"unit\":\"C\",\"text\":\"--" C "\","
                "\"feels_text\":null}," NOTHING_AHEAD
                "\"weather\":{\"code\":null,\"text\":null,\"is_day\":null},"
                "\"fetched_at\":null,\"age_s\":null,\"refresh_at\":null,\"provider\":null,"
                "\"credits\":[{\"text\":\"IP Geolocation by DB-IP\",\"url\":\"https://db-ip.com\"},"
                "{\"text\":\"City names by GeoNames\",\"url\":\"https://www.geonames.org/\"}]}");
    assert_json(nowhere(), "{\"state\":\"unknown\",\"text\":\"\","
                           "\"place\":{\"name\":null,\"region\":null,\"country\":null,\"source\":\"none\","
                           "\"verdict\":\"not-found\",\"reason\":null,\"confidence\":null,\"id\":null},"
                           "\"temperature\":{\"celsius\":null,\"value\":null,\"unit\":\"C\",\"text\":null,"
                           "\"feels_text\":null}," NOTHING_AHEAD
                           "\"weather\":{\"code\":null,\"text\":null,\"is_day\":null},\"cell\":null,"
                           "\"fetched_at\":null,\"age_s\":null,\"refresh_at\":null,\"timezone\":null,"
                           "\"utc_offset_s\":null,\"provider\":null,\"credits\":[]}");
    assert_json(at_home(),
                "{\"place\":{\"name\":\"Mumbai\",\"region\":null,\"country\":\"IN\",\"source\":\"home\","
                "\"verdict\":\"private\",\"reason\":null,\"confidence\":null,\"id\":null},\"credits\":[{"
                "\"text\":\"Weather data by "
                "Open-Meteo.com\",\"url\":\"https://open-meteo.com/\"}]}");
}

TEST(json_of_what_is_half_known)
{
    struct answer answer = mumbai();
    answer.reading.code = answer.reading.is_day = -1;
    answer.offset_known = false;
    assert_json(answer, "{\"weather\":{\"code\":null,\"text\":null,\"is_day\":null},\"utc_offset_s\":null}");
    answer.reading.code = 42; /* in the table of WMO, but not in ours */
    answer.reading.is_day = 0;
    answer.place.timezone[0] = '\0';
    assert_json(answer, "{\"weather\":{\"code\":42,\"text\":null,\"is_day\":false},\"timezone\":null,"
                        "\"utc_offset_s\":null}");
    answer = mumbai();
    answer.simulated = true;
    answer.units = UNITS_FAHRENHEIT;
    answer.reading.temperature_ddeg = -4;
    assert_json(answer,
                "{\"simulated\":true,\"text\":\"Mumbai 31" NBSP DEGREE
                "F\",\"temperature\":{\"celsius\":-0.4,\"value\":31,\"unit\":\"F\","
                "\"text\":\"31" NBSP DEGREE "F\",\"feels_text\":\"Feels like 93" DEGREE
                "\"},\"today\":{\"high\":33.4,\"low\":24.9,\"text\":\"92" DEGREE " / 77" DEGREE "\"}}");
    answer = nowhere();
    strcpy(answer.place.country, "IN"); /* a country may be known where the city is not */
    answer.place.verdict = PLACE_TOO_VAGUE;
    json_t *value = json_of(&answer);
    assert_string_equal(json_string_value(json_object_get(json_object_get(value, "place"), "country")), "IN");
    json_decref(value);
}

/* Each of what is to come may be missing by itself, and is then null. */
TEST(json_of_what_is_to_come)
{
    struct answer answer = mumbai();
    struct ahead *ahead = &answer.reading.ahead;
    ahead->feels_ddeg = ahead->high_ddeg = ahead->low_ddeg = AHEAD_NO_DEGREES;
    ahead->rain_percent = -1;
    ahead->rain_is_snow = true;
    ahead->hours[0] = (struct ahead_hour){-4, -1, -1, -1};
    ahead->hours[1] = (struct ahead_hour){-125, 0, 0, 0};
    ahead->hour_count = 2;
    assert_json(answer,
                "{\"temperature\":{\"celsius\":31.2,\"value\":31,\"unit\":\"C\",\"text\":\"31" C "\","
                "\"feels_text\":null},\"feels_like\":null,\"today\":null,"
                "\"rain\":{\"starts_at\":\"2026-01-31T11:00:00Z\",\"probability\":null,"
                "\"text\":\"Snow from 16:30\"},\"hours\":[{\"at\":\"2026-01-31T10:00:00Z\",\"celsius\":-0.4,"
                "\"code\":null,\"is_day\":null,\"rain_probability\":null},{\"at\":\"2026-01-31T11:00:00Z\","
                "\"celsius\":-12.5,\"code\":0,\"is_day\":false,\"rain_probability\":0}]}");
    answer = mumbai();
    ahead->rain_s = 0;
    ahead->hour_count = 0;
    assert_json(answer, "{\"rain\":null,\"hours\":[]}");
    answer = mumbai();
    answer.rain_minute = -1; /* the time of the place is not known */
    assert_json(answer,
                "{\"rain\":{\"starts_at\":\"2026-01-31T11:00:00Z\",\"probability\":60,\"text\":null}}");
    ahead->rain_has_begun = true;
    ahead->rain_s = 1769850000;
    answer.reading.code = 61;
    answer.reading.ahead.rain_percent = 100;
    assert_json(answer,
                "{\"weather\":{\"code\":61,\"text\":\"Light rain\",\"is_day\":true},\"rain\":{"
                "\"starts_at\":\"2026-01-31T09:00:00Z\",\"probability\":100,\"text\":\"Light rain\"}}");
    answer.language = language_find("mr", 2);
    assert_non_null(strstr(rendered(widget_json, &answer), "\"३३° / २५°\""));
    assert_non_null(strstr(rendered(widget_weather_json, &answer), "\"hours\":[{\"at\":"));
    assert_null(strstr(rendered(widget_where_json, &answer), "hours"));
}

TEST(names_come_back_from_json_and_cannot_leave_a_script)
{
    struct answer answer = hostile();
    json_t *value = json_of(&answer);
    const json_t *place = json_object_get(value, "place");
    assert_string_equal(member(place, "name"), answer.place.name);
    assert_string_equal(member(place, "region"), answer.place.region);
    json_decref(value);
    assert_null(strpbrk(rendered(widget_json, &answer), "<>&"));
    assert_null(strstr(rendered(widget_json, &answer), "\xe2\x80\xa8"));
}

/* The longest name there can be, and every byte of it costs six. */
TEST(the_longest_name_fits)
{
    struct answer answer = mumbai();
    memset(answer.place.name, '<', sizeof answer.place.name - 1);
    memset(answer.place.region, '&', sizeof answer.place.region - 1);
    answer.credits_inline = true;
    json_t *value = json_of(&answer);
    assert_int_equal(strlen(member(value, "text")), PLACE_NAME_BYTES - 1 + strlen(" 31" C));
    json_decref(value);
    rendered(widget_html, &answer);
}

/* --- How sure the city is, and why there is none --- */

TEST(answers_say_how_sure_they_are)
{
    static const struct {
        enum place_confidence confidence;
        enum place_reason reason;
        const char *html, *json;
    } rows[] = {
        {PLACE_CONFIRMED, 0, " data-confidence=\"confirmed\"",
         "\"reason\":null,\"confidence\":\"confirmed\""},
        {PLACE_CLAIMED, 0, " data-confidence=\"claimed\"", "\"reason\":null,\"confidence\":\"claimed\""},
        {0, PLACE_OFFICE, NULL, "\"reason\":\"office\",\"confidence\":null"},
        {0, PLACE_NO_CITY, NULL, "\"reason\":\"no-city\",\"confidence\":null"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char storage[OUT_BYTES];
        struct answer answer = rows[i].reason ? nowhere() : mumbai();
        answer.place.confidence = rows[i].confidence;
        answer.place.reason = rows[i].reason;
        struct text out = text_init(storage, sizeof storage);
        widget_html(&answer, &out);
        assert_int_equal(strstr(out.bytes, "data-confidence") != NULL, rows[i].html != NULL);
        assert_true(!rows[i].html || strstr(out.bytes, rows[i].html));
        out = text_init(storage, sizeof storage);
        widget_json(&answer, &out);
        if (!strstr(out.bytes, rows[i].json))
            fail_msg("%s is not in %s", rows[i].json, out.bytes);
    }
}

/* --- Why: the explanation of a place --- */

static json_t *explained(const struct place *place, const struct place_evidence *evidence, bool pretty)
{
    char storage[OUT_BYTES];
    struct address address = address_of("192.0.2.1");
    struct text out = text_init(storage, sizeof storage);
    explain_place(&address, place, evidence, pretty, &out);
    assert_false(out.overflow);
    assert_int_equal(out.bytes[out.length - 1], '\n');
    if (!pretty)
        assert_ptr_equal(strchr(out.bytes, '\n'), out.bytes + out.length - 1);
    json_t *value = json_loads(out.bytes, JSON_REJECT_DUPLICATES, NULL);
    if (!value)
        fail_msg("no JSON: %s", out.bytes);
    return value;
}

TEST(explanations_are_json_whatever_a_record_holds)
{
    struct answer answer = hostile();
    static const double numbers[] = {0, -1, 20, 1e308, (double)INFINITY, -(double)INFINITY, (double)NAN};
    for (size_t i = 0; i < 2 * COUNT(numbers); i++) {
        struct place_evidence evidence = {
            .databases = {"data/a \"b\".mmdb"}, .witness_count = 2, .decides = 1, .reason = "r"};
        struct record *record = &evidence.witnesses[1].record;
        evidence.witnesses[0].database = PLACE_BY_PROXY;
        *record = (struct record){.city = "</script>", .prefix_bits = 28};
        record->located = isfinite(numbers[i / 2]);
        record->latitude = record->longitude = record->radius_km = numbers[i / 2];
        json_t *value = explained(&answer.place, &evidence, i % 2);
        assert_string_equal(member(value, "address"), "192.0.2.1");
        assert_string_equal(member(value, "matched"), "192.0.2.0/28");
        assert_string_equal(member(value, "name"), answer.place.name);
        assert_string_equal(member(value, "database"), evidence.databases[0]);
        const json_t *witnesses = json_object_get(value, "witnesses");
        assert_int_equal(json_array_size(witnesses), 2);
        assert_string_equal(member(json_array_get(witnesses, 0), "database"), "headers");
        json_decref(value);
    }
    struct place_evidence nothing = {.reason = "no database has a record"};
    answer = nowhere();
    json_t *value = explained(&answer.place, &nothing, false);
    assert_string_equal(member(value, "verdict"), "not-found");
    assert_true(json_is_null(json_object_get(value, "record")));
    assert_true(json_is_null(json_object_get(value, "latitude")));
    json_decref(value);
}

/* --- The use case, with rooms that have no weather to give --- */

TEST(answers_say_how_long_they_hold)
{
    struct place_options place = {
        .databases = {"data/visitors.mmdb"}, .database_count = 1, .max_radius_km = 100, .state = "/tmp"};
    struct weather_options weather = {.providers = {"open-meteo"},
                                      .provider_count = 1,
                                      .provider[PROVIDER_OPEN_METEO].url = "http://127.0.0.1:1",
                                      .cell_udeg = 100000,
                                      .refresh_ms = 7200000,
                                      .keep_ms = 86400000,
                                      .timeout_ms = 1000,
                                      .capacity = 16};
    struct widget_options options = {.lang = "en", .units = UNITS_AUTO, .max_age_ms = 300000};
    log_configure(&(struct log_options){.level = LOG_ERROR});
    struct places *places = places_open(&place);
    struct weather *room = weather_open(&weather, NULL);
    const struct widget widget = {options, places, room};
    assert_true(places && room);
    widget_register();
    static const struct {
        const char *address; /* "": cannot be known */
        enum weather_state state;
        enum place_verdict verdict;
        enum units units;
        int64_t max_age_s;
    } rows[] = {
        {"192.0.2.1", WEATHER_MISS, PLACE_CITY, UNITS_CELSIUS, 15},
        {"198.51.100.1", WEATHER_MISS, PLACE_CITY, UNITS_FAHRENHEIT, 15},
        {"2001:db8:2f::1", WEATHER_MISS, PLACE_CITY, UNITS_FAHRENHEIT, 15},
        {"203.0.113.1", WEATHER_UNKNOWN, PLACE_TOO_VAGUE, UNITS_CELSIUS, 60},
        {"10.0.0.1", WEATHER_UNKNOWN, PLACE_PRIVATE, UNITS_CELSIUS, 60},
        {"", WEATHER_UNKNOWN, PLACE_UNREADABLE, UNITS_CELSIUS, 60},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct visit visit = {
            .now = clock_now(), .units = UNITS_AUTO, .address = address_of(rows[i].address)};
        struct answer answer;
        widget_answer(&widget, &visit, &answer);
        assert_int_equal(answer.reading.state, rows[i].state);
        assert_int_equal(answer.place.verdict, rows[i].verdict);
        assert_int_equal(answer.units, rows[i].units);
        assert_int_equal(answer.max_age_s, rows[i].max_age_s);
        json_decref(json_of(&answer));
    }
    weather_close(room);
    places_close(places);
}

UNIT_MAIN(NULL, NULL)
