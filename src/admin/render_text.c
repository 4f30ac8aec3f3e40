/* Snapshots as tables for people: the same figures as in the JSON documents, with units. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <braid/version.h>
#include "admin/ranking.h"
#include "admin/render.h"
#include "base/addr.h"

/* "2 d 03:04:05" into out, which is returned. */
static const char *duration_text(int64_t s, char out[RENDER_SIZE])
{
    int days = (int)(s / 86400), rest = (int)(s % 86400);
    int n = days ? snprintf(out, RENDER_SIZE, "%d d ", days) : 0;
    snprintf(out + n, RENDER_SIZE - (size_t)n, "%02d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
    return out;
}

/* ---- status ---------------------------------------------------------------------------------- */

static void core_row(struct doc *d, const char *who, const struct braid_core_stats *c)
{
    char in[RENDER_SIZE], out[RENDER_SIZE], memory[RENDER_SIZE], limit[RENDER_SIZE];
    doc_printf(d, "%-10s %11" PRIu64 " %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %12s %12s  %s of %s\n", who,
               c->conns, c->conns_mptcp, c->subflows, c->conns_total, render_size(c->bytes_in, in),
               render_size(c->bytes_out, out), render_size(c->memory, memory),
               render_size(c->memory_limit, limit));
}

static void edge_rows(struct doc *d, const struct edge_params *p, const struct snapshot_edge *e)
{
    char listen[EDGE_TEXT], target[RENDER_TARGET], memory[RENDER_SIZE], from[RENDER_SIZE], to[RENDER_SIZE];
    doc_printf(d, "\nedge %s: %s%s%s -> %s%s, %s%s%s, %s%s%s%s\n", p->name,
               p->kind == EDGE_EXPLICIT ? "" : edge_kind_name(p->kind), p->kind == EDGE_EXPLICIT ? "" : ", ",
               edge_listen_text(p, listen), render_target(p, target),
               p->client_source ? " from the client's address" : "", p->profile ? p->profile->name : "",
               p->profile ? ": " : "", p->sched->name, p->cc->name, p->checksum ? ", checksums" : "",
               p->fate_sharing ? ", fate sharing" : "", e->drained ? ", drained" : "");
    render_ports_text(d, p->port_profiles, p->n_port_profiles);
    doc_printf(d,
               "  %" PRIu64 " connections (%" PRIu64 " MPTCP, %" PRIu64 " waiting for the server), %" PRIu64
               " subflows, %s of buffers\n",
               e->conns, e->conns_mptcp, e->counters.connecting, e->subflows, render_size(e->memory, memory));
    doc_printf(d, "  to servers %s, from servers %s\n", render_size(e->counters.v[EDGE_TO_SERVER], to),
               render_size(e->counters.v[EDGE_FROM_SERVER], from));
    doc_puts(d, " ");
    for (unsigned i = 0; i < EDGE_COUNTER_MAX; i++)
        if (i != EDGE_TO_SERVER && i != EDGE_FROM_SERVER)
            doc_printf(d, " %s %" PRIu64, edge_counter_name(i), e->counters.v[i]);
    doc_puts(d, "\n");
}

void render_status_text(struct doc *d, const struct snapshot_view *v)
{
    char up[RENDER_SIZE];
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    doc_printf(d, "Braid %s, up %s, %u worker%s\n\n", BRAID_VERSION, duration_text(v->uptime_s, up),
               v->n_workers, v->n_workers == 1 ? "" : "s");
    doc_printf(d, "%-10s %11s %8s %8s %10s %12s %12s  %s\n", "", "CONNECTIONS", "MPTCP", "SUBFLOWS", "EVER",
               "FROM CLIENTS", "TO CLIENTS", "BUFFERS");
    core_row(d, "all", &total->core);
    for (unsigned w = 0; w < v->n_workers; w++) {
        char who[24];
        snprintf(who, sizeof(who), "worker %u", w);
        core_row(d, who, &v->workers[w]->core);
    }
    for (unsigned i = 0; i < v->conf->n_edges; i++)
        edge_rows(d, &v->conf->edges[i], &total->edges[i]);
    render_cpes_text(d, v, total);
    free(total);
}

void render_counters_text(struct doc *d, const struct snapshot_view *v)
{
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    for (unsigned i = 0; i < COUNT_MAX; i++)
        doc_printf(d, "%-34s %14" PRIu64 "  %s\n", braid_counter_name(i), total->counters.v[i],
                   braid_counter_help(i));
    for (unsigned i = 0; render_io_counters[i].name; i++)
        doc_printf(d, "%-34s %14" PRIu64 "  %s\n", render_io_counters[i].name, render_io_value(&total->io, i),
                   render_io_counters[i].help);
    free(total);
}

/* ---- connections ----------------------------------------------------------------------------- */

static const char *kind_text(const struct braid_conn_stats *c)
{
    return c->mptcp ? "mptcp" : c->fell_back ? "fallback" : "tcp";
}

static const char *server_text(const struct snapshot_conn *c, char out[ADDR_TEXT])
{
    return c->told.server.port ? addr_text(&c->told.server, out) : "-";
}

#define LIST_FORMAT "%-8s %-12s %-8s %-12s %-26s %-26s %4s %12s %12s\n"

static void list_row(struct doc *d, const struct snapshot_view *v, const struct snapshot_conn *conn,
                     unsigned worker)
{
    const struct braid_conn_stats *c = &conn->stats;
    char id[24], subflows[16], client[ADDR_TEXT], server[ADDR_TEXT], from[RENDER_SIZE], to[RENDER_SIZE];
    snprintf(id, sizeof(id), "%" PRIu64, snapshot_conn_id(c->id, worker, v->n_workers));
    snprintf(subflows, sizeof(subflows), "%u", c->n_subflows);
    const struct render_conn r = render_conn_of(conn);
    doc_printf(d, LIST_FORMAT, id, r.name, kind_text(c), render_state(c->state), addr_text(&r.client, client),
               server_text(conn, server), subflows, render_size(r.from_client, from),
               render_size(r.to_client, to));
}

void render_list_text(struct doc *d, const struct snapshot_view *v)
{
    struct render_list *l = v->list;
    if (!l->begun)
        doc_printf(d, LIST_FORMAT, "ID", "EDGE", "KIND", "STATE", "CLIENT", "SERVER", "SUBF", "FROM CLIENT",
                   "TO CLIENT");
    for (unsigned i = 0; v->ranking && i < v->ranking->n; i++)
        list_row(d, v, v->ranking->best[i].conn, v->ranking->best[i].worker);
    for (unsigned i = 0; i < v->job->n; i++)
        list_row(d, v, v->job->conns[i], v->job->worker);
    l->begun = true;
    render_list_count(l, v);
    if (!l->complete)
        return;
    doc_printf(d, "%" PRIu64 " connection%s\n", l->count, l->count == 1 ? "" : "s");
    if (l->cut)
        doc_printf(d, "what follows is listed by after=%" PRIu64 "\n", l->last);
}

void render_kill_text(struct doc *d, const struct snapshot_view *v)
{
    doc_printf(d, "ended %" PRIu64 " connection%s\n", v->killed, v->killed == 1 ? "" : "s");
}

static void subflow_rows(struct doc *d, const struct conf *conf, const struct braid_subflow_stats *s)
{
    char local[ADDR_TEXT], remote[ADDR_TEXT], in[RENDER_SIZE], out[RENDER_SIZE], cwnd[RENDER_SIZE],
        flight[RENDER_SIZE];
    char ssthresh[RENDER_SIZE], pace[RENDER_SIZE];
    doc_printf(d, "\nsubflow %u: %s <- %s, %s%s%s\n", s->id, addr_text(&s->local, local),
               addr_text(&s->remote, remote), s->state, s->backup ? ", backup" : "",
               s->stale ? ", stale" : "");
    if (s->path_rule >= 0)
        doc_printf(d, "  path %s: cost %u, weight %u%s\n", render_path_name(conf, s), s->cost, s->weight,
                   s->over_quota ? ", over its quota" : "");
    doc_printf(d, "  in %s, out %s, %" PRIu64 " retransmits, mss %u\n", render_size(s->bytes_in, in),
               render_size(s->bytes_out, out), s->retransmits, s->mss);
    doc_printf(d, "  rtt %" PRId64 " us (var %" PRId64 ", min %" PRId64 "), rto %" PRId64 " us\n", s->srtt_us,
               s->rttvar_us, s->min_rtt_us, s->rto_us);
    doc_printf(d, "  %s: cwnd %s, ssthresh %s, in flight %s, pacing %s/s\n", s->congestion,
               render_size(s->cwnd, cwnd),
               s->ssthresh == CC_SSTHRESH_INFINITE ? "none" : render_size(s->ssthresh, ssthresh),
               render_size(s->in_flight, flight), render_size(s->pacing_rate, pace));
}

static void choice(struct doc *d, const struct snapshot_conn *c)
{
    const struct profile *p = c->told.profile, *now = c->told.now;
    if (c->told.policy)
        doc_printf(d, "policy %s, ", c->told.policy);
    if (p)
        doc_printf(d, "profile %s%s%s%s, ", p->name, p == now ? "" : " (", p == now ? "" : now->name,
                   p == now ? "" : ")");
    doc_printf(d, "scheduler %s, congestion %s, path manager %s\n", c->stats.scheduler, c->stats.congestion,
               c->stats.path_manager);
}

void render_change_text(struct doc *d, const struct snapshot_view *v)
{
    const struct snapshot_conn *c = v->job->conns[0];
    doc_printf(d, "connection %" PRIu64 ": ", snapshot_conn_id(c->stats.id, v->job->worker, v->n_workers));
    choice(d, c);
}

void render_conn_text(struct doc *d, const struct snapshot_view *v)
{
    const struct snapshot_job *job = v->job;
    const struct snapshot_conn *conn = job->conns[0];
    const struct braid_conn_stats *c = &conn->stats;
    char a[ADDR_TEXT], b[ADDR_TEXT], s[ADDR_TEXT], age[RENDER_SIZE], x[RENDER_SIZE], y[RENDER_SIZE],
        z[RENDER_SIZE];
    const struct render_conn r = render_conn_of(conn);
    doc_printf(d, "connection %" PRIu64 " of %s %s%s, worker %u: %s%s, %s%s%s\n",
               snapshot_conn_id(c->id, job->worker, v->n_workers), r.cpe ? "cpe" : "edge", r.name,
               !r.cpe  ? ""
               : r.wan ? ", over the uplinks"
                       : ", of the LAN",
               job->worker, kind_text(c), c->mptcp && c->version == 0 ? " version 0" : "",
               render_state(c->state), c->checksum ? ", checksums" : "",
               c->fate_sharing ? ", fate sharing" : "");
    if (conn->told.other)
        doc_printf(d, "  joined with connection %" PRIu64 "\n",
                   snapshot_conn_id(conn->told.other, job->worker, v->n_workers));
    doc_printf(d, "  %s -> %s -> %s, open for %s\n", addr_text(&r.client, a), addr_text(&r.service, b),
               server_text(conn, s), duration_text((job->now - c->opened_at) / BRAID_SECOND, age));
    if (c->mptcp || c->fell_back)
        doc_printf(d, "  token %08x, ", c->token);
    else
        doc_puts(d, "  ");
    choice(d, conn);
    doc_printf(d, "  from client %s, to client %s\n", render_size(r.from_client, x),
               render_size(r.to_client, y));
    doc_printf(d, "  buffers %s: ", render_size(c->memory, x));
    doc_printf(d, "%s to be read, %s to be sent, %s out of order\n", render_size(c->recv_queued, x),
               render_size(c->send_queued, y), render_size(c->out_of_order, z));
    for (unsigned k = 0; k < c->n_subflows; k++)
        subflow_rows(d, v->conf, &c->subflows[k]);
}

#define TOP_FORMAT "%-8s %-12s %-8s %-26s %-26s %14s %14s %4s %9s %6s\n"

static void top_row(struct doc *d, const struct snapshot_view *v, const struct ranked *one)
{
    const struct braid_conn_stats *c = &one->conn->stats;
    const struct render_conn r = render_conn_of(one->conn);
    char id[24], client[ADDR_TEXT], server[ADDR_TEXT], from[RENDER_SIZE], to[RENDER_SIZE], subflows[16],
        rtt[16], again[16];
    snprintf(id, sizeof(id), "%" PRIu64, snapshot_conn_id(c->id, one->worker, v->n_workers));
    snprintf(subflows, sizeof(subflows), "%u", c->n_subflows);
    snprintf(rtt, sizeof(rtt), "%.1f ms", (double)ranking_worst_rtt(c) / BRAID_MS);
    snprintf(again, sizeof(again), "%" PRIu64, ranking_retransmits(c));
    doc_printf(d, TOP_FORMAT, id, r.name, kind_text(c), addr_text(&r.client, client),
               server_text(one->conn, server), render_bit_rate(one->rate.from_client, from),
               render_bit_rate(one->rate.to_client, to), subflows, rtt, again);
}

void render_top_text(struct doc *d, const struct snapshot_view *v)
{
    const struct ranking *r = v->ranking;
    doc_printf(d, TOP_FORMAT, "ID", "EDGE", "KIND", "CLIENT", "SERVER", "FROM CLIENT", "TO CLIENT", "SUBF",
               "RTT", "RETRAN");
    for (unsigned i = 0; i < r->n; i++)
        top_row(d, v, &r->best[i]);
    doc_printf(d, "%u of %" PRIu64 " connection%s\n", r->n, r->matching, r->matching == 1 ? "" : "s");
}
