/* Snapshots as JSON. The names of members are an interface: programs read them. */
#include <stdio.h>
#include <stdlib.h>
#include <braid/version.h>
#include "admin/meter.h"
#include "admin/ranking.h"
#include "admin/render.h"
#include "base/addr.h"
#include "role/edge_mode.h"

/* ---- status ---------------------------------------------------------------------------------- */

static void core_members(struct json *j, const struct braid_core_stats *c)
{
    json_uint(j, "connections", c->conns);
    json_uint(j, "mptcp_connections", c->conns_mptcp);
    json_uint(j, "subflows", c->subflows);
    json_uint(j, "time_wait", c->time_wait);
    json_uint(j, "connections_total", c->conns_total);
    json_uint(j, "bytes_from_clients", c->bytes_in);
    json_uint(j, "bytes_to_clients", c->bytes_out);
    json_uint(j, "memory", c->memory);
    json_uint(j, "memory_limit", c->memory_limit);
}

static void io_members(struct json *j, const struct worker_counters *io)
{
    for (unsigned i = 0; render_io_counters[i].name; i++)
        json_uint(j, render_io_counters[i].name, render_io_value(io, i));
}

static void edge_object(struct json *j, const struct edge_params *p, const struct snapshot_edge *e,
                        const struct target_sum *targets, struct meter_point now)
{
    char text[RENDER_TARGET];
    json_object(j, NULL);
    json_string(j, "name", p->name);
    json_string(j, "mode", edge_mode(p)->name);
    json_string(j, "listen", edge_listen_text(p, text));
    json_string(j, "target", render_target(p, text));
    render_edge_targets_json(j, p, targets);
    json_string(j, "source", p->client_source ? "client" : "proxy");
    json_array(j, "signal");
    for (unsigned i = 0; i < p->n_signal; i++)
        json_string(j, NULL, ip_text(&p->signal[i], text));
    json_end(j);
    json_string(j, "profile", p->profile ? p->profile->name : NULL);
    render_ports_json(j, p->port_profiles, p->n_port_profiles);
    json_string(j, "scheduler", p->sched->name);
    json_string(j, "congestion", p->cc->name);
    json_string(j, "path_manager", p->pm ? p->pm->name : NULL);
    json_bool(j, "checksum", p->checksum);
    json_bool(j, "fate_sharing", p->fate_sharing);
    json_string(j, "joins", p->no_join ? "signalled" : "any");
    render_versions_json(j, p->version_0, p->believe_addresses);
    json_bool(j, "drained", e->drained);
    json_uint(j, "connections", e->conns);
    json_uint(j, "mptcp_connections", e->conns_mptcp);
    json_uint(j, "subflows", e->subflows);
    json_uint(j, "memory", e->memory);
    json_uint(j, "connecting", e->counters.connecting);
    json_uint(j, "open", e->counters.open);
    for (unsigned i = 0; i < EDGE_COUNTER_MAX; i++)
        json_uint(j, edge_counter_name(i), e->counters.v[i]);
    json_uint(j, "bytes_to_server_per_s", now.in);
    json_uint(j, "bytes_from_server_per_s", now.out);
    json_end(j);
}

void render_status_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    json_object(&j, NULL);
    json_string(&j, "version", BRAID_VERSION);
    json_int(&j, "uptime_s", v->uptime_s);
    json_uint(&j, "log_lines_lost", v->log_lost);
    json_uint(&j, "system_calls_refused", v->refused);
    json_object(&j, "total");
    core_members(&j, &total->core);
    json_end(&j);
    json_array(&j, "edges");
    const struct target_sum *targets = total->targets;
    for (unsigned i = 0; i < v->conf->n_edges; targets += v->conf->edges[i++].pool.n)
        edge_object(&j, &v->conf->edges[i], &total->edges[i], targets,
                    meter_point(v->meter, METER_EDGES, i, 0));
    json_end(&j);
    render_cpes_json(&j, v, total);
    json_array(&j, "workers");
    for (unsigned w = 0; w < v->n_workers; w++) {
        json_object(&j, NULL);
        json_uint(&j, "worker", w);
        core_members(&j, &v->workers[w]->core);
        io_members(&j, &v->workers[w]->io);
        json_end(&j);
    }
    json_end(&j);
    json_end(&j);
    doc_puts(d, "\n");
    free(total);
}

void render_counters_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    json_object(&j, NULL);
    for (unsigned i = 0; i < COUNT_MAX; i++)
        json_uint(&j, braid_counter_name(i), total->counters.v[i]);
    io_members(&j, &total->io);
    json_end(&j);
    doc_puts(d, "\n");
    free(total);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void subflow_object(struct json *j, const struct conf *conf, const struct braid_subflow_stats *s)
{
    json_object(j, NULL);
    json_uint(j, "id", s->id);
    json_addr(j, "local", &s->local);
    json_addr(j, "remote", &s->remote);
    json_string(j, "state", s->state);
    json_string(j, "congestion", s->congestion);
    json_bool(j, "backup", s->backup);
    json_bool(j, "stale", s->stale);
    json_string(j, "path", render_path_name(conf, s));
    json_uint(j, "cost", s->cost);
    json_uint(j, "weight", s->weight);
    json_bool(j, "over_quota", s->over_quota);
    json_int(j, "srtt_us", s->srtt_us);
    json_int(j, "rttvar_us", s->rttvar_us);
    json_int(j, "min_rtt_us", s->min_rtt_us);
    json_int(j, "rto_us", s->rto_us);
    json_uint(j, "cwnd", s->cwnd);
    if (s->ssthresh == CC_SSTHRESH_INFINITE)
        json_null(j, "ssthresh");
    else
        json_uint(j, "ssthresh", s->ssthresh);
    json_uint(j, "in_flight", s->in_flight);
    json_uint(j, "bytes_in", s->bytes_in);
    json_uint(j, "bytes_out", s->bytes_out);
    json_uint(j, "retransmits", s->retransmits);
    json_uint(j, "pacing_rate", s->pacing_rate);
    json_uint(j, "mss", s->mss);
    json_end(j);
}

