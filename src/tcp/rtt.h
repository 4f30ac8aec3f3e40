/* Round-trip time and retransmission timeout (RFC 6298), on a clock of microseconds. */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include <braid/types.h>

#define RTT_RTO_INITIAL (1 * BRAID_SECOND)  /* RFC 6298 (2.1) */
#define RTT_RTO_MIN     (200 * BRAID_MS)    /* below the RFC's 1 s, as every current stack has it */
#define RTT_RTO_MAX     (60 * BRAID_SECOND) /* RFC 6298 (2.5) */
#define RTT_GRANULARITY (1 * BRAID_MS)      /* G: what the caller's timers resolve */
#define RTT_MIN_WINDOW  (10 * BRAID_SECOND) /* how long a minimum is believed */

struct rtt {
    /* 32 bits hold RTT_RTO_MAX, and four times that. */
    int32_t srtt_us; /* 0: no sample yet */
    int32_t rttvar_us;
    int32_t min_rtt_us;    /* least sample of the last RTT_MIN_WINDOW, 0: no sample yet */
    uint8_t backoff;       /* times the timeout was doubled since the last sample */
    braid_time min_rtt_at; /* when the least sample was taken */
};

/* No sample yet: the timeout is RTT_RTO_INITIAL. */
void rtt_init(struct rtt *r);

/* Takes one sample in microseconds; the caller applies Karn's algorithm (RFC 6298 section 3). Samples come
 * from what the peer echoes, so they are clamped to 1 us .. RTT_RTO_MAX. Ends any backoff. */
void rtt_sample(struct rtt *r, int64_t rtt_us, braid_time now);

/* The timeout in microseconds, backoff included, within RTT_RTO_MIN .. RTT_RTO_MAX. */
int64_t rtt_rto(const struct rtt *r);

/* The timer expired: doubles the timeout (RFC 6298 (5.5)). */
void rtt_backoff(struct rtt *r);

#endif
