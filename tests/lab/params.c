/* What a path carries at most. */
#include "params.h"

uint64_t link_rate(const struct link_params *p)
{
    if (!p->trace)
        return p->rate;
    return (uint64_t)p->trace->n * LINK_OPPORTUNITY * 1000 / p->trace->ms[p->trace->n - 1];
}

/* A round of the schedule, which begins with *rate and *down as the one before has left them: bytes. */
static double round_of(const struct link_params *p, uint64_t *rate, bool *down)
{
    braid_time at = 0;
    double bytes = 0;

    for (unsigned i = 0; i <= p->n_changes; i++) {
        const struct link_change *c = i < p->n_changes ? &p->schedule[i] : NULL;
        braid_time until = c ? c->at : p->repeat;

        bytes += *down ? 0 : (double)*rate * (double)(until - at) / (double)BRAID_SECOND;
        at = until;
        if (c && c->what == LINK_RATE)
            *rate = c->value;
        else if (c && c->what != LINK_DELAY)
            *down = c->what == LINK_DOWN;
    }
    return bytes;
}

uint64_t link_mean_rate(const struct link_params *p)
{
    uint64_t rate = link_rate(p), now = rate;
    bool down = false;

    if (p->n_changes > 0 && p->repeat > 0) {
        round_of(p, &now, &down); /* the first one alone begins with the path's own rate */
        rate = (uint64_t)(round_of(p, &now, &down) * (double)BRAID_SECOND / (double)p->repeat);
    }
    if (p->policer_rate > 0 && (rate == 0 || p->policer_rate < rate))
        rate = p->policer_rate;
    return rate;
}
