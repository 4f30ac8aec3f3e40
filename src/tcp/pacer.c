/* Pacing, see pacer.h. */
#include "tcp/pacer.h"

#include <assert.h>

/* Longest wait one booking may cause: keeps next sane when the rate is absurdly low. */
#define WAIT_MAX (60 * BRAID_SECOND)

void pacer_init(struct pacer *p)
{
    *p = (struct pacer){.next = INT64_MIN};
}

/* rem is in units of 1/rate microseconds, so it has to be converted, or a rate that changes often would
 * lose or gain time. */
void pacer_set_rate(struct pacer *p, uint64_t rate)
{
    if (rate > PACER_RATE_MAX)
        rate = PACER_RATE_MAX;
    if (p->rate != 0)
        p->rem = (uint64_t)((unsigned __int128)p->rem * rate / p->rate);
    p->rate = rate;
}

bool pacer_ready(const struct pacer *p, braid_time now)
{
    return p->rate == 0 || now >= p->next;
}

/* next = max(next, now - slack) + bytes / rate, with the remainder of the division kept: at high rates a
 * packet is less than a microsecond. */
void pacer_sent(struct pacer *p, uint64_t bytes, uint32_t depth, braid_time now)
{
    if (p->rate == 0)
        return;
    braid_time ahead = (braid_time)((uint64_t)depth * (uint64_t)BRAID_SECOND / p->rate);
    braid_time slack = ahead > PACER_SLACK ? ahead : PACER_SLACK;
    if (p->next < now - slack) {
        p->next = now - slack;
        p->rem = 0;
    }
    unsigned __int128 due = (unsigned __int128)bytes * (uint64_t)BRAID_SECOND + p->rem;
    unsigned __int128 wait = due / p->rate;
    p->rem = (uint64_t)(due % p->rate);
    p->next += wait < (unsigned __int128)WAIT_MAX ? (braid_time)wait : WAIT_MAX;
}

/* As Linux does it: packets of about a millisecond, two segments at least because peers acknowledge every
 * second. */
uint64_t pacer_quantum(const struct pacer *p, uint32_t mss)
{
    assert(mss > 0);
    uint64_t most = pacer_burst(mss), segments = p->rate / 1000 / mss;
    if (segments < 2)
        segments = 2;
    return p->rate == 0 || segments * mss > most ? most : segments * mss;
}
