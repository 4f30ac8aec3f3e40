/* What the two SYNs said, and when: the handshake of a subflow (RFC 9293 section 3.5, RFC 7323, RFC 2018). */
#ifndef BRAID_TCP_SYN_H
#define BRAID_TCP_SYN_H

#include <braid/types.h>

struct tcp_syn {
    uint32_t iss, irs;
    braid_time opened_at; /* when the first SYN or SYN/ACK left */
    unsigned retries;
    bool passive;
    bool answered;  /* passive: the SYN/ACK was sent */
    bool stateless; /* ... and when is not known (cookie.h) */
    bool ts_ok, sack_ok, wscale_ok;
    uint8_t snd_wscale, rcv_wscale;
    uint16_t peer_mss; /* as offered, 536/1220 if not */
};

#endif
