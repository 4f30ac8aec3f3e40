/* The servers that are left to their clients, as documents. Each worker has its own list of them, but they
 * tell each other, so that most have most of them. */
#include <inttypes.h>
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

static void join(void *kept, const void *same)
{
    struct bypass_entry *k = kept;
    const struct bypass_entry *s = same;
    k->passed += s->passed;
    if (s->left > k->left)
        k->left = s->left;
}

size_t render_bypass_merge(void *rows, size_t n)
{
    return render_merge(rows, n, sizeof(struct bypass_entry), by_edge_and_address, join);
}

void render_bypass_json(struct doc *d, const struct snapshot_view *v)
{
    const struct bypass_entry *entries = v->rows;
    size_t n = v->n_rows;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_array(&j, "bypass");
    for (size_t i = 0; i < n; i++) {
        json_object(&j, NULL);
        json_addr(&j, "server", &entries[i].addr);
        json_string(&j, "edge", v->conf->edges[entries[i].edge].name);
        json_int(&j, "left_s", render_seconds(entries[i].left));
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
    const struct bypass_entry *entries = v->rows;
    size_t n = v->n_rows;
    doc_printf(d, "%-46s %-12s %8s %12s\n", "SERVER", "EDGE", "SECONDS", "PASSED");
    for (size_t i = 0; i < n; i++) {
        char server[ADDR_TEXT];
        doc_printf(d, "%-46s %-12s %8" PRId64 " %12" PRIu64 "\n", addr_text(&entries[i].addr, server),
                   v->conf->edges[entries[i].edge].name, render_seconds(entries[i].left), entries[i].passed);
    }
    doc_printf(d, "%zu server%s%s\n", n, n == 1 ? "" : "s", v->cleared ? ", now forgotten" : "");
}
