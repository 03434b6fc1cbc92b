/* The child that validates a database may be in a stranger's hands once the database is hostile. Whatever it
 * does, the service has its verdict within the limit. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "folder.h"
#include "place/validate.h"

#define SHORT_MS      50
#define GENEROUS_MS   60000
#define HANG_S        20  /* a test that waits longer waits for ever */
#define LIFELINE      100 /* the reading end of a pipe that children inherit, then the writing end */
#define VISITORS_PATH "data/visitors.mmdb"

/* --- What a child may do: its "database" names one --- */

/* Until the test is over: no one else then has the writing end of its pipe. */
static void wait_for_ever(void)
{
    char byte;
    close(STDERR_FILENO);
    close(LIFELINE + 1);
    _exit(read(LIFELINE, &byte, 1) != 0);
}

static void close_output_and_live_on(void)
{
    close(STDOUT_FILENO);
    wait_for_ever();
}

static void close_output_and_end_well(void)
{
    close(STDOUT_FILENO);
    exit(EXIT_SUCCESS);
}

/* More than the error and the pipe hold. */
static void write_without_end(void)
{
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    signal(SIGPIPE, SIG_IGN);
    while (write(STDOUT_FILENO, bytes, sizeof bytes) >= 0)
        continue;
    wait_for_ever();
}

static void write_much_and_end(void)
{
    for (int i = 0; i < 100; i++)
        printf("much ");
    exit(EXIT_FAILURE);
}

static void stop(void)
{
    raise(SIGSTOP);
}

/* A descendant keeps the output open. */
static void leave_a_child_behind(void)
{
    if (fork() == 0)
        wait_for_ever();
    exit(EXIT_SUCCESS);
}

static void crash(void)
{
    raise(SIGKILL);
}

static void say_and_fail(void)
{
    printf("what is wrong");
    exit(EXIT_FAILURE);
}

/* Asks the service to end, once it has closed its output. */
static void ask_to_end_and_live_on(void)
{
    close(STDOUT_FILENO);
    kill(getppid(), SIGTERM);
    wait_for_ever();
}

static const struct {
    const char *name;
    void (*behave)(void);
    int64_t limit_ms;
    const char *error;
} children[] = {
    {"ends well", close_output_and_end_well, GENEROUS_MS, "finds nothing"},
    {"fails", say_and_fail, GENEROUS_MS, "what is wrong"},
    {"writes much", write_much_and_end, GENEROUS_MS, "much much"},
    {"crashes", crash, GENEROUS_MS, "reading it crashes"},
    {"closes its output", close_output_and_live_on, SHORT_MS, "takes too long"},
    {"writes without end", write_without_end, SHORT_MS, "takes too long"},
    {"stops", stop, SHORT_MS, "takes too long"},
    {"leaves a child behind", leave_a_child_behind, GENEROUS_MS, "finds nothing"},
    {"asks to end", ask_to_end_and_live_on, GENEROUS_MS, "service is to end"},
};

/* As the child, in place of validate_main. */
static int behave(const char *path)
{
    size_t length;
    char *name = read_file(path, &length);
    for (size_t i = 0; i < COUNT(children); i++)
        if (strcmp(children[i].name, name) == 0)
            children[i].behave();
    free(name);
    return validate_main(path);
}

/* --- Tests --- */

static bool validate(const char *path, int64_t limit_ms, char error[PLACE_ERROR_BYTES])
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    error[0] = '\0';
    struct survey survey;
    bool ok = validate_within(limit_ms, fileno(file), &survey, error);
    if (ok)
        survey_free(&survey);
    fclose(file);
    return ok;
}

TEST(whatever_the_child_does_there_is_a_verdict_in_time)
{
    sigset_t ending;
    int number, ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(dup2(ends[0], LIFELINE) == LIFELINE && dup2(ends[1], LIFELINE + 1) == LIFELINE + 1);
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    for (size_t i = 0; i < COUNT(children); i++) {
        char error[PLACE_ERROR_BYTES];
        write_string(in_folder("candidate"), children[i].name);
        alarm(HANG_S);
        bool ok = validate(in_folder("candidate"), children[i].limit_ms, error);
        alarm(0);
        if (ok || !strstr(error, children[i].error))
            fail_msg("a child that %s: %d, %s", children[i].name, ok, error);
    }
    assert_int_equal(sigwait(&ending, &number), 0); /* which the last child sent */
}

TEST(a_sound_database_passes_and_another_file_does_not)
{
    char error[PLACE_ERROR_BYTES];
    if (!validate(VISITORS_PATH, GENEROUS_MS, error))
        fail_msg("%s", error);
    assert_false(validate("Makefile", GENEROUS_MS, error));
    assert_true(error[0] != '\0');
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], VALIDATE_COMMAND) == 0)
        return behave(argv[2]);
    return unit_run(make_folder, remove_folder);
}
