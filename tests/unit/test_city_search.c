/* Searching the gazetteer, and the folding of names that lets a search find them. */
#include "unit.h"

#include "place/fold.h"

#include "gazetteer_room.h"

TEST(search_finds)
{
    static const struct {
        const char *query, *country, *language, *first;
    } rows[] = {
        {"mum", "", "en", "Mumbai"},
        {"MUM", "", "en", "Mumbai"},
        {"  mumbai  ", "", "en", "Mumbai"},
        {"bom", "", "en", "Mumbai"},
        {"bombay", "", "en", "Mumbai"},
        {"bombay", "", "hi", "मुंबई"},
        {"मुं", "", "en", "Mumbai"},
        {"मुँ", "", "hi", "मुंबई"},
        {"चंडीगढ", "", "en", "Chandigarh"}, /* the dot left out */
        {"banga", "IN", "en", "Bengaluru"},
        {"calcutta", "", "en", "Kolkata"},
        {"benares", "", "en", "Varanasi"},
        {"new delhi", "", "en", "Delhi"},
        {"sao p", "", "en", "São Paulo"},
        {"são p", "", "en", "São Paulo"},
        {"SÃO-P", "", "en", "São Paulo"},
        {"sa\xcc\x83o p", "", "en", "São Paulo"}, /* a combining tilde */
        {"koln", "", "en", "Cologne"},
        {"köln", "", "en", "Cologne"},
        {"cologne", "", "en", "Cologne"},
        {"new y", "", "en", "New York"},
        {"york", "GB", "en", "York"},
        {"paulo", "", "en", "Paulo Afonso"}, /* begins so, before São Paulo with a word that does */
        {"peking", "", "en", "Beijing"},
        {"saigon", "", "en", "Ho Chi Minh City"},
        {"kiev", "", "en", "Kyiv"},
        {"xi'an", "", "en", "Xi'an"},
        {"xian", "CN", "en", "Xi'an"},
        {"hyderabad", "", "en", "Hyderabad"},
        {"hyderabad", "PK", "en", "Hyderabad"},
        {"s.a.s. nagar", "", "en", "Mohali"},
        {"st louis", "", "en", "St. Louis"},
        {"saint louis", "US", "en", "St. Louis"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city found[GAZETTEER_FOUND_MAX];
        size_t count = gazetteer_search(gazetteer, rows[i].query, rows[i].country, rows[i].language, found,
                                        GAZETTEER_FOUND_MAX);
        if (count == 0 || strcmp(found[0].name, rows[i].first) != 0)
            fail_msg("'%s' in '%s': '%s', expected '%s'", rows[i].query, rows[i].country,
                     count ? found[0].name : "(none)", rows[i].first);
        if (rows[i].country[0])
            assert_string_equal(found[0].country, rows[i].country);
    }
}

TEST(search_finds_in_every_script_and_spelling)
{
    static const struct {
        const char *query, *first;
    } rows[] = {
        {"मुम्बई", "Mumbai"},      {"मुंबई", "Mumbai"},      {"बम्बई", "Mumbai"},       {"बंबई", "Mumbai"},
        {"इन्दौर", "Indore"},     {"इंदौर", "Indore"},     {"कलकत्ता", "Kolkata"},    {"बंगलौर", "Bengaluru"},
        {"बङ्गलौर", "Bengaluru"}, {"गुड़गांव", "Gurugram"},  {"गुड़गाँव", "Gurugram"},    {"गुडगांव", "Gurugram"},
        {"চেন্নাই", "Chennai"},   {"কলকাতা", "Kolkata"},  {"দিল্লী", "Delhi"},       {"ঢাকা", "Dhaka"},
        {"சென்னை", "Chennai"},    {"கோவை", "Coimbatore"}, {"மும்பை", "Mumbai"},      {"టింబక్టు", "Timbuktu"},
        {"ముంబై", "Mumbai"},      {"ముమ్బై", "Mumbai"},     {"ಬೆಂಗಳೂರು", "Bengaluru"}, {"ಬೆಙ್ಗಳೂರು", "Bengaluru"},
        {"മുംബൈ", "Mumbai"},      {"മുമ്ബൈ", "Mumbai"},     {"മുംബൈ, ഇന്ത്യ", NULL},     {"અમદાવાદ", "Ahmedabad"},
        {"ਅੰਮ੍ਰਿਤਸਰ", "Amritsar"}, {"ਜਲਂਧਰ", "Jalandhar"},  {"ممبئی", "Mumbai"},      {"ممبئي", "Mumbai"},
        {"دهلي", "Delhi"},       {"لکھنؤ", "Lucknow"},   {"لكهنو", "Lucknow"},     {"القاهرة", "Cairo"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city city;
        size_t count = gazetteer_search(gazetteer, rows[i].query, "IN", "en", &city, 1);
        if (rows[i].first ? count == 0 || strcmp(city.name, rows[i].first) != 0 : count != 0)
            fail_msg("'%s': '%s', expected '%s'", rows[i].query, count ? city.name : "(none)", rows[i].first);
    }
}

TEST(one_typo_is_forgiven_when_nothing_else_fits)
{
    static const struct {
        const char *query, *first;
    } rows[] = {
        {"banglore", "Bengaluru"}, /* missing; of Bangalore */
        {"mumbay", "Mumbai"},      /* a known spelling */
        {"mumbia", "Mumbai"},      /* exchanged */
        {"umbmai", NULL},          /* two */
        {"chennnai", "Chennai"},   /* too many */
        {"xhennai", "Chennai"},    /* the first letter */
        {"hennai", "Chennai"},
        {"chennao", "Chennai"}, /* the last one */
        {"hyderabaf", "Hyderabad"},
        {"hydrebad", NULL},
        {"coimbatoor", "Coimbatore"},
        {"coimbatoer", "Coimbatore"},
        {"kolkatta", "Kolkata"},
        {"kolkato", "Kolkata"},
        {"banglore, india", "Bengaluru"},
        {"banglore india", "Bengaluru"},
        {"banglore, france", NULL},
        {"new yrok", "New York"},
        {"delx", NULL},   /* too short */
        {"मुंबअ", NULL},    /* no Latin letters */
        {"script", NULL}, /* but a word within: Campo de Criptana */
        {"banglore7", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city city;
        size_t count = gazetteer_search(gazetteer, rows[i].query, "IN", "en", &city, 1);
        if (rows[i].first ? count == 0 || strcmp(city.name, rows[i].first) != 0 : count != 0)
            fail_msg("'%s': '%s', expected '%s'", rows[i].query, count ? city.name : "(none)", rows[i].first);
    }
    /* What fits without a typo is all that is found. */
    struct city found[GAZETTEER_FOUND_MAX];
    size_t count = gazetteer_search(gazetteer, "salem", "", "en", found, GAZETTEER_FOUND_MAX);
    for (size_t i = 0; i < count; i++)
        assert_non_null(strcasestr(found[i].name, "salem"));
}

/* By region, where the name alone would not tell. */
TEST(search_finds_what_people_type)
{
    static const struct {
        const char *query, *first, *region;
    } rows[] = {
        {"muenster", "Münster", "North Rhine-Westphalia"},
        {"münster", "Münster", "North Rhine-Westphalia"},
        {"mu\xcc\x88nster", "Münster", "North Rhine-Westphalia"},
        {"munster", "Münster", "North Rhine-Westphalia"},
        {"DUESSELDORF", "Düsseldorf", NULL},
        {"dusseldorf", "Düsseldorf", NULL},
        {"goettingen", "Göttingen", NULL},
        {"weissenfels", "Weißenfels", NULL},
        {"weißenfels", "Weißenfels", NULL},
        {"strassburg", "Strasbourg", NULL},
        {"zuerich", "Zurich", NULL},
        {"århus", "Aarhus", NULL},
        {"arhus", "Aarhus", NULL},
        {"aarhus", "Aarhus", NULL},
        {"ålborg", "Aalborg", NULL},
        {"a\xcc\x8alborg", "Aalborg", NULL},
        {"tromsoe", "Tromsø", NULL},
        {"tromso", "Tromsø", NULL},
        {"laquila", "L'Aquila", NULL},
        {"l'aquila", "L'Aquila", NULL},
        {"l’aquila", "L'Aquila", NULL},
        {"aquila", "L'Aquila", NULL},
        {"la paz", "La Paz", "La Paz Department"},
        {"paz", "La Paz", "La Paz Department"},
        {"the hague", "The Hague", NULL},
        {"hague", "The Hague", NULL},
        {"la coruna", "A Coruña", NULL},
        {"the mumbai", "Mumbai", NULL},
        {"el cairo", "Cairo", NULL},
        {"ofallon", "O'Fallon", NULL},
        {"saintdenis", "Saint-Denis", NULL},
        {"higashiosaka", "Higashi-osaka", "Osaka"},
        {"mumbai, india", "Mumbai", "Maharashtra"},
        {"mumbai, in", "Mumbai", "Maharashtra"},
        {"Mumbai , Maharashtra", "Mumbai", "Maharashtra"},
        {"mumbai, mh", "Mumbai", "Maharashtra"},
        {"mumbai,", "Mumbai", "Maharashtra"},
        {"mumbai india", "Mumbai", "Maharashtra"},
        {"मुंबई, भारत", "Mumbai", "Maharashtra"},
        {"springfield, il", "Springfield", "Illinois"},
        {"springfield, illinois", "Springfield", "Illinois"},
        {"springfield, Illi", "Springfield", "Illinois"},
        {"springfield, il, usa", "Springfield", "Illinois"},
        {"springfield il", "Springfield", "Illinois"},
        {"springfield, ma", "Springfield", "Massachusetts"},
        {"paris, tx", "Paris", "Texas"},
        {"london, on", "London", "Ontario"},
        {"london, uk", "London", "England"},
        {"hyderabad, pk", "Hyderabad", "Sindh"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct city city;
        size_t count = gazetteer_search(gazetteer, rows[i].query, "", "en", &city, 1);
        if (count == 0 || strcmp(city.name, rows[i].first) != 0 ||
            (rows[i].region && strcmp(city.region, rows[i].region) != 0))
            fail_msg("'%s': '%s, %s', expected '%s'", rows[i].query, count ? city.name : "(none)",
                     count ? city.region : "", rows[i].first);
    }
    static const char *const nothing[] = {"mumbai, pakistan", "mumbai, zz", ", india",
                                          "mumbai zz",        ",",          ",,,"};
    for (size_t i = 0; i < COUNT(nothing); i++)
        assert_int_equal(gazetteer_search(gazetteer, nothing[i], "", "en", &(struct city){0}, 1), 0);
}

TEST(search_for_nothing_finds_the_largest_of_the_country)
{
    struct city found[GAZETTEER_FOUND_MAX];
    size_t count = gazetteer_search(gazetteer, "", "IN", "en", found, GAZETTEER_FOUND_MAX);
    assert_int_equal(count, GAZETTEER_FOUND_MAX);
    assert_string_equal(found[0].name, "Mumbai");
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].country, "IN");
        assert_true(i == 0 || found[i - 1].population >= found[i].population);
    }
    assert_int_equal(gazetteer_search(gazetteer, "", "VA", "en", found, GAZETTEER_FOUND_MAX), 1);
    static const char *const none[] = {"", "ZZ", "--"};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(gazetteer_search(gazetteer, "", none[i], "en", found, GAZETTEER_FOUND_MAX), 0);
    assert_int_equal(gazetteer_search(gazetteer, "", "IN", "en", found, 0), 0);
}

TEST(search_ranks)
{
    struct city found[GAZETTEER_FOUND_MAX];
    /* The country's own first, then those that begin so, then those with a word that does; by population. */
    size_t count = gazetteer_search(gazetteer, "ra", "IN", "en", found, GAZETTEER_FOUND_MAX);
    assert_int_equal(count, GAZETTEER_FOUND_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].country, "IN");
        assert_true(i == 0 || found[i - 1].population >= found[i].population);
        for (size_t j = 0; j < i; j++)
            assert_true(found[i].id != found[j].id);
    }
    count = gazetteer_search(gazetteer, "york", "", "en", found, GAZETTEER_FOUND_MAX);
    assert_true(count > 3);
    assert_string_equal(found[0].name, "York");
    bool new_york = false;
    for (size_t i = 0; i < count; i++)
        new_york = new_york || strcmp(found[i].name, "New York") == 0;
    assert_true(new_york);
    count = gazetteer_search(gazetteer, "bir", "US", "en", found, GAZETTEER_FOUND_MAX);
    assert_string_equal(found[0].country, "US");
    /* Fewer when asked for fewer, and the same ones. */
    struct city one;
    assert_int_equal(gazetteer_search(gazetteer, "bir", "US", "en", &one, 1), 1);
    assert_int_equal(one.id, found[0].id);
    assert_int_equal(gazetteer_search(gazetteer, "bir", "US", "en", &one, 0), 0);
    assert_true(count > 1);
}

