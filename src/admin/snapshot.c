/* Memory of what workers answer. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "admin/snapshot.h"

struct snapshot_worker *snapshot_worker_new(const struct conf *conf)
{
    unsigned n_targets = 0;
    for (unsigned i = 0; i < conf->n_edges; i++)
        n_targets += conf->edges[i].pool.n;
    struct snapshot_worker *w = calloc(1, sizeof(*w) + conf->n_edges * sizeof(struct snapshot_edge) +
                                              conf->n_cpes * sizeof(struct snapshot_cpe) +
                                              (conf->n_paths + 1) * sizeof(struct snapshot_path) +
                                              n_targets * sizeof(struct target_sum));
    if (!w)
        return NULL;
    w->n_edges = conf->n_edges;
    w->n_cpes = conf->n_cpes;
    w->n_paths = conf->n_paths;
    w->cpes = (struct snapshot_cpe *)(w->edges + conf->n_edges);
    w->n_targets = n_targets;
    w->paths = (struct snapshot_path *)(w->cpes + conf->n_cpes);
    w->targets = (struct target_sum *)(w->paths + conf->n_paths + 1);
    return w;
}

struct snapshot_conn *snapshot_conn_new(const struct braid_conn_stats *stats)
{
    size_t used =
        offsetof(struct braid_conn_stats, subflows) + stats->n_subflows * sizeof(stats->subflows[0]);
    struct snapshot_conn *c = calloc(1, offsetof(struct snapshot_conn, stats) + used);
    if (c)
        memcpy((char *)c + offsetof(struct snapshot_conn, stats), stats, used);
    return c;
}

void snapshot_job_clear(struct snapshot_job *job)
{
    for (unsigned i = 0; i < job->n; i++)
        free(job->conns[i]);
    job->n = 0;
    free(job->summary);
    job->summary = NULL;
    free(job->rows);
    job->rows = NULL;
    job->n_rows = 0;
    job->killed = 0;
}

void snapshot_job_free(struct snapshot_job *job)
{
    snapshot_job_clear(job);
    free(job);
}
