/* Scheduler roundrobin: the subflows take turns, in the order of their numbers. A turn lasts until a full
 * segment was sent, so that small writes do not end as small segments all over. For tests and comparison:
 * with unlike paths the slowest sets the pace. */
#include "sched/candidates.h"

struct roundrobin {
    uint64_t id;   /* the turn is that of the subflow with this number, or of the next above it */
    uint64_t sent; /* bytes sent in this turn */
};

/* How far p comes after the one whose turn it is, going round. */
static uint32_t distance(const struct sched_path *p, const struct roundrobin *rr)
{
    return p->id - (uint32_t)rr->id;
}

static int roundrobin_pick(struct sched *s, const struct sched_view *v)
{
    const struct roundrobin *rr = (const struct roundrobin *)s->priv;
    uint64_t candidates = sched_candidates(v);
    int best = -1;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(candidates >> i & 1))
            continue;
        if (best < 0 || distance(&v->paths[i], rr) < distance(&v->paths[best], rr))
            best = (int)i;
    }
    return best;
}

static void roundrobin_sent(struct sched *s, const struct sched_view *v, int i, uint64_t bytes)
{
    struct roundrobin *rr = (struct roundrobin *)s->priv;
    const struct sched_path *p = &v->paths[i];

    if (rr->id != p->id)
        *rr = (struct roundrobin){.id = p->id};
    rr->sent += bytes;
    if (rr->sent >= p->mss)
        *rr = (struct roundrobin){.id = (uint64_t)p->id + 1};
}

static const struct braid_field roundrobin_state[] = {
    BRAID_ANY(1, struct roundrobin, id), BRAID_ANY(2, struct roundrobin, sent), {0}};

const struct sched_ops sched_roundrobin = {
    .name = "roundrobin",
    .about = "paths in turn, a segment each; for tests and comparison",
    .priv_size = sizeof(struct roundrobin),
    .state = roundrobin_state,
    .pick = roundrobin_pick,
    .sent = roundrobin_sent,
};
