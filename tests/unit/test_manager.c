/* What a service manager sees of the process: log lines with their priority where the journal reads them, no
 * waiting where nobody does, and sd_notify's messages, word for word, on a real socket of either kind. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "capture.h"

#define READ_BYTES 65536

/* --- The log --- */

static void configure(void)
{
    log_configure(&(struct log_options){.level = LOG_DEBUG, .format = LOG_LOGFMT});
}

/* One line at each level, while JOURNAL_STREAM names a file by `offset` from standard error's inode. */
static void log_to(long offset, char *out, size_t size)
{
    struct stat status;
    char stream[64];
    struct capture capture = capture_begin(STDERR_FILENO);
    fstat(STDERR_FILENO, &status);
    snprintf(stream, sizeof stream, "%lu:%lu", (unsigned long)status.st_dev,
             (unsigned long)((long)status.st_ino + offset));
    setenv("JOURNAL_STREAM", stream, 1);
    configure();
    for (enum log_level level = LOG_DEBUG; level <= LOG_ALWAYS; level++)
        log_line(level, "x");
    unsetenv("JOURNAL_STREAM");
    configure();
    log_line(LOG_ERROR, "last");
    capture_end(&capture, out, size);
}

TEST(lines_for_the_journal_begin_with_their_priority)
{
    static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>", "<6>"};
    char out[4096];
    log_to(0, out, sizeof out);
    char *line = strtok(out, "\n");
    for (size_t i = 0; i < 5; i++, line = strtok(NULL, "\n")) {
        assert_int_equal(strncmp(line, priorities[i], 3), 0);
        assert_int_equal(strncmp(line + 3, "time=", 5), 0);
    }
    assert_int_equal(strncmp(line, "time=", 5), 0); /* no longer */
}

TEST(a_stream_that_is_not_ours_changes_nothing)
{
    char out[4096];
    log_to(1, out, sizeof out);
    assert_null(strchr(out, '<'));
}

TEST(nobody_waits_for_a_log_that_is_not_read)
{
    static char all[READ_BYTES + 1];
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], all, 4096) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0); /* as a shell hands it over: a write would wait for ever */
    configure();
    dup2(ends[1], STDERR_FILENO);
    int64_t begun_ms = clock_monotonic_ms();
    for (int i = 0; i < 50; i++)
        log_line(LOG_ERROR, "not read");
    int64_t took_ms = clock_monotonic_ms() - begun_ms;
    assert_true(read(ends[0], all, READ_BYTES) > 0);
    log_line(LOG_ERROR, "read again");
    log_line(LOG_ERROR, "and so on");
    dup2(saved, STDERR_FILENO);
    close(saved), close(ends[1]);
    ssize_t length = read(ends[0], all, READ_BYTES);
    assert_true(length > 0);
    all[length] = '\0';
    assert_in_range(took_ms, 50, 2000);
    assert_null(strstr(all, "not read"));
    assert_non_null(strstr(all, "msg=\"read again\" lost_before=50\n"));
    assert_non_null(strstr(all, "msg=\"and so on\"\n"));
    close(ends[0]);
}

/* --- Notification --- */

struct manager {
    int fd;
    char folder[64], name[108];
};

static struct manager listen_as(bool abstract)
{
    struct manager manager = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0),
                              .folder = "/tmp/masthead-notify.XXXXXX"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(manager.folder));
    snprintf(manager.name, sizeof manager.name, "%s%s/socket", abstract ? "@" : "", manager.folder);
    size_t length = strlen(manager.name);
    memcpy(address.sun_path, manager.name, length);
    if (abstract)
        address.sun_path[0] = '\0';
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    setenv("NOTIFY_SOCKET", manager.name, 1);
    return manager;
}

static void leave(struct manager *manager)
{
    unsetenv("NOTIFY_SOCKET");
    unlink(manager->name);
    rmdir(manager->folder);
    close(manager->fd);
}

static const char *heard(const struct manager *manager)
{
    static char message[1024];
    ssize_t length = recv(manager->fd, message, sizeof message - 1, 0);
    message[length > 0 ? length : 0] = '\0';
    return message;
}

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A reload that is dated before it began would be ignored, so its date is good to the microsecond. */
TEST(messages_arrive_word_for_word)
{
    for (int abstract = 0; abstract < 2; abstract++) {
        struct manager manager = listen_as(abstract);
        notify("READY=1\nSTATUS=%s", "serving");
        assert_string_equal(heard(&manager), "READY=1\nSTATUS=serving");
        int64_t before_us = monotonic_us();
        notify_reloading();
        const char *said = heard(&manager);
        assert_int_equal(strncmp(said, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
        assert_in_range(atoll(said + 27), before_us, monotonic_us());
        notify("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%d", 5000000);
        assert_string_equal(heard(&manager), "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=5000000");
        notify("WATCHDOG=1");
        assert_string_equal(heard(&manager), "WATCHDOG=1");
        leave(&manager);
    }
}

TEST(without_a_socket_nothing_happens)
{
    static const char *const names[] = {"", "/", "@", "relative", "/nowhere/at/all", "vsock:2:1234"};
    char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[0] = '/', long_name[sizeof long_name - 1] = '\0';
    int lowest = dup(0);
    close(lowest);
    notify("READY=1\nSTATUS=nobody listens");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify("READY=1\nSTATUS=nobody listens");
    }
    setenv("NOTIFY_SOCKET", long_name, 1);
    notify("WATCHDOG=1");
    unsetenv("NOTIFY_SOCKET");
    int again = dup(0);
    close(again);
    assert_int_equal(again, lowest); /* no descriptor is left open */
}

TEST(the_watchdog_wants_half_its_time)
{
    char pid[24];
    static const struct {
        const char *usec;
        int64_t ms;
    } rows[] = {{"60000000", 30000}, {"3000000", 1500}, {"0", 0}, {"-5000000", 0}, {"soon", 0}, {"", 0}};
    assert_int_equal(notify_watchdog_ms(), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("WATCHDOG_USEC", rows[i].usec, 1);
        assert_int_equal(notify_watchdog_ms(), rows[i].ms);
    }
    setenv("WATCHDOG_USEC", "60000000", 1);
    setenv("WATCHDOG_PID", "1", 1); /* meant for somebody else */
    assert_int_equal(notify_watchdog_ms(), 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ms(), 30000);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

UNIT_MAIN(NULL, NULL)
