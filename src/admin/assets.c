/* The table of what page_files.S has embedded. */
#include "admin/assets.h"
#include <string.h>

#define HTML   "text/html; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

/* X(symbol, path, type) */
#define ASSETS(X)                                                                                            \
    X(index_html, "/", HTML)                                                                                 \
    X(page_css, "/page.css", STYLE)                                                                          \
    X(page_js, "/page.js", SCRIPT)                                                                           \
    X(tables_js, "/tables.js", SCRIPT)                                                                       \
    X(connections_js, "/connections.js", SCRIPT)                                                             \
    X(charts_js, "/charts.js", SCRIPT)                                                                       \
    X(format_js, "/format.js", SCRIPT)                                                                       \
    X(dygraph_js, "/dygraph.min.js", SCRIPT)                                                                 \
    X(dygraph_css, "/dygraph.min.css", STYLE)

#define X(symbol, path, type) extern const char page_##symbol[], page_##symbol##_end[];
ASSETS(X)
#undef X

static const struct asset assets[] = {
#define X(symbol, path_, type_)                                                                              \
    {.path = path_, .type = type_, .begin = page_##symbol, .end = page_##symbol##_end},
    ASSETS(X)
#undef X
};

const struct asset *asset_at(const char *path)
{
    for (unsigned i = 0; i < sizeof(assets) / sizeof(assets[0]); i++)
        if (strcmp(path, assets[i].path) == 0)
            return &assets[i];
    return NULL;
}

/* dygraphs places its labels by style attributes. */
const char *asset_policy(void)
{
    return "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
           "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}
