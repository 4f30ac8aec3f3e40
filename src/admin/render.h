/* Snapshots as documents: JSON, tables for people, and Prometheus' text format. */
#ifndef BRAID_ADMIN_RENDER_H
#define BRAID_ADMIN_RENDER_H

#include "admin/doc.h"
#include "admin/json.h"
#include "admin/snapshot.h"

/* Appends a document, or the next part of a list, to d. */
typedef void render_fn(struct doc *d, const struct snapshot_view *v);

render_fn render_status_text, render_status_json;
render_fn render_counters_text, render_counters_json;
render_fn render_metrics;
/* One connection, the first of the job. */
render_fn render_conn_text, render_conn_json;
/* One line of what it has now. */
render_fn render_change_text;
/* How many connections were ended. */
render_fn render_kill_text, render_kill_json;
/* The edge or CPE that is meant, or all that are drained, and how many connections they have. */
render_fn render_drain_text, render_drain_json;
/* Servers that are left to their clients. */
render_fn render_bypass_text, render_bypass_json;
/* Targets of edges: each address, and in the metrics each target. */
render_fn render_targets_text, render_targets_json;
void render_targets_metrics(struct doc *d, const struct snapshot_view *v,
                            const struct snapshot_worker *total);
/* ... and as an array of an edge's, whose targets these are. */
void render_edge_targets_json(struct json *j, const struct edge_params *e, const struct target_sum *sums);
/* What was learned of uplinks and those behind them. */
render_fn render_learned_text, render_learned_json;
/* The configuration in force. */
render_fn render_config_text, render_config_json;
/* All algorithms and profiles. */
render_fn render_algorithms_text, render_algorithms_json;
/* The paths of the configuration. */
render_fn render_paths_text, render_paths_json;

/* Events, each a line, or a document a line. */
render_fn render_events_text, render_events_json;

/* One line: an uplink's way in one family, "ipv4", has another state. */
struct render_uplink_event {
    const char *name, *family, *now, *before;
};
void render_uplink_event(struct doc *d, int64_t now_us, const struct render_uplink_event *e, bool as_json);
/* "up", "silent" or "down"; family: enum uplink_family. */
const char *render_uplink_state(const struct uplink *u, unsigned family);

/* HELP and TYPE lines of one family of metrics. */
void render_family(struct doc *d, const char *name, const char *type, const char *help);
/* The paths' part of the metrics. */
void render_paths_metrics(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total);

/* The first connections in some order. */
render_fn render_top_text, render_top_json;
/* What was carried in the last seconds, and its part of the metrics. */
render_fn render_rates_text, render_rates_json, render_rates_metrics;

/* The uplinks, and their part of the metrics. */
render_fn render_uplinks_text, render_uplinks_json, render_uplinks_metrics;

/* A list of connections is made page by page, those of the job each time; or of those of a ranking, at once.
 * Zero it first; it carries over. */
struct render_list {
    struct json j;
    uint64_t count, limit; /* limit 0: none */
    uint64_t last;         /* the id of the last one */
    bool begun;
    bool complete; /* to be set before the last page */
    bool cut;      /* that is the last one since the limit is reached: there may be more */
};
render_fn render_list_text, render_list_json;
/* Counts what of the view is in the list now. */
void render_list_count(struct render_list *l, const struct snapshot_view *v);

/* Makes one of those of the n rows (struct bypass_entry) that several workers have of a destination: the
 * longest time, and the sum of SYNs. Returns how many are left, sorted by edge and address. */
size_t render_bypass_merge(void *rows, size_t n);
/* The same of struct target_entry: counts add up, and the worst state counts. Sorted by edge and place. */
size_t render_targets_merge(void *rows, size_t n);
/* The same of struct learned_entry: what most workers believe is what counts, so the longest time and the
 * most times. Sorted by uplink, kind and address. */
size_t render_learned_merge(void *rows, size_t n);
/* Sorts n rows of so many bytes, and makes one of those that compare as equal: join takes what is worth
 * keeping of the second into the first. Returns how many are left. */
size_t render_merge(void *rows, size_t n, size_t size, int (*compare)(const void *a, const void *b),
                    void (*join)(void *kept, const void *same));
/* Whole seconds, begun ones too. */
int64_t render_seconds(braid_time time);

/* The sums of all workers, for d. The result's edges are those of the view; NULL if memory is short, d has
 * failed then; the caller frees it. */
struct snapshot_worker *render_total(struct doc *d, const struct snapshot_view *v);

#define RENDER_SIZE 24
/* "17 B", "1.5 MiB" into out, which is returned. */
const char *render_size(uint64_t bytes, char out[RENDER_SIZE]);
/* The same as quotas are written in the configuration: "100.0 MB". */
const char *render_volume(uint64_t bytes, char out[RENDER_SIZE]);
/* Bytes per second as a rate of bits: "12.3 Mbit/s". */
const char *render_bit_rate(uint64_t bytes, char out[RENDER_SIZE]);
/* The name of the path that a subflow belongs to; NULL: none. */
const char *render_path_name(const struct conf *conf, const struct braid_subflow_stats *s);

/* A connection's state as operators know it: what is pending waits for its server. A static string. */
const char *render_state(enum braid_conn_state state);

#define RENDER_TARGET 272 /* room for a host name, its port and a NUL */
/* "server.example:80" or "[2001:db8::1]:80" into out, which is returned. */
const char *render_host(const char *host, uint16_t port, char out[RENDER_TARGET]);
/* The same of an edge's target, or "any". */
const char *render_target(const struct edge_params *p, char out[RENDER_TARGET]);

/* A connection as operators think of it: who has asked for it, at which address; of a CPE, its name, and
 * whether the connection is the LAN's or the one over the uplinks. What went from the client, and to it. */
struct render_conn {
    const char *name;
    bool cpe, wan;
    struct braid_addr client, service;
    uint64_t from_client, to_client;
};
struct render_conn render_conn_of(const struct snapshot_conn *c);
/* Its port profiles, if it has any, as a row: "  ports 22: interactive, ...". */
void render_ports_text(struct doc *d, const struct port_profile *ports, unsigned n);
/* ... and as an array. */
void render_ports_json(struct json *j, const struct port_profile *ports, unsigned n);
/* The keys versions and v0_addresses of an edge or a CPE. */
void render_versions_json(struct json *j, bool version_0, bool believe_addresses);
/* All CPEs of the status, after the edges. */
void render_cpes_text(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total);
void render_cpes_json(struct json *j, const struct snapshot_view *v, const struct snapshot_worker *total);

/* The counters of a worker's driver, in a table. */
struct render_io_counter {
    const char *name, *help;
    size_t offset; /* of the uint64_t in struct worker_counters */
};
extern const struct render_io_counter render_io_counters[]; /* ended by a NULL name */
uint64_t render_io_value(const struct worker_counters *c, unsigned i);

/* The counter's name as Prometheus wants it, "tcp_loss_probes" of "TcpExtTCPLossProbes", into out, which is
 * returned. */
const char *render_metric_name(const char *counter, char *out, size_t outlen);

/* Has the configuration read anew, and tells what came of it (reload.c). */
render_fn render_reload_text, render_reload_json;
/* With struct snapshot_view, upgraded. */
render_fn render_upgrade_text, render_upgrade_json;

#endif
