#include "demo.h"

#include "base/child.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY          "masthead-sim ready "
#define SIMULATOR      "masthead-sim"
#define LINE_BYTES     8192
#define VISITORS       "visitors.mmdb"
#define EXIT_USAGE     2
#define WALK_HANDLES   8
#define START_LIMIT_MS 10000
/* The folder and the simulator's URL are filled in. */
static const char configuration[] = "[server]\nlisten = 127.0.0.1:0\nops_listen = 127.0.0.1:0\nstate = %s\n"
                                    "[geoip]\ndatabases = " VISITORS "\n"
                                    "[weather]\nproviders = open-meteo\nopen_meteo_url = %s\nproxy =\n"
                                    "[earth]\ngrid = no\n" /* a fault of the API is to be seen by readers */
                                    "[cache]\nsnapshot =\n"
                                    "[dev]\nenabled = yes\nsimulated = yes\n";

EMBED(demo_visitors, "data/" VISITORS);

static bool fail(const char *what, const char *name)
{
    fprintf(stderr, "masthead: demo: %s %s: %s\n", what, name, strerror(errno));
    return false;
}

static bool make_folder(struct demo *demo)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || !parent[0])
        parent = "/tmp";
    snprintf(demo->folder, sizeof demo->folder, "%s/masthead-demo.XXXXXX", parent);
    if (mkdtemp(demo->folder))
        return true;
    demo->folder[0] = '\0';
    return fail("cannot make a folder in", parent);
}

static bool write_file(struct demo *demo, const char *name, const void *bytes, size_t count)
{
    snprintf(demo->file, sizeof demo->file, "%s/%s", demo->folder, name);
    return file_replace_bytes(demo->file, bytes, count) || fail("cannot write", demo->file);
}

/* The configuration comes last, so that demo->file is its name. */
static bool write_files(struct demo *demo)
{
    size_t size = (uintptr_t)demo_visitors_end - (uintptr_t)demo_visitors;
    char text[sizeof configuration + 2 * DEMO_PATH_BYTES];
    int length = snprintf(text, sizeof text, configuration, demo->folder, demo->url);
    return write_file(demo, VISITORS, demo_visitors, size) &&
           write_file(demo, "widget.conf", text, (size_t)length);
}

/* In the child: becomes the simulator, which the kernel kills when the demo ends in any way. */
static void become_simulator(pid_t parent, int out)
{
    char path[PATH_MAX] = "";
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!child_beside(SIMULATOR, path)) {
        fail("cannot find", SIMULATOR);
    } else if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
               dup2(out, STDOUT_FILENO) >= 0) {
        execl(path, SIMULATOR, "--listen", "127.0.0.1:0", (char *)NULL);
        fail("cannot start", path);
    }
    _exit(EXIT_FAILURE);
}

static bool start_simulator(struct demo *demo)
{
    int ends[2];
    char line[sizeof READY + DEMO_PATH_BYTES] = "";
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail("cannot start", SIMULATOR);
    demo->simulator = fork();
    if (demo->simulator == 0)
        become_simulator(parent, ends[1]);
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    bool ready = out && poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, START_LIMIT_MS) > 0 &&
                 fgets(line, sizeof line, out) && sscanf(line, READY "%191s", demo->url) == 1;
    if (out)
        fclose(out); /* the simulator writes one line */
    else
        close(ends[0]);
    return out ? ready : fail("cannot start", SIMULATOR);
}

int demo_open(struct demo *demo, const char *scenario, struct config_sources *sources)
{
    *demo = (struct demo){.simulator = -1};
    const char *error = scenario[0] ? scenario_read(scenario, &demo->scenario) : NULL;
    if (sources->file)
        error = "has a configuration of its own, to be changed by --set";
    if (error) {
        fprintf(stderr, "masthead: demo: %s%s%s\n", scenario, scenario[0] ? ": " : "", error);
        return EXIT_USAGE;
    }
    sources->file = demo->file;
    return make_folder(demo) && start_simulator(demo) && write_files(demo) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void *wait_for_end_of_input(void *unused)
{
    char bytes[256];
    ssize_t count;
    do
        count = read(STDIN_FILENO, bytes, sizeof bytes);
    while (count > 0 || (count < 0 && errno == EINTR));
    kill(getpid(), SIGTERM);
    return unused;
}

void demo_ready(const struct demo *demo, const char *public, const char *ops)
{
    char storage[LINE_BYTES];
    struct text line = text_init(storage, sizeof storage);
    pthread_t thread;
    text_format(&line, "{\"public\":\"http://%s\",\"ops\":\"http://%s\"", public, ops);
    json_write(&line, ",'simulator':%s,'readers':[", demo->url);
    for (const struct scenario_reader *reader = scenario_readers; reader->name; reader++)
        if (reader->address[0])
            json_write(&line, ",{'name':%s,'address':%s}", reader->name, reader->address);
    printf("%s]}\n", line.bytes);
    fflush(stdout);
    if (pthread_create(&thread, NULL, wait_for_end_of_input, NULL) == 0)
        pthread_detach(thread);
    else
        kill(getpid(), SIGTERM); /* nobody would notice the end of the input */
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void demo_close(struct demo *demo)
{
    if (demo->simulator > 0 && kill(demo->simulator, SIGKILL) == 0) /* it has nothing to save */
        waitpid(demo->simulator, NULL, 0);
    if (demo->folder[0])
        nftw(demo->folder, remove_one, WALK_HANDLES, FTW_DEPTH | FTW_PHYS);
}
