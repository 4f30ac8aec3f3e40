/* Scheduler weighted: each path carries bytes in proportion to its weight, as start-time fair queueing
 * (Goyal, Vin, Cheng 1996) shares a link out among flows, only the other way round: the path whose bytes,
 * divided by its weight, are the fewest comes next. The count is exact in bytes, not in segments, so small
 * writes and unlike segment sizes do not bend it.
 *
 * A path that is full does not hold the others up: they go on, and it catches up once it has room. What it
 * may catch up with is bounded, since a path that could not take its share for an hour would else carry
 * everything for the next hour. A path that comes new begins where the others are. So the shares hold for
 * what the application sends as long as no path is short of capacity; a transfer that takes all that there
 * is gets the sum of the paths, whatever their weights. */
#include "sched/candidates.h"

#define CATCH_UP  ((uint64_t)1 << 20) /* bytes */
#define FRACTIONS 16u                 /* bits of fraction in a count of bytes divided by a weight */

/* The mark of a subflow: its bytes divided by its weight, 0: it is new. */
struct weighted {
    uint64_t front; /* the highest mark that a path was chosen with */
};

static uint64_t per_weight(uint64_t bytes, const struct sched_path *p)
{
    return (bytes << FRACTIONS) / p->weight;
}

/* Where the next bytes of p begin. */
static uint64_t start_of(const struct weighted *w, const struct sched_path *p)
{
    uint64_t behind = per_weight(CATCH_UP, p), least = w->front > behind ? w->front - behind : 0;
    if (*p->mark == 0)
        return w->front;
    return *p->mark > least ? *p->mark : least;
}

static int weighted_pick(struct sched *s, const struct sched_view *v)
{
    const struct weighted *w = (const struct weighted *)s->priv;
    uint64_t candidates = sched_candidates(v), lowest = 0;
    int best = -1;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(candidates >> i & 1))
            continue;
        uint64_t start = start_of(w, &v->paths[i]);
        if (best < 0 || start < lowest) {
            best = (int)i;
            lowest = start;
        }
    }
    return best;
}

static void weighted_sent(struct sched *s, const struct sched_view *v, int i, uint64_t bytes)
{
    struct weighted *w = (struct weighted *)s->priv;
    const struct sched_path *p = &v->paths[i];
    uint64_t start = start_of(w, p);

    if (start > w->front)
        w->front = start;
    *p->mark = start + per_weight(bytes, p);
}

static const struct braid_field weighted_state[] = {BRAID_ANY(1, struct weighted, front), {0}};

const struct sched_ops sched_weighted = {
    .name = "weighted",
    .about = "bytes in proportion to the paths' weights",
    .priv_size = sizeof(struct weighted),
    .state = weighted_state,
    .pick = weighted_pick,
    .sent = weighted_sent,
};
