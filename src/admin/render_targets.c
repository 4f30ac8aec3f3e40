/* The targets of explicit edges, as documents and metrics. Each worker has its own view of them: connections
 * and failures add up, and whom one worker has ejected is shown as ejected. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "admin/render.h"
#include "base/addr.h"

/* ---- each address ------------------------------------------------------------------------------------- */

static int by_edge_and_place(const void *a, const void *b)
{
    const struct target_entry *x = a, *y = b;
    if (x->edge != y->edge)
        return x->edge < y->edge ? -1 : 1;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    int order = memcmp(x->addr.ip.b, y->addr.ip.b, sizeof(x->addr.ip.b));
    return order ? order : (int)x->addr.port - (int)y->addr.port;
}

static void add_counters(struct pool_counters *to, const struct pool_counters *from)
{
    to->connections += from->connections;
    to->failures += from->failures;
    to->ejections += from->ejections;
}

static void join(void *kept, const void *same)
{
    struct target_entry *k = kept;
    const struct target_entry *s = same;
    if (s->state > k->state)
        k->state = s->state;
    if (s->left > k->left)
        k->left = s->left;
    k->conns += s->conns;
    add_counters(&k->counters, &s->counters);
}

size_t render_targets_merge(void *rows, size_t n)
{
    return render_merge(rows, n, sizeof(struct target_entry), by_edge_and_place, join);
}

static const struct target_params *target_of(const struct snapshot_view *v, const struct target_entry *e)
{
    return e->state == TARGET_GONE ? NULL : &v->conf->edges[e->edge].pool.targets[e->target];
}

static void counter_members(struct json *j, const struct pool_counters *c)
{
    json_uint(j, "connections_total", c->connections);
    json_uint(j, "failures", c->failures);
    json_uint(j, "ejections", c->ejections);
}

static void entry_object(struct json *j, const struct snapshot_view *v, const struct target_entry *e)
{
    char text[RENDER_TARGET];
    const struct target_params *t = target_of(v, e);
    json_object(j, NULL);
    json_string(j, "edge", v->conf->edges[e->edge].name);
    json_string(j, "target", t ? render_host(t->host, t->port, text) : NULL);
    json_addr(j, "address", &e->addr);
    json_string(j, "state", target_state_name(e->state));
    json_int(j, "left_s", render_seconds(e->left));
    json_uint(j, "weight", t ? t->weight : 0);
    json_bool(j, "backup", t && t->backup);
    json_uint(j, "connections", e->conns);
    counter_members(j, &e->counters);
    json_end(j);
}

void render_targets_json(struct doc *d, const struct snapshot_view *v)
{
    const struct target_entry *entries = v->rows;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_array(&j, "targets");
    for (size_t i = 0; i < v->n_rows; i++)
        entry_object(&j, v, &entries[i]);
    json_end(&j);
    json_uint(&j, "count", v->n_rows);
    json_end(&j);
    doc_puts(d, "\n");
}

void render_targets_text(struct doc *d, const struct snapshot_view *v)
{
    const struct target_entry *entries = v->rows;
    doc_printf(d, "%-12s %-28s %-24s %-8s %-7s %6s %10s %9s %9s\n", "EDGE", "TARGET", "ADDRESS", "STATE",
               "WEIGHT", "CONNS", "TOTAL", "FAILURES", "EJECTIONS");
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct target_entry *e = &entries[i];
        const struct target_params *t = target_of(v, e);
        char host[RENDER_TARGET], addr[ADDR_TEXT], weight[16] = "-";
        if (t)
            snprintf(weight, sizeof(weight), "%u%s", t->weight, t->backup ? " b" : "");
        doc_printf(d, "%-12s %-28s %-24s %-8s %-7s %6" PRIu64 " %10" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
                   v->conf->edges[e->edge].name, t ? render_host(t->host, t->port, host) : "-",
                   addr_text(&e->addr, addr), target_state_name(e->state), weight, e->conns,
                   e->counters.connections, e->counters.failures, e->counters.ejections);
    }
    doc_printf(d, "%zu address%s\n", v->n_rows, v->n_rows == 1 ? "" : "es");
}

/* ---- each target -------------------------------------------------------------------------------------- */

void render_targets_metrics(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    static const struct {
        const char *name, *type, *help;
        size_t offset;
    } fields[] = {
        {"braid_target_addresses", "gauge", "Addresses of the target that are known now.",
         offsetof(struct target_sum, addresses)},
        {"braid_target_up", "gauge", "Of these, those that no worker does without.",
         offsetof(struct target_sum, up)},
        {"braid_target_connections", "gauge", "Connections to it now, those asked for included.",
         offsetof(struct target_sum, conns)},
        {"braid_target_connections_total", "counter", "Connections that were made to it.",
         offsetof(struct target_sum, counters.connections)},
        {"braid_target_failures_total", "counter", "Attempts to connect to it that came to nothing.",
         offsetof(struct target_sum, counters.failures)},
        {"braid_target_ejections_total", "counter",
         "How often an address was left alone since connections to it had failed in a row.",
         offsetof(struct target_sum, counters.ejections)},
    };
    if (total->n_targets == 0)
        return;
    for (unsigned f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        const struct target_sum *sum = total->targets;
        render_family(d, fields[f].name, fields[f].type, fields[f].help);
        for (unsigned i = 0; i < v->conf->n_edges; i++) {
            const struct edge_params *e = &v->conf->edges[i];
            for (unsigned t = 0; t < e->pool.n; t++, sum++) {
                char host[RENDER_TARGET];
                doc_printf(d, "%s{edge=\"%s\",target=\"%s\"} %" PRIu64 "\n", fields[f].name, e->name,
                           render_host(e->pool.targets[t].host, e->pool.targets[t].port, host),
                           *(const uint64_t *)((const char *)sum + fields[f].offset));
            }
        }
    }
}

void render_edge_targets_json(struct json *j, const struct edge_params *e, const struct target_sum *sums)
{
    json_array(j, "targets");
    for (unsigned t = 0; t < e->pool.n; t++) {
        char host[RENDER_TARGET];
        json_object(j, NULL);
        json_string(j, "target", render_host(e->pool.targets[t].host, e->pool.targets[t].port, host));
        json_uint(j, "weight", e->pool.targets[t].weight);
        json_bool(j, "backup", e->pool.targets[t].backup);
        json_uint(j, "addresses", sums[t].addresses);
        json_uint(j, "up", sums[t].up);
        json_uint(j, "connections", sums[t].conns);
        counter_members(j, &sums[t].counters);
        json_end(j);
    }
    json_end(j);
}
