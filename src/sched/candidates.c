/* The choice of admissible subflows, shared by all schedulers. */
#include "sched/candidates.h"

#include <assert.h>

uint64_t sched_in_play(const struct sched_view *v)
{
    uint64_t regular = 0, backup = 0;

    assert(v->n_paths <= SCHED_MAX_PATHS);
    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        uint64_t bit = UINT64_C(1) << i;
        if (p->usable && (p->backup || p->over_quota))
            backup |= bit;
        else if (p->usable)
            regular |= bit;
    }
    return regular ? regular : backup;
}

uint64_t sched_candidates(const struct sched_view *v)
{
    uint64_t usable = sched_in_play(v), fresh = usable & ~v->tried, space = 0;

    for (unsigned i = 0; i < v->n_paths; i++)
        if (v->paths[i].space > 0)
            space |= UINT64_C(1) << i;
    return (fresh ? fresh : usable) & space;
}

static int64_t rank(const struct sched_path *p)
{
    return p->srtt_us > 0 ? p->srtt_us : INT64_MAX;
}

int sched_lowest_rtt(const struct sched_view *v, uint64_t among)
{
    int best = -1;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(among >> i & 1))
            continue;
        if (best < 0 || rank(&v->paths[i]) < rank(&v->paths[best]))
            best = (int)i;
    }
    return best;
}

bool sched_may_wait(const struct sched_view *v, int i)
{
    const struct sched_path *p = &v->paths[i];

    if (p->srtt_us == 0 || p->in_flight == 0)
        return false;
    if (*p->mark == 0)
        *p->mark = (uint64_t)v->now;
    return v->now - (braid_time)*p->mark <= 2 * p->srtt_us + 4 * p->rttvar_us;
}

void sched_waited(struct sched *s, const struct sched_view *v, int i, uint64_t bytes)
{
    (void)s;
    (void)bytes;
    *v->paths[i].mark = 0;
}
