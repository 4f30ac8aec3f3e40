/* Snapshots in Prometheus' text format. Labels are the names of edges, CPEs, paths and uplinks and the
 * numbers of workers only, so the number of series is bounded by the configuration. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <braid/version.h>
#include "admin/render.h"

static void sample(struct doc *d, const char *name, uint64_t value)
{
    doc_printf(d, "%s %" PRIu64 "\n", name, value);
}

static void gauge(struct doc *d, const char *name, const char *help, uint64_t value)
{
    render_family(d, name, "gauge", help);
    sample(d, name, value);
}

/* ---- one value per worker, and one per edge -------------------------------------------------------------
 */

/* Where a value lies within struct snapshot_worker or struct snapshot_edge. */
struct field {
    const char *name, *type, *help;
    size_t offset;
};

static uint64_t field_value(const void *base, const struct field *f)
{
    return *(const uint64_t *)((const char *)base + f->offset);
}

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "braid_core_stats.memory is read as a 64-bit word");

#define WORKER(member) offsetof(struct snapshot_worker, member)
static const struct field worker_fields[] = {
    {"braid_worker_connections", "gauge", "Connections of clients now.", WORKER(core.conns)},
    {"braid_worker_mptcp_connections", "gauge", "Connections now that speak MPTCP.",
     WORKER(core.conns_mptcp)},
    {"braid_worker_subflows", "gauge", "Subflows now, TIME_WAIT excluded.", WORKER(core.subflows)},
    {"braid_worker_time_wait_subflows", "gauge", "Subflows in TIME_WAIT now.", WORKER(core.time_wait)},
    {"braid_worker_connections_total", "counter", "Connections of clients ever.", WORKER(core.conns_total)},
    {"braid_worker_received_bytes_total", "counter", "Payload received from clients.", WORKER(core.bytes_in)},
    {"braid_worker_sent_bytes_total", "counter", "Payload that clients acknowledged.",
     WORKER(core.bytes_out)},
    {"braid_worker_buffer_bytes", "gauge", "Bytes of buffers in use.", WORKER(core.memory)},
    {"braid_worker_buffer_limit_bytes", "gauge", "Bytes of buffers that may be in use.",
     WORKER(core.memory_limit)},
    {NULL, NULL, NULL, 0},
};

#define EDGE(member) offsetof(struct snapshot_edge, member)
static const struct field edge_fields[] = {
    {"braid_edge_connections", "gauge", "Connections of clients now.", EDGE(conns)},
    {"braid_edge_mptcp_connections", "gauge", "Connections now that speak MPTCP.", EDGE(conns_mptcp)},
    {"braid_edge_subflows", "gauge", "Subflows now.", EDGE(subflows)},
    {"braid_edge_buffer_bytes", "gauge", "Bytes of buffers in use.", EDGE(memory)},
    {"braid_edge_connecting", "gauge", "Connections now that wait for the server.",
     EDGE(counters.connecting)},
    {"braid_edge_drained", "gauge", "1 if it takes no new connections since it is drained, else 0.",
     EDGE(drained)},
    {"braid_edge_open", "gauge", "Connections now whose server is connected.", EDGE(counters.open)},
    {NULL, NULL, NULL, 0},
};

static void worker_families(struct doc *d, const struct snapshot_view *v)
{
    for (const struct field *f = worker_fields; f->name; f++) {
        render_family(d, f->name, f->type, f->help);
        for (unsigned w = 0; w < v->n_workers; w++)
            doc_printf(d, "%s{worker=\"%u\"} %" PRIu64 "\n", f->name, w, field_value(v->workers[w], f));
    }
    for (unsigned i = 0; render_io_counters[i].name; i++) {
        char name[80];
        snprintf(name, sizeof(name), "braid_worker_%s_total", render_io_counters[i].name);
        render_family(d, name, "counter", render_io_counters[i].help);
        for (unsigned w = 0; w < v->n_workers; w++)
            doc_printf(d, "%s{worker=\"%u\"} %" PRIu64 "\n", name, w, render_io_value(&v->workers[w]->io, i));
    }
}

