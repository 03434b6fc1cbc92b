/* The gazetteer: which city a reader would name, and whether the embedded tables are sound. */
#include "unit.h"

#include "base/text.h"
#include "place/city_table.h"
#include "place/fold.h"

#include <math.h>

#include "gazetteer_room.h"

struct label_row {
    const char *recorded, *country, *region;
    double latitude, longitude;
    const char *label; /* NULL: the record's own name stays */
};

static void check_labels(const struct label_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct label_row *row = &rows[i];
        struct city city;
        bool found = gazetteer_name_point(gazetteer, row->latitude, row->longitude, row->country, row->region,
                                          row->recorded, "en", &city);
        const char *label = found ? city.name : NULL;
        if (found != !!row->label || (label && strcmp(label, row->label) != 0))
            fail_msg("row %zu, '%s': '%s', expected '%s'", i, row->recorded, label ? label : "(none)",
                     row->label ? row->label : "(none)");
    }
}

TEST(readers_of_india_are_told_their_city)
{
    static const struct label_row rows[] = {
        /* Neighbourhoods, with and without the city before them. */
        {"Mumbai", "IN", "Maharashtra", 19.0760, 72.8777, "Mumbai"},
        {"Mumbai (Powai)", "IN", "Maharashtra", 19.1176, 72.9060, "Mumbai"},
        {"Powai", "IN", "Maharashtra", 19.1164, 72.9047, "Mumbai"},
        {"Andheri", "IN", "Maharashtra", 19.1197, 72.8464, "Mumbai"},
        {"Borivali", "IN", "Maharashtra", 19.2350, 72.8598, "Mumbai"},
        {"Bengaluru (Whitefield)", "IN", "Karnataka", 12.9698, 77.7500, "Bengaluru"},
        {"Whitefield", "IN", "Karnataka", 12.9698, 77.7500, "Bengaluru"},
        {"Raniganj", "IN", "Telangana", 17.4399, 78.4983, "Hyderabad"}, /* a namesake is a city far away */
        {"Kukatpally", "IN", "Telangana", 17.4849, 78.4138, "Hyderabad"},
        {"Dum Dum", "IN", "West Bengal", 22.6240, 88.4210, "Kolkata"},
        {"Hinjawadi", "IN", "Maharashtra", 18.5913, 73.7389, "Pune"},
        {"Khadki", "IN", "Maharashtra", 18.5634, 73.8476, "Pune"},

        /* Cities of their own beside a larger one. */
        {"Navi Mumbai (Ghansoli)", "IN", "Maharashtra", 19.1258, 73.0004, "Navi Mumbai"},
        {"Airoli", "IN", "Maharashtra", 19.1590, 72.9986, "Navi Mumbai"},
        {"Thane", "IN", "Maharashtra", 19.1970, 72.9635, "Thane"},
        {"Howrah", "IN", "West Bengal", 22.5769, 88.3186, "Howrah"},
        {"Ghaziabad", "IN", "Uttar Pradesh", 28.6692, 77.4538, "Ghaziabad"},
        {"Noida (C Block)", "IN", "Uttar Pradesh", 28.6100, 77.3542, "Noida"},
        {"Gurugram (DLF Phase 5)", "IN", "Haryana", 28.4500, 77.0908, "Gurugram"},
        {"Gurgaon", "IN", "Haryana", 28.4595, 77.0266, "Gurugram"},
        {"S.A.S Nagar", "IN", "Punjab", 30.7046, 76.7179, "Mohali"},
        {"Secunderabad", "IN", "Telangana", 17.4399, 78.4983, "Secunderabad"},

        /* A border between regions, where the record's region settles it. */
        {"New Delhi (Okhla)", "IN", "Delhi", 28.5317, 77.2766, "Delhi"},
        {"New Delhi", "IN", "", 28.6139, 77.2088, "Delhi"},
        {"Gharroli", "IN", "Delhi", 28.6100, 77.3300, "Delhi"},
        {"Loni", "IN", "Uttar Pradesh", 28.7500, 77.2800, "Loni"}, /* inside Delhi's disc, of another state */

        /* One city, one name. */
        {"Bangalore", "IN", "Karnataka", 12.9716, 77.5946, "Bengaluru"},
        {"Bombay", "IN", "Maharashtra", 19.0760, 72.8777, "Mumbai"},
        {"Calcutta", "IN", "West Bengal", 22.5726, 88.3639, "Kolkata"},
        {"Benares", "IN", "Uttar Pradesh", 25.3176, 82.9739, "Varanasi"},
        {"TRIVANDRUM", "IN", "Kerala", 8.5241, 76.9366, "Thiruvananthapuram"},
        {"Hāora", "IN", "West Bengal", 22.5769, 88.3186, "Howrah"},

        /* What the gazetteer does not know, and no city is near. */
        {"3 b", "IN", "Rajasthan", 30.0039, 73.8448, NULL},
        {"Hui", "IN", "Karnataka", 15.6100, 75.1000, NULL},
        {"Rampur (Block A)", "IN", "Odisha", 21.0700, 84.3300, NULL},
    };
    check_labels(rows, COUNT(rows));
}

