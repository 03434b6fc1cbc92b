/* Witnesses judged together: whose city is believed, how sure it is, and which reason counts where none is;
 * what each combination of witnesses comes to. */
#include "unit.h"

#include <math.h>

#include "place/witness.h"

#define SAYS_MAX  3
#define NOBODY    (-1)
#define KM        (1 / 111.19492664455873) /* in degrees of a meridian */
#define NO_RADIUS (-1.0)

static const struct witness_rules usual = {.max_radius_km = 100, .hide_conflict = true};

/* What a witness says: somewhere so many km north of the equator. */
struct says {
    enum { NONE, A_CLAIM, A_RADIUS, AN_EDGE, A_REJECTED } kind;
    double km;
    enum place_reason reason; /* of one that is rejected */
};

#define CLAIM(at)                   \
    {                               \
        .kind = A_CLAIM, .km = (at) \
    }
#define RADIUS(at)                   \
    {                                \
        .kind = A_RADIUS, .km = (at) \
    }
#define EDGE(at)                    \
    {                               \
        .kind = AN_EDGE, .km = (at) \
    }
#define REJECTED(at, why)                               \
    {                                                   \
        .kind = A_REJECTED, .km = (at), .reason = (why) \
    }

static struct witness witness_of(const struct says *says, size_t i)
{
    struct witness witness = {.database = says->kind == AN_EDGE ? PLACE_BY_PROXY : (int)i,
                              .reason = says->kind == A_REJECTED ? says->reason : PLACE_REASON_NONE,
                              .record = {.city = "Somewhere", .located = true, .longitude = 10}};
    witness.record.latitude = says->km * KM;
    witness.record.radius_km = says->kind == A_RADIUS ? 20 : NO_RADIUS;
    return witness;
}

/* A combination, what it comes to, and whether the city is hidden where only confirmed ones are believed. */
struct row {
    const char *name;
    struct says says[SAYS_MAX];
    int decides;
    enum place_reason reason;
    enum place_confidence confidence; /* of a city that is believed */
};

static size_t witnesses_of(const struct row *row, struct witness out[SAYS_MAX])
{
    size_t count = 0;
    for (; count < SAYS_MAX && row->says[count].kind != NONE; count++)
        out[count] = witness_of(&row->says[count], count);
    return count;
}

static void check(const struct row *row, const struct witness_rules *rules)
{
    struct witness witnesses[SAYS_MAX];
    size_t count = witnesses_of(row, witnesses);
    struct witness_verdict verdict = witnesses_judge(witnesses, count, rules);
    int decides = verdict.decides ? (int)(verdict.decides - witnesses) : NOBODY;
    bool believed = row->reason == PLACE_REASON_NONE;
    if (decides != row->decides || verdict.reason != row->reason ||
        (believed && verdict.confidence != row->confidence))
        fail_msg("%s: witness %d, %s, %s", row->name, decides, place_reason_names[verdict.reason],
                 place_confidence_names[verdict.confidence]);
}

static void check_all(const struct row *rows, size_t count, struct witness_rules rules)
{
    for (size_t i = 0; i < count; i++)
        check(&rows[i], &rules);
}

/* --- As it comes --- */

