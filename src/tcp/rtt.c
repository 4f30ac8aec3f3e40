/* RTT estimation and the retransmission timeout, RFC 6298 section 2. */
#include "tcp/rtt.h"

/* 200 ms doubled this often is beyond RTT_RTO_MAX, and 60 s shifted by it still fits. */
#define BACKOFF_MAX 16

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

void rtt_init(struct rtt *r)
{
    *r = (struct rtt){0};
}

/* A minimum of the last ten seconds: paths change, and one that got longer must not look congested for
 * ever. */
static void update_min(struct rtt *r, int32_t sample, braid_time now)
{
    if (r->min_rtt_us == 0 || sample <= r->min_rtt_us || now - r->min_rtt_at > RTT_MIN_WINDOW) {
        r->min_rtt_us = sample;
        r->min_rtt_at = now;
    }
}

/* RFC 6298 (2.2) and (2.3), with alpha 1/8 and beta 1/4. RTTVAR first, since it is of the old SRTT. */
void rtt_sample(struct rtt *r, int64_t rtt_us, braid_time now)
{
    int32_t sample = (int32_t)clamp(rtt_us, 1, RTT_RTO_MAX);
    if (r->srtt_us == 0) {
        r->srtt_us = sample;
        r->rttvar_us = sample / 2;
    } else {
        int32_t error = sample - r->srtt_us;
        int32_t deviation = error < 0 ? -error : error;
        r->rttvar_us += (deviation - r->rttvar_us) / 4;
        r->srtt_us = (int32_t)clamp(r->srtt_us + error / 8, 1, RTT_RTO_MAX);
    }
    r->backoff = 0;
    update_min(r, sample, now);
}

/* RFC 6298 (2.3) and (2.4): SRTT + max(G, 4 RTTVAR), doubled for each timeout. */
int64_t rtt_rto(const struct rtt *r)
{
    int64_t rto = RTT_RTO_INITIAL;
    if (r->srtt_us != 0) {
        int64_t variation = 4 * (int64_t)r->rttvar_us;
        rto = r->srtt_us + (variation > RTT_GRANULARITY ? variation : RTT_GRANULARITY);
    }
    return clamp(clamp(rto, RTT_RTO_MIN, RTT_RTO_MAX) << r->backoff, RTT_RTO_MIN, RTT_RTO_MAX);
}

void rtt_backoff(struct rtt *r)
{
    if (r->backoff < BACKOFF_MAX)
        r->backoff++;
}
