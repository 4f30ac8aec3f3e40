/* What the two SYNs said, and when: the handshake of a subflow (RFC 9293 section 3.5, RFC 7323, RFC 2018). */
#ifndef BRAID_TCP_SYN_H
#define BRAID_TCP_SYN_H

#include <braid/types.h>

struct subflow;
struct wire_packet;

struct tcp_syn {
    braid_time since;  /* when the first SYN or SYN/ACK left; from ESTABLISHED on: when that began */
    uint32_t iss, irs; /* wire values: ours and the peer's */
    uint16_t peer_mss; /* as offered, 536/1220 if not */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t retries;
    /* Payload of SYNs, in bytes: what the owner takes of the peer's, what the newest of them had, and what
     * our last SYN/ACK has acknowledged of it; the most that one of ours, or our SYN/ACK, has carried. */
    uint16_t take, came, acked, sent;
    bool passive : 1;
    bool answered : 1;  /* passive: the SYN/ACK was sent */
    bool wavers : 1;    /* not all of our SYN/ACKs have acknowledged as much */
    bool stateless : 1; /* ... and when is not known (cookie.h) */
    bool repeated : 1;  /* active: not only by the timer */
    bool ts_ok : 1, sack_ok : 1, wscale_ok : 1;
};

/* Handshake: takes MSS, window scale, SACK and timestamps from a SYN or SYN/ACK. */
void tcp_take_syn_options(struct subflow *sf, const struct wire_packet *p, braid_time now);
/* The window scale that we offer for a buffer of so many bytes. */
uint8_t tcp_window_scale(size_t rcvbuf);
/* The handshake is complete: congestion control starts. */
void tcp_establish(struct subflow *sf, braid_time now);

#endif
