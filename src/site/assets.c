#include "site/assets.h"

#include "base/embed.h"
#include "web/digests.h"

#include <stdio.h>
#include <string.h>

#define HTML       "text/html; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define STYLESHEET "text/css; charset=utf-8"
#define SVG        "image/svg+xml"
#define JSON       "application/json"
#define TABLE      "text/tab-separated-values; charset=utf-8"

/* Files for pages of others, as the build has made them in its folder MASTHEAD_WEB: their path without its
 * extension, the extension, and the name of their digests. */
/* clang-format off */
#define HASHED_ASSETS(X)                                            \
    X(loader, "/masthead", ".js", JAVASCRIPT, MASTHEAD_JS)                 \
    X(choice, "/masthead.choice", ".js", JAVASCRIPT, MASTHEAD_CHOICE_JS) \
    X(hours, "/masthead.hours", ".js", JAVASCRIPT, MASTHEAD_HOURS_JS)    \
    X(split, "/masthead.split", ".js", JAVASCRIPT, MASTHEAD_SPLIT_JS)    \
    X(style, "/masthead", ".css", STYLESHEET, MASTHEAD_CSS)               \
    X(dialog, "/masthead.dialog", ".css", STYLESHEET, MASTHEAD_DIALOG_CSS) \
    X(icons, "/masthead.icons", ".svg", SVG, MASTHEAD_ICONS_SVG)

/* Files for our own pages. */
#define ASSETS(X)                                                                        \
    X(status, "/status.css", STYLESHEET, "src/web/status.css")                     \
    X(status_pages, "/status/pages.css", STYLESHEET, "src/web/pages.css")          \
    X(status_icon, "/status/icon.svg", SVG, "src/web/icon.svg")                    \
    X(playground_html, "/", HTML, "src/web/playground.html")                       \
    X(playground_css, "/dev/playground.css", STYLESHEET, "src/web/playground.css") \
    X(pages, "/dev/pages.css", STYLESHEET, "src/web/pages.css")                    \
    X(readers, "/dev/readers.css", STYLESHEET, "src/web/readers.css")              \
    X(playground_js, "/dev/playground.js", JAVASCRIPT, "src/web/playground.js")    \
    X(controls, "/dev/controls.js", JAVASCRIPT, "src/web/controls.js")             \
    X(dom, "/dev/dom.js", JAVASCRIPT, "src/web/dom.js")                            \
    X(explain, "/dev/explain.js", JAVASCRIPT, "src/web/explain.js")                \
    X(previews, "/dev/previews.js", JAVASCRIPT, "src/web/previews.js")             \
    X(reader_map, "/dev/reader_map.js", JAVASCRIPT, "src/web/reader_map.js")       \
    X(icon, "/dev/icon.svg", SVG, "src/web/icon.svg")                              \
    X(visitors, "/dev/visitors.tsv", TABLE, "data/visitors.tsv")                   \
    X(openapi, "/openapi.json", JSON, "data/openapi.json")

#define EMBED_HASHED(name, path, extension, type, digest)   \
    EMBED(asset_##name, MASTHEAD_WEB path extension);       \
    EMBED(asset_##name##_gzip, MASTHEAD_WEB path extension ".gz");
#define EMBED_ASSET(name, path, type, file) EMBED(asset_##name, file);
HASHED_ASSETS(EMBED_HASHED)
ASSETS(EMBED_ASSET)

#define HASHED_ROW(name, path, extension, type, digest)                                     \
    {path, extension, type, {asset_##name, asset_##name##_end},                             \
     {asset_##name##_gzip, asset_##name##_gzip_end}, digest##_HASH, digest##_INTEGRITY},
#define ROW(name, path, type, file) {path, "", type, {asset_##name, asset_##name##_end}, {NULL, NULL}, NULL, NULL},
/* clang-format on */
struct bytes {
    const char *start, *end;
};
static const struct asset {
    const char *path, *extension, *type;
    struct bytes plain, gzip;
    const char *hash, *integrity; /* NULL, as is `gzip`: only our own pages use it */
} assets[] = {HASHED_ASSETS(HASHED_ROW) ASSETS(ROW)};

/* How long a file may be kept that is asked for by this path; NULL when it is not the asset's. A hash that is
 * not the present one is of an older version, or on the way of an upgrade of a newer one: a page that a cache
 * still holds gets the present file, for a while. */
static const char *caching_at(const struct asset *asset, const char *path)
{
    enum { HASH_DIGITS = 16 };
    size_t length = strlen(asset->path);
    if (strncmp(path, asset->path, length) != 0)
        return NULL;
    const char *rest = path + length;
    if (strcmp(rest, asset->extension) == 0)
        return asset->hash ? "public, max-age=3600" : "no-store";
    if (!asset->hash || rest[0] != '.' || strspn(rest + 1, "0123456789abcdef") != HASH_DIGITS ||
        strcmp(rest + 1 + HASH_DIGITS, asset->extension) != 0)
        return NULL;
    return strncmp(rest + 1, asset->hash, HASH_DIGITS) == 0 ? "public, max-age=31536000, immutable"
                                                            : "public, max-age=300";
}

/* Writes a file for pages of others, as the client takes it: where the same bytes never change, and how a
 * page can verify them. */
static void serve_hashed(const struct asset *asset, const struct http_request *request,
                         struct http_answer *answer)
{
    char tag[32];
    bool gzip = http_accepts_coding(request, "gzip");
    const struct bytes *bytes = gzip ? &asset->gzip : &asset->plain;
    snprintf(tag, sizeof tag, "%s%s", asset->hash, gzip ? "-gzip" : "");
    text_format(&answer->headers, "%sContent-Location: %s.%s%s\r\nX-Masthead-Integrity: %s\r\n",
                gzip ? "Content-Encoding: gzip\r\n" : "", asset->path, asset->hash, asset->extension,
                asset->integrity);
    if (!http_respond_unchanged(request, answer, tag))
        text_bytes(&answer->body, bytes->start, (size_t)(bytes->end - bytes->start));
}

void assets_serve(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    for (size_t i = 0; i < sizeof assets / sizeof assets[0]; i++) {
        const struct asset *asset = &assets[i];
        const char *caching = caching_at(asset, request->path);
        if (!caching)
            continue;
        answer->type = asset->type;
        text_format(&answer->headers, "Cache-Control: %s\r\n", caching);
        if (asset->hash) {
            serve_hashed(asset, request, answer);
        } else {
            answer->policy = "default-src 'self'; frame-ancestors 'none'";
            text_bytes(&answer->body, asset->plain.start, (size_t)(asset->plain.end - asset->plain.start));
        }
        return;
    }
    http_respond_text(answer, 404, "Not Found");
}
