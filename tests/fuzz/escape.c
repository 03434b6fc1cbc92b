/* The escapers: what is written, parsed again, is what was given, and nothing in it can end where it stands.
 */
#include "fuzz.h"

#include <jansson.h>

#define BYTES 512

/* What text_json makes of bytes: those that are not UTF-8 become U+FFFD. */
static void replace_malformed(const char *string, struct text *out)
{
    for (size_t left = strlen(string), length; left > 0; string += length, left -= length) {
        uint32_t point;
        length = text_utf8(string, left, &point);
        text_bytes(out, length ? string : "\xef\xbf\xbd", length ? length : 3);
        length = length ? length : 1;
    }
}

static void check_json(const char *string)
{
    char storage[8 * BYTES], expected_storage[8 * BYTES];
    struct text json = text_init(storage, sizeof storage);
    struct text expected = text_init(expected_storage, sizeof expected_storage);
    text_json(&json, string);
    replace_malformed(string, &expected);
    PROPERTY(!json.overflow && !strpbrk(json.bytes, "<>&") && !strstr(json.bytes, "\xe2\x80\xa8"));
    json_t *parsed = json_loadb(json.bytes, json.length, JSON_DECODE_ANY, NULL);
    PROPERTY(json_is_string(parsed) && strcmp(json_string_value(parsed), expected.bytes) == 0);
    json_decref(parsed);
}

static void check_html(const char *string)
{
    static const struct {
        const char *entity;
        char byte;
    } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}};
    char storage[8 * BYTES], parsed[8 * BYTES];
    struct text html = text_init(storage, sizeof storage);
    size_t length = 0;
    text_html(&html, string);
    PROPERTY(!html.overflow && !strpbrk(html.bytes, "<>\"'"));
    for (const char *at = html.bytes; *at;) {
        size_t i = 0;
        while (i < 5 && strncmp(at, entities[i].entity, strlen(entities[i].entity)) != 0)
            i++;
        PROPERTY(i < 5 || *at != '&');
        parsed[length++] = i < 5 ? entities[i].byte : *at;
        at += i < 5 ? strlen(entities[i].entity) : 1;
    }
    parsed[length] = '\0';
    PROPERTY(strcmp(parsed, string) == 0);
}

/* Writing into too little room keeps within it. */
static void check_ceilings(const char *string, size_t room)
{
    static void (*const writers[])(struct text *, const char *) = {text_json, text_html, text_logfmt};
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        char *exact = malloc(room + 1);
        struct text text = text_init(exact, room + 1);
        writers[i](&text, string);
        PROPERTY(text.length <= room && strlen(text.bytes) == text.length);
        free(exact);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char string[BYTES] = "", clean[BYTES], again[BYTES], storage[8 * BYTES];
    size_t room = size > 0 ? data[0] % 64 : 0, all = size;
    const uint8_t *bytes = data;
    struct text line = text_init(storage, sizeof storage);
    take_string(&bytes, &all, '\0', string, sizeof string);
    check_json(string);
    check_html(string);
    check_ceilings(string, room);
    text_logfmt(&line, string);
    PROPERTY(!strchr(line.bytes, '\n') && (line.bytes[0] == '"' || !strpbrk(line.bytes, " =\"")));
    if (text_sanitize((const char *)data, size, clean, sizeof clean)) {
        PROPERTY(clean[0] && is_clean(clean));
        PROPERTY(text_sanitize(clean, strlen(clean), again, sizeof again) && strcmp(clean, again) == 0);
    }
    return 0;
}
