#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define LINE_BYTES  4096
#define VALUE_BYTES 512
#define THROTTLE_MS 60000

static const char *const level_names[] = {"debug", "info", "warn", "error", "info"};

static atomic_int threshold = LOG_INFO;
static atomic_int line_format = LOG_LOGFMT;

void log_configure(const struct log_options *options)
{
    atomic_store(&threshold, options->level);
    atomic_store(&line_format, options->format);
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

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if ((int)level < atomic_load(&threshold))
        return;
    bool json = atomic_load(&line_format) == LOG_JSON;
    char storage[LINE_BYTES];
    struct text line = text_over(storage, sizeof storage - 2); /* room for the closing brace and newline */
    char when[CLOCK_RFC3339_BYTES];
    clock_format(clock_now().wall_ms / 1000, when);

    text_string(&line, json ? "{" : "");
    write_field(&line, json, &log_str("time", when));
    write_field(&line, json, &log_str("level", level_names[level]));
    write_field(&line, json, &log_str("msg", message));
    for (; fields->key; fields++)
        write_field(&line, json, fields);

    line.capacity = sizeof storage;
    text_string(&line, json ? "}\n" : "\n");
    ssize_t ignored = write(STDERR_FILENO, line.bytes, line.length);
    (void)ignored; /* nowhere is left to report a failing log */
}

bool log_due(struct log_throttle *throttle, int64_t *unsaid)
{
    int64_t now = clock_monotonic_ms();
    int_fast64_t next = atomic_load(&throttle->next_ms);
    if (now < next || !atomic_compare_exchange_strong(&throttle->next_ms, &next, now + THROTTLE_MS)) {
        atomic_fetch_add(&throttle->held_back, 1);
        return false;
    }
    *unsaid = atomic_exchange(&throttle->held_back, 0);
    return true;
}
