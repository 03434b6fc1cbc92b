#include "http/assets.h"

#include "base/embed.h"

#include <stdio.h>
#include <string.h>

#define HASHED_PATH_BYTES 64

EMBED(asset_loader, "src/web/masthead.js");
EMBED(asset_style, "src/web/masthead.css");
EMBED(asset_playground_html, "src/web/playground.html");
EMBED(asset_playground_css, "src/web/playground.css");
EMBED(asset_playground_js, "src/web/playground.js");
EMBED(asset_icon, "src/web/icon.svg");
EMBED(asset_visitors, "data/visitors.tsv");

#define JAVASCRIPT "text/javascript; charset=utf-8"
#define STYLESHEET "text/css; charset=utf-8"

static struct asset {
    const char *path, *type, *bytes, *end;
    char hashed_path[HASHED_PATH_BYTES]; /* "" for what is of developer mode only */
} assets[] = {
    {"/masthead.js", JAVASCRIPT, asset_loader, asset_loader_end, "?"},
    {"/masthead.css", STYLESHEET, asset_style, asset_style_end, "?"},
    {"/", "text/html; charset=utf-8", asset_playground_html, asset_playground_html_end, ""},
    {"/dev/playground.css", STYLESHEET, asset_playground_css, asset_playground_css_end, ""},
    {"/dev/playground.js", JAVASCRIPT, asset_playground_js, asset_playground_js_end, ""},
    {"/dev/icon.svg", "image/svg+xml", asset_icon, asset_icon_end, ""},
    {"/dev/visitors.tsv", "text/tab-separated-values; charset=utf-8", asset_visitors, asset_visitors_end, ""},
};
#define ASSETS (sizeof assets / sizeof assets[0])

/* FNV-1a, 64 bits (Fowler, Noll, Vo): names a version, guards nothing. */
static uint64_t hash(const char *bytes, const char *end)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; bytes < end; bytes++)
        value = (value ^ (unsigned char)*bytes) * 0x100000001b3u;
    return value;
}

void assets_open(void)
{
    for (size_t i = 0; i < ASSETS; i++) {
        struct asset *asset = &assets[i];
        const char *dot = strrchr(asset->path, '.');
        if (asset->hashed_path[0] && dot)
            snprintf(asset->hashed_path, sizeof asset->hashed_path, "%.*s.%016llx%s",
                     (int)(dot - asset->path), asset->path,
                     (unsigned long long)hash(asset->bytes, asset->end), dot);
    }
}

static void serve(const struct asset *asset, const char *caching, struct http_answer *answer)
{
    answer->type = asset->type;
    text_bytes(&answer->body, asset->bytes, (size_t)(asset->end - asset->bytes));
    text_format(&answer->headers, "Cache-Control: %s\r\n", caching);
    if (asset->hashed_path[0]) /* where the same bytes may be kept for ever */
        text_format(&answer->headers, "Content-Location: %s\r\n", asset->hashed_path);
    else /* developer pages */
        text_string(&answer->headers,
                    "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r\n"
                    "Referrer-Policy: no-referrer\r\n");
}

void assets_serve(const struct http_request *request, struct http_answer *answer)
{
    for (size_t i = 0; i < ASSETS; i++) {
        const struct asset *asset = &assets[i];
        if (strcmp(request->path, asset->path) == 0) {
            serve(asset, asset->hashed_path[0] ? "public, max-age=3600" : "no-store", answer);
            return;
        }
        if (strcmp(request->path, asset->hashed_path) == 0) {
            serve(asset, "public, max-age=31536000, immutable", answer);
            return;
        }
    }
    http_say(answer, 404, "Not Found");
}
