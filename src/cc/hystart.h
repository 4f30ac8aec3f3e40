/* HyStart++ (RFC 9406): leaves the first slow start when the round-trip time rises, before the queue
 * overflows and a whole window is lost. A rise leads to conservative slow start (CSS) first; if the RTT falls
 * again it was a false alarm. */
#ifndef CC_HYSTART_H
#define CC_HYSTART_H

#include <stdbool.h>
#include <stdint.h>

struct hystart {
    uint32_t round_min_us; /* currentRoundMinRTT, UINT32_MAX: no sample */
    uint32_t least_us;     /* the least of the rounds before, likewise; instead of lastRoundMinRTT */
    uint32_t css_base_us;  /* cssBaselineMinRtt, kept when slow start is over; UINT32_MAX in slow start */
    uint16_t jitter_ms;    /* a rise of so much has proven to be no queue */
    uint8_t samples;       /* in this round, in segments; not more than are needed */
    union {
        uint8_t css; /* both of these, which as bits have no address (cubic_state) */
        struct {
            uint8_t rounds : 7; /* spent in CSS, or since it ended; not more than are needed */
            bool over : 1;
        };
    };
};

void hystart_init(struct hystart *h);

/* Takes an ACK of slow start, or of what follows it before the first loss, for so many segments: rtt_us is
 * its sample or 0, round_start that of struct cc_ack; full: the window has not shrunk and is used. Returns
 * whether slow start goes on, else the caller sets ssthresh to cwnd. When it does although it was over
 * already, then there was no queue: the caller takes ssthresh back. */
bool hystart_on_ack(struct hystart *h, int64_t rtt_us, uint64_t segments, bool round_start, bool full);

/* By how much cwnd may grow for so many acknowledged bytes. The sender is paced, so L is infinite. */
uint64_t hystart_growth(const struct hystart *h, uint64_t acked);

#endif
