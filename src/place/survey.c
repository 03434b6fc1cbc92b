#include "place/survey.h"

#include "place/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECODED_FIRST 10000 /* so many distinct records are decoded in full, and of the rest one in */
#define DECODED_EVERY 16

/* Longer than no network that the registries have of IPv6: what a database says of more is about nobody. */
#define V6_LARGEST_BITS 12

/* What a map of records knows of each. */
#define NO_CITY    UINT64_C(1)
#define CITY_AT(p) ((uint64_t)(p) + 2)

struct surveyor {
    const struct mmdb *db;
    bool decode;
    struct survey *out;
    struct office_tally *tally;
    struct map records; /* by record: NO_CITY or CITY_AT its point */
};

/* Reads a record that no network before had. */
static bool read_new(struct surveyor *surveyor, uint32_t number, uint64_t *known,
                     char error[PLACE_ERROR_BYTES])
{
    struct record record;
    size_t nth = surveyor->records.count;
    bool sampled = surveyor->decode && (nth < DECODED_FIRST || nth % DECODED_EVERY == 0);
    if (sampled && !mmdb_decodes(surveyor->db, number, error))
        return false;
    mmdb_record_point(surveyor->db, number, &record);
    *known = record_has_city(&record) ? CITY_AT(office_point(&record)) : NO_CITY;
    if (*known == NO_CITY && !surveyor->out->has_places) {
        mmdb_record(surveyor->db, number, "en", &record);
        surveyor->out->has_places = record.country[0] != '\0';
    }
    uint32_t asn;
    if (*known == NO_CITY && !surveyor->out->has_asns)
        surveyor->out->has_asns = mmdb_record_asn(surveyor->db, number, &asn);
    return true;
}

static bool visit(void *context, const struct mmdb_network *network, char error[PLACE_ERROR_BYTES])
{
    struct surveyor *surveyor = context;
    int first_bits = network->family == ADDRESS_V4 ? 0 : 3;
    uint64_t *known = map_at(&surveyor->records, network->record);
    if (known && *known == 0 && !read_new(surveyor, network->record, known, error))
        return false;
    if (known && *known == NO_CITY)
        return true;
    surveyor->out->has_places = true;
    if (network->family == ADDRESS_V4 || network->bits > V6_LARGEST_BITS)
        surveyor->out->city_share[network->family] += ldexp(1, first_bits - (int)network->bits);
    if (known && office_tally_add(surveyor->tally, network, (uint32_t)(*known - CITY_AT(0))))
        return true;
    snprintf(error, PLACE_ERROR_BYTES, "it has too many points, or memory is short");
    return false;
}

bool survey_take(const struct mmdb *db, bool decode, struct survey *out, char error[PLACE_ERROR_BYTES])
{
    struct surveyor surveyor = {.db = db, .decode = decode, .out = out, .tally = office_tally_open()};
    *out = (struct survey){.has_places = false};
    snprintf(error, PLACE_ERROR_BYTES, "memory is short");
    bool ok = surveyor.tally && mmdb_walk(db, visit, &surveyor, error) &&
              office_tally_finish(surveyor.tally, &out->offices);
    office_tally_close(surveyor.tally);
    map_free(&surveyor.records);
    if (ok)
        error[0] = '\0';
    else
        survey_free(out);
    return ok;
}

void survey_free(struct survey *survey)
{
    offices_free(&survey->offices);
}

/* A written survey: this, then the keys of its offices, in the byte order of the machine that keeps it. */
struct head {
    char magic[16];
    struct survey_subject subject;
    double v4_share, v6_share;
    uint64_t has_places, has_asns, office_count;
    uint64_t checksum; /* of the keys and of all before it */
};
static const char magic[16] = "masthead survey1";

/* FNV-1a in steps of 64 bits (Fowler, Noll, Vo 1991), against damage by accident. */
static uint64_t add_to_checksum(uint64_t sum, const void *bytes, size_t count)
{
    const char *at = bytes;
    for (uint64_t step; count >= sizeof step; at += sizeof step, count -= sizeof step) {
        memcpy(&step, at, sizeof step);
        sum = (sum ^ step) * UINT64_C(0x100000001b3);
        sum ^= sum >> 32; /* the product carries upwards only */
    }
    return sum;
}

static uint64_t checksum(const struct head *head, const uint64_t *keys)
{
    uint64_t sum = add_to_checksum(UINT64_C(0xcbf29ce484222325), head, offsetof(struct head, checksum));
    return add_to_checksum(sum, keys, head->office_count * sizeof *keys);
}

bool survey_write(const struct survey *survey, const struct survey_subject *subject, FILE *file)
{
    const struct offices *offices = &survey->offices;
    struct head head = {
        .subject = *subject,
        .v4_share = survey->city_share[ADDRESS_V4],
        .v6_share = survey->city_share[ADDRESS_V6],
        .has_places = survey->has_places,
        .has_asns = survey->has_asns,
        .office_count = offices->count,
    };
    memcpy(head.magic, magic, sizeof magic);
    head.checksum = checksum(&head, offices->keys);
    return fwrite(&head, sizeof head, 1, file) == 1 &&
           (offices->count == 0 || /* there are no keys to point at */
            fwrite(offices->keys, sizeof *offices->keys, offices->count, file) == offices->count);
}

bool survey_read(struct survey *out, const struct survey_subject *subject, FILE *file)
{
    struct head head;
    *out = (struct survey){.has_places = false};
    if (fread(&head, sizeof head, 1, file) != 1 || memcmp(head.magic, magic, sizeof magic) != 0 ||
        memcmp(&head.subject, subject, sizeof *subject) != 0 || head.office_count > OFFICE_KEYS_MAX)
        return false;
    uint64_t *keys = calloc(head.office_count + 1, sizeof *keys);
    if (!keys || fread(keys, sizeof *keys, head.office_count, file) != head.office_count ||
        head.checksum != checksum(&head, keys)) {
        free(keys);
        return false;
    }
    *out = (struct survey){.city_share = {[ADDRESS_V4] = head.v4_share, [ADDRESS_V6] = head.v6_share},
                           .has_places = head.has_places,
                           .has_asns = head.has_asns,
                           .offices = {keys, head.office_count}};
    return true;
}
