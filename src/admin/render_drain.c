/* Edges and CPEs that take no new connections, by hand, and what they still have. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "admin/render.h"

/* Of an edge or a CPE alike. */
struct drain_row {
    const char *kind, *name;
    bool drained;
    uint64_t left;
};

/* The one that is meant is shown in any case; else those that are drained. */
static bool is_shown(const struct snapshot_view *v, const struct drain_row *r)
{
    return v->section ? strcmp(v->section, r->name) == 0 : r->drained;
}

static struct drain_row edge_row(const struct snapshot_view *v, const struct snapshot_worker *total,
                                 unsigned i)
{
    const struct snapshot_edge *e = &total->edges[i];
    return (struct drain_row){"edge", v->conf->edges[i].name, e->drained,
                              e->counters.open + e->counters.connecting};
}

static struct drain_row cpe_row(const struct snapshot_view *v, const struct snapshot_worker *total,
                                unsigned i)
{
    const struct snapshot_cpe *c = &total->cpes[i];
    return (struct drain_row){"cpe", v->conf->cpes[i].name, c->drained,
                              c->counters.open + c->counters.connecting};
}

/* braidctl reads it, too (src/ctl/drain.c). True: it is shown. */
static bool text_row(struct doc *d, const struct snapshot_view *v, const struct drain_row *r)
{
    if (!is_shown(v, r))
        return false;
    doc_printf(d, "%s %s: %s, %" PRIu64 " connection%s\n", r->kind, r->name,
               r->drained ? "drained" : "takes connections", r->left, r->left == 1 ? "" : "s");
    return true;
}

void render_drain_text(struct doc *d, const struct snapshot_view *v)
{
    struct snapshot_worker *total = render_total(d, v);
    bool any = false;
    for (unsigned i = 0; total && i < v->conf->n_edges; i++) {
        const struct drain_row r = edge_row(v, total, i);
        any |= text_row(d, v, &r);
    }
    for (unsigned i = 0; total && i < v->conf->n_cpes; i++) {
        const struct drain_row r = cpe_row(v, total, i);
        any |= text_row(d, v, &r);
    }
    if (!any)
        doc_puts(d, "nothing is drained\n");
    free(total);
}

static void object(struct json *j, const struct snapshot_view *v, const struct drain_row *r)
{
    if (!is_shown(v, r))
        return;
    json_object(j, NULL);
    json_string(j, "name", r->name);
    json_bool(j, "drained", r->drained);
    json_uint(j, "connections", r->left);
    json_end(j);
}

void render_drain_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    json_object(&j, NULL);
    json_array(&j, "edges");
    for (unsigned i = 0; i < v->conf->n_edges; i++) {
        const struct drain_row r = edge_row(v, total, i);
        object(&j, v, &r);
    }
    json_end(&j);
    json_array(&j, "cpes");
    for (unsigned i = 0; i < v->conf->n_cpes; i++) {
        const struct drain_row r = cpe_row(v, total, i);
        object(&j, v, &r);
    }
    json_end(&j);
    json_end(&j);
    doc_puts(d, "\n");
    free(total);
}
