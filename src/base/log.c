#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES     4096 /* PIPE_BUF: what a pipe takes whole once it takes anything */
#define VALUE_BYTES    512
#define THROTTLE_MS    60000
#define WRITE_LIMIT_MS 100

static const char *const level_names[] = {"debug", "info", "warn", "error", "info"};
static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>", "<6>"}; /* as in sd-daemon(3) */

static atomic_int threshold = LOG_INFO;
static atomic_int line_format = LOG_LOGFMT;
static atomic_bool to_journal;
static atomic_int_fast64_t lost; /* lines, since the last that was written */

/* Whether standard error is the journal's stream itself, and not something that a parent put in between. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_configure(const struct log_options *options)
{
    atomic_store(&to_journal, is_journal());
    atomic_store(&threshold, (int)options->level);
    atomic_store(&line_format, (int)options->format);
}

/* At most VALUE_BYTES of a value, cut at a code point. */
static void write_json(struct text *line, const char *string)
{
    char cut[VALUE_BYTES + 1];
    size_t length = strnlen(string, VALUE_BYTES);
    while (length > 0 && string[length] && ((unsigned char)string[length] & 0xc0) == 0x80)
        length--;
    memcpy(cut, string, length);
    cut[length] = '\0';
    text_json(line, cut);
}

/* A field that does not fit is left out whole. */
static void write_field(struct text *line, bool json, const struct log_field *field)
{
    const char *string = field->string ? field->string : "";
    size_t before = line->length;
    if (line->length > (json ? 1u : 0u))
        text_string(line, json ? "," : " ");
    text_format(line, json ? "\"%s\":" : "%s=", field->key);
    if (field->is_number) {
        text_format(line, "%lld", (long long)field->number);
    } else if (json) {
        write_json(line, string);
    } else {
        text_logfmt(line, string);
    }
    if (line->overflow) {
        line->overflow = false;
        line->length = before;
        line->bytes[before] = '\0';
    }
}

/* False when standard error takes nothing: the line is then dropped. The first such line waits for
 * WRITE_LIMIT_MS, those after it do not. */
static bool emit(const char *bytes, size_t length)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held from poll to write */
    static bool stuck;                                       /* guarded by lock */
    struct pollfd end = {.fd = STDERR_FILENO, .events = POLLOUT};
    pthread_mutex_lock(&lock);
    stuck = poll(&end, 1, stuck ? 0 : WRITE_LIMIT_MS) == 0;
    ssize_t ignored = stuck ? 0 : write(STDERR_FILENO, bytes, length);
    (void)ignored; /* nowhere is left to report a failing log */
    bool written = !stuck;
    pthread_mutex_unlock(&lock);
    return written;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if ((int)level < atomic_load(&threshold))
        return;
    bool json = atomic_load(&line_format) == LOG_JSON;
    char storage[LINE_BYTES];
    const char *priority = atomic_load(&to_journal) ? priorities[level] : "";
    size_t head = strlen(priority);
    /* With room for the brace and newline. */
    struct text line = text_init(storage + head, sizeof storage - head - 2);
    memcpy(storage, priority, head);
    char when[CLOCK_RFC3339_BYTES];
    clock_format(clock_now().wall_ms / 1000, when);

    int64_t missed = atomic_exchange(&lost, 0);

    text_string(&line, json ? "{" : "");
    write_field(&line, json, &log_str("time", when));
    write_field(&line, json, &log_str("level", level_names[level]));
    write_field(&line, json, &log_str("msg", message));
    for (; fields->key; fields++)
        write_field(&line, json, fields);
    if (missed > 0)
        write_field(&line, json, &log_int("lost_before", missed));

    line.capacity += 2;
    text_string(&line, json ? "}\n" : "\n");
    if (!emit(storage, (size_t)(line.bytes - storage) + line.length))
        atomic_fetch_add(&lost, missed + 1);
}

bool log_due(struct log_throttle *throttle, int64_t *suppressed)
{
    int64_t now = clock_monotonic_ms();
    int_fast64_t next = atomic_load(&throttle->next_ms);
    if (now < next || !atomic_compare_exchange_strong(&throttle->next_ms, &next, now + THROTTLE_MS)) {
        atomic_fetch_add(&throttle->held_back, 1);
        return false;
    }
    *suppressed = atomic_exchange(&throttle->held_back, 0);
    return true;
}
