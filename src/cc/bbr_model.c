/* BBR's model of the path, see bbr_model.h. */
#include "cc/bbr_model.h"

/* Those of the draft for Startup, and Linux's for aggregation (bbr_extra_acked_win_rtts,
 * bbr_extra_acked_max_us). */
#define FULL_BW_GROWTH    1.25 /* what startup, which doubles the rate in a round, cannot fail to reach ... */
#define FULL_BW_ROUNDS    3    /* ... but for a receive window or a bunch of ACKs now and then */
#define EXTRA_ROUNDS      5    /* length of half the window of the aggregation estimate */
#define EXTRA_TIME_MAX    (100 * BRAID_MS)    /* of the rate, the most to add for aggregation */
#define EPOCH_ACKED_RESET (UINT64_C(1) << 30) /* bytes: not to let the average grow too old */
#define INITIAL_WINDOW    10                  /* segments */
#define BYTES_MOST        0x1p40

/* No more than a window can be. */
static uint64_t whole_bytes(double bytes)
{
    return bytes <= 0 ? 0 : bytes < BYTES_MOST ? (uint64_t)bytes : (uint64_t)BYTES_MOST;
}

void bbr_model_init(struct bbr_model *m, const struct cc *cc, braid_time now)
{
    *m = (struct bbr_model){.min_rtt_us = cc->min_rtt_us > 0 ? cc->min_rtt_us : INT64_MAX,
                            .min_rtt_at = now,
                            .round_end = cc->delivered,
                            .epoch_at = now};
}

void bbr_model_begin_round(struct bbr_model *m, const struct cc *cc)
{
    m->round_end = cc->delivered;
}

/* A pipe that was found full stays so: only the count that leads there begins again. */
void bbr_model_doubt_full(struct bbr_model *m)
{
    m->full_bw = 0;
    m->full_bw_count = 0;
}

static void count_rounds(struct bbr_model *m, const struct cc *cc, const struct cc_ack *ack)
{
    /* A round ends with the first ACK for data that was sent after the last round had ended. */
    m->round_start = ack->acked > 0 && ack->prior_delivered >= m->round_end;
    if (!m->round_start)
        return;
    m->rounds++;
    m->round_end = cc->delivered;
}

/* The most of the last BBR_BW_ROUNDS rounds: one place for each, those that brought no sample are empty. */
static void count_bw(struct bbr_model *m, uint64_t rate)
{
    uint32_t passed = m->rounds - m->bw_round;

    for (uint32_t i = 1; i <= passed && i <= BBR_BW_ROUNDS; i++)
        m->bw[(m->bw_round + i) % BBR_BW_ROUNDS] = 0;
    m->bw_round = m->rounds;
    uint64_t *now = &m->bw[m->rounds % BBR_BW_ROUNDS];
    if (rate > *now)
        *now = rate;
    m->max_bw = 0;
    for (unsigned i = 0; i < BBR_BW_ROUNDS; i++)
        if (m->bw[i] > m->max_bw)
            m->max_bw = m->bw[i];
}

/* A sample that the application or BBR itself limited shows only that the path is at least so fast. */
static void update_bw(struct bbr_model *m, const struct cc_ack *ack, bool limited)
{
    if (ack->interval_us > 0 && (!limited || ack->rate >= m->max_bw))
        count_bw(m, ack->rate);
}

/* Three rounds without a quarter more: there is nothing more to be had. */
static void check_full(struct bbr_model *m, bool limited)
{
    if (m->pipe_full || !m->round_start || limited)
        return;
    if ((double)m->max_bw >= (double)m->full_bw * FULL_BW_GROWTH) {
        m->full_bw = m->max_bw;
        m->full_bw_count = 0;
    } else {
        m->pipe_full = ++m->full_bw_count >= FULL_BW_ROUNDS;
    }
}

/* A base RTT that has not been seen for BBR_MIN_RTT_WINDOW may be that of a path that is gone: the next
 * sample replaces it, whatever it is. */
static void update_min_rtt(struct bbr_model *m, const struct cc_ack *ack)
{
    m->min_rtt_stale = ack->now - m->min_rtt_at > BBR_MIN_RTT_WINDOW;
    if (ack->rtt_us > 0 && (ack->rtt_us <= m->min_rtt_us || m->min_rtt_stale)) {
        m->min_rtt_us = ack->rtt_us;
        m->min_rtt_at = ack->now;
    }
}

/* Wireless links and receivers that work in batches acknowledge in bunches. What was acknowledged beyond what
 * the rate explains since the bunch began is what a window must hold to bridge the silence before the next.
 */
static void update_extra(struct bbr_model *m, const struct cc *cc, const struct cc_ack *ack)
{
    if (ack->acked == 0 || m->max_bw == 0)
        return;
    if (m->round_start && ++m->extra_rounds >= EXTRA_ROUNDS) {
        m->extra_rounds = 0;
        m->extra[1] = m->extra[0];
        m->extra[0] = 0;
    }
    uint64_t expected = whole_bytes((double)m->max_bw * (double)(ack->now - m->epoch_at) / BRAID_SECOND);
    if (m->epoch_acked <= expected || m->epoch_acked > EPOCH_ACKED_RESET) {
        m->epoch_at = ack->now;
        m->epoch_acked = expected = 0;
    }
    m->epoch_acked += ack->acked;
    uint64_t extra = m->epoch_acked > expected ? m->epoch_acked - expected : 0;
    /* More than a window cannot have waited for one bunch; the rest is an error of the estimated rate. */
    if (extra > cc->cwnd)
        extra = cc->cwnd;
    if (extra > UINT32_MAX)
        extra = UINT32_MAX;
    if (extra > m->extra[0])
        m->extra[0] = (uint32_t)extra;
}

/* In this order: the filter of the bandwidth goes by rounds, and aggregation and the end of Startup go by the
 * bandwidth that this ACK brings. */
void bbr_model_update(struct bbr_model *m, const struct cc *cc, const struct cc_ack *ack, bool hold)
{
    if (hold)
        m->limited_until = cc->delivered + cc->in_flight; /* until all of that is acknowledged */
    bool limited = ack->app_limited || ack->prior_delivered < m->limited_until;

    count_rounds(m, cc, ack);
    update_bw(m, ack, limited);
    update_extra(m, cc, ack);
    check_full(m, limited);
    update_min_rtt(m, ack);
}

uint64_t bbr_model_bdp(const struct bbr_model *m, const struct cc *cc, double gain)
{
    if (m->min_rtt_us == INT64_MAX || m->max_bw == 0)
        return (uint64_t)INITIAL_WINDOW * cc->mss;
    return whole_bytes(gain * (double)m->max_bw * (double)m->min_rtt_us / BRAID_SECOND);
}

/* The larger of two windows, so that the maximum of the last five to ten rounds holds without a list. Bounded
 * in time: a path that stood still for longer is not aggregating. */
uint64_t bbr_model_extra(const struct bbr_model *m)
{
    uint64_t extra = m->extra[0] > m->extra[1] ? m->extra[0] : m->extra[1];
    uint64_t most = (uint64_t)((double)m->max_bw * EXTRA_TIME_MAX / BRAID_SECOND);
    return extra < most ? extra : most;
}
