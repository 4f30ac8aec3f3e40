/* Putting answers together: one by one, as the workers are asked in their order. */
#include <stdlib.h>
#include <string.h>
#include "admin/gather.h"
#include "admin/ranking.h"

static bool is_last(const struct snapshot_job *job, unsigned n_workers)
{
    return job->worker + 1 == n_workers;
}

static enum gather_step take_summary(struct gathered *g, struct snapshot_job *job, unsigned n_workers)
{
    if (!g->summaries)
        g->summaries = calloc(n_workers, sizeof(g->summaries[0]));
    if (!g->summaries)
        return GATHER_SHORT;
    g->summaries[job->worker] = job->summary;
    job->summary = NULL;
    return is_last(job, n_workers) ? GATHER_WHOLE : GATHER_ASK;
}

/* A table of which each worker has one of its own, and that is shown as one. */
struct table {
    size_t row_size;
    size_t (*merge)(void *rows, size_t n); /* makes one row of those that mean the same; how many are left */
};

static enum gather_step take_table(struct gathered *g, const struct snapshot_job *job, unsigned n_workers,
                                   const struct table *t)
{
    if (job->n_rows > 0) {
        char *grown = reallocarray(g->rows, g->n_rows + job->n_rows, t->row_size);
        if (!grown)
            return GATHER_SHORT;
        memcpy(grown + g->n_rows * t->row_size, job->rows, job->n_rows * t->row_size);
        g->rows = grown;
        g->n_rows += job->n_rows;
    }
    if (!is_last(job, n_workers))
        return GATHER_ASK;
    g->n_rows = t->merge(g->rows, g->n_rows);
    return GATHER_WHOLE;
}

/* Whether the limit of the list is reached; what is beyond it is thrown away. */
static bool is_enough(struct gathered *g, struct snapshot_job *job)
{
    struct render_list *l = &g->list;
    if (l->limit == 0 || l->count + job->n < l->limit)
        return false;
    while (l->count + job->n > l->limit)
        free(job->conns[--job->n]);
    l->complete = l->cut = true;
    return true;
}

static enum gather_step take_page(struct gathered *g, struct snapshot_job *job, unsigned n_workers)
{
    if (job->n > 0 && g->ranking) {
        ranking_take(g->ranking, job, n_workers);
        return GATHER_MORE;
    }
    if (job->n > 0)
        return is_enough(g, job) ? GATHER_WHOLE : GATHER_PART;
    if (g->ranking)
        census_forget(g->ranking->census, job->now);
    g->list.complete = is_last(job, n_workers);
    return g->list.complete ? GATHER_WHOLE : GATHER_ASK;
}

static enum gather_step take_killed(struct gathered *g, const struct snapshot_job *job, unsigned n_workers)
{
    g->killed += job->killed;
    if (job->what == SNAPSHOT_KILL_ONE)
        return job->killed > 0 ? GATHER_WHOLE : GATHER_NOT_FOUND;
    return is_last(job, n_workers) ? GATHER_WHOLE : GATHER_ASK;
}

static const struct table bypass_table = {sizeof(struct bypass_entry), render_bypass_merge};
static const struct table targets_table = {sizeof(struct target_entry), render_targets_merge};
static const struct table learned_table = {sizeof(struct learned_entry), render_learned_merge};

enum gather_step gather_take(struct gathered *g, struct snapshot_job *job, unsigned n_workers)
{
    if (job->failed)
        return GATHER_SHORT;
    switch (job->what) {
    case SNAPSHOT_SUMMARY:
    case SNAPSHOT_RATES:
    case SNAPSHOT_DRAIN:
    case SNAPSHOT_UNDRAIN:
    case SNAPSHOT_FORGET:
        return take_summary(g, job, n_workers);
    case SNAPSHOT_BYPASS:
    case SNAPSHOT_CLEAR:
        return take_table(g, job, n_workers, &bypass_table);
    case SNAPSHOT_TARGETS:
        return take_table(g, job, n_workers, &targets_table);
    case SNAPSHOT_LEARNED:
    case SNAPSHOT_UNLEARN:
        return take_table(g, job, n_workers, &learned_table);
    case SNAPSHOT_PAGE:
        return take_page(g, job, n_workers);
    case SNAPSHOT_KILL:
    case SNAPSHOT_KILL_ONE:
        return take_killed(g, job, n_workers);
    case SNAPSHOT_ONE:
    case SNAPSHOT_CHANGE:
        return job->n > 0 ? GATHER_WHOLE : GATHER_NOT_FOUND;
    case SNAPSHOT_NOTHING:
        break;
    }
    return GATHER_WHOLE;
}

void gather_show(struct gathered *g, const struct snapshot_job *job, struct snapshot_view *v)
{
    v->workers = g->summaries;
    v->rows = g->rows;
    v->n_rows = g->n_rows;
    v->list = &g->list;
    v->killed = g->killed;
    v->ranking = g->ranking;
    v->job = job;
}

void gather_free(struct gathered *g, unsigned n_workers)
{
    for (unsigned w = 0; g->summaries && w < n_workers; w++)
        free(g->summaries[w]);
    free(g->summaries);
    free(g->rows);
    ranking_free(g->ranking);
}
