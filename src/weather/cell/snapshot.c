#include "weather/cell/snapshot.h"

#include "base/log.h"
#include "base/metrics.h"
#include "weather/cell/snapshot_format.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX_BYTES 8

struct snapshot {
    struct snapshot_options options;
    struct cache *cache;
    uint64_t counts[SNAPSHOT_RESULTS];
    atomic_int_fast64_t written_s; /* Unix time of the last success, 0: none */
    atomic_int error;              /* errno of the last attempt, 0: it succeeded */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending; /* guarded by lock */
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

/* The file, behind its header; NULL when there is none, or none to read: then with the reason in *fault. */
static FILE *open_snapshot(const struct snapshot_options *options, uint32_t *count, const char **fault)
{
    struct stat status;
    uint8_t header[SNAPSHOT_HEADER_BYTES] = {0};
    FILE *file = NULL;
    int fd = open(options->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* it may be a FIFO */
    if (fd < 0)
        *fault = errno == ENOENT ? NULL : errno == ELOOP ? "a symbolic link" : strerror(errno);
    else if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        *fault = "not a regular file";
    else if (read(fd, header, sizeof header) < 0)
        *fault = strerror(errno);
    else if (snapshot_get_header(header, options->simulated, count, fault) && !(file = fdopen(fd, "r")))
        *fault = strerror(errno);
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

static void set_aside(const char *path, const char *fault)
{
    char aside[SNAPSHOT_PATH_BYTES + SUFFIX_BYTES];
    snprintf(aside, sizeof aside, "%s.unread", path);
    bool renamed = rename(path, aside) == 0;
    log_event(LOG_WARN, "cache snapshot not read", log_str("file", path), log_str("reason", fault),
              log_str("renamed_to", renamed ? aside : ""));
}

static enum snapshot_result restore(uint8_t bytes[SNAPSHOT_RECORD_BYTES], int32_t cell_udeg,
                                    struct cache *cache, const struct instant *now)
{
    struct cache_record record;
    bool known;
    if (!snapshot_get_record(bytes, cell_udeg, &record, &known))
        return SNAPSHOT_DAMAGED;
    return known && cache_restore(cache, &record, now) ? SNAPSHOT_RESTORED : SNAPSHOT_LEFT_OUT;
}

void snapshot_read(const struct snapshot_options *options, struct cache *cache,
                   uint64_t counts[SNAPSHOT_RESULTS])
{
    struct instant now = clock_now();
    const char *fault = NULL;
    uint8_t bytes[SNAPSHOT_RECORD_BYTES];
    uint32_t left = 0;
    memset(counts, 0, SNAPSHOT_RESULTS * sizeof counts[0]);
    FILE *file = open_snapshot(options, &left, &fault);
    if (fault)
        set_aside(options->path, fault);
    if (!file)
        return;
    for (; left > 0 && fread(bytes, sizeof bytes, 1, file) == 1; left--)
        counts[restore(bytes, options->cell_udeg, cache, &now)]++;
    counts[SNAPSHOT_DAMAGED] += left; /* those that are cut off */
    fclose(file);
    log_event(counts[SNAPSHOT_DAMAGED] > 0 ? LOG_WARN : LOG_INFO, "cache snapshot read",
              log_str("file", options->path), log_int("restored", (int64_t)counts[SNAPSHOT_RESTORED]),
              log_int("left_out", (int64_t)counts[SNAPSHOT_LEFT_OUT]),
              log_int("damaged", (int64_t)counts[SNAPSHOT_DAMAGED]));
}

static void make_folder(const char *path)
{
    char folder[SNAPSHOT_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (folder[0])
        mkdir(folder, 0755);
}

static bool write_header(FILE *file, uint32_t count, bool simulated)
{
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    snapshot_put_header(bytes, count, simulated);
    return fseek(file, 0, SEEK_SET) == 0 && fwrite(bytes, sizeof bytes, 1, file) == 1;
}

/* The header, which tells the number of cells, is written again when that is known. */
static bool write_cells(FILE *file, struct cache *cache, bool simulated)
{
    uint8_t bytes[SNAPSHOT_RECORD_BYTES];
    struct cache_record *batch = malloc(CACHE_BATCH * sizeof *batch);
    bool good = batch && write_header(file, 0, simulated), more = good;
    size_t cursor = 0, count;
    uint32_t total = 0;
    while (good && more) {
        more = cache_copy(cache, &cursor, batch, &count);
        for (size_t i = 0; i < count && good; i++) {
            snapshot_put_record(bytes, &batch[i]);
            good = fwrite(bytes, sizeof bytes, 1, file) == 1;
        }
        total += (uint32_t)count;
    }
    free(batch);
    return good && write_header(file, total, simulated) && fflush(file) == 0 && fsync(fileno(file)) == 0;
}

bool snapshot_write(const struct snapshot_options *options, struct cache *cache)
{
    char fresh[SNAPSHOT_PATH_BYTES + SUFFIX_BYTES];
    snprintf(fresh, sizeof fresh, "%s.new", options->path);
    make_folder(options->path);
    unlink(fresh);                    /* left by a process that was killed */
    FILE *file = fopen(fresh, "wxe"); /* never through a link */
    bool made = file != NULL;
    bool good = made && fchmod(fileno(file), 0600) == 0 && write_cells(file, cache, options->simulated);
    int error = errno;
    if (file)
        fclose(file); /* which has nothing left to write */
    if (good && rename(fresh, options->path) == 0)
        return true;
    if (good)
        error = errno;
    if (made)
        unlink(fresh);
    log_throttled(LOG_WARN, "cannot write the cache snapshot", log_str("file", options->path),
                  log_str("error", strerror(error)));
    errno = error;
    return false;
}

/* Waits for the time of the next snapshot. False when it is to be the last. */
static bool wait_for_next(struct snapshot *snapshot)
{
    struct timespec until = clock_timespec(clock_monotonic_ms() + snapshot->options.every_ms);
    int status = 0;
    pthread_mutex_lock(&snapshot->lock);
    while (!snapshot->ending && status == 0)
        status = pthread_cond_clockwait(&snapshot->wake, &snapshot->lock, CLOCK_MONOTONIC, &until);
    bool ending = snapshot->ending;
    pthread_mutex_unlock(&snapshot->lock);
    return !ending;
}

static void *run(void *context)
{
    struct snapshot *snapshot = context;
    bool more;
    do {
        more = wait_for_next(snapshot);
        bool written = snapshot_write(&snapshot->options, snapshot->cache);
        atomic_store(&snapshot->error, written ? 0 : errno);
        if (written)
            atomic_store(&snapshot->written_s, clock_now().wall_ms / 1000);
    } while (more);
    return NULL;
}

struct snapshot *snapshot_open(const struct snapshot_options *options, struct cache *cache)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return NULL;
    snapshot->options = *options;
    snapshot->cache = cache;
    pthread_mutex_init(&snapshot->lock, NULL);
    pthread_cond_init(&snapshot->wake, NULL);
    snapshot_read(options, cache, snapshot->counts);
    if (pthread_create(&snapshot->thread, NULL, run, snapshot) != 0) {
        log_line(LOG_ERROR, "cannot start the thread that writes the cache snapshot");
        free(snapshot);
        return NULL;
    }
    metrics_register(rows, ROWS, snapshot);
    return snapshot;
}

void snapshot_close(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    pthread_mutex_lock(&snapshot->lock);
    snapshot->ending = true;
    pthread_cond_signal(&snapshot->wake);
    pthread_mutex_unlock(&snapshot->lock);
    pthread_join(snapshot->thread, NULL);
    pthread_cond_destroy(&snapshot->wake);
    pthread_mutex_destroy(&snapshot->lock);
    free(snapshot);
}

int snapshot_error(const struct snapshot *snapshot, int64_t *written_s)
{
    *written_s = atomic_load(&snapshot->written_s);
    return atomic_load(&snapshot->error);
}
