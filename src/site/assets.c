#include "site/assets.h"

#include "base/embed.h"
#include "web/digests.h"

#include <string.h>

/* What pages load is as the build has made it (MASTHEAD_WEB is its folder), the rest is as it is in src. */
EMBED(asset_loader, MASTHEAD_WEB "masthead.js");
EMBED(asset_choice, MASTHEAD_WEB "masthead.choice.js");
EMBED(asset_split, MASTHEAD_WEB "masthead.split.js");
EMBED(asset_style, MASTHEAD_WEB "masthead.css");
EMBED(asset_icons, MASTHEAD_WEB "masthead.icons.svg");
EMBED(asset_playground_html, "src/web/playground.html");
EMBED(asset_playground_css, "src/web/playground.css");
EMBED(asset_playground_js, "src/web/playground.js");
EMBED(asset_status, "src/web/status.css");
EMBED(asset_controls_js, "src/web/controls.js");
EMBED(asset_dom_js, "src/web/dom.js");
EMBED(asset_explain_js, "src/web/explain.js");
EMBED(asset_previews_js, "src/web/previews.js");
EMBED(asset_reader_map_js, "src/web/reader_map.js");
EMBED(asset_icon, "src/web/icon.svg");
EMBED(asset_visitors, "data/visitors.tsv");

#define HTML       "text/html; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define STYLESHEET "text/css; charset=utf-8"
#define SVG        "image/svg+xml"
#define TABLE      "text/tab-separated-values; charset=utf-8"

#define BYTES(asset) asset, asset##_end
static const struct asset {
    const char *path, *type, *bytes, *end;
    const char *hashed_path, *integrity; /* NULL for what only pages of our own use */
} assets[] = {
    {"/masthead.js", JAVASCRIPT, BYTES(asset_loader), "/masthead." MASTHEAD_JS_HASH ".js",
     MASTHEAD_JS_INTEGRITY},
    {"/masthead.choice.js", JAVASCRIPT, BYTES(asset_choice),
     "/masthead.choice." MASTHEAD_CHOICE_JS_HASH ".js", MASTHEAD_CHOICE_JS_INTEGRITY},
    {"/masthead.split.js", JAVASCRIPT, BYTES(asset_split), "/masthead.split." MASTHEAD_SPLIT_JS_HASH ".js",
     MASTHEAD_SPLIT_JS_INTEGRITY},
    {"/masthead.css", STYLESHEET, BYTES(asset_style), "/masthead." MASTHEAD_CSS_HASH ".css",
     MASTHEAD_CSS_INTEGRITY},
    {"/masthead.icons.svg", SVG, BYTES(asset_icons), "/masthead.icons." MASTHEAD_ICONS_SVG_HASH ".svg",
     MASTHEAD_ICONS_SVG_INTEGRITY},
    {"/status.css", STYLESHEET, BYTES(asset_status), NULL, NULL},
    {"/status/icon.svg", SVG, BYTES(asset_icon), NULL, NULL},
    {"/", HTML, BYTES(asset_playground_html), NULL, NULL},
    {"/dev/playground.css", STYLESHEET, BYTES(asset_playground_css), NULL, NULL},
    {"/dev/playground.js", JAVASCRIPT, BYTES(asset_playground_js), NULL, NULL},
    {"/dev/controls.js", JAVASCRIPT, BYTES(asset_controls_js), NULL, NULL},
    {"/dev/dom.js", JAVASCRIPT, BYTES(asset_dom_js), NULL, NULL},
    {"/dev/explain.js", JAVASCRIPT, BYTES(asset_explain_js), NULL, NULL},
    {"/dev/previews.js", JAVASCRIPT, BYTES(asset_previews_js), NULL, NULL},
    {"/dev/reader_map.js", JAVASCRIPT, BYTES(asset_reader_map_js), NULL, NULL},
    {"/dev/icon.svg", SVG, BYTES(asset_icon), NULL, NULL},
    {"/dev/visitors.tsv", TABLE, BYTES(asset_visitors), NULL, NULL},
};
#define ASSETS (sizeof assets / sizeof assets[0])

static void serve(const struct asset *asset, const char *caching, struct http_answer *answer)
{
    answer->type = asset->type;
    text_bytes(&answer->body, asset->bytes, (size_t)(asset->end - asset->bytes));
    text_format(&answer->headers, "Cache-Control: %s\r\n", caching);
    if (asset->hashed_path) /* where the same bytes may be kept for ever, and how a page can make sure of them
                             */
        text_format(&answer->headers, "Content-Location: %s\r\nX-Masthead-Integrity: %s\r\n",
                    asset->hashed_path, asset->integrity);
    else
        text_string(&answer->headers,
                    "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r\n"
                    "Referrer-Policy: no-referrer\r\n");
}

void assets_serve(const struct http_request *request, struct http_answer *answer)
{
    for (size_t i = 0; i < ASSETS; i++) {
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
