#include "place/validate.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FD       3    /* the file, in the child; CHILD_FD + 1: for its survey */
#define OUTPUT_BYTES   4096 /* more than an error */
#define CHILD_CPU_S    10
#define CHILD_MEMORY   ((rlim_t)3 << 30) /* the largest file that is opened, and room */
#define CHILD_LIMIT_MS 15000             /* a city database of both families takes two */
#define STEP_MS        10                /* between two looks at whether the child has ended */
#define OLDEST_BUILD_S 946684800         /* the year 2000; MaxMind DB files are younger */
#define NEWEST_BUILD_S (2 * 86400)

/* Networks that have been with one university or research network for decades. */
static const struct {
    const char *address, *country;
} known_networks[] = {
    {"128.232.0.1", "GB"}, {"129.132.1.1", "CH"}, {"130.237.20.1", "SE"}, {"131.188.3.1", "DE"},
    {"133.11.0.1", "JP"},  {"140.77.1.1", "FR"},  {"143.248.1.1", "KR"},  {"144.16.64.1", "IN"},
    {"147.8.1.1", "HK"},   {"150.203.1.1", "AU"}, {"155.33.1.1", "US"},   {"164.100.1.1", "IN"},
    {"146.164.1.1", "BR"}, {"196.21.1.1", "ZA"},  {"128.214.1.1", "FI"},  {"193.206.1.1", "IT"},
    {"2001:630::1", "GB"}, {"2001:620::1", "CH"}, {"2001:6b0::1", "SE"},  {"2001:638::1", "DE"},
    {"2001:660::1", "FR"}, {"2001:200::1", "JP"}, {"2001:388::1", "AU"},  {"2001:12f0::1", "BR"},
    {"2001:e30::1", "IN"}, {"2001:468::1", "US"},
};

bool validate_known_networks(const struct mmdb *db, char error[PLACE_ERROR_BYTES])
{
    size_t known = 0, agreed = 0;
    for (size_t i = 0; i < sizeof known_networks / sizeof known_networks[0]; i++) {
        struct address address;
        struct record record;
        address_parse(known_networks[i].address, strlen(known_networks[i].address), &address);
        if (!mmdb_find(db, &address, "en", &record) || record.country[0] == '\0')
            continue;
        known++;
        agreed += strcmp(record.country, known_networks[i].country) == 0;
    }
    if (agreed * 4 >= known * 3) /* networks do change hands */
        return true;
    snprintf(error, PLACE_ERROR_BYTES, "it puts %zu of %zu well-known networks into the wrong country",
             known - agreed, known);
    return false;
}

static const struct survey_subject candidate; /* of a survey between child and parent */

static void write_survey(struct survey *survey, char error[PLACE_ERROR_BYTES])
{
    FILE *file = fdopen(CHILD_FD + 1, "w");
    bool written = file && survey_write(survey, &candidate, file);
    if (!file || fclose(file) != 0 || !written)
        snprintf(error, PLACE_ERROR_BYTES, "its survey cannot be written");
    survey_free(survey);
}

int validate_main(const char *path)
{
    char error[PLACE_ERROR_BYTES] = "";
    struct survey survey;
    setrlimit(RLIMIT_CPU, &(struct rlimit){CHILD_CPU_S, CHILD_CPU_S});
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which map terabytes */
    setrlimit(RLIMIT_AS, &(struct rlimit){CHILD_MEMORY, CHILD_MEMORY});
#endif
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    struct mmdb *db = mmdb_map(path, error);
    if (db) {
        int64_t now_s = clock_now().wall_ms / 1000;
        int64_t built_s = mmdb_facts(db)->built_s;
        if (built_s < OLDEST_BUILD_S || built_s > now_s + NEWEST_BUILD_S)
            snprintf(error, sizeof error, "its build date is not plausible");
        else if (validate_known_networks(db, error) && survey_take(db, true, &survey, error))
            write_survey(&survey, error);
        if (error[0])
            mmdb_add_type(db, error);
        mmdb_close(db);
    }
    printf("%s", error);
    return error[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What the child writes to: an error, and the survey. */
struct outputs {
    int error, survey;
};

/* Starts the child. Returns 0 or an errno. */
static int spawn(int fd, const struct outputs *outputs, pid_t *pid)
{
    static char program[] = "masthead", command[] = VALIDATE_COMMAND, file[] = "/proc/self/fd/3";
    char *arguments[] = {program, command, file, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int status = posix_spawn_file_actions_adddup2(&actions, outputs->error, STDOUT_FILENO);
    status = status ? status : posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
    status = status ? status : posix_spawn_file_actions_adddup2(&actions, outputs->survey, CHILD_FD + 1);
    status = status ? status : posix_spawn(pid, "/proc/self/exe", &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

/* SIGTERM and SIGINT are blocked in all threads: one that came stays pending while this thread waits for the
 * child. */
static bool end_requested(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

/* A file in memory for what the child writes, of zeroes at first: nobody can make it larger. Its number is
 * above those that the child uses, so that none is covered before it is copied. -1 with errno set on failure.
 */
static int output_file(size_t bytes)
{
    int low = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, CHILD_FD + 2);
    if (low >= 0)
        close(low);
    if (fd < 0 || (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0))
        return fd;
    close(fd);
    return -1;
}

/* Waits for the child to end, and kills it at the limit. False when it was killed. */
static bool wait_for_child(pid_t pid, int64_t limit_ms, char error[PLACE_ERROR_BYTES], int *status)
{
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    while (waitpid(pid, status, WNOHANG) == 0) {
        bool ending = end_requested();
        if (ending || clock_monotonic_ms() >= until_ms) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            snprintf(error, PLACE_ERROR_BYTES, "%s",
                     ending ? "the service is to end" : "reading it takes too long");
            return false;
        }
        poll(NULL, 0, STEP_MS);
    }
    return true;
}

/* Reads what a child that ended well has found. */
static bool read_survey(int fd, struct survey *out)
{
    FILE *file = fdopen(fd, "r");
    if (!file)
        return false;
    rewind(file);
    bool ok = survey_read(out, &candidate, file);
    fclose(file);
    return ok;
}

bool validate_within(int64_t limit_ms, int fd, struct survey *out, char error[PLACE_ERROR_BYTES])
{
    struct outputs outputs = {output_file(OUTPUT_BYTES), output_file(SURVEY_BYTES_MAX)};
    int status = 0;
    pid_t pid;
    memset(error, 0, PLACE_ERROR_BYTES);
    int failed = outputs.error < 0 || outputs.survey < 0 ? errno : spawn(fd, &outputs, &pid);
    bool ended = !failed && wait_for_child(pid, limit_ms, error, &status) &&
                 pread(outputs.error, error, PLACE_ERROR_BYTES - 1, 0) >= 0;
    bool well = ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    bool ok = well && read_survey(dup(outputs.survey), out);
    close(outputs.error);
    close(outputs.survey);
    if (failed)
        snprintf(error, PLACE_ERROR_BYTES, "cannot be validated: %s", strerror(failed));
    else if (!ok && error[0] == '\0')
        snprintf(error, PLACE_ERROR_BYTES, well ? "reading it finds nothing" : "reading it crashes");
    return ok;
}

bool validate_in_child(int fd, struct survey *out, char error[PLACE_ERROR_BYTES])
{
    return validate_within(CHILD_LIMIT_MS, fd, out, error);
}
