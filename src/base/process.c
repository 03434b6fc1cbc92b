#include "base/process.h"

#include "base/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double started_s;

static void collect_cpu(void *context, struct metric_samples *samples)
{
    struct rusage usage;
    (void)context;
    getrusage(RUSAGE_SELF, &usage);
    metric_sample(samples,
                  (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
                  NULL, NULL);
}

static void collect_memory(void *context, struct metric_samples *samples)
{
    long total_pages, resident_pages;
    FILE *file = fopen("/proc/self/statm", "re");
    (void)context;
    if (!file)
        return;
    if (fscanf(file, "%ld %ld", &total_pages, &resident_pages) == 2)
        metric_sample(samples, (double)resident_pages * (double)sysconf(_SC_PAGESIZE), NULL, NULL);
    fclose(file);
}

static void collect_open_fds(void *context, struct metric_samples *samples)
{
    DIR *folder = opendir("/proc/self/fd");
    (void)context;
    if (!folder)
        return;
    long count = -1; /* the folder's own descriptor */
    const struct dirent *entry;
    while ((entry = readdir(folder)))
        count += entry->d_name[0] != '.';
    closedir(folder);
    metric_sample(samples, (double)count, NULL, NULL);
}

static void collect_max_fds(void *context, struct metric_samples *samples)
{
    struct rlimit limit;
    (void)context;
    getrlimit(RLIMIT_NOFILE, &limit);
    metric_sample(samples, (double)limit.rlim_cur, NULL, NULL);
}

static void collect_start(void *context, struct metric_samples *samples)
{
    (void)context;
    metric_sample(samples, started_s, NULL, NULL);
}

static struct metric rows[] = {
    {.name = "process_cpu_seconds_total",
     .help = "Processor time used, user and system.",
     .type = METRIC_COUNTER,
     .collect = collect_cpu},
    {.name = "process_resident_memory_bytes",
     .help = "Memory in RAM.",
     .type = METRIC_GAUGE,
     .collect = collect_memory},
    {.name = "process_open_fds",
     .help = "Open descriptors.",
     .type = METRIC_GAUGE,
     .collect = collect_open_fds},
    {.name = "process_max_fds",
     .help = "Most descriptors that may be open.",
     .type = METRIC_GAUGE,
     .collect = collect_max_fds},
    {.name = "process_start_time_seconds",
     .help = "When the process started.",
     .type = METRIC_GAUGE,
     .collect = collect_start},
};

void process_register(void)
{
    started_s = (double)time(NULL); /* not the clock that tests move */
    metrics_register(rows, sizeof rows / sizeof rows[0], NULL);
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
