#include "base/process.h"

#include "base/file.h"
#include "base/metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double started_s;

enum { CPU, MEMORY, OPEN_FDS, MAX_FDS, START, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [CPU] = COUNTER("process_cpu_seconds_total", "Processor time used, user and system.", .collect = collect),
    [MEMORY] = GAUGE("process_resident_memory_bytes", "Memory in RAM.", collect),
    [OPEN_FDS] = GAUGE("process_open_fds", "Open descriptors.", collect),
    [MAX_FDS] = GAUGE("process_max_fds", "Most descriptors that may be open.", collect),
    [START] = GAUGE("process_start_time_seconds", "When the process started.", collect),
};

static double resident_bytes(void)
{
    long total_pages, resident_pages;
    char text[128] = "";
    const char *reason;
    file_read("/proc/self/statm", FILE_FOLLOW, text, sizeof text - 1, &reason);
    return sscanf(text, "%ld %ld", &total_pages, &resident_pages) == 2
               ? (double)resident_pages * (double)sysconf(_SC_PAGESIZE)
               : NAN;
}

static double open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    long count = -1; /* the folder's own descriptor */
    if (!folder)
        return NAN;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return (double)count;
}

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct rlimit limit;
    (void)context;
    getrlimit(RLIMIT_NOFILE, &limit);
    const double values[ROWS] = {[CPU] = (double)clock() / CLOCKS_PER_SEC,
                                 [MEMORY] = row == MEMORY ? resident_bytes() : 0,
                                 [OPEN_FDS] = row == OPEN_FDS ? open_fds() : 0,
                                 [MAX_FDS] = (double)limit.rlim_cur,
                                 [START] = started_s};
    if (!isnan(values[row])) /* memory may be short */
        metric_value(samples, values[row]);
}

void process_register(void)
{
    started_s = (double)time(NULL); /* not the clock that tests move */
    metrics_register(rows, ROWS, NULL);
}

uint64_t process_want_descriptors(uint64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= count)
        return count;
    limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
