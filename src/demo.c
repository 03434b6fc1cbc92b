#include "demo.h"

#include "base/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY        "masthead-sim ready "
#define SIMULATOR    "masthead-sim"
#define LINE_BYTES   8192
#define VISITORS     "visitors.mmdb"
#define EXIT_USAGE   2
#define WALK_HANDLES 8
#define FIXED        (sizeof fixed / sizeof fixed[0])

static const char *const fixed[] = {
    "server.listen=127.0.0.1:0",
    "server.ops_listen=127.0.0.1:0",
    "weather.providers=open-meteo",
    "weather.proxy=",
    "dev.enabled=yes",
    "dev.simulated=yes",
};

EMBED(demo_visitors, "data/" VISITORS);

static bool fail(const char *what, const char *name)
{
    fprintf(stderr, "masthead: demo: %s %s: %s\n", what, name, strerror(errno));
    return false;
}

static bool make_folder(struct demo *demo)
{
    const char *parent = getenv("TMPDIR");
    char path[PLACE_PATH_BYTES];
    size_t size = (size_t)(demo_visitors_end - demo_visitors);
    snprintf(demo->folder, sizeof demo->folder, "%s/masthead-demo.XXXXXX",
             parent && parent[0] ? parent : "/tmp");
    if (!mkdtemp(demo->folder)) {
        demo->folder[0] = '\0';
        return fail("cannot make a folder in", parent ? parent : "/tmp");
    }
    snprintf(path, sizeof path, "%s/" VISITORS, demo->folder);
    FILE *file = fopen(path, "we");
    bool written = file && fwrite(demo_visitors, 1, size, file) == size;
    return (file && fclose(file) == 0 && written) || fail("cannot write", path);
}

/* In the child: becomes the simulator, which ends with us, however we end. */
static void become_simulator(pid_t parent, int out)
{
    char path[DEMO_PATH_BYTES + sizeof SIMULATOR];
    ssize_t length = readlink("/proc/self/exe", path, DEMO_PATH_BYTES);
    while (length > 0 && path[length - 1] != '/')
        length--;
    strcpy(path + (length > 0 ? length : 0), SIMULATOR);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent && dup2(out, STDOUT_FILENO) >= 0) {
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
    bool ready = out && fgets(line, sizeof line, out) && sscanf(line, READY "%191s", demo->url) == 1;
    if (out)
        fclose(out); /* it says no more */
    return ready;
}

static void put_settings(struct demo *demo, struct config_sources *sources)
{
    snprintf(demo->settings[0], PLACE_PATH_BYTES, "server.state=%s", demo->folder);
    snprintf(demo->settings[1], PLACE_PATH_BYTES, "geoip.databases=%s/" VISITORS, demo->folder);
    snprintf(demo->settings[2], PLACE_PATH_BYTES, "weather.open_meteo_url=%s", demo->url);
    memmove(sources->sets + FIXED + DEMO_SETTINGS, sources->sets,
            sources->set_count * sizeof sources->sets[0]);
    memcpy(sources->sets, fixed, sizeof fixed);
    for (size_t i = 0; i < DEMO_SETTINGS; i++)
        sources->sets[FIXED + i] = demo->settings[i];
    sources->set_count += FIXED + DEMO_SETTINGS;
    if (!sources->file)
        sources->file = "/dev/null"; /* not what happens to lie in this folder */
}

int demo_open(struct demo *demo, const char *scenario, struct config_sources *sources)
{
    *demo = (struct demo){.simulator = -1};
    const char *why = scenario[0] ? scenario_read(scenario, &demo->scenario) : NULL;
    if (!why && sources->set_count > CONFIG_SETS_MAX - FIXED - DEMO_SETTINGS)
        why = "too many --set";
    if (why) {
        fprintf(stderr, "masthead: demo: %s%s%s\n", scenario, scenario[0] ? ": " : "", why);
        return EXIT_USAGE;
    }
    if (!make_folder(demo) || !start_simulator(demo))
        return EXIT_FAILURE;
    put_settings(demo, sources);
    return EXIT_SUCCESS;
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
    struct text line = text_over(storage, sizeof storage);
    pthread_t thread;
    text_format(&line, "{\"public\":\"http://%s\",\"ops\":\"http://%s\",\"simulator\":\"%s\",\"readers\":[",
                public, ops, demo->url);
    const struct scenario_reader *reader;
    for (size_t i = 0; (reader = scenario_reader_at(i)); i++)
        if (reader->address[0])
            text_format(&line, "%s{\"name\":\"%s\",\"address\":\"%s\"}", i > 0 ? "," : "", reader->name,
                        reader->address);
    printf("%s]}\n", line.bytes);
    fflush(stdout);
    if (pthread_create(&thread, NULL, wait_for_end_of_input, NULL) == 0)
        pthread_detach(thread);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void demo_close(struct demo *demo)
{
    if (demo->simulator > 0 && kill(demo->simulator, SIGTERM) == 0)
        waitpid(demo->simulator, NULL, 0);
    if (demo->folder[0])
        nftw(demo->folder, remove_one, WALK_HANDLES, FTW_DEPTH | FTW_PHYS);
}