TEST(readers_of_the_world_are_told_their_city)
{
    static const struct label_row rows[] = {
        {"London", "GB", "England", 51.5072, -0.1276, "London"},
        {"Hackney", "GB", "England", 51.5450, -0.0553, "London"},
        {"Croydon", "GB", "England", 51.3727, -0.1099, "London"},
        {"Islington", "GB", "England", 51.5362, -0.1030, "London"},
        {"Watford", "GB", "England", 51.6565, -0.3903, "Watford"},
        {"Slough", "GB", "England", 51.5095, -0.5954, "Slough"},
        {"New York", "US", "New York", 40.7128, -74.0060, "New York"},
        {"Manhattan", "US", "New York", 40.7834, -73.9663, "New York"},
        {"Newark (Central Ward)", "US", "New Jersey", 40.7370, -74.1717, "Newark"},
        {"Jersey City", "US", "New Jersey", 40.7282, -74.0776, "Jersey City"},
        {"Oakland", "US", "California", 37.8044, -122.2711, "Oakland"},
        {"Hollywood", "US", "California", 34.0980, -118.3295, "Los Angeles"},
        {"Santa Monica", "US", "California", 34.0195, -118.4912, "Santa Monica"},
        {"Indpls (Mile Square)", "US", "Indiana", 39.7709, -86.1585, "Indianapolis"},
        {"Kreuzberg", "DE", "Berlin", 52.4983, 13.4066, "Berlin"},
        {"Berlin (Kreuzberg)", "DE", "State of Berlin", 52.4983, 13.4066, "Berlin"},
        {"Potsdam", "DE", "Brandenburg", 52.3989, 13.0657, "Potsdam"},
        {"Koeln", "DE", "North Rhine-Westphalia", 50.9375, 6.9603, "Cologne"},
        {"Frankfurt am Main", "DE", "Hesse", 50.1109, 8.6821, "Frankfurt"},
        {"Frankfurt (Oder)", "DE", "Brandenburg", 52.3471, 14.5506, "Frankfurt (Oder)"},
        {"Chiyoda City", "JP", "Tokyo", 35.6906, 139.7700, "Tokyo"},
        {"Ota-ku", "JP", "Tokyo", 35.5613, 139.7160, "Tokyo"},
        {"Kawasaki", "JP", "Kanagawa", 35.5206, 139.7170, "Kawasaki"},
        {"Seongnam-si (Buljeong-ro)", "KR", "Gyeonggi-do", 37.3654, 127.1220, "Seongnam"},
        {"Garak-dong", "KR", "Seoul", 37.4964, 127.1214, "Seoul"},
        {"Jinrongjie (Xicheng District)", "CN", "Beijing", 39.9137, 116.3620, "Beijing"},
        {"Sharjah city", "AE", "Sharjah", 25.3573, 55.4033, "Sharjah"},
        {"Sao Paulo", "BR", "Sao Paulo", -23.5558, -46.6396, "São Paulo"},
        {"Sha Tin", "HK", "Sha Tin", 22.3833, 114.1833, "Hong Kong"},
        {"Singapore", "SG", "", 1.3521, 103.8198, "Singapore"},
        {"Bedok New Town", "SG", "", 1.3236, 103.9273, "Singapore"},
        {"St Petersburg", "RU", "St.-Petersburg", 59.9386, 30.3141, "St. Petersburg"},
        {"Kiev", "UA", "Kyiv City", 50.4501, 30.5234, "Kyiv"},
        {"Saigon", "VN", "", 10.8231, 106.6297, "Ho Chi Minh City"},
    };
    check_labels(rows, COUNT(rows));
}

