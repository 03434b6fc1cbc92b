/* What comes from the fleet's Redis. Values, as they are and with their version and checksum made right: what
 * is believed is a valid curve of the cell that was asked for, and reads the same once it is written again.
 * And the answer to a draw from a budget: no more is granted than was wanted, and no count is beyond reason.
 */
#include "fuzz.h"

#include "weather/fleet/budget.c"
#include "weather/fleet/value.c"

#include "weather/point/provider.h"

static const struct value_sources sources = {provider_names, WEATHER_PROVIDERS};

static void check(const uint8_t *bytes, size_t length, uint64_t key)
{
    struct cache_record record, again;
    uint8_t written[VALUE_BYTES], rewritten[VALUE_BYTES];
    if (value_decode(bytes, length, key, &sources, &record) != VALUE_SOUND)
        return;
    PROPERTY(record.key == key && curve_valid(&record.curve) && record.curve.provider < WEATHER_PROVIDERS);
    PROPERTY(record.curve.expires_s <= record.curve.fetched_s + VALUE_EXPIRES_S);
    size_t size = value_encode(written, &record, &sources);
    PROPERTY(size <= VALUE_BYTES && value_decode(written, size, key, &sources, &again) == VALUE_SOUND);
    PROPERTY(value_encode(rewritten, &again, &sources) == size && memcmp(written, rewritten, size) == 0);
}

static void check_draw(const uint8_t *data, size_t size)
{
    struct redis_reply reply = {.kind = REDIS_STRING,
                                .length = size < REDIS_VALUE_BYTES ? size : REDIS_VALUE_BYTES};
    struct budget budget = {.wanted = 20};
    memcpy(reply.bytes, data, reply.length);
    if (!read_reply(&reply, &budget))
        return;
    PROPERTY(budget.granted >= 0 && budget.granted <= budget.wanted && budget.instances > 0);
    for (size_t i = 0; i < BUDGET_WINDOWS; i++)
        PROPERTY(budget.others[i] >= 0 && budget.others[i] < COUNT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[VALUE_BYTES];
    uint64_t key = 0;
    check(data, size, 0);
    check_draw(data, size);
    if (size < 9 || size + CRC_BYTES > sizeof bytes)
        return 0;
    memcpy(bytes, data, size);
    bytes[0] = VERSION;
    for (size_t i = 0; i < 8; i++)
        key = key << 8 | bytes[1 + i];
    struct bits bits = {bytes, 8 * size, 8 * sizeof bytes, true};
    memset(bytes + size, 0, CRC_BYTES);
    code_bits(&bits, crc32_z(0, bytes, size), 8 * CRC_BYTES);
    check(bytes, size + CRC_BYTES, key);
    return 0;
}
