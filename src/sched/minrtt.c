/* Scheduler minrtt: the subflow with the lowest smoothed round-trip time that has room. A subflow without a
 * sample comes after all that have one: it gets its first bytes, and with them its sample, once the others
 * are full. */
#include "sched/candidates.h"

static int minrtt_pick(struct sched *s, const struct sched_view *v)
{
    (void)s;
    return sched_lowest_rtt(v, sched_candidates(v));
}

const struct sched_ops sched_minrtt = {
    .name = "minrtt",
    .about = "the path with the lowest round-trip time that has room",
    .opportunistic = true,
    .pick = minrtt_pick,
};
