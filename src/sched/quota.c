/* Scheduler quota: the lowest round-trip time among the paths that are within their quotas; one that has used
 * its quota up counts as a backup, and carries bytes again only where no other is usable. Every scheduler
 * honours quotas in this way (sched_in_play); this one does nothing else, for connections whose paths are
 * chosen by what they may still carry. */
#include "sched/candidates.h"

static int quota_pick(struct sched *s, const struct sched_view *v)
{
    (void)s;
    return sched_lowest_rtt(v, sched_candidates(v));
}

const struct sched_ops sched_quota = {
    .name = "quota",
    .about = "the lowest round-trip time among the paths that are within their quotas",
    .pick = quota_pick,
};
