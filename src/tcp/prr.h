/* Proportional rate reduction (RFC 6937): how much may be sent on each ACK of a fast recovery, so that the
 * window reaches ssthresh over about one round trip without a pause and without a burst. Below ssthresh the
 * conservative bound (CRB) holds, and the slow start bound (SSRB) while recovery makes progress (RFC 9937).
 * Counts are bytes. */
#ifndef TCP_PRR_H
#define TCP_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct prr {
    uint64_t delivered;      /* prr_delivered: acknowledged or SACKed during this recovery */
    uint64_t out;            /* prr_out: sent during this recovery */
    uint64_t recover_flight; /* RecoverFS */
    uint64_t ssthresh;
};

/* Recovery begins. flight is what is outstanding: snd.nxt - snd.una, less what was SACKed before the ACK that
 * began recovery (that will not be counted as delivered again). ssthresh is finite: the algorithm's on_loss
 * has set it. */
void prr_begin(struct prr *p, uint64_t flight, uint64_t ssthresh);

/* Call on every ACK of the recovery, the one that began it included, after losses were marked.
 * newly_delivered counts bytes acknowledged or SACKed for the first time, pipe is RFC 6675's estimate after
 * this ACK, new_loss says that this ACK marked further segments lost. Returns the bytes that may be sent now,
 * so that cwnd is pipe plus that. What is not used is kept by the next call; at least one mss until the first
 * retransmission went out. */
uint64_t prr_on_ack(struct prr *p, uint64_t newly_delivered, uint64_t pipe, bool snd_una_advanced,
                    bool new_loss, uint32_t mss);

/* Payload was sent, new or again. */
void prr_on_sent(struct prr *p, uint64_t bytes);

#endif