static const struct row rows[] = {
    {"nobody", {{.kind = NONE}}, NOBODY, PLACE_NO_CITY, 0},
    {"a claim", {CLAIM(0)}, 0, 0, PLACE_CLAIMED},
    {"a radius", {RADIUS(0)}, 0, 0, PLACE_CONFIRMED},
    {"an edge header", {EDGE(0)}, 0, 0, PLACE_CLAIMED},

    {"two claims that agree", {CLAIM(0), CLAIM(49.9)}, 0, 0, PLACE_CONFIRMED},
    {"two claims in between", {CLAIM(0), CLAIM(50.1)}, 0, 0, PLACE_CLAIMED},
    {"two claims still in between", {CLAIM(0), CLAIM(99.9)}, 0, 0, PLACE_CLAIMED},
    {"two claims that contradict", {CLAIM(0), CLAIM(100.1)}, 0, PLACE_CONFLICT, 0},

    {"a claim, then a radius elsewhere", {CLAIM(0), RADIUS(5000)}, 1, 0, PLACE_CONFIRMED},
    {"a radius, then a claim elsewhere", {RADIUS(0), CLAIM(5000)}, 0, 0, PLACE_CONFIRMED},
    {"two radii that agree", {RADIUS(0), RADIUS(40)}, 0, 0, PLACE_CONFIRMED},
    {"two radii in between", {RADIUS(0), RADIUS(70)}, 0, 0, PLACE_CONFIRMED},
    {"two radii that contradict", {RADIUS(0), RADIUS(150)}, 0, PLACE_CONFLICT, 0},

    {"an edge header and a claim elsewhere", {EDGE(0), CLAIM(5000)}, 0, 0, PLACE_CLAIMED},
    {"an edge header and a claim that agrees", {EDGE(0), CLAIM(10)}, 0, 0, PLACE_CONFIRMED},
    {"an edge header and a radius that agrees", {EDGE(0), RADIUS(10)}, 0, 0, PLACE_CONFIRMED},
    {"an edge header and a radius in between", {EDGE(0), RADIUS(60)}, 0, 0, PLACE_CLAIMED},
    {"an edge header and a radius elsewhere", {EDGE(0), RADIUS(5000)}, 0, PLACE_CONFLICT, 0},

    {"three claims that agree", {CLAIM(0), CLAIM(10), CLAIM(20)}, 0, 0, PLACE_CONFIRMED},
    {"a third contradicts", {CLAIM(0), CLAIM(10), CLAIM(500)}, 0, PLACE_CONFLICT, 0},
    {"the second contradicts", {CLAIM(0), CLAIM(500), CLAIM(10)}, 0, PLACE_CONFLICT, 0},
    {"the others contradict each other", {CLAIM(0), CLAIM(80), CLAIM(-80)}, 0, 0, PLACE_CLAIMED},
    {"two claims contradict beside a radius", {CLAIM(0), CLAIM(900), RADIUS(10)}, 2, 0, PLACE_CONFIRMED},
    {"header, claims", {EDGE(0), CLAIM(900), CLAIM(20)}, 0, 0, PLACE_CONFIRMED},

    {"a rejected one far away", {CLAIM(0), REJECTED(5000, PLACE_OFFICE)}, 0, 0, PLACE_CLAIMED},
    {"a rejected one near by", {CLAIM(0), REJECTED(1, PLACE_OFFICE)}, 0, 0, PLACE_CLAIMED},
    {"a rejected one first", {REJECTED(5000, PLACE_RADIUS), CLAIM(0)}, 1, 0, PLACE_CLAIMED},
    {"a blank first", {REJECTED(0, PLACE_NO_CITY), CLAIM(0), CLAIM(9)}, 1, 0, PLACE_CONFIRMED},
    {"blanks all around",
     {REJECTED(0, PLACE_NO_CITY), RADIUS(0), REJECTED(0, PLACE_NO_CITY)},
     1,
     0,
     PLACE_CONFIRMED},

    {"only a blank", {REJECTED(0, PLACE_NO_CITY)}, 0, PLACE_NO_CITY, 0},
    {"a blank, then an office", {REJECTED(0, PLACE_NO_CITY), REJECTED(0, PLACE_OFFICE)}, 1, PLACE_OFFICE, 0},
    {"an office, then a blank", {REJECTED(0, PLACE_OFFICE), REJECTED(0, PLACE_NO_CITY)}, 0, PLACE_OFFICE, 0},
    {"a radius, then an office", {REJECTED(0, PLACE_RADIUS), REJECTED(0, PLACE_OFFICE)}, 0, PLACE_RADIUS, 0},
    {"two blanks", {REJECTED(0, PLACE_NO_CITY), REJECTED(0, PLACE_NO_CITY)}, 0, PLACE_NO_CITY, 0},
};

TEST(what_combinations_come_to)
{
    check_all(rows, COUNT(rows), usual);
}

TEST(whatever_is_believed_only_if_confirmed_is_confirmed)
{
    struct witness_rules rules = usual;
    rules.only_confirmed = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row = rows[i];
        if (row.reason == PLACE_REASON_NONE && row.confidence == PLACE_CLAIMED)
            row.reason = PLACE_UNCONFIRMED;
        check(&row, &rules);
    }
}

/* Of a conflict the first of those with the better standing is taken, as a claim. */
TEST(in_a_conflict_the_first_may_stand)
{
    struct witness_rules rules = usual;
    rules.hide_conflict = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row = rows[i];
        row.confidence = row.reason == PLACE_CONFLICT ? PLACE_CLAIMED : row.confidence;
        row.reason = row.reason == PLACE_CONFLICT ? PLACE_REASON_NONE : row.reason;
        check(&row, &rules);
    }
    rules.only_confirmed = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row = rows[i];
        if (row.reason == PLACE_CONFLICT ||
            (row.reason == PLACE_REASON_NONE && row.confidence == PLACE_CLAIMED))
            row.reason = PLACE_UNCONFIRMED;
        check(&row, &rules);
    }
}

