/* Scheduler minrtt: the subflow with the lowest smoothed round-trip time that has room. A subflow without a
 * sample comes after all that have one: it gets its first bytes, and with them its sample, once the others
 * are full. */
#include "sched/candidates.h"

static int64_t rank(const struct sched_path *p)
{
    return p->srtt_us > 0 ? p->srtt_us : INT64_MAX;
}

static int minrtt_pick(struct sched *s, const struct sched_view *v)
{
    uint64_t candidates = sched_candidates(v);
    int best = -1;

    (void)s;
    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(candidates >> i & 1))
            continue;
        if (best < 0 || rank(&v->paths[i]) < rank(&v->paths[best]))
            best = (int)i;
    }
    return best;
}

const struct sched_ops sched_minrtt = {
    .name = "minrtt",
    .about = "the path with the lowest round-trip time that has room",
    .pick = minrtt_pick,
};