/* rate: NULL, or what it carries. */
static void conn_object(struct json *j, const struct snapshot_view *v, const struct snapshot_conn *conn,
                        unsigned worker, braid_time now, const struct census_rate *rate)
{
    const struct braid_conn_stats *c = &conn->stats;
    char token[16];
    json_object(j, NULL);
    json_uint(j, "id", snapshot_conn_id(c->id, worker, v->n_workers));
    json_uint(j, "worker", worker);
    const struct render_conn r = render_conn_of(conn);
    json_string(j, "edge", r.cpe ? NULL : c->listener);
    json_string(j, "cpe", r.cpe ? r.name : NULL);
    json_string(j, "side", !r.cpe ? NULL : r.wan ? "wan" : "lan");
    if (conn->told.other)
        json_uint(j, "joined_with", snapshot_conn_id(conn->told.other, worker, v->n_workers));
    else
        json_null(j, "joined_with");
    json_bool(j, "mptcp", c->mptcp);
    json_bool(j, "fell_back", c->fell_back);
    if (c->mptcp || c->fell_back)
        json_uint(j, "version", c->version);
    else
        json_null(j, "version");
    json_bool(j, "checksum", c->checksum);
    json_bool(j, "fate_sharing", c->fate_sharing);
    json_string(j, "state", render_state(c->state));
    json_string(j, "profile", conn->told.profile ? conn->told.profile->name : NULL);
    json_string(j, "profile_now", conn->told.profile ? conn->told.now->name : NULL);
    json_string(j, "scheduler", c->scheduler);
    json_string(j, "congestion", c->congestion);
    json_string(j, "path_manager", c->path_manager);
    json_string(j, "policy", conn->told.policy);
    json_addr(j, "client", &r.client);
    json_addr(j, "service", &r.service);
    if (conn->told.server.port)
        json_addr(j, "server", &conn->told.server);
    else
        json_null(j, "server");
    snprintf(token, sizeof(token), "%08x", c->token);
    json_string(j, "token", c->mptcp || c->fell_back ? token : NULL);
    json_int(j, "age_us", now - c->opened_at);
    json_int(j, "idle_us", now - c->active_at);
    json_uint(j, "bytes_from_client", r.from_client);
    json_uint(j, "bytes_to_client", r.to_client);
    if (rate) {
        json_uint(j, "from_client_per_s", rate->from_client);
        json_uint(j, "to_client_per_s", rate->to_client);
    }
    json_uint(j, "recv_queued", c->recv_queued);
    json_uint(j, "send_queued", c->send_queued);
    json_uint(j, "out_of_order", c->out_of_order);
    json_uint(j, "memory", c->memory);
    json_array(j, "subflows");
    for (unsigned k = 0; k < c->n_subflows; k++)
        subflow_object(j, v->conf, &c->subflows[k]);
    json_end(j);
    json_end(j);
}

void render_conn_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    conn_object(&j, v, v->job->conns[0], v->job->worker, v->job->now, NULL);
    doc_puts(d, "\n");
}

/* Those of the page, or of the ranking. */
static void list_objects(struct render_list *l, const struct snapshot_view *v)
{
    const struct snapshot_job *job = v->job;
    for (unsigned i = 0; v->ranking && i < v->ranking->n; i++) {
        const struct ranked *r = &v->ranking->best[i];
        conn_object(&l->j, v, r->conn, r->worker, r->now, &r->rate);
    }
    for (unsigned i = 0; i < job->n; i++)
        conn_object(&l->j, v, job->conns[i], job->worker, job->now, NULL);
    render_list_count(l, v);
}

void render_list_json(struct doc *d, const struct snapshot_view *v)
{
    struct render_list *l = v->list;
    l->j.doc = d;
    if (!l->begun) {
        json_object(&l->j, NULL);
        json_array(&l->j, "connections");
    }
    l->begun = true;
    list_objects(l, v);
    if (!l->complete)
        return;
    json_end(&l->j);
    if (l->cut)
        json_uint(&l->j, "next_after", l->last);
    else
        json_null(&l->j, "next_after");
    json_uint(&l->j, "count", l->count);
    json_end(&l->j);
    doc_puts(d, "\n");
}

void render_kill_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_uint(&j, "killed", v->killed);
    json_end(&j);
    doc_puts(d, "\n");
}

void render_top_json(struct doc *d, const struct snapshot_view *v)
{
    const struct ranking *r = v->ranking;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_uint(&j, "seen", r->seen);
    json_uint(&j, "matching", r->matching);
    json_array(&j, "connections");
    for (unsigned i = 0; i < r->n; i++)
        conn_object(&j, v, r->best[i].conn, r->best[i].worker, r->best[i].now, &r->best[i].rate);
    json_end(&j);
    json_end(&j);
    doc_puts(d, "\n");
}
