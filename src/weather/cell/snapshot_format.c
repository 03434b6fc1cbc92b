#include "weather/cell/snapshot_format.h"

#include "weather/cell/cell.h"
#include "weather/point/provider.h"

#include <string.h>
#include <zlib.h>

#define MAGIC   UINT64_C(0x0a706e736873616d) /* "mashsnp\n" */
#define VERSION 1

/* CRC-32 of all bytes but the last, which are its own place. */
static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32_z(0, bytes, size - SNAPSHOT_CRC_BYTES);
}

/* A place in bytes that are laid out or picked up, field by field: either way by the same function, so that
 * the two cannot differ. */
struct wire {
    uint8_t *at;
    bool out;
};

static uint64_t carry(struct wire *wire, uint64_t value, size_t size)
{
    uint64_t carried = 0;
    for (size_t i = 0; wire->out && i < size; i++)
        wire->at[i] = (uint8_t)(value >> 8 * i);
    for (size_t i = 0; i < size; i++)
        carried |= (uint64_t)wire->at[i] << 8 * i;
    wire->at += size;
    return carried;
}

#define CARRY(wire, field) ((field) = (__typeof__(field))carry(wire, (uint64_t)(field), sizeof(field)))

struct header {
    uint64_t magic;
    uint32_t version, record_bytes, count;
    uint8_t simulated;
};

static void carry_header(struct wire wire, struct header *header)
{
    CARRY(&wire, header->magic);
    CARRY(&wire, header->version);
    CARRY(&wire, header->record_bytes);
    CARRY(&wire, header->count);
    CARRY(&wire, header->simulated);
}

static void carry_record(struct wire wire, struct cache_record *record, char provider[SNAPSHOT_NAME_BYTES])
{
    struct curve *curve = &record->curve;
    CARRY(&wire, record->key);
    CARRY(&wire, record->refresh_after_ms);
    CARRY(&wire, curve->start_s);
    CARRY(&wire, curve->fetched_s);
    CARRY(&wire, curve->expires_s);
    CARRY(&wire, curve->utc_offset_s);
    CARRY(&wire, curve->count);
    for (size_t i = 0; i < CURVE_POINTS; i++)
        CARRY(&wire, curve->temperature_cdeg[i]);
    for (size_t i = 0; i < CURVE_POINTS; i++)
        CARRY(&wire, curve->sky[i]);
    for (size_t i = 0; i < CURVE_TIMEZONE_BYTES; i++)
        CARRY(&wire, curve->timezone[i]);
    for (size_t i = 0; i < SNAPSHOT_NAME_BYTES; i++)
        CARRY(&wire, provider[i]);
}

static void seal(uint8_t *bytes, size_t size)
{
    carry(&(struct wire){bytes + size - SNAPSHOT_CRC_BYTES, true}, checksum(bytes, size), SNAPSHOT_CRC_BYTES);
}

static bool sealed(uint8_t *bytes, size_t size)
{
    struct wire wire = {bytes + size - SNAPSHOT_CRC_BYTES, false};
    return carry(&wire, 0, SNAPSHOT_CRC_BYTES) == checksum(bytes, size);
}

void snapshot_put_header(uint8_t out[SNAPSHOT_HEADER_BYTES], uint32_t count, bool simulated)
{
    struct header header = {MAGIC, VERSION, SNAPSHOT_RECORD_BYTES, count, simulated};
    carry_header((struct wire){out, true}, &header);
    seal(out, SNAPSHOT_HEADER_BYTES);
}

bool snapshot_get_header(uint8_t in[SNAPSHOT_HEADER_BYTES], bool simulated, uint32_t *count,
                         const char **fault)
{
    struct header header = {0};
    carry_header((struct wire){in, false}, &header);
    *count = header.count;
    if (header.magic != MAGIC)
        *fault = "not a snapshot";
    else if (!sealed(in, SNAPSHOT_HEADER_BYTES))
        *fault = "its header is damaged";
    else if (header.version != VERSION || header.record_bytes != SNAPSHOT_RECORD_BYTES)
        *fault = "of another version";
    else if (header.simulated != simulated)
        *fault = simulated ? "of real weather" : "of simulated weather";
    else
        return true;
    return false;
}

void snapshot_put_record(uint8_t out[SNAPSHOT_RECORD_BYTES], const struct cache_record *record)
{
    struct cache_record copy = *record;
    char name[SNAPSHOT_NAME_BYTES] = "";
    memccpy(name, providers[record->curve.provider]->name, '\0', sizeof name);
    carry_record((struct wire){out, true}, &copy, name);
    seal(out, SNAPSHOT_RECORD_BYTES);
}

bool snapshot_get_record(uint8_t in[SNAPSHOT_RECORD_BYTES], int32_t cell_udeg, struct cache_record *out,
                         bool *known)
{
    char name[SNAPSHOT_NAME_BYTES] = "";
    *out = (struct cache_record){0};
    if (!sealed(in, SNAPSHOT_RECORD_BYTES))
        return false;
    carry_record((struct wire){in, false}, out, name);
    while (out->curve.provider < PROVIDERS &&
           strncmp(providers[out->curve.provider]->name, name, sizeof name) != 0)
        out->curve.provider++;
    *known = out->curve.provider < PROVIDERS && cell_key_valid(out->key, cell_udeg);
    return curve_valid(&out->curve);
}