/* A population that the source lacks is not a small one. */
TEST(seats_without_a_population_keep_their_names)
{
    static const struct label_row rows[] = {
        {"Higashiosaka", "JP", "Osaka", 34.6667, 135.5833, "Higashi-osaka"},
        {"Niiza", "JP", "Saitama", 35.8000, 139.5500, "Niiza"},
        {"Komae", "JP", "Tokyo", 35.6340, 139.5780, "Komae"},
        {"Mitaka", "JP", "Tokyo", 35.6836, 139.5596, "Mitaka"},
        {"Koganei", "JP", "Tokyo", 35.7001, 139.5111, "Koganei"},
        {"Avellaneda", "AR", "Buenos Aires", -34.6600, -58.3660, "Avellaneda"},
        {"Knowsley", "GB", "England", 53.4557, -2.8530, "Knowsley"},
        /* Districts of the metropolis are seats of something, too. */
        {"Hackney", "GB", "England", 51.5450, -0.0553, "London"},
        {"Dusit", "TH", "Bangkok", 13.7770, 100.5200, "Bangkok"},
        {"Surulere", "NG", "Lagos", 6.4990, 3.3500, "Lagos"},
        {"Cau Giay", "VN", "Hanoi", 21.0300, 105.8000, "Hanoi"},
        {"Defence Colony", "IN", "Delhi", 28.5700, 77.2300, "Delhi"},
        {"Schaerbeek", "BE", "Brussels Capital", 50.8676, 4.3737, "Brussels"},
        {"Kwai Chung", "HK", "Kwai Tsing", 22.3670, 114.1330, "Hong Kong"},
    };
    check_labels(rows, COUNT(rows));
}

