#include "weather/cell/snapshot.h"

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SUFFIX  ".unread"
#define MAGIC   UINT64_C(0x0a706e736873616d) /* "mashsnp\n" */
#define VERSION 3

struct snapshot {
    struct snapshot_options options;
    struct cache *cache;
    uint64_t counts[SNAPSHOT_RESULTS];
    atomic_int_fast64_t written_s; /* Unix time of the last success, 0: none */
    atomic_int error;              /* errno of the last attempt, 0: it succeeded */
};

enum { WRITTEN, RECORDS, ROWS };
static metric_collector collect;
static const char *const result_names[SNAPSHOT_RESULTS] = {
    [SNAPSHOT_RESTORED] = "restored", [SNAPSHOT_LEFT_OUT] = "left_out", [SNAPSHOT_DAMAGED] = "damaged"};
static struct metric rows[ROWS] = {
    [WRITTEN] = GAUGE("masthead_snapshot_last_success_timestamp_seconds",
                      "When the snapshot of the cache was last written, 0 if not since the start.", collect),
    [RECORDS] = COUNTER("masthead_snapshot_records_total",
                        "Records of the snapshot that was read at the start, by what became of them.",
                        .labels = {{"result", result_names, SNAPSHOT_RESULTS}}, .collect = collect),
};

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct snapshot *snapshot = context;
    if (row == WRITTEN)
        metric_value(samples, (double)atomic_load(&snapshot->written_s));
    for (size_t i = 0; row == RECORDS && i < SNAPSHOT_RESULTS; i++)
        metric_sample(samples, (double)snapshot->counts[i], result_names[i], NULL);
}

/* --- The format --- */

/* A place in bytes that are encoded or decoded, field by field: both by the same functions, so that they
 * cannot differ. */
struct codec {
    uint8_t *at;
    bool encode;
};

static uint64_t encode_field(struct codec *codec, uint64_t value, size_t size)
{
    uint64_t coded = 0;
    for (size_t i = 0; codec->encode && i < size; i++)
        codec->at[i] = (uint8_t)(value >> 8 * i);
    for (size_t i = 0; i < size; i++)
        coded |= (uint64_t)codec->at[i] << 8 * i;
    codec->at += size;
    return coded;
}

#define FIELD(codec, field) \
    ((field) = (__typeof__(field))encode_field(codec, (uint64_t)(field), sizeof(field)))

struct header {
    uint64_t magic;
    uint32_t version, record_bytes, count;
    uint8_t simulated;
};

static void code_header(struct codec codec, struct header *header)
{
    FIELD(&codec, header->magic);
    FIELD(&codec, header->version);
    FIELD(&codec, header->record_bytes);
    FIELD(&codec, header->count);
    FIELD(&codec, header->simulated);
}

static void code_record(struct codec codec, struct cache_record *record, char provider[SNAPSHOT_NAME_BYTES])
{
    struct curve *curve = &record->curve;
    FIELD(&codec, record->key);
    FIELD(&codec, record->refresh_after_ms);
    FIELD(&codec, curve->start_s);
    FIELD(&codec, curve->fetched_s);
    FIELD(&codec, curve->expires_s);
    FIELD(&codec, curve->count);
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        FIELD(&codec, curve->temperature_cdeg[i]);
        FIELD(&codec, curve->feels_cdeg[i]);
        FIELD(&codec, curve->condition[i]);
        FIELD(&codec, curve->rain_percent[i]);
    }
    for (size_t i = 0; i < SNAPSHOT_NAME_BYTES; i++)
        FIELD(&codec, provider[i]);
}

/* Codes the CRC-32 of all bytes before it; when decoding, whether it is right. */
static bool code_crc(bool encode, uint8_t *bytes, size_t size)
{
    struct codec codec = {bytes + size - SNAPSHOT_CRC_BYTES, encode};
    uint32_t crc = (uint32_t)crc32_z(0, bytes, size - SNAPSHOT_CRC_BYTES);
    return encode_field(&codec, crc, SNAPSHOT_CRC_BYTES) == crc;
}

