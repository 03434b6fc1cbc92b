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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SWEEP_LOOKUPS     200000
#define CHILD_FD          3
#define CHILD_CPU_S       10
#define CHILD_MEMORY      ((rlim_t)3 << 30) /* the largest file that is opened, and room */
#define CHILD_LIMIT_MS    15000             /* a city database takes a third of a second */
#define STEP_MS           100               /* a signal to end waits for so long */
#define OLDEST_BUILD_S    946684800         /* the year 2000: before there were such databases */
#define NEWEST_BUILD_S    (2 * 86400)
#define AGREE_NUMERATOR   3 /* of four landmarks, three must agree: networks do change hands */
#define AGREE_DENOMINATOR 4

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
#define KNOWN_NETWORKS (sizeof known_networks / sizeof known_networks[0])

bool validate_known_networks(const struct mmdb *db, char error[MMDB_ERROR_BYTES])
{
    size_t known = 0, agreed = 0;
    for (size_t i = 0; i < KNOWN_NETWORKS; i++) {
        struct address address;
        struct record record;
        address_parse(known_networks[i].address, strlen(known_networks[i].address), &address);
        if (!mmdb_find(db, &address, "en", &record) || record.country[0] == '\0')
            continue;
        known++;
        agreed += strcmp(record.country, known_networks[i].country) == 0;
    }
    if (agreed * AGREE_DENOMINATOR >= known * AGREE_NUMERATOR)
        return true;
    snprintf(error, MMDB_ERROR_BYTES, "it puts %zu of %zu well-known networks into the wrong country",
             known - agreed, known);
    return false;
}

/* Xorshift64* (Vigna, 2016): the same addresses at every examination. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

/* Reads the records of many addresses of both families; what it is after is a crash. */
static void sweep(const struct mmdb *db)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < SWEEP_LOOKUPS; i++) {
        struct record record;
        struct address address = {.family = i % 2 ? ADDRESS_V6 : ADDRESS_V4};
        uint64_t bits = next_random(&state);
        memcpy(address.bytes, &bits, address.family == ADDRESS_V6 ? 8 : 4);
        if (address.family == ADDRESS_V6)
            address.bytes[0] =
                0x20 | (address.bytes[0] & 0x0f); /* where addresses are assigned: 2000::/3, most of it */
        mmdb_find(db, &address, "en", &record);
    }
}

int validate_main(const char *path)
{
    char error[MMDB_ERROR_BYTES] = "";
    setrlimit(RLIMIT_CPU, &(struct rlimit){CHILD_CPU_S, CHILD_CPU_S});
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which map terabytes */
    setrlimit(RLIMIT_AS, &(struct rlimit){CHILD_MEMORY, CHILD_MEMORY});
#endif
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    struct mmdb *db = mmdb_map(path, error);
    if (db) {
        int64_t now_s = clock_now().wall_ms / 1000;
        if (mmdb_built_s(db) < OLDEST_BUILD_S || mmdb_built_s(db) > now_s + NEWEST_BUILD_S)
            snprintf(error, sizeof error, "its build date is not plausible");
        else if (validate_known_networks(db, error))
            sweep(db);
        mmdb_close(db);
    }
    printf("%s", error);
    return error[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool spawn(int fd, int output, pid_t *pid)
{
    static char program[] = "masthead", command[] = VALIDATE_COMMAND, file[] = "/proc/self/fd/3";
    char *arguments[] = {program, command, file, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
    char *environment[] = {NULL};
    int status = posix_spawn(pid, "/proc/self/exe", &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    errno = status;
    return status == 0;
}

/* The signals that end the service are blocked in all its threads, and wait for whoever waits for the child.
 */
static bool asked_to_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

/* Reads what the child says until it ends or its time is up. False when the time was up. */
static bool listen_to(int fd, char *text, size_t size)
{
    int64_t until = clock_monotonic_ms() + CHILD_LIMIT_MS;
    size_t length = 0;
    text[0] = '\0';
    for (;;) {
        int64_t left = until - clock_monotonic_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (left <= 0 || asked_to_end())
            return false;
        if (poll(&wait, 1, (int)(left < STEP_MS ? left : STEP_MS)) == 0)
            continue;
        ssize_t count = read(fd, text + length, size - 1 - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return true;
        length += (size_t)count;
        text[length] = '\0';
    }
}

bool validate_in_child(int fd, char error[MMDB_ERROR_BYTES])
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        snprintf(error, MMDB_ERROR_BYTES, "cannot examine it: %s", strerror(errno));
        return false;
    }
    bool spawned = spawn(fd, ends[1], &pid);
    close(ends[1]);
    if (!spawned) {
        snprintf(error, MMDB_ERROR_BYTES, "cannot examine it: %s", strerror(errno));
        close(ends[0]);
        return false;
    }
    bool ended = listen_to(ends[0], error, MMDB_ERROR_BYTES);
    close(ends[0]);
    if (!ended)
        kill(pid, SIGKILL);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        return true;
    if (error[0] == '\0')
        snprintf(error, MMDB_ERROR_BYTES,
                 ended ? "reading it crashes" : "reading it takes too long, or is to end");
    return false;
}