TEST(a_point_has_its_city)
{
    static const struct {
        double latitude, longitude;
        const char *name, *region, *zone; /* name NULL: none */
    } rows[] = {
        {19.1, 72.9, "Mumbai", "Maharashtra", "Asia/Kolkata"},
        {22.624, 88.421, "Kolkata", "West Bengal", "Asia/Kolkata"}, /* Dum Dum */
        {28.6139, 77.2088, "Delhi", "Delhi", "Asia/Kolkata"},
        {28.6692, 77.4538, "Ghaziabad", "Uttar Pradesh", "Asia/Kolkata"},
        {51.6565, -0.3903, "Watford", "England", "Europe/London"},
        {48.5734, 7.7521, "Strasbourg", "Grand Est", "Europe/Paris"},
        {78.2, 15.6, "Longyearbyen", "Svalbard", "Arctic/Longyearbyen"},
        {-44, -176.5, "Waitangi", "Chatham Islands", "Pacific/Chatham"},
        /* The date line is no edge. */
        {-16.9, 180, "Labasa", "Northern", "Pacific/Fiji"},
        {-16.9, -180, "Labasa", "Northern", "Pacific/Fiji"},
        {-16.9, -179.99, "Labasa", "Northern", "Pacific/Fiji"},
        /* At sea the nearest coast, where there is one. */
        {18, 70, "Mumbai", "Maharashtra", "Asia/Kolkata"},
        {35, -40, NULL, NULL, NULL},
        {90, 0, NULL, NULL, NULL},
        {-90, 180, NULL, NULL, NULL},
        {90.1, 0, NULL, NULL, NULL},
        {0, 180.1, NULL, NULL, NULL},
        {NAN, 0, NULL, NULL, NULL},
        {0, -INFINITY, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city city;
        bool found = gazetteer_nearest(gazetteer, rows[i].latitude, rows[i].longitude, "en", &city);
        if (found != !!rows[i].name || (found && strcmp(city.name, rows[i].name) != 0))
            fail_msg("%g,%g: '%s'", rows[i].latitude, rows[i].longitude, found ? city.name : "(none)");
        if (found)
            assert_string_equal(city.region, rows[i].region);
        if (found)
            assert_string_equal(city.timezone, rows[i].zone);
    }
    struct city city;
    assert_true(gazetteer_nearest(gazetteer, 19.1, 72.9, "hi", &city));
    assert_string_equal(city.name, "मुंबई");
    assert_in_range(city.height_m, 0, 50);
}

/* The window that is searched leaves out none that is nearer. */
TEST(no_city_is_nearer_than_the_nearest)
{
    struct city_table table = {0};
    assert_true(city_table_open(&table));
    for (int n = 0; n < 300; n++) {
        double latitude = (double)random_below(1800) / 10 - 90,
               longitude = (double)random_below(3600) / 10 - 180;
        double radians = M_PI / 180, least = INFINITY;
        for (size_t i = 0; i < table.row_count; i++) {
            const struct city_row *row = &table.rows[i];
            double cosine = sin(latitude * radians) * sin(row->latitude * radians) +
                            cos(latitude * radians) * cos(row->latitude * radians) *
                                cos((longitude - row->longitude) * radians);
            double people = row->population ? row->population : 10000;
            least = fmin(least, 6371 * acos(fmin(1, cosine)) - fmin(30, 0.016 * sqrt(people)));
        }
        struct city city;
        bool found = gazetteer_nearest(gazetteer, latitude, longitude, "en", &city);
        if (fabs(least - GAZETTEER_NEAREST_KM) > 3 && found != (least < GAZETTEER_NEAREST_KM))
            fail_msg("%g,%g: %g km", latitude, longitude, least);
    }
    city_table_close(&table);
}

TEST(no_label_crosses_a_border)
{
    static const struct label_row rows[] = {
        {"Windsor", "CA", "Ontario", 42.3149, -83.0364, "Windsor"},
        {"Detroit", "US", "Michigan", 42.3314, -83.0458, "Detroit"},
        {"Ambassador Bridge", "CA", "Ontario", 42.3120, -83.0740, NULL}, /* 4 km from Detroit's centre */
        {"Kehl", "DE", "Baden-Wurttemberg", 48.5720, 7.8150, "Kehl"},
        {"Strasbourg", "FR", "Grand Est", 48.5734, 7.7521, "Strasbourg"},
        {"Sundheim", "DE", "Baden-Wurttemberg", 48.5640, 7.8260,
         NULL}, /* a part of Kehl, in sight of Strasbourg */
        {"Vatican City", "VA", "", 41.9029, 12.4534, "Vatican City"},
        {"Trastevere", "IT", "Lazio", 41.8890, 12.4690, "Rome"},
        {"Geneva", "CH", "Geneva", 46.2044, 6.1432, "Geneva"},
        {"Annemasse", "FR", "Auvergne-Rhone-Alpes", 46.1944, 6.2376, "Annemasse"},
        {"Ferney-Voltaire", "FR", "Auvergne-Rhone-Alpes", 46.2558, 6.1081, NULL},
        {"Tijuana", "MX", "Baja California", 32.5149, -117.0382, "Tijuana"},
        {"San Ysidro", "US", "California", 32.5520, -117.0431,
         NULL}, /* 5 km from Tijuana, 21 from San Diego */
        {"Mumbai", "PK", "", 19.0760, 72.8777, NULL},
        {"Mumbai", "", "", 19.0760, 72.8777, NULL},
        {"Mumbai", "I", "", 19.0760, 72.8777, NULL},
    };
    check_labels(rows, COUNT(rows));
}

TEST(odd_points_and_names_have_no_label)
{
    static const struct label_row rows[] = {
        {"Somewhere", "IN", "", NAN, 72, NULL},
        {"Somewhere", "IN", "", 19, NAN, NULL},
        {"Somewhere", "IN", "", INFINITY, -INFINITY, NULL},
        {"Somewhere", "IN", "", 90.0001, 72, NULL},
        {"Somewhere", "IN", "", 19, 180.0001, NULL},
        {"Pole", "AQ", "", 90, 0, NULL},
        {"Pole", "AQ", "", -90, 180, NULL},
        {"Pole", "NO", "", 89.9999, -180, NULL},
        {"Mumbai", "IN", "", -19.0760, 72.8777, NULL}, /* that name, but nowhere near */
        {"", "IN", "", 19.0760, 72.8777, NULL},
        {"()", "IN", "", 19.0760, 72.8777, NULL},
        {" - ", "IN", "", 19.0760, 72.8777, NULL},
        {"\xff\xfe", "IN", "", 25.0, 70.0, NULL},
        /* The date line: Suva lies before it, and a point beyond it is not near. */
        {"Suva", "FJ", "", -18.1248, 178.4501, "Suva"},
        {"Taveuni", "FJ", "", -16.9, -179.99, NULL},
        {"Taveuni", "FJ", "", -16.9, 180, NULL},
    };
    check_labels(rows, COUNT(rows));
}

TEST(labels_are_in_the_asked_language)
{
    struct city city;
    assert_true(gazetteer_name_point(gazetteer, 19.1164, 72.9047, "IN", "", "Powai", "hi", &city));
    assert_string_equal(city.name, "मुंबई");
    assert_int_equal(city.id, 1275339);
    assert_true(gazetteer_name_point(gazetteer, 19.0760, 72.8777, "IN", "", "मुंबई", "en", &city));
    assert_string_equal(city.name, "Mumbai");
    assert_true(gazetteer_name_point(gazetteer, 51.4, -0.97, "GB", "", "Reading", "hi", &city));
    assert_string_equal(city.name, "Reading"); /* not in our table: never spelled by rule */
}

TEST(brackets_are_taken_off)
{
    static const struct {
        const char *recorded;
        size_t bare;
    } rows[] = {
        {"Mumbai (Powai)", 6},
        {"Mumbai(Powai)", 6},
        {"A (b) (c)", 1},
        {"A (b (c))", 1},
        {"Mumbai", 6},
        {"", 0},
        {"(Powai)", 7},
        {" (Powai)", 8},
        {"A (b) c", 7},
        {")", 1},
        {"A)", 2},
        {"A (", 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (gazetteer_strip_qualifier(rows[i].recorded) != rows[i].bare)
            fail_msg("'%s': %zu", rows[i].recorded, gazetteer_strip_qualifier(rows[i].recorded));
}

TEST(random_bytes_do_no_harm)
{
    struct city found[GAZETTEER_FOUND_MAX];
    for (int n = 0; n < 20000; n++) {
        char bytes[24] = {0}, country[3] = {0};
        for (size_t i = 0, length = random_below(sizeof bytes); i < length; i++)
            bytes[i] = (char)(1 + random_below(255));
        country[0] = (char)random_below(256);
        country[1] = (char)random_below(256);
        assert_true(gazetteer_search(gazetteer, bytes, country, bytes, found, GAZETTEER_FOUND_MAX) <= 10);
        double latitude = (double)(random_below(1800)) / 10 - 90;
        double longitude = (double)(random_below(3600)) / 10 - 180;
        gazetteer_name_point(gazetteer, latitude, longitude, country, bytes, bytes, "en", found);
    }
}

TEST(every_city_is_found_by_its_id_and_name)
{
    struct city_table table = {0};
    assert_true(city_table_open(&table));
    for (size_t i = 0; i < table.row_count; i++) {
        const struct city_row *row = &table.rows[i];
        struct city city, label, again;
        assert_true(gazetteer_by_id(gazetteer, row->id, "en", &city));
        assert_int_equal(city.population, row->population);
        /* A label is settled: its own label is itself. */
        assert_true(gazetteer_name_point(gazetteer, city.latitude, city.longitude, city.country, "",
                                         city.name, "en", &label));
        assert_true(gazetteer_name_point(gazetteer, label.latitude, label.longitude, label.country, "",
                                         label.name, "en", &again));
        if (again.id != label.id)
            fail_msg("%s -> %s -> %s", city.name, label.name, again.name);
    }
    city_table_close(&table);
    struct city city;
    static const int64_t none[] = {0, -1, 1, INT64_MAX, INT64_MIN, 1275339 + (INT64_C(1) << 32)};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(gazetteer_by_id(gazetteer, none[i], "en", &city));
}

static void check_name(struct span name)
{
    char clean[GAZETTEER_NAME_BYTES], folded[FOLD_BYTES];
    if (!text_sanitize(name.bytes, name.length, clean, sizeof clean) || strlen(clean) != name.length ||
        memcmp(clean, name.bytes, name.length) != 0 || fold(name.bytes, name.length, folded) == 0)
        fail_msg("'%.*s' is not fit to show", (int)name.length, name.bytes);
}

TEST(the_table_of_cities_is_sound)
{
    struct city_table table = {0};
    assert_true(city_table_open(&table));
    size_t regions = 0;
    assert_in_range(table.row_count, 26000, 45000);
    for (size_t i = 0; i < table.row_count; i++) {
        const struct city_row *row = &table.rows[i];
        check_name(row->name);
        assert_in_range(row->id, 1, 20000000);
        assert_in_range(row->population, 0, 25000000);
        assert_true(row->height_m == CITY_HEIGHT_UNKNOWN || (row->height_m > -500 && row->height_m < 5500));
        assert_in_range(city_table_zone(&table, i).length, 3, GAZETTEER_TIMEZONE_BYTES - 1);
        assert_non_null(memchr(city_table_zone(&table, i).bytes, '/', city_table_zone(&table, i).length));
        assert_true(row->nation > 0);
        regions += row->region > 0;
        assert_true(fabsf(row->latitude) <= 80 && fabsf(row->longitude) <= 180);
        assert_true(row->latitude != 0 || row->longitude != 0);
        assert_in_range(row->country[0], 'A', 'Z');
        assert_in_range(row->country[1], 'A', 'Z');
        assert_true(i == 0 || table.rows[i - 1].population >= row->population);
        assert_true(i == 0 || table.rows[table.by_id[i - 1]].id < table.rows[table.by_id[i]].id);
    }
    assert_true(regions > table.row_count - 100); /* all but city states */
    city_table_close(&table);
}

/* Every row of the table of names belongs to a city, so none was dropped by a new data/cities.tsv. */
TEST(the_table_of_names_is_sound)
{
    struct city_table table = {0};
    assert_true(city_table_open(&table));
    extern const char gazetteer_names[], gazetteer_names_end[];
    size_t lines = 0;
    char before = '\n';
    for (const char *at = gazetteer_names; at < gazetteer_names_end; before = *at++)
        lines += before == '\n' && *at != '#';
    assert_int_equal(lines, table.other_count);
    assert_int_equal(before, '\n');
    for (size_t i = 0; i < table.row_count; i++) {
        const struct city_row *row = &table.rows[i];
        const struct city_names *other = &table.others[row->other];
        if (other->display.length > 0)
            check_name(other->display);
        if (other->part_of)
            assert_true(city_table_find(&table, other->part_of) != CITY_NONE);
    }
    city_table_close(&table);
}

/* The languages that cities have names in, with the letters of their script. */
static const struct {
    const char *tag;
    uint32_t first, last;
} local[] = {
    {"hi", 0x900, 0x97f}, {"bn", 0x980, 0x9ff}, {"ta", 0xb80, 0xbff}, {"te", 0xc00, 0xc7f},
    {"mr", 0x900, 0x97f}, {"gu", 0xa80, 0xaff}, {"kn", 0xc80, 0xcff}, {"ml", 0xd00, 0xd7f},
    {"pa", 0xa00, 0xa7f}, {"ur", 0x600, 0x6ff}, {"ar", 0x600, 0x6ff},
};

static void check_script(struct span name, size_t language)
{
    uint32_t point;
    for (size_t step; name.length > 0; name = span_after(name, step)) {
        step = text_utf8(name.bytes, name.length, &point);
        bool between = point == ' ' || point == '-' || point == 0x200c || point == 0x200d;
        if (!between && !(point >= local[language].first && point <= local[language].last))
            fail_msg("'%.*s' is not in %s", (int)name.length, name.bytes, local[language].tag);
    }
}

TEST(names_in_languages_are_in_their_script_and_one_each)
{
    struct city_table table = {0};
    assert_true(city_table_open(&table));
    assert_true(table.local_count > 2500);
    for (size_t i = 0; i < table.local_count; i++) {
        const struct city_local *name = &table.locals[i];
        check_name(name->name);
        check_script(name->name, name->language);
        assert_true(i == 0 || name->city != name[-1].city || name->language != name[-1].language);
    }
    city_table_close(&table);
}

TEST(the_largest_cities_of_india_have_names_in_every_language)
{
    struct city city, named;
    double latitude, longitude;
    size_t cities = 0;
    for (size_t i = 0; cities < 100 && gazetteer_point(gazetteer, i, &latitude, &longitude); i++) {
        assert_true(gazetteer_nearest(gazetteer, latitude, longitude, "en", &city));
        bool itself = fabs(city.latitude - latitude) < 1e-3 && fabs(city.longitude - longitude) < 1e-3;
        if (strcmp(city.country, "IN") != 0 || !itself)
            continue;
        cities++;
        for (size_t l = 0; l < COUNT(local); l++) {
            assert_true(gazetteer_by_id(gazetteer, city.id, local[l].tag, &named));
            if (strcmp(named.name, city.name) == 0)
                fail_msg("%s has no name in %s", city.name, local[l].tag);
        }
    }
    assert_int_equal(cities, 100);
}

TEST(hindi_names_of_large_cities)
{
    static const struct {
        const char *query, *hindi;
    } rows[] = {
        {"mumbai", "मुंबई"},       {"delhi", "दिल्ली"},        {"bengaluru", "बेंगलुरु"}, {"kolkata", "कोलकाता"},
        {"chennai", "चेन्नई"},     {"hyderabad", "हैदराबाद"},  {"pune", "पुणे"},        {"jaipur", "जयपुर"},
        {"lucknow", "लखनऊ"},     {"kanpur", "कानपुर"},       {"nagpur", "नागपुर"},   {"indore", "इंदौर"},
        {"varanasi", "वाराणसी"}, {"prayagraj", "प्रयागराज"}, {"noida", "नोएडा"},    {"gurgaon", "गुरुग्राम"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city city;
        assert_int_equal(gazetteer_search(gazetteer, rows[i].query, "IN", "hi", &city, 1), 1);
        assert_string_equal(city.name, rows[i].hindi);
    }
}

TEST(names_follow_the_language_and_are_english_where_none_is_known)
{
    static const struct {
        int64_t id;
        const char *language, *name;
    } rows[] = {
        {1264527, "ta", "சென்னை"},     {1264527, "ta-LK", "சென்னை"}, {1264527, "ur-IN", "چنئی"},
        {1264527, "ar-EG", "تشيناي"}, {1264527, "mr", "चेन्नई"},     {1264527, "de", "Chennai"},
        {1264527, "", "Chennai"},     {1264527, "t", "Chennai"},   {1264527, "tam", "Chennai"},
        {1259229, "mr", "पुणे"},        {1185241, "bn", "ঢাকা"},     {1185241, "mr", "Dhaka"},
        {524901, "ta", "மாஸ்கோ"},      {524901, "bn", "Moscow"}, /* two languages' names share that script */
    };
    struct city city;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(gazetteer_by_id(gazetteer, rows[i].id, rows[i].language, &city));
        assert_string_equal(city.name, rows[i].name);
    }
}

/* A bound many times what is measured (0.3 us), for slow machines and sanitizers. */
TEST(labels_are_quick)
{
    enum { LABELS = 2000 };
    static double took[LABELS];
    struct city city;
    for (size_t i = 0; i < LABELS; i++) {
        double begun = now_us();
        gazetteer_name_point(gazetteer, 8 + (double)i / 100, 77.2, "IN", "", "Somewhere", "en", &city);
        took[i] = now_us() - begun;
    }
    assert_true(percentile(took, LABELS, 50) < 50);
}

TEST(the_height_of_a_cell_is_that_of_its_largest_city)
{
    static const struct {
        double latitude, longitude, half_deg;
        int least, most;
    } rows[] = {
        {19.1, 72.9, 0.05, 0, 50},                                   /* Mumbai */
        {-16.5, -68.15, 0.05, 3500, 4100},                           /* La Paz */
        {39.7, -105.0, 0.1, 1550, 1700},                             /* Denver */
        {52.4, 4.9, 0.1, -10, 20},                                   /* Amsterdam */
        {15.0, 70.0, 0.5, CITY_HEIGHT_UNKNOWN, CITY_HEIGHT_UNKNOWN}, /* the sea */
        {90, 0, 5, CITY_HEIGHT_UNKNOWN, CITY_HEIGHT_UNKNOWN},
        {-90, 180, 5, CITY_HEIGHT_UNKNOWN, CITY_HEIGHT_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int height_m = gazetteer_height_m(gazetteer, rows[i].latitude, rows[i].longitude, rows[i].half_deg);
        if (height_m < rows[i].least || height_m > rows[i].most)
            fail_msg("row %zu: %d m", i, height_m);
    }
}

/* As a look at every city finds it: across the date line, by the poles, at any size. */
TEST(no_city_of_a_cell_is_missed)
{
    struct city_table table = {.rows = NULL};
    assert_true(city_table_open(&table));
    for (size_t i = 0; i < 500; i++) {
        double half_deg = (double)(1 + random_below(50)) / 10;
        double latitude = (double)random_below(1801) / 10 - 90,
               longitude = (double)random_below(3600) / 10 - 180;
        if (i % 4 == 0)
            longitude = i % 8 ? 179.9 : -180;
        int expected = CITY_HEIGHT_UNKNOWN;
        for (size_t row = table.row_count; row-- > 0;)
            if (fabs((double)table.rows[row].latitude - latitude) <= half_deg &&
                fabs(remainder((double)table.rows[row].longitude - longitude, 360)) <= half_deg)
                expected = table.rows[row].height_m;
        int height_m = gazetteer_height_m(gazetteer, latitude, longitude, half_deg);
        if (height_m != expected)
            fail_msg("%.1f, %.1f, %.1f: %d m, expected %d", latitude, longitude, half_deg, height_m,
                     expected);
    }
    city_table_close(&table);
}

UNIT_MAIN(open_gazetteer, close_gazetteer)