/* --- Radii --- */

TEST(a_conflict_begins_at_max_radius_and_never_within_50_km)
{
    static const struct {
        double max_radius_km, apart_km;
        enum place_reason reason;
        enum place_confidence confidence;
    } limits[] = {
        {10, 49, 0, PLACE_CONFIRMED},  {10, 51, PLACE_CONFLICT, 0},     {0, 49, 0, PLACE_CONFIRMED},
        {60, 59, 0, PLACE_CLAIMED},    {60, 61, PLACE_CONFLICT, 0},     {1000, 49, 0, PLACE_CONFIRMED},
        {1000, 999, 0, PLACE_CLAIMED}, {1000, 1001, PLACE_CONFLICT, 0}, {20000, 19999, 0, PLACE_CLAIMED},
    };
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct witness_rules rules = {.max_radius_km = limits[i].max_radius_km, .hide_conflict = true};
        struct row row = {
            "limits", {CLAIM(0), CLAIM(limits[i].apart_km)}, 0, limits[i].reason, limits[i].confidence};
        check(&row, &rules);
    }
}

TEST(a_radius_is_evidence_up_to_max_radius)
{
    static const struct {
        double radius_km;
        int database;
        bool strong;
    } radii[] = {{NO_RADIUS, 0, false},
                 {0, 0, true},
                 {100, 0, true},
                 {100.1, 0, false},
                 {5000, 0, false},
                 {NAN, 0, false},
                 {NO_RADIUS, PLACE_BY_PROXY, true}};
    for (size_t i = 0; i < COUNT(radii); i++) {
        struct witness witness = {.database = radii[i].database, .record.radius_km = radii[i].radius_km};
        assert_int_equal(witness_is_strong(&witness, &usual), radii[i].strong);
    }
}

/* --- Distances --- */

TEST(distances)
{
    static const struct {
        double a[2], b[2], km;
    } places[] = {
        {{19.076, 72.8777}, {19.076, 72.8777}, 0},
        {{19.076, 72.8777}, {18.52, 73.86}, 120.4}, /* Mumbai, Pune */
        {{51.5074, -0.1278}, {40.7128, -74.006}, 5570},
        {{-16.79, 180}, {-16.79, -180}, 0}, /* the date line */
        {{-16.79, 179.9}, {-16.79, -179.9}, 21.3},
        {{90, 0}, {90, 123}, 0}, /* the pole, whatever its longitude */
        {{89.9, 0}, {89.9, 180}, 22.2},
        {{-90, 0}, {90, 0}, 20015},
        {{0, 0}, {0, 180}, 20015}, /* antipodes: no NaN by rounding */
        {{19.076, 72.8777}, {-19.076, -107.1223}, 20015},
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct record a = {.city = "a"}, b = {.city = "b"};
        record_set_point(&a, places[i].a[0], places[i].a[1]);
        record_set_point(&b, places[i].b[0], places[i].b[1]);
        double km = distance_between(&a, &b), back_km = distance_between(&b, &a);
        if (!(fabs(km - places[i].km) <= 0.5 + places[i].km / 1000) || !(fabs(km - back_km) < 1e-6))
            fail_msg("%zu: %g km, back %g km", i, km, back_km);
    }
    for (int i = 0; i < 100000; i++) { /* antipodes everywhere */
        struct record a = {.latitude = (double)random_below(1800) / 10 - 90,
                           .longitude = (double)random_below(1800) / 10};
        struct record b = {.latitude = -a.latitude, .longitude = a.longitude - 180};
        assert_true(fabs(distance_between(&a, &b) - 20015) < 1);
    }
}

/* Who has no usable coordinates has no city, so that none of them is ever compared. */
TEST(no_city_without_usable_coordinates)
{
    static const struct {
        double latitude, longitude;
        bool usable;
    } points[] = {
        {NAN, 72.8, false},     {19, NAN, false},   {NAN, NAN, false},      {INFINITY, 0, false},
        {19, -INFINITY, false}, {90.001, 0, false}, {0, 180.1, false},      {0, 0, false},
        {90, 180, true},        {-90, -180, true},  {1e308, -1e308, false}, {0, 1e-9, true},
    };
    for (size_t i = 0; i < COUNT(points); i++) {
        struct record record = {.city = "Somewhere"};
        record_set_point(&record, points[i].latitude, points[i].longitude);
        assert_int_equal(record_has_city(&record), points[i].usable);
        record.city[0] = '\0';
        assert_false(record_has_city(&record));
    }
}

UNIT_MAIN(NULL, NULL)
