/* What an acknowledgement brings. */
#ifndef BRAID_TCP_ACK_H
#define BRAID_TCP_ACK_H

#include "tcp/delivery.h"

struct subflow;
struct wire_packet;

/* What one ACK brought. */
struct ack_info {
    braid_time now;
    /* Before it: snd.una (an offset), bytes SACKed, pipe in bytes. */
    uint64_t prior_una, prior_sacked, prior_flight;
    uint64_t delivered;     /* bytes, for the first time */
    braid_time newest_sent; /* of what it delivered and was sent once; -1: nothing of the kind */
    int64_t rtt_us;         /* sample, 0: none */
    struct delivery_sample sample;
    bool has_ts, dsack, dupack;
    bool retrans_acked; /* it delivered something that was retransmitted */
    bool selective;     /* what is being looked at now was SACKed, not acknowledged cumulatively */
    uint32_t tsecr;
};
/* Processes the acknowledgement of an acceptable segment; ack is valid (RFC 5961 section 5). off: of the
 * segment. */
void tcp_process_ack(struct subflow *sf, const struct wire_packet *p, uint64_t off, uint64_t ack,
                     braid_time now);

#endif
