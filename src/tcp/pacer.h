/* Pacing: spreads a window over the round trip, in bursts large enough for segmentation offload. A leaky
 * bucket in bytes and microseconds; it only says when the next burst may leave, the caller owns the timer. */
#ifndef TCP_PACER_H
#define TCP_PACER_H

#include <braid/types.h>

/* The payload of one super-packet: 65,535 less the largest headers, with some margin. */
#define PACER_BURST_MAX 64000
/* How far the schedule may lag behind the clock and still be caught up with. */
#define PACER_SLACK (2 * BRAID_MS)

/* What no path has, in bytes per second: more than that is no more than that. */
#define PACER_RATE_MAX ((uint64_t)1 << 50)

struct pacer {
    uint64_t rate;   /* bytes per second, up to PACER_RATE_MAX; 0: pacing is off */
    braid_time next; /* when the next burst may leave */
    uint64_t rem;    /* what rounding next down has left out, in 1/rate microseconds; less than rate */
};

/* Pacing is off until a rate is set. */
void pacer_init(struct pacer *p);

/* Sets the rate in bytes per second, PACER_RATE_MAX at most; 0 switches pacing off. What was sent keeps the
 * price it had. */
void pacer_set_rate(struct pacer *p, uint64_t rate);

/* True when a burst may leave; otherwise p->next says when. */
bool pacer_ready(const struct pacer *p, braid_time now);

/* Books a burst. A timer that fires up to PACER_SLACK late does not lower the average rate, and `depth` bytes
 * may leave ahead of the schedule; time lost beyond both (the flow was idle) is not made up for. */
void pacer_sent(struct pacer *p, uint64_t bytes, uint32_t depth, braid_time now);

/* What a super-packet takes of whole segments, at least one. mss > 0. */
static inline uint64_t pacer_burst(uint32_t mss)
{
    uint64_t segments = PACER_BURST_MAX / mss;

    return (segments ? segments : 1) * mss;
}

/* Bytes to send in one burst: about 1 ms of the rate in whole segments, at least two segments, at most as
 * many as fit PACER_BURST_MAX, and never less than one. Not paced: the maximum. mss > 0. */
uint64_t pacer_quantum(const struct pacer *p, uint32_t mss);

#endif
