#include "lookup.h"

#include "base/json.h"
#include "widget/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE   2
#define RESULT_BYTES 6144
#define INPUT_BYTES  8192
#define OUTPUT_BYTES 65536
#define SHOWN_BYTES  128 /* of what is no address */

static const char not_an_address[] = "not an IP address";

struct run {
    const struct lookup *how;
    int64_t line; /* JSON_NONE: words, not lines */
    int64_t asked, refused;
    int address_width; /* of the table: of the longest address so far */
};

/* Free text comes last, so that its width does not matter. */
static void write_row(struct run *run, const char *address, const char *verdict, const char *why,
                      const char *country, const char *place, struct text *out)
{
    int width = (int)strlen(address);
    if (width > run->address_width)
        run->address_width = width;
    text_format(out, "%-*s  %-10s  %-11s  %-2s  %s\n", run->address_width, address, verdict, why, country,
                place);
}

static void write_place(struct run *run, const struct address *address, struct text *out)
{
    const struct lookup *how = run->how;
    struct place place;
    struct place_evidence evidence;
    char shown[ADDRESS_TEXT_BYTES], name[2 * PLACE_NAME_BYTES + 16];
    places_find(how->places, address, NULL, how->language, &place, &evidence);
    if (how->form != LOOKUP_TABLE) {
        explain_place(address, &place, &evidence, how->form == LOOKUP_PRETTY, out);
        return;
    }
    address_format(address, shown);
    snprintf(name, sizeof name, "%s%s%s%s", place.name, place.region[0] ? ", " : "", place.region,
             place.source == PLACE_FROM_HOME ? " (home)" : "");
    write_row(run, shown, place_verdict_names[place.verdict],
              place.reason ? place_reason_code(place.reason) : place_confidence_code(place.confidence),
              place.country, name, out);
}

static void write_refusal(struct run *run, const char *bytes, size_t count, struct text *out)
{
    char shown[SHOWN_BYTES];
    run->refused++;
    if (run->how->form == LOOKUP_TABLE) {
        text_sanitize(bytes, count, shown, sizeof shown);
        write_row(run, shown, "error", "", "", not_an_address, out);
        return;
    }
    snprintf(shown, sizeof shown, "%.*s", (int)(count < sizeof shown ? count : sizeof shown - 1), bytes);
    json_write(out, "{'address':%-s,'line':%jd,'error':%s}\n", shown, run->line, not_an_address);
}

/* Looks up what is whole; what is the beginning of something longer is no address. */
static void look_up(struct run *run, const char *bytes, size_t count, bool whole)
{
    char storage[RESULT_BYTES];
    struct text out = text_init(storage, sizeof storage);
    struct address address;
    run->asked++;
    if (whole && address_parse(bytes, count, &address))
        write_place(run, &address, &out);
    else
        write_refusal(run, bytes, count, &out);
    fwrite_unlocked(out.bytes, 1, out.length, stdout);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void look_up_line(struct run *run, const char *line, const char *end, bool whole)
{
    run->line++;
    while (line < end && is_blank(*line))
        line++;
    while (line < end && is_blank(end[-1]))
        end--;
    if (line < end)
        look_up(run, line, (size_t)(end - line), whole);
}

/* Reads standard input to its end. Of a line that does not fit the rest is passed over. False, with errno,
 * when input or output fail. */
static bool look_up_lines(struct run *run)
{
    char input[INPUT_BYTES];
    size_t length = 0;
    bool passing_over = false;
    ssize_t count;
    for (run->line = 0; (count = read(STDIN_FILENO, input + length, sizeof input - length)) > 0;) {
        const char *line = input, *end = input + length + count, *newline;
        for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
            if (!passing_over)
                look_up_line(run, line, newline, true);
            passing_over = false;
        }
        if (line == input && end == input + sizeof input && !passing_over) {
            look_up_line(run, line, end, false);
            passing_over = true;
        }
        length = passing_over ? 0 : (size_t)(end - line);
        memmove(input, line, length);
        if (fflush(stdout) != 0)
            return false;
    }
    if (length > 0)
        look_up_line(run, input, input + length, true);
    return count == 0;
}

int lookup_run(const struct lookup *how, char *const *words, int word_count)
{
    struct run run = {.how = how, .line = JSON_NONE, .address_width = sizeof "255.255.255.255" - 1};
    setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
    if (how->form == LOOKUP_TABLE)
        printf("%-*s  %-10s  %-11s  %-2s  %s\n", run.address_width, "ADDRESS", "VERDICT", "WHY", "", "PLACE");
    for (int i = 0; i < word_count; i++)
        look_up(&run, words[i], strlen(words[i]), true);
    if ((word_count == 0 && !look_up_lines(&run)) || fflush(stdout) != 0) {
        fprintf(stderr, "masthead: lookup: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (run.refused > 0)
        fprintf(stderr, "masthead: lookup: %lld of %lld are no IP addresses\n", (long long)run.refused,
                (long long)run.asked);
    return run.refused > 0 ? EXIT_USAGE : EXIT_SUCCESS;
}
