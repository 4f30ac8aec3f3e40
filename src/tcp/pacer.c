/* Pacing, see pacer.h. */
#include "tcp/pacer.h"

#include <assert.h>

/* Longest wait one booking may cause: keeps next sane when the rate is absurdly low. */
#define WAIT_MAX (60 * BRAID_SECOND)

void pacer_init(struct pacer *p)
{
    *p = (struct pacer){.next = INT64_MIN};
}

void pacer_set_rate(struct pacer *p, uint64_t rate)
{
    if (p->rate != 0)
        p->rem = (uint64_t)((unsigned __int128)p->rem * rate / p->rate);
    p->rate = rate;
}

bool pacer_ready(const struct pacer *p, braid_time now)
{
    return p->rate == 0 || now >= p->next;
}

void pacer_sent(struct pacer *p, uint64_t bytes, braid_time now)
{
    if (p->rate == 0)
        return;
    if (p->next < now - PACER_SLACK) {
        p->next = now - PACER_SLACK;
        p->rem = 0;
    }
    unsigned __int128 due = (unsigned __int128)bytes * (uint64_t)BRAID_SECOND + p->rem;
    unsigned __int128 wait = due / p->rate;
    p->rem = (uint64_t)(due % p->rate);
    p->next += wait < (unsigned __int128)WAIT_MAX ? (braid_time)wait : WAIT_MAX;
}

uint64_t pacer_quantum(const struct pacer *p, uint32_t mss)
{
    assert(mss > 0);
    uint64_t most = PACER_BURST_MAX / mss;
    uint64_t segments = p->rate == 0 ? most : p->rate / 1000 / mss;
    if (segments < 2)
        segments = 2;
    if (segments > most)
        segments = most;
    return (segments ? segments : 1) * mss;
}
