/* Records of a snapshot, their checksums made right: what is restored is a valid curve of a cell that there
 * is, and is written again as it was read. A header decides alone whether anything is read. */
#include "fuzz.h"

#include "weather/cell/snapshot.c"

#include "weather/cell/cell.h"
#include "weather/point/provider.h"

#define NOW_S INT64_C(1795305600) /* of which the corpus is */

static const struct snapshot_options options = {
    .cell_udeg = 100000, .providers = provider_names, .provider_count = WEATHER_PROVIDERS};

static struct cache *open_once(void)
{
    static struct cache *cache;
    if (!cache)
        cache = cache_open(&(struct cache_options){
            .capacity = 64, .refresh_ms = 7200000, .keep_ms = 172800000, .max_waiters = 1});
    return cache;
}

static void check_record(const uint8_t *data)
{
    struct cache *cache = open_once();
    struct instant now = {.wall_ms = NOW_S * 1000, .boot_ms = NOW_S * 1000};
    uint8_t bytes[SNAPSHOT_RECORD_BYTES], again[SNAPSHOT_RECORD_BYTES];
    struct cache_record record = {0};
    char name[SNAPSHOT_NAME_BYTES];
    struct cache_view view;
    memcpy(bytes, data, sizeof bytes - SNAPSHOT_CRC_BYTES);
    code_crc(true, bytes, sizeof bytes);
    enum snapshot_result result = restore(bytes, &options, cache, &now);
    code_record((struct codec){bytes, false}, &record, name);
    if (result != SNAPSHOT_RESTORED)
        return;
    PROPERTY(curve_valid(&record.curve) && cell_key_valid(record.key, options.cell_udeg));
    PROPERTY(cache_get(cache, record.key, WEATHER_PEEK, 0, &now, &view));
    PROPERTY(curve_covers(&view.curve, NOW_S) && view.age_ms >= 0);
    snapshot_encode_record(again, &record, name);
    PROPERTY(memcmp(bytes, again, sizeof bytes - SNAPSHOT_CRC_BYTES - SNAPSHOT_NAME_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t header[SNAPSHOT_HEADER_BYTES];
    const char *reason = NULL;
    uint32_t count;
    if (size >= sizeof header) {
        memcpy(header, data, sizeof header);
        PROPERTY(decode_header(header, false, &count, &reason) == !reason);
    }
    for (; size >= SNAPSHOT_RECORD_BYTES - SNAPSHOT_CRC_BYTES;
         size -= SNAPSHOT_RECORD_BYTES - SNAPSHOT_CRC_BYTES) {
        check_record(data);
        data += SNAPSHOT_RECORD_BYTES - SNAPSHOT_CRC_BYTES;
    }
    return 0;
}
