/* What the formats share: sums over workers, and the table of the driver's counters. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admin/ranking.h"
#include "admin/render.h"
#include "admin/state_name.h"

#define IO(field, name, help)                                                                                \
    {                                                                                                        \
        name, help, offsetof(struct worker_counters, field)                                                  \
    }
const struct render_io_counter render_io_counters[] = {
    IO(wakeups, "loop_turns", "turns of the event loop"),
    IO(polled, "loop_polled", "turns of the event loop that found work before they slept"),
    IO(polled_in_vain, "loop_polled_in_vain",
       "turns of the event loop that looked for work and slept all the same"),
    IO(flushes, "loop_flushes", "turns of the event loop with work for the stack"),
    IO(tun_reads, "tun_reads", "read calls on the TUN, those that found nothing included"),
    IO(tun_packets_in, "tun_packets_in", "packets read from the TUN, a super-packet counts once"),
    IO(tun_bytes_in, "tun_bytes_in", "bytes of IP packets read from the TUN"),
    IO(tun_packets_out, "tun_packets_out", "packets written to the TUN, a super-packet counts once"),
    IO(tun_bytes_out, "tun_bytes_out", "bytes of IP packets written to the TUN"),
    IO(tun_in_errors, "tun_in_errors", "reads from the TUN that failed or were not a packet"),
    IO(tun_out_drops, "tun_out_drops", "packets that the TUN had no room for"),
    IO(tun_out_errors, "tun_out_errors", "packets that the TUN refused"),
    IO(handed_over, "handed_over", "packets passed on to other workers"),
    IO(handed_over_lost, "handed_over_lost", "packets lost on their way to another worker"),
    IO(taken_over, "taken_over", "packets that other workers passed on"),
    {NULL, NULL, 0},
};

const char *render_state(enum braid_conn_state state)
{
    return state_name(state);
}

void render_versions_json(struct json *j, bool version_0, bool believe_addresses)
{
    json_string(j, "versions", version_0 ? "0,1" : "1");
    json_string(j, "v0_addresses", believe_addresses ? "believe" : "ignore");
}

void render_list_count(struct render_list *l, const struct snapshot_view *v)
{
    const struct snapshot_job *job = v->job;
    l->count += job->n + (v->ranking ? v->ranking->n : 0);
    if (job->n > 0)
        l->last = snapshot_conn_id(job->conns[job->n - 1]->stats.id, job->worker, v->n_workers);
}

void render_family(struct doc *d, const char *name, const char *type, const char *help)
{
    doc_printf(d, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_words(uint64_t *to, const uint64_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
        to[i] += from[i];
}

uint64_t render_io_value(const struct worker_counters *c, unsigned i)
{
    return *(const uint64_t *)((const char *)c + render_io_counters[i].offset);
}

static void add_core(struct braid_core_stats *to, const struct braid_core_stats *from)
{
    to->conns += from->conns;
    to->conns_mptcp += from->conns_mptcp;
    to->subflows += from->subflows;
    to->time_wait += from->time_wait;
    to->conns_total += from->conns_total;
    to->bytes_in += from->bytes_in;
    to->bytes_out += from->bytes_out;
    to->memory += from->memory;
    to->memory_limit += from->memory_limit;
}

static void add_edge(struct snapshot_edge *to, const struct snapshot_edge *from)
{
    add_words(to->counters.v, from->counters.v, sizeof(to->counters.v));
    to->counters.connecting += from->counters.connecting;
    to->counters.open += from->counters.open;
    for (unsigned i = 0; i < EDGE_TIME_MAX; i++)
        durations_add(&to->counters.times[i], &from->counters.times[i]);
    to->conns += from->conns;
    to->conns_mptcp += from->conns_mptcp;
    to->subflows += from->subflows;
    to->memory += from->memory;
    to->drained |= from->drained;
}

static void add_cpe(struct snapshot_cpe *to, const struct snapshot_cpe *from)
{
    add_words(to->counters.v, from->counters.v, sizeof(to->counters.v));
    to->counters.connecting += from->counters.connecting;
    to->counters.open += from->counters.open;
    for (unsigned i = 0; i < CPE_TIME_MAX; i++)
        durations_add(&to->counters.times[i], &from->counters.times[i]);
    to->conns += from->conns;
    to->conns_mptcp += from->conns_mptcp;
    to->subflows += from->subflows;
    to->memory += from->memory;
    to->drained |= from->drained;
}

/* An address that one worker does without is not up. */
static void add_target(struct target_sum *to, const struct target_sum *from, bool first)
{
    if (first || from->up < to->up)
        to->up = from->up;
    if (from->addresses > to->addresses)
        to->addresses = from->addresses;
    to->conns += from->conns;
    to->counters.connections += from->counters.connections;
    to->counters.failures += from->counters.failures;
    to->counters.ejections += from->counters.ejections;
}

