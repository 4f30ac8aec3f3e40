/* Scheduler backup, a hot standby: one path carries everything, and the others are idle until it is unusable.
 * The one is the usable path with the lowest cost, of equals the one that was there first, whatever its
 * round-trip time: the operator's order counts, not a measurement. Nothing is remembered, so that the
 * connection returns to the first path as soon as that is usable again: when the retransmission that probes
 * it after a timeout was acknowledged.
 *
 * While the active path is full the others stay idle. A reinjection is the exception, since it is about bytes
 * that the active path may never deliver: it goes over the first in the order that has not carried them. */
#include "sched/candidates.h"

static bool comes_before(const struct sched_path *a, const struct sched_path *b)
{
    return a->cost != b->cost ? a->cost < b->cost : a->id < b->id;
}

static int first_of(const struct sched_view *v, uint64_t among)
{
    int first = -1;

    for (unsigned i = 0; i < v->n_paths; i++)
        if (among >> i & 1 && (first < 0 || comes_before(&v->paths[i], &v->paths[first])))
            first = (int)i;
    return first;
}

static int backup_pick(struct sched *s, const struct sched_view *v)
{
    (void)s;
    if (v->tried)
        return first_of(v, sched_candidates(v));
    int active = first_of(v, sched_in_play(v));
    return active >= 0 && v->paths[active].space > 0 ? active : -1;
}

const struct sched_ops sched_backup = {
    .name = "backup",
    .about =
        "hot standby: the cheapest, else first path carries all until it fails, and again once it is back",
    .pick = backup_pick,
};