#define CPE(member) offsetof(struct snapshot_cpe, member)
static const struct field cpe_fields[] = {
    {"braid_cpe_connections", "gauge", "Connections of the LAN now.", CPE(conns)},
    {"braid_cpe_mptcp_connections", "gauge", "Connections over the uplinks now that speak MPTCP.",
     CPE(conns_mptcp)},
    {"braid_cpe_subflows", "gauge", "Subflows over the uplinks now.", CPE(subflows)},
    {"braid_cpe_buffer_bytes", "gauge", "Bytes of buffers in use, of both sides.", CPE(memory)},
    {"braid_cpe_connecting", "gauge", "Connections now that wait for the far side.",
     CPE(counters.connecting)},
    {"braid_cpe_drained", "gauge", "1 if it takes no new connections since it is drained, else 0.",
     CPE(drained)},
    {"braid_cpe_open", "gauge", "Connections now whose far side is connected.", CPE(counters.open)},
    {NULL, NULL, NULL, 0},
};

/* Sections of the configuration that have a name and counters. */
struct named {
    const char *label;
    unsigned n;
    const char *(*name)(const struct conf *c, unsigned i);
    const void *first; /* the first one's part of the snapshot ... */
    size_t size;       /* ... and the bytes of each */
};

static void one_family(struct doc *d, const struct conf *conf, const struct named *s, const struct field *f)
{
    render_family(d, f->name, f->type, f->help);
    for (unsigned i = 0; i < s->n; i++)
        doc_printf(d, "%s{%s=\"%s\"} %" PRIu64 "\n", f->name, s->label, s->name(conf, i),
                   field_value((const char *)s->first + i * s->size, f));
}

static const char *edge_name(const struct conf *c, unsigned i)
{
    return c->edges[i].name;
}

static const char *cpe_name(const struct conf *c, unsigned i)
{
    return c->cpes[i].name;
}

#define FAMILY_NAME 80

static void counter_family(struct doc *d, const struct conf *conf, const struct named *s, const char *counter,
                           const char *help, size_t offset)
{
    char name[FAMILY_NAME];
    snprintf(name, sizeof(name), "braid_%s_%s_total", s->label, counter);
    one_family(d, conf, s, &(struct field){name, "counter", help, offset});
}

/* Names of edges and CPEs need no escaping: src/conf admits none that would. */
static void edge_families(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    const struct named edges = {"edge", v->conf->n_edges, edge_name, total->edges, sizeof(total->edges[0])};
    for (const struct field *f = edge_fields; f->name; f++)
        one_family(d, v->conf, &edges, f);
    for (unsigned c = 0; c < EDGE_COUNTER_MAX; c++)
        counter_family(d, v->conf, &edges, edge_counter_name(c), edge_counter_help(c), EDGE(counters.v[c]));
}

/* A histogram as Prometheus has it: each bucket holds those of the ones before it. */
static void histogram(struct doc *d, const char *name, const char *label, const char *of,
                      const struct durations *t)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < DURATIONS_BOUNDS; i++) {
        count += t->samples[i];
        doc_printf(d, "%s_bucket{%s=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, label, of,
                   (double)durations_bounds[i] / BRAID_SECOND, count);
    }
    count += t->samples[DURATIONS_BOUNDS];
    doc_printf(d, "%s_bucket{%s=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, label, of, count);
    doc_printf(d, "%s_sum{%s=\"%s\"} %.6f\n", name, label, of, (double)t->sum_us / BRAID_SECOND);
    doc_printf(d, "%s_count{%s=\"%s\"} %" PRIu64 "\n", name, label, of, count);
}

static void time_family(struct doc *d, const struct conf *conf, const struct named *s, const char *time,
                        const char *help, size_t offset)
{
    char name[FAMILY_NAME];
    snprintf(name, sizeof(name), "braid_%s_%s_seconds", s->label, time);
    render_family(d, name, "histogram", help);
    for (unsigned i = 0; i < s->n; i++)
        histogram(d, name, s->label, s->name(conf, i),
                  (const struct durations *)((const char *)s->first + i * s->size + offset));
}

static void edge_times(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    const struct named edges = {"edge", v->conf->n_edges, edge_name, total->edges, sizeof(total->edges[0])};
    for (unsigned t = 0; t < EDGE_TIME_MAX && edges.n > 0; t++)
        time_family(d, v->conf, &edges, edge_time_name(t), edge_time_help(t), EDGE(counters.times[t]));
}

