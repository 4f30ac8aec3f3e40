/* The CPEs of a snapshot, in the status and among the metrics. */
#include <inttypes.h>
#include <stdio.h>
#include "admin/meter.h"
#include "admin/render.h"

/* ---- status ---------------------------------------------------------------------------------- */

/* "80", "1-65535" into text, which is returned. */
static const char *ports_text(const struct cpe_params *p, char text[RENDER_SIZE])
{
    if (p->port_first == p->port_last)
        snprintf(text, RENDER_SIZE, "%u", p->port_first);
    else
        snprintf(text, RENDER_SIZE, "%u-%u", p->port_first, p->port_last);
    return text;
}

static void cpe_rows(struct doc *d, const struct cpe_params *p, const struct snapshot_cpe *c)
{
    char ports[RENDER_SIZE], peer[RENDER_TARGET], memory[RENDER_SIZE], up[RENDER_SIZE], down[RENDER_SIZE];
    doc_printf(d, "\ncpe %s: %s", p->name, cpe_kind_name(p->kind));
    for (unsigned i = 0; i < p->n_peers; i++)
        doc_printf(d, "%s%s", i ? ", " : " -> ", render_host(p->peers[i].host, p->peers[i].port, peer));
    doc_printf(d, ", ports %s, %s: %s, %s, %s%s%s%s%s\n", ports_text(p, ports), p->profile->name,
               p->sched->name, p->cc->name, p->pm->name, p->checksum ? ", checksums" : "",
               p->no_plain ? ", MPTCP only" : "", p->fate_sharing ? ", fate sharing" : "",
               c->drained ? ", drained" : "");
    render_ports_text(d, p->port_profiles, p->n_port_profiles);
    doc_printf(d,
               "  %" PRIu64 " connections (%" PRIu64 " MPTCP, %" PRIu64 " waiting for the far side), %" PRIu64
               " subflows, %s of buffers\n",
               c->conns, c->conns_mptcp, c->counters.connecting, c->subflows, render_size(c->memory, memory));
    doc_printf(d, "  up %s, down %s\n ", render_size(c->counters.v[CPE_UP], up),
               render_size(c->counters.v[CPE_DOWN], down));
    for (unsigned i = 0; i < CPE_COUNTER_MAX; i++)
        if (i != CPE_UP && i != CPE_DOWN)
            doc_printf(d, " %s %" PRIu64, cpe_counter_name(i), c->counters.v[i]);
    doc_puts(d, "\n");
}

void render_cpes_text(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    for (unsigned i = 0; i < v->conf->n_cpes; i++)
        cpe_rows(d, &v->conf->cpes[i], &total->cpes[i]);
}

static void cpe_object(struct json *j, const struct cpe_params *p, const struct snapshot_cpe *c,
                       struct meter_point now)
{
    char text[RENDER_TARGET];
    json_object(j, NULL);
    json_string(j, "name", p->name);
    json_string(j, "mode", cpe_kind_name(p->kind));
    json_array(j, "peers");
    for (unsigned i = 0; i < p->n_peers; i++)
        json_string(j, NULL, render_host(p->peers[i].host, p->peers[i].port, text));
    json_end(j);
    json_string(j, "ports", ports_text(p, text));
    json_string(j, "plain", p->no_plain ? "refuse" : "fallback");
    json_string(j, "profile", p->profile->name);
    render_ports_json(j, p->port_profiles, p->n_port_profiles);
    json_string(j, "scheduler", p->sched->name);
    json_string(j, "congestion", p->cc->name);
    json_string(j, "path_manager", p->pm->name);
    json_bool(j, "checksum", p->checksum);
    json_bool(j, "fate_sharing", p->fate_sharing);
    render_versions_json(j, p->version_0, p->believe_addresses);
    json_bool(j, "drained", c->drained);
    json_uint(j, "connections", c->conns);
    json_uint(j, "mptcp_connections", c->conns_mptcp);
    json_uint(j, "subflows", c->subflows);
    json_uint(j, "memory", c->memory);
    json_uint(j, "connecting", c->counters.connecting);
    json_uint(j, "open", c->counters.open);
    for (unsigned i = 0; i < CPE_COUNTER_MAX; i++)
        json_uint(j, cpe_counter_name(i), c->counters.v[i]);
    json_uint(j, "bytes_up_per_s", now.in);
    json_uint(j, "bytes_down_per_s", now.out);
    json_end(j);
}

void render_cpes_json(struct json *j, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    json_array(j, "cpes");
    for (unsigned i = 0; i < v->conf->n_cpes; i++)
        cpe_object(j, &v->conf->cpes[i], &total->cpes[i], meter_point(v->meter, METER_CPES, i, 0));
    json_end(j);
}
