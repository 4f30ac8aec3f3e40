/* What is left of a subflow in TIME_WAIT (RFC 9293 section 3.10, RFC 6191): small, because there may be many.
 * The core keeps the table and the clock. */
#ifndef BRAID_TCP_TIMEWAIT_H
#define BRAID_TCP_TIMEWAIT_H

#include "base/hash.h"
#include "base/wheel.h"
#include "wire/packet.h"

struct subflow;
struct tcp_env;

struct timewait {
    struct hnode hash;  /* the core's */
    struct timer timer; /* the core's */
    struct braid_addr local, remote;
    uint32_t snd_nxt, rcv_nxt; /* wire values */
    uint32_t ts_recent, ts_offset;
    uint16_t window; /* unscaled, as sent last */
    bool ts_ok;
    bool has_data_ack; /* MPTCP: the owner's, sent with each ACK ... */
    uint64_t data_ack; /* ... with 64 bits: a peer may have closed its subflows with its DATA_FIN */
    bool challenged;   /* a SYN was answered with an ACK: who sent it may know nothing of this connection */
};

/* Takes what is needed from a subflow that enters TIME_WAIT; hash, timer and DATA_ACK are for the core to
 * set. */
void timewait_init(struct timewait *tw, const struct subflow *sf);

enum timewait_action {
    TIMEWAIT_NOTHING,
    TIMEWAIT_RESTART, /* the peer's FIN came again: it was acknowledged, restart the timer */
    TIMEWAIT_FORGET,  /* the peer has no such connection: forget this entry */
    TIMEWAIT_REUSE    /* an acceptable new SYN: forget this entry and treat it as a new connection */
};
/* Processes a segment, sending an ACK through env when one is due. A RST ends the entry only in answer to the
 * ACK that a SYN got: another host has the peer's address and port now, as behind a NAT, and could not
 * connect (RFC 9293 section 3.10.7.4, as in Linux). Other RSTs are ignored (RFC 1337). */
enum timewait_action timewait_input(struct timewait *tw, const struct wire_packet *p, struct tcp_env *env,
                                    braid_time now);

/* Sends a keepalive (RFC 1122 section 4.2.3.6): an ACK of the octet before snd_nxt, which has to be answered.
 */
void timewait_keepalive(const struct timewait *tw, struct tcp_env *env, braid_time now);
/* Sends an ACK that has MP_FASTCLOSE (RFC 6824 section 3.5), of a connection of MPTCP that was aborted. seq:
 * what the peer expects, by what it acknowledges, or snd_nxt. key: the peer's. */
void timewait_fastclose(const struct timewait *tw, uint32_t seq, struct tcp_env *env, uint64_t key,
                        braid_time now);
/* Sends a RST where our next byte would be. */
void timewait_reset(const struct timewait *tw, struct tcp_env *env);

#endif
