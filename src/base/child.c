#include "base/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MS 2 /* between two looks at whether the child has ended */

/* Its number is above those that a child uses, so that none is covered before it is copied. */
int child_file(size_t bytes)
{
    int low = memfd_create("child", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, CHILD_FILES_MAX);
    if (low >= 0)
        close(low);
    if (fd < 0 ||
        (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0))
        return fd;
    close(fd);
    return -1;
}

/* SIGTERM and SIGINT are blocked in all threads: one that came stays pending while this thread waits. */
static bool end_requested(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

/* Returns 0 or an errno. */
static int spawn(const struct child_task *task, pid_t *pid)
{
    char *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    int status = posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < CHILD_FILES_MAX && status == 0; i++)
        if (task->files[i] >= 0)
            status = posix_spawn_file_actions_adddup2(&actions, task->files[i], i);
    if (status == 0)
        status = posix_spawn(pid, task->program, &actions, NULL, task->arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

bool child_run(const struct child_task *task, int *exit_status, char error[CHILD_ERROR_BYTES])
{
    int64_t until_ms = clock_monotonic_ms() + task->limit_ms;
    pid_t pid;
    int failed = spawn(task, &pid);
    if (failed) {
        snprintf(error, CHILD_ERROR_BYTES, "%s", strerror(failed));
        return false;
    }
    pid_t ended;
    while ((ended = waitpid(pid, exit_status, WNOHANG)) == 0) {
        bool ending = end_requested();
        if (ending || clock_monotonic_ms() >= until_ms) {
            kill(pid, SIGKILL);
            waitpid(pid, exit_status, 0);
            snprintf(error, CHILD_ERROR_BYTES, "%s",
                     ending ? "the service is to end" : "reading it takes too long");
            return false;
        }
        poll(NULL, 0, STEP_MS);
    }
    if (ended < 0) /* SIGCHLD is ignored, as a parent may have left it: how the child ended nobody knows */
        snprintf(error, CHILD_ERROR_BYTES, "%s", strerror(errno));
    return ended > 0;
}

bool child_beside(const char *name, char out[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (length < 0)
        return false;
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    size_t folder = slash ? (size_t)(slash + 1 - out) : 0;
    if (folder + strlen(name) < PATH_MAX) {
        strcpy(out + folder, name);
        return true;
    }
    errno = ENAMETOOLONG;
    return false;
}
