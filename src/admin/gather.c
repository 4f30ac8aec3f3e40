/* Putting answers together: one by one, as the workers are asked in their order. */
#include <stdlib.h>
#include <string.h>
#include "admin/gather.h"

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

static enum gather_step take_bypass(struct gathered *g, const struct snapshot_job *job, unsigned n_workers)
{
    if (job->n_bypass > 0) {
        struct bypass_entry *grown =
            reallocarray(g->bypass, g->n_bypass + job->n_bypass, sizeof(job->bypass[0]));
        if (!grown)
            return GATHER_SHORT;
        memcpy(grown + g->n_bypass, job->bypass, job->n_bypass * sizeof(job->bypass[0]));
        g->bypass = grown;
        g->n_bypass += job->n_bypass;
    }
    if (!is_last(job, n_workers))
        return GATHER_ASK;
    g->n_bypass = render_bypass_merge(g->bypass, g->n_bypass);
    return GATHER_WHOLE;
}

static enum gather_step take_page(struct gathered *g, const struct snapshot_job *job, unsigned n_workers)
{
    if (job->n > 0)
        return GATHER_PART;
    g->list.complete = is_last(job, n_workers);
    return g->list.complete ? GATHER_WHOLE : GATHER_ASK;
}

enum gather_step gather_take(struct gathered *g, struct snapshot_job *job, unsigned n_workers)
{
    if (job->failed)
        return GATHER_SHORT;
    switch (job->what) {
    case SNAPSHOT_SUMMARY:
    case SNAPSHOT_FORGET:
        return take_summary(g, job, n_workers);
    case SNAPSHOT_BYPASS:
    case SNAPSHOT_CLEAR:
        return take_bypass(g, job, n_workers);
    case SNAPSHOT_PAGE:
        return take_page(g, job, n_workers);
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
    v->bypass = g->bypass;
    v->n_bypass = g->n_bypass;
    v->list = &g->list;
    v->job = job;
}

void gather_free(struct gathered *g, unsigned n_workers)
{
    for (unsigned w = 0; g->summaries && w < n_workers; w++)
        free(g->summaries[w]);
    free(g->summaries);
    free(g->bypass);
}
