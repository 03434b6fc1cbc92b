/* A child that crashes, spins, cannot be started or is not to be waited for is an error in words, and can do
 * nothing to the files that it was given but write into them. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"

static char error[CHILD_ERROR_BYTES];

/* Runs a line of shell; its standard output is `output`, if that is a file. */
static bool shell(const char *line, int64_t limit_ms, int output, int *status)
{
    static char name[] = "sh", flag[] = "-c";
    char text[256], *arguments[] = {name, flag, text, NULL};
    struct child_task task = {.program = "/bin/sh",
                              .arguments = arguments,
                              .files = {-1, output, -1, -1, -1},
                              .limit_ms = limit_ms};
    snprintf(text, sizeof text, "%s", line);
    *status = -1;
    return child_run(&task, status, error);
}

TEST(a_child_writes_into_the_files_that_it_is_given)
{
    int status, file = child_file(16);
    char bytes[17] = "";
    assert_true(file >= CHILD_FILES_MAX);
    assert_true(shell("printf hello; exit 3", 10000, file, &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    assert_int_equal(pread(file, bytes, 16, 0), 16);
    assert_string_equal(bytes, "hello");
    close(file);
}

TEST(a_crash_is_told_by_the_status)
{
    int status;
    assert_true(shell("kill -SEGV $$", 10000, -1, &status));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(a_child_that_takes_too_long_is_killed)
{
    int status;
    int64_t from_ms = clock_monotonic_ms();
    assert_false(shell("while :; do :; done", 100, -1, &status));
    assert_string_equal(error, "reading it takes too long");
    assert_in_range(clock_monotonic_ms() - from_ms, 100, 5000);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* nothing is left of it */
}

TEST(a_program_that_is_missing_is_told)
{
    char name[] = "none", *arguments[] = {name, NULL};
    struct child_task task = {
        .program = "/nonexistent", .arguments = arguments, .files = {-1, -1, -1, -1, -1}, .limit_ms = 1000};
    int status;
    assert_false(child_run(&task, &status, error));
    assert_string_equal(error, strerror(ENOENT));
}

TEST(whoever_is_to_end_does_not_wait_for_a_child)
{
    sigset_t set, old;
    int status, signal;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
    kill(getpid(), SIGTERM);
    assert_false(shell("exec sleep 60", 60000, -1, &status));
    assert_string_equal(error, "the service is to end");
    assert_int_equal(sigwait(&set, &signal), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

TEST(where_nobody_is_told_how_a_child_ended_it_has_failed)
{
    int status;
    signal(SIGCHLD, SIG_IGN);
    assert_false(shell("exit 0", 10000, -1, &status));
    assert_string_equal(error, strerror(ECHILD));
    signal(SIGCHLD, SIG_DFL);
}

TEST(a_child_cannot_cut_a_file_short_that_is_mapped_here)
{
    int status, file = child_file(8192);
    uint8_t *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_true(
        shell("truncate -s 0 /proc/self/fd/1 || truncate -s 99999 /proc/self/fd/1", 10000, file, &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_int_equal(map[8191], 0);
    assert_int_equal(ftruncate(file, 0), -1);
    munmap(map, 8192);
    close(file);
}

UNIT_MAIN(NULL, NULL)
