/* Which acknowledgements the peer is owed, and when. */
#ifndef BRAID_TCP_ACK_DUE_H
#define BRAID_TCP_ACK_DUE_H

#include <braid/types.h>

struct subflow;

struct tcp_ack_due {
    uint64_t last;       /* RCV.NXT of the last ACK that we sent */
    braid_time stray_at; /* when an unacceptable empty segment was last answered */
    uint32_t bytes;      /* received since the last ACK */
    uint8_t quick;       /* segments still to be acknowledged at once after start or idleness */
    bool now : 1, delayed : 1;
    bool third : 1;   /* our SYN was answered, and nothing has left since */
    bool fourth : 1;  /* subflow_ack_shortly: what leaves first is this ACK */
    bool forced : 1;  /* subflow_ack_soon: data segments do not count as this ACK */
    bool patient : 1; /* set by the owner: short requests are mostly answered soon */
};

/* As in Linux (TCP_DELACK_MIN, TCP_MAX_QUICKACKS): RFC 9293 section 3.8.6.3 allows half a second, which is
 * too long for senders' RTOs of 200 ms. */
#define TCP_DELACK_TIME  (40 * BRAID_MS)
#define TCP_DELACK_QUICK (4 * BRAID_MS) /* while the connection is young, and of less than a full segment */
#define TCP_QUICK_ACKS   32

/* What the window field of the next segment (not a SYN) will say, in bytes. */
uint64_t tcp_window_now(const struct subflow *sf);
/* Is an ACK to leave at the end of this batch? */
bool tcp_ack_is_due(const struct subflow *sf);
/* None is, but one may be owed: it has a deadline from now on. */
void tcp_ack_delay(struct subflow *sf, braid_time now);
/* An ACK left with a segment. pure: without payload and FIN, with all the SACK blocks. */
void tcp_ack_was_sent(struct subflow *sf, bool pure, uint64_t window);

#endif