static void cpe_families(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    const struct named cpes = {"cpe", v->conf->n_cpes, cpe_name, total->cpes, sizeof(total->cpes[0])};
    if (cpes.n == 0)
        return;
    for (const struct field *f = cpe_fields; f->name; f++)
        one_family(d, v->conf, &cpes, f);
    for (unsigned c = 0; c < CPE_COUNTER_MAX; c++)
        counter_family(d, v->conf, &cpes, cpe_counter_name(c), cpe_counter_help(c), CPE(counters.v[c]));
    for (unsigned t = 0; t < CPE_TIME_MAX; t++)
        time_family(d, v->conf, &cpes, cpe_time_name(t), cpe_time_help(t), CPE(counters.times[t]));
}

/* ---- the counters ---------------------------------------------------------------------------------------
 */

/* Groups of nstat's names, the longest first, and what they become; the words that some names of the group
 * repeat. */
static const struct {
    const char *group, *prefix, *repeated;
} groups[] = {
    {"MPTcpExt", "mptcp_", "MPTCP"}, {"TcpExt", "tcp_", "TCP"}, {"Tcp", "tcp_", NULL},
    {"Icmp", "icmp_", NULL},         {"Braid", "", NULL},
};

static bool is_upper(char c)
{
    return isupper((unsigned char)c);
}

/* True where "MPJoinSynAckHMacFailures" is cut: before a capital that follows a small letter, and before the
 * last of three or more capitals if a word goes on from it (MP_Join, but HMac, and the plural RTOs). */
static bool begins_word(const char *name, const char *s)
{
    if (s == name || !is_upper(*s))
        return false;
    if (!is_upper(s[-1]))
        return true;
    bool goes_on = islower((unsigned char)s[1]) && !(s[1] == 's' && !islower((unsigned char)s[2]));
    return goes_on && s - name >= 2 && is_upper(s[-2]);
}

const char *render_metric_name(const char *counter, char *out, size_t outlen)
{
    size_t n = 0;
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        size_t len = strlen(groups[g].group);
        if (strncmp(counter, groups[g].group, len) != 0)
            continue;
        counter += len;
        n = (size_t)snprintf(out, outlen, "%s", groups[g].prefix);
        size_t again = groups[g].repeated ? strlen(groups[g].repeated) : 0;
        if (again && strncmp(counter, groups[g].repeated, again) == 0)
            counter += again;
        break;
    }
    for (const char *s = counter; *s && n + 2 < outlen; s++) {
        if (begins_word(counter, s))
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*s);
    }
    out[n] = '\0';
    return out;
}

static void counter_families(struct doc *d, const struct snapshot_worker *total)
{
    for (unsigned i = 0; i < COUNT_MAX; i++) {
        char core[64], name[80], help[160];
        snprintf(name, sizeof(name), "braid_%s_total",
                 render_metric_name(braid_counter_name(i), core, sizeof(core)));
        snprintf(help, sizeof(help), "%s (%s)", braid_counter_help(i), braid_counter_name(i));
        render_family(d, name, "counter", help);
        sample(d, name, total->counters.v[i]);
    }
}

void render_metrics(struct doc *d, const struct snapshot_view *v)
{
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    render_family(d, "braid_build_info", "gauge", "The version of the daemon, as a label.");
    doc_puts(d, "braid_build_info{version=\"" BRAID_VERSION "\"} 1\n");
    gauge(d, "braid_start_time_seconds", "When the daemon started, in UNIX time.", (uint64_t)v->started_s);
    gauge(d, "braid_workers", "Worker threads.", v->n_workers);
    render_family(d, "braid_log_lines_lost_total", "counter", "Lines of the log that nobody read in time.");
    sample(d, "braid_log_lines_lost_total", v->log_lost);
    render_family(d, "braid_system_calls_refused_total", "counter",
                  "System calls that the daemon is not known to need, and that were refused.");
    sample(d, "braid_system_calls_refused_total", v->refused);
    edge_families(d, v, total);
    render_targets_metrics(d, v, total);
    edge_times(d, v, total);
    cpe_families(d, v, total);
    render_paths_metrics(d, v, total);
    render_rates_metrics(d, v);
    render_uplinks_metrics(d, v);
    worker_families(d, v);
    counter_families(d, total);
    free(total);
}
