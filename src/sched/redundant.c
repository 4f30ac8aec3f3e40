/* Scheduler redundant: every byte over every subflow, so that it arrives with the first that brings it. The
 * copies are made by src/mptcp (sched_ops.duplicate); here they only get their turns. The goodput is that of
 * the best path, the delay the least of all, and a lost packet delays nothing that any other path carries. */
#include "sched/candidates.h"

static int redundant_pick(struct sched *s, const struct sched_view *v)
{
    uint64_t candidates = sched_candidates(v);

    (void)s;
    return candidates ? __builtin_ctzll(candidates) : -1;
}

const struct sched_ops sched_redundant = {
    .name = "redundant",
    .about = "every byte over every path: least delay, no sum of rates",
    .duplicate = true,
    .pick = redundant_pick,
};