TEST(search_bears_any_bytes)
{
    static const char *const nothing[] = {
        "",          " ",        "-'’.",         "\xff",
        "\xc3",      "mum\xff",  "\xa4\xe0",     "<script>alert(1)</script>",
        "mumbai' ;", "%00",      "\xed\xa0\x80", "\xf0\x9f\x98\x80",
        "\x01\x02",  "zzzzzzzz",
    };
    struct city found[GAZETTEER_FOUND_MAX];
    for (size_t i = 0; i < COUNT(nothing); i++) {
        size_t count = gazetteer_search(gazetteer, nothing[i], "", "en", found, GAZETTEER_FOUND_MAX);
        bool punctuation = strcmp(nothing[i], "mumbai' ;") == 0; /* the same as "mumbai" */
        if (count != 0 && !punctuation)
            fail_msg("'%s' found %zu", nothing[i], count);
    }
    char *huge = malloc(10241);
    assert_non_null(huge);
    for (int byte = 1; byte < 256; byte++) {
        memset(huge, byte, 10240);
        huge[10240] = '\0';
        assert_int_equal(gazetteer_search(gazetteer, huge, "", "en", found, GAZETTEER_FOUND_MAX), 0);
    }
    free(huge);
}

/* Folds code points, up to the first 0. */
static void fold_points(const unsigned points[5], char folded[FOLD_BYTES])
{
    char name[32];
    size_t length = 0;
    for (size_t i = 0; i < 5 && points[i]; i++) {
        name[length++] = (char)(0xe0 | points[i] >> 12);
        name[length++] = (char)(0x80 | (points[i] >> 6 & 0x3f));
        name[length++] = (char)(0x80 | (points[i] & 0x3f));
    }
    fold(name, length, folded);
}