struct snapshot_worker *render_total(struct doc *d, const struct snapshot_view *v)
{
    unsigned n = v->conf->n_edges;
    struct snapshot_worker *sum = snapshot_worker_new(v->conf);
    for (unsigned w = 0; sum && w < v->n_workers; w++) {
        const struct snapshot_worker *from = v->workers[w];
        add_core(&sum->core, &from->core);
        sum->strips |= from->strips;
        add_words(sum->counters.v, from->counters.v, sizeof(sum->counters.v));
        for (unsigned i = 0; render_io_counters[i].name; i++)
            *(uint64_t *)((char *)&sum->io + render_io_counters[i].offset) += render_io_value(&from->io, i);
        for (unsigned i = 0; i < n; i++)
            add_edge(&sum->edges[i], &from->edges[i]);
        for (unsigned i = 0; i < sum->n_cpes; i++)
            add_cpe(&sum->cpes[i], &from->cpes[i]);
        for (unsigned i = 0; i < sum->n_targets; i++)
            add_target(&sum->targets[i], &from->targets[i], w == 0);
        /* nothing but words of 64 bits in there */
        add_words((uint64_t *)sum->paths, (const uint64_t *)from->paths,
                  (sum->n_paths + 1) * sizeof(sum->paths[0]));
    }
    d->failed = d->failed || !sum;
    return sum;
}

const char *render_target(const struct edge_params *p, char out[RENDER_TARGET])
{
    if (p->pool.n == 0) {
        snprintf(out, RENDER_TARGET, "any");
        return out;
    }
    render_host(p->pool.targets[0].host, p->pool.targets[0].port, out);
    if (p->pool.n > 1)
        snprintf(out + strlen(out), RENDER_TARGET - strlen(out), " +%u", p->pool.n - 1);
    return out;
}

const char *render_host(const char *host, uint16_t port, char out[RENDER_TARGET])
{
    bool v6 = strchr(host, ':') != NULL;
    snprintf(out, RENDER_TARGET, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
    return out;
}

/* "1.5 MiB": in the largest of the units, each `step` times the one before, of which there is at least one.
 */
static const char *scaled_text(uint64_t bytes, uint64_t step, const char *const units[6],
                               char out[RENDER_SIZE])
{
    if (bytes < step) {
        snprintf(out, RENDER_SIZE, "%" PRIu64 " B", bytes);
        return out;
    }
    unsigned u = 0;
    uint64_t scaled = bytes; /* in units[u] times step */
    for (; scaled >= step * step && u < 5; u++)
        scaled /= step;
    snprintf(out, RENDER_SIZE, "%" PRIu64 ".%u %s", scaled / step, (unsigned)(scaled % step * 10 / step),
             units[u]);
    return out;
}

const char *render_size(uint64_t bytes, char out[RENDER_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    return scaled_text(bytes, 1024, units, out);
}

const char *render_volume(uint64_t bytes, char out[RENDER_SIZE])
{
    static const char *const units[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
    return scaled_text(bytes, 1000, units, out);
}

const char *render_bit_rate(uint64_t bytes, char out[RENDER_SIZE])
{
    static const char *const units[] = {"kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"};
    uint64_t bits = bytes > UINT64_MAX / 8 ? UINT64_MAX : bytes * 8;
    if (bits >= 1000)
        return scaled_text(bits, 1000, units, out);
    snprintf(out, RENDER_SIZE, "%" PRIu64 " bit/s", bits);
    return out;
}

const char *render_path_name(const struct conf *conf, const struct braid_subflow_stats *s)
{
    return s->path_rule >= 0 ? conf->path_names[s->path_rule] : NULL;
}

size_t render_merge(void *rows, size_t n, size_t size, int (*compare)(const void *a, const void *b),
                    void (*join)(void *kept, const void *same))
{
    char *all = rows;
    size_t kept = 0;
    if (n > 1)
        qsort(rows, n, size, compare);
    for (size_t i = 0; i < n; i++) {
        char *row = all + i * size, *end = all + kept * size;
        if (kept > 0 && compare(end - size, row) == 0) {
            join(end - size, row);
        } else {
            memmove(end, row, size);
            kept++;
        }
    }
    return kept;
}

int64_t render_seconds(braid_time time)
{
    return (time + BRAID_SECOND - 1) / BRAID_SECOND;
}

struct render_conn render_conn_of(const struct snapshot_conn *c)
{
    const struct braid_conn_stats *s = &c->stats;
    const struct relayed *told = &c->told;
    struct render_conn out = {.name = s->listener ? s->listener : "-",
                              .client = s->remote,
                              .service = s->local,
                              .from_client = s->bytes_in,
                              .to_client = s->bytes_out};
    if (!told->cpe) { /* an edge's, which may know better than the packets whose it is; or nobody's */
        if (told->meant.port > 0)
            out.client = told->client;
        return out;
    }
    out.name = told->cpe;
    out.cpe = true;
    out.wan = told->wan;
    out.client = told->client;
    out.service = told->meant;
    if (out.wan) {
        out.from_client = s->bytes_out;
        out.to_client = s->bytes_in;
    }
    return out;
}
