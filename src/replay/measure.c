/* See measure.h. */
#include "replay/measure.h"

#include "replay/played_user.h"

static uint64_t milliseconds(braid_time t)
{
    return (uint64_t)(t / BRAID_MS);
}

void measure_wait(struct measure *m, braid_time now)
{
    uint64_t stall = m->due ? milliseconds(now - m->moved) : 0;
    if (stall > m->v[AFRESH_STALL])
        m->v[AFRESH_STALL] = stall;
}

void measure_gone(struct measure *m, const struct braid_conn *c)
{
    braid_conn_stats(c, &m->stats);
}

void measure_note(struct measure *m, const struct braid_conn *c, braid_time now)
{
    if (c)
        braid_conn_stats(c, &m->stats);
    uint64_t sum = m->stats.bytes_in + m->stats.bytes_out;
    bool moves = sum != m->sum;
    bool due = c && (m->stats.send_queued > 0 || m->stats.out_of_order > 0);
    if (moves)
        m->v[AFRESH_LAST] = milliseconds(now - m->begins);
    if (moves || !m->due)
        m->moved = now;
    m->due = due;
    m->sum = sum;
}

void measure_end(struct measure *m, const struct braid_core *core)
{
    static const struct {
        enum afresh_figure figure;
        enum braid_counter counter;
    } counted[] = {{AFRESH_RETRANSMITTED, COUNT_TCP_RETRANS_SEGS},
                   {AFRESH_TIMEOUTS, COUNT_TCP_TIMEOUTS},
                   {AFRESH_REINJECTED, COUNT_MP_REINJECT_BYTES},
                   {AFRESH_SUSPECTED, COUNT_MP_SUSPECTED}};
    for (unsigned i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
        m->v[counted[i].figure] = braid_core_counters(core)->v[counted[i].counter];
    m->v[AFRESH_READ] = m->stats.bytes_in;
    m->v[AFRESH_WRITTEN] = played_written(&m->stats);
    m->v[AFRESH_ACKNOWLEDGED] = m->stats.bytes_out;
}