void snapshot_encode_header(uint8_t out[SNAPSHOT_HEADER_BYTES], uint32_t count, bool simulated)
{
    struct header header = {MAGIC, VERSION, SNAPSHOT_RECORD_BYTES, count, simulated};
    code_header((struct codec){out, true}, &header);
    code_crc(true, out, SNAPSHOT_HEADER_BYTES);
}

/* How many records follow. False, with the reason, when none of them is to be read. */
static bool decode_header(uint8_t in[SNAPSHOT_HEADER_BYTES], bool simulated, uint32_t *count,
                          const char **reason)
{
    struct header header = {0};
    code_header((struct codec){in, false}, &header);
    *count = header.count;
    if (header.magic != MAGIC)
        *reason = "not a snapshot";
    else if (!code_crc(false, in, SNAPSHOT_HEADER_BYTES))
        *reason = "its header is damaged";
    else if (header.version != VERSION || header.record_bytes != SNAPSHOT_RECORD_BYTES)
        *reason = "of another version";
    else if (header.simulated != simulated)
        *reason = simulated ? "of real weather" : "of simulated weather";
    else
        return true;
    return false;
}

void snapshot_encode_record(uint8_t out[SNAPSHOT_RECORD_BYTES], const struct cache_record *record,
                            const char *provider)
{
    struct cache_record copy = *record;
    char name[SNAPSHOT_NAME_BYTES] = "";
    memccpy(name, provider, '\0', sizeof name);
    code_record((struct codec){out, true}, &copy, name);
    code_crc(true, out, SNAPSHOT_RECORD_BYTES);
}

/* Restores a cell. The record is damaged unless it is as it was written and holds a valid curve; this program
 * can make use of it when it has the provider, and cells of that grid. */
static enum snapshot_result restore(uint8_t in[SNAPSHOT_RECORD_BYTES], const struct snapshot_options *options,
                                    struct cache *cache, const struct instant *now)
{
    struct cache_record record = {0};
    char name[SNAPSHOT_NAME_BYTES] = "";
    size_t id = 0;
    if (!code_crc(false, in, SNAPSHOT_RECORD_BYTES))
        return SNAPSHOT_DAMAGED;
    code_record((struct codec){in, false}, &record, name);
    if (!curve_valid(&record.curve))
        return SNAPSHOT_DAMAGED;
    while (id < options->provider_count && strncmp(options->providers[id], name, sizeof name) != 0)
        id++;
    record.curve.provider = (uint8_t)id;
    bool known = id < options->provider_count && cell_key_valid(record.key, options->cell_udeg);
    return known && cache_restore(cache, &record, now) ? SNAPSHOT_RESTORED : SNAPSHOT_LEFT_OUT;
}

/* --- The file --- */

/* The file, behind its header; NULL when there is none, or none to read: then with the reason in *reason. */
static FILE *open_snapshot(const struct snapshot_options *options, uint32_t *count, const char **reason)
{
    uint8_t header[SNAPSHOT_HEADER_BYTES] = {0};
    FILE *file = file_open_stream(options->path, FILE_NO_LINK, reason);
    if (!file)
        return NULL;
    size_t length = fread(header, 1, sizeof header, file);
    if (length == 0 && ferror(file))
        *reason = strerror(errno);
    else if (decode_header(header, options->simulated, count, reason))
        return file;
    fclose(file);
    return NULL;
}

static void quarantine(const char *path, const char *reason)
{
    char aside[SNAPSHOT_PATH_BYTES + sizeof SUFFIX];
    snprintf(aside, sizeof aside, "%s" SUFFIX, path);
    bool renamed = rename(path, aside) == 0;
    log_event(LOG_WARN, "cache snapshot not read", log_str("file", path), log_str("reason", reason),
              log_str("renamed_to", renamed ? aside : ""));
}