TEST(folding)
{
    static const struct {
        const char *name, *folded;
    } rows[] = {
        {"", ""},
        {" - ", ""},
        {"São Paulo", "sao paulo"},
        {"SÃO  PAULO ", "sao paulo"},
        {"Sa\xcc\x83o", "sao"},
        {"Straße", "strasse"},
        {"Łódź", "lodz"},
        {"Đà Lạt", "da lat"},
        {"Xi’an", "xi an"},
        {"Aix-en-Provence", "aix en provence"},
        {"Halle (Saale)", "halle saale"},
        {"Ærø", "aero"},
        {"İstanbul", "istanbul"},
        {"चंडीगढ़", "चंडीगढ"},
        {"\xe0\xa4\x9a\xe0\xa4\x81", "चं"},
        {"Москва", "москва"},
        {"ЁЛКИЙ", "елкии"},
        {"е\xcc\x88лкии\xcc\x86", "елкии"},
        {"Αθήνα", "αθηνα"},
        {"ΑΘΗΝΑΣ", "αθηνασ"},
        {"αθη\xcc\x81νας", "αθηνασ"},
        {"Երևան", "երեւան"},
        {"القاهرة", "القاهره"},
        {"أَسْوَان", "اسوان"},
        {"کراچی", "كراچي"},
        {"لکھنؤ", "لكهنو"},
        {"لكهنؤ", "لكهنو"},
        {"ﻻ", "لا"},                        /* a form of presentation */
        {"कोल्\xe2\x80\x8dहापुर", "कोल्हापुर"}, /* a joiner */
        {"कोल्\xe2\x80\x8cहापुर", "कोल्हापुर"}, /* one that keeps apart */
        {"സേലൻ", "സേലന്"},                   /* a letter without a vowel */
        {"সিলেৎ", "সিলেত্"},
        {"চেন্নাই", "চেন্নাই"}, /* a nasal twice */
        {"Ｄｅｌｈｉ", "delhi"},
        {"ĳssel", "ijssel"},
        {"Gəncə", "gence"},
        {"\xe0\xa6\x97\xe0\xa7\x8b",
         "\xe0\xa6\x97\xe0\xa7\x87\xe0\xa6\xbe"}, /* go in Bengali, in one and two signs */
        {"\xe0\xa6\x97\xe0\xa7\x87\xe0\xa6\xbe", "\xe0\xa6\x97\xe0\xa7\x87\xe0\xa6\xbe"},
        {"\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"}, /* han in Hangul, in one and three */
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"},
        {"ガ", "か"},
        {"か\xe3\x82\x99", "か"},
        {"パリ", "はり"},
        {"東京", "東京"},
        {"\xff"
         "a",
         "\xff"
         "a"},
        {"a\xe0\xa4", "a\xe0\xa4"},
        {"a\xc3", "a\xc3"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char folded[FOLD_BYTES];
        size_t length = fold(rows[i].name, strlen(rows[i].name), folded);
        if (length != strlen(folded) || strcmp(folded, rows[i].folded) != 0)
            fail_msg("'%s': '%s', expected '%s'", rows[i].name, folded, rows[i].folded);
    }
}

TEST(folding_in_other_spellings)
{
    static const struct {
        const char *name, *spelled, *joined;
    } rows[] = {
        {"Münster", "muenster", "munster"},
        {"Mu\xcc\x88nster", "muenster", "munster"},
        {"Århus", "aarhus", "arhus"},
        {"Ærø", "aeroe", "aero"},
        {"Köln", "koeln", "koln"},
        {"ÄÖÜ", "aeoeue", "aou"},
        {"Citroën", "citroen", "citroen"},
        {"L'Aquila", "l aquila", "laquila"},
        {"Baden-Baden", "baden baden", "badenbaden"},
        {"New York", "new york", "new york"},
        {"a \xcc\x88", "a", "a"}, /* a mark of its own */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char folded[FOLD_BYTES];
        fold_variant(rows[i].name, strlen(rows[i].name), FOLD_SPELLED, folded);
        assert_string_equal(folded, rows[i].spelled);
        fold_variant(rows[i].name, strlen(rows[i].name), FOLD_JOINED, folded);
        assert_string_equal(folded, rows[i].joined);
    }
}

TEST(what_does_not_fit_folds_to_nothing)
{
    char name[FOLD_BYTES + 1], folded[FOLD_BYTES];
    memset(name, 'A', sizeof name);
    assert_int_equal(fold(name, FOLD_BYTES - 1, folded), FOLD_BYTES - 1);
    assert_int_equal(strlen(folded), FOLD_BYTES - 1);
    assert_int_equal(fold(name, FOLD_BYTES, folded), 0);
    assert_string_equal(folded, "");
    memset(name, ' ', sizeof name);
    assert_int_equal(fold(name, sizeof name, folded), 0);
}

/* Names from other languages' tables, folded as the nine scripts of India say the same: nasal, nukta,
 * candrabindu, one character or two. */
TEST(the_scripts_of_india_fold_alike)
{
    enum { FIRST = 0x900, BLOCK = 0x80, BLOCKS = 9 };
    static const struct {
        unsigned nasal, consonant;
    } rows[] = {{0x19, 0x15}, {0x1e, 0x1a}, {0x23, 0x21}, {0x28, 0x26}, {0x2e, 0x2a}, {0x2e, 0x2c}};
    for (unsigned block = FIRST; block < FIRST + BLOCKS * BLOCK; block += BLOCK)
        for (size_t i = 0; i < COUNT(rows); i++) {
            unsigned nasal = block + rows[i].nasal, consonant = block + rows[i].consonant;
            const unsigned spellings[][5] = {
                {block + 0x15, nasal, block + 0x4d, consonant},
                {block + 0x15, block + 0x02, consonant},
                {block + 0x15, block + 0x01, consonant},
                {block + 0x15, block + 0x02, consonant, block + 0x3c},
                {block + 0x15, nasal, block + 0x4d, 0x200d, consonant},
            };
            char folded[COUNT(spellings)][FOLD_BYTES];
            for (size_t j = 0; j < COUNT(spellings); j++) {
                /* There is no nukta in Tamil and Malayalam, nor one in Telugu before Unicode 14. */
                bool nukta = spellings[j][3] == block + 0x3c;
                if (nukta && (block == 0xb80 || block == 0xc00 || block == 0xd00))
                    continue;
                fold_points(spellings[j], folded[j]);
                assert_string_equal(folded[j], folded[0]);
            }
            const unsigned other[5] = {block + 0x15, nasal, block + 0x4d, block + 0x30};
            fold_points(other, folded[1]); /* a nasal before a consonant of no row stays */
            assert_int_equal(strlen(folded[1]), 12);
        }
}

/* Bounds many times what is measured (0.1 ms; single letters are the worst. 0.4 ms with a typo), for slow
 * machines and sanitizers. */
TEST(it_is_quick)
{
    enum { QUERIES = 26 * 26 };
    static double took[QUERIES];
    struct city found[GAZETTEER_FOUND_MAX];
    for (size_t i = 0; i < QUERIES; i++) {
        char query[3] = {(char)('a' + i / 26), (char)('a' + i % 26)};
        query[1] = i % 26 == 0 ? '\0' : query[1];
        double begun = now_us();
        gazetteer_search(gazetteer, query, "IN", "en", found, GAZETTEER_FOUND_MAX);
        took[i] = now_us() - begun;
    }
    assert_true(percentile(took, QUERIES, 99) < 5000);
}

UNIT_MAIN(open_gazetteer, close_gazetteer)
