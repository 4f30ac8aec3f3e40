/* The servers that are left to their clients, as documents. Each worker has its own list of them, but they
 * tell each other, so that most have most of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "admin/render.h"
#include "base/addr.h"

static int by_edge_and_address(const void *a, const void *b)
{
    const struct bypass_entry *x = a, *y = b;
    if (x->edge != y->edge)
        return x->edge < y->edge ? -1 : 1;
    int order = memcmp(x->addr.ip.b, y->addr.ip.b, sizeof(x->addr.ip.b));
    return order ? order : (int)x->addr.port - (int)y->addr.port;
}

size_t render_bypass_merge(struct bypass_entry *entries, size_t n)
{
    size_t kept = 0;
    if (n > 1)
        qsort(entries, n, sizeof(entries[0]), by_edge_and_address);
    for (size_t i = 0; i < n; i++) {
        struct bypass_entry *last = kept ? &entries[kept - 1] : NULL;
        if (!last || by_edge_and_address(last, &entries[i]) != 0) {
            entries[kept++] = entries[i];
            continue;
        }
        last->passed += entries[i].passed;
        if (entries[i].left > last->left)
            last->left = entries[i].left;
    }
    return kept;
}

static int64_t seconds_left(const struct bypass_entry *e)
{
    return (e->left + BRAID_SECOND - 1) / BRAID_SECOND;
}

void render_bypass_json(struct doc *d, const struct snapshot_view *v)
{
    const struct bypass_entry *entries = v->bypass;
    size_t n = v->n_bypass;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_array(&j, "bypass");
    for (size_t i = 0; i < n; i++) {
        json_object(&j, NULL);
        json_addr(&j, "server", &entries[i].addr);
        json_string(&j, "edge", v->conf->edges[entries[i].edge].name);
        json_int(&j, "left_s", seconds_left(&entries[i]));
        json_uint(&j, "passed", entries[i].passed);
        json_end(&j);
    }
    json_end(&j);
    json_uint(&j, "count", n);
    json_bool(&j, "cleared", v->cleared);
    json_end(&j);
    doc_puts(d, "\n");
}

void render_bypass_text(struct doc *d, const struct snapshot_view *v)
{
    const struct bypass_entry *entries = v->bypass;
    size_t n = v->n_bypass;
    doc_printf(d, "%-46s %-12s %8s %12s\n", "SERVER", "EDGE", "SECONDS", "PASSED");
    for (size_t i = 0; i < n; i++) {
        char server[ADDR_TEXT];
        doc_printf(d, "%-46s %-12s %8" PRId64 " %12" PRIu64 "\n", addr_text(&entries[i].addr, server),
                   v->conf->edges[entries[i].edge].name, seconds_left(&entries[i]), entries[i].passed);
    }
    doc_printf(d, "%zu server%s%s\n", n, n == 1 ? "" : "s", v->cleared ? ", now forgotten" : "");
}