void snapshot_read(const struct snapshot_options *options, struct cache *cache,
                   uint64_t counts[SNAPSHOT_RESULTS])
{
    struct instant now = clock_now();
    const char *reason = NULL;
    uint8_t bytes[SNAPSHOT_RECORD_BYTES];
    uint32_t left = 0;
    memset(counts, 0, SNAPSHOT_RESULTS * sizeof counts[0]);
    FILE *file = open_snapshot(options, &left, &reason);
    if (reason)
        quarantine(options->path, reason);
    if (!file)
        return;
    for (; left > 0 && fread(bytes, sizeof bytes, 1, file) == 1; left--)
        counts[restore(bytes, options, cache, &now)]++;
    counts[SNAPSHOT_DAMAGED] += left; /* those that are cut off */
    fclose(file);
    log_event(counts[SNAPSHOT_DAMAGED] > 0 ? LOG_WARN : LOG_INFO, "cache snapshot read",
              log_str("file", options->path), log_int("restored", (int64_t)counts[SNAPSHOT_RESTORED]),
              log_int("left_out", (int64_t)counts[SNAPSHOT_LEFT_OUT]),
              log_int("damaged", (int64_t)counts[SNAPSHOT_DAMAGED]));
}

static bool write_header(FILE *file, uint32_t count, bool simulated)
{
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    snapshot_encode_header(bytes, count, simulated);
    return fseek(file, 0, SEEK_SET) == 0 && fwrite(bytes, sizeof bytes, 1, file) == 1;
}

/* What file_replace hands on. */
struct writing {
    const struct snapshot_options *options;
    struct cache *cache;
};

/* The header, which tells the number of cells, is written again when that is known. */
static bool write_cells(FILE *file, void *context)
{
    const struct writing *writing = context;
    const struct snapshot_options *options = writing->options;
    uint8_t bytes[SNAPSHOT_RECORD_BYTES];
    struct cache_record *batch = malloc(CACHE_BATCH * sizeof *batch);
    bool ok = batch && write_header(file, 0, options->simulated), more = ok;
    size_t cursor = 0, count;
    uint32_t total = 0;
    while (ok && more) {
        more = cache_copy(writing->cache, &cursor, batch, &count);
        for (size_t i = 0; i < count && ok; i++) {
            snapshot_encode_record(bytes, &batch[i], options->providers[batch[i].curve.provider]);
            ok = fwrite(bytes, sizeof bytes, 1, file) == 1;
        }
        total += (uint32_t)count;
    }
    free(batch);
    return ok && write_header(file, total, options->simulated);
}

bool snapshot_write(const struct snapshot_options *options, struct cache *cache)
{
    struct writing writing = {options, cache};
    if (file_replace(options->path, write_cells, &writing))
        return true;
    int error = errno;
    log_throttled(LOG_WARN, "cannot write the cache snapshot", log_str("file", options->path),
                  log_str("error", strerror(error)));
    errno = error;
    return false;
}

struct snapshot *snapshot_open(const struct snapshot_options *options, struct cache *cache)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return NULL;
    snapshot->options = *options;
    snapshot->cache = cache;
    snapshot_read(options, cache, snapshot->counts);
    metrics_register(rows, ROWS, snapshot);
    return snapshot;
}

void snapshot_save(struct snapshot *snapshot)
{
    bool written = snapshot_write(&snapshot->options, snapshot->cache);
    atomic_store(&snapshot->error, written ? 0 : errno);
    if (written)
        atomic_store(&snapshot->written_s, clock_now().wall_ms / 1000);
}

int snapshot_error(const struct snapshot *snapshot, int64_t *written_s)
{
    *written_s = atomic_load(&snapshot->written_s);
    return atomic_load(&snapshot->error);
}

void snapshot_close(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    snapshot_save(snapshot);
    free(snapshot);
}
