/* Snapshots as documents: JSON, tables for people, and Prometheus' text format. */
#ifndef BRAID_ADMIN_RENDER_H
#define BRAID_ADMIN_RENDER_H

#include "admin/doc.h"
#include "admin/json.h"
#include "admin/snapshot.h"

void render_status_json(struct doc *d, const struct snapshot_view *v);
void render_counters_json(struct doc *d, const struct snapshot_view *v);
/* One connection, number i of the job. */
void render_conn_json(struct doc *d, const struct snapshot_view *v, const struct snapshot_job *job,
                      unsigned i);

void render_status_text(struct doc *d, const struct snapshot_view *v);
void render_counters_text(struct doc *d, const struct snapshot_view *v);
void render_conn_text(struct doc *d, const struct snapshot_view *v, const struct snapshot_job *job,
                      unsigned i);

/* Servers that are left to their clients, as render_bypass_merge made them. cleared: they have just been
 * forgotten. */
void render_bypass_json(struct doc *d, const struct snapshot_view *v, const struct bypass_entry *entries,
                        size_t n, bool cleared);
void render_bypass_text(struct doc *d, const struct snapshot_view *v, const struct bypass_entry *entries,
                        size_t n, bool cleared);
/* Makes one entry of those that several workers have of a destination: the longest time, and the sum of SYNs.
 * Returns how many are left, sorted by edge and address. */
size_t render_bypass_merge(struct bypass_entry *entries, size_t n);

/* One line of what the connection has now. */
void render_change_text(struct doc *d, const struct snapshot_view *v, const struct snapshot_job *job,
                        unsigned i);

/* All algorithms and profiles. */
void render_algorithms_json(struct doc *d, const struct conf *conf);
void render_algorithms_text(struct doc *d, const struct conf *conf);

/* The paths of the configuration. cleared: their bytes have just been forgotten. */
void render_paths_json(struct doc *d, const struct snapshot_view *v, bool cleared);
void render_paths_text(struct doc *d, const struct snapshot_view *v, bool cleared);

void render_metrics(struct doc *d, const struct snapshot_view *v);

/* A list of connections that is made page by page. Zero it first; j and count carry over from page to page.
 */
struct render_list {
    struct json j;
    uint64_t count;
};
void render_list_begin_json(struct render_list *l, struct doc *d);
void render_list_page_json(struct render_list *l, struct doc *d, const struct snapshot_view *v,
                           const struct snapshot_job *job);
void render_list_end_json(struct render_list *l, struct doc *d);
void render_list_begin_text(struct render_list *l, struct doc *d);
void render_list_page_text(struct render_list *l, struct doc *d, const struct snapshot_view *v,
                           const struct snapshot_job *job);
void render_list_end_text(struct render_list *l, struct doc *d);

/* The sums of all workers, for d. The result's edges are those of the view; NULL if memory is short, d has
 * failed then; the caller frees it. */
struct snapshot_worker *render_total(struct doc *d, const struct snapshot_view *v);

#define RENDER_SIZE 24
/* "17 B", "1.5 MiB" into out, which is returned. */
const char *render_size(uint64_t bytes, char out[RENDER_SIZE]);
/* The same as quotas are written in the configuration: "100.0 MB". */
const char *render_volume(uint64_t bytes, char out[RENDER_SIZE]);
/* The name of the path that a subflow belongs to; NULL: none. */
const char *render_path_name(const struct conf *conf, const struct braid_subflow_stats *s);

#define RENDER_TARGET 272 /* room for a host name, its port and a NUL */
/* "server.example:80" or "[2001:db8::1]:80" into out, which is returned. */
const char *render_target(const struct edge_params *p, char out[RENDER_TARGET]);

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

#endif
