#include "site/assets.h"

#include "base/embed.h"
#include "web/digests.h"

#include <string.h>

#define HTML       "text/html; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define STYLESHEET "text/css; charset=utf-8"
#define SVG        "image/svg+xml"
#define TABLE      "text/tab-separated-values; charset=utf-8"

/* Files for pages of others, as the build has made them in its folder MASTHEAD_WEB: their path without its
 * extension, the extension, and the name of their digests. */
/* clang-format off */
#define HASHED_ASSETS(X)                                            \
    X(loader, "/masthead", ".js", JAVASCRIPT, MASTHEAD_JS)                 \
    X(choice, "/masthead.choice", ".js", JAVASCRIPT, MASTHEAD_CHOICE_JS) \
    X(split, "/masthead.split", ".js", JAVASCRIPT, MASTHEAD_SPLIT_JS)    \
    X(style, "/masthead", ".css", STYLESHEET, MASTHEAD_CSS)               \
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
    X(visitors, "/dev/visitors.tsv", TABLE, "data/visitors.tsv")

#define EMBED_HASHED(name, path, extension, type, digest) EMBED(asset_##name, MASTHEAD_WEB path extension);
#define EMBED_ASSET(name, path, type, file)               EMBED(asset_##name, file);
HASHED_ASSETS(EMBED_HASHED)
ASSETS(EMBED_ASSET)

#define HASHED_ROW(name, path, extension, type, digest) \
    {path extension, type, asset_##name, asset_##name##_end, path "." digest##_HASH extension, digest##_INTEGRITY},
#define ROW(name, path, type, file) {path, type, asset_##name, asset_##name##_end, NULL, NULL},
/* clang-format on */
static const struct asset {
    const char *path, *type, *bytes, *end;
    const char *hashed_path, *integrity; /* NULL: only our own pages use it */
} assets[] = {HASHED_ASSETS(HASHED_ROW) ASSETS(ROW)};

static void serve(const struct asset *asset, const char *caching, struct http_answer *answer)
{
    answer->type = asset->type;
    text_bytes(&answer->body, asset->bytes, (size_t)(asset->end - asset->bytes));
    text_format(&answer->headers, "Cache-Control: %s\r\n", caching);
    if (asset->hashed_path) /* where the same bytes never change, and how a page can verify them */
        text_format(&answer->headers, "Content-Location: %s\r\nX-Masthead-Integrity: %s\r\n",
                    asset->hashed_path, asset->integrity);
    else
        answer->policy = "default-src 'self'; frame-ancestors 'none'";
}

void assets_serve(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    for (size_t i = 0; i < sizeof assets / sizeof assets[0]; i++) {
        const struct asset *asset = &assets[i];
        if (strcmp(request->path, asset->path) == 0) {
            serve(asset, asset->hashed_path ? "public, max-age=3600" : "no-store", answer);
            return;
        }
        if (asset->hashed_path && strcmp(request->path, asset->hashed_path) == 0) {
            serve(asset, "public, max-age=31536000, immutable", answer);
            return;
        }
    }
    http_respond_text(answer, 404, "Not Found");
}
