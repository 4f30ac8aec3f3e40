/* Receiving: the receive sequence variables of RFC 9293 section 3.3.1, as offsets. */
#ifndef BRAID_TCP_RECV_H
#define BRAID_TCP_RECV_H

#include <braid/types.h>

struct buf;
struct subflow;
struct wire_packet;

struct tcp_rcv {
    uint64_t nxt;
    uint64_t adv;       /* highest right edge ever advertised */
    uint32_t mss;       /* estimate of the peer's segment size */
    uint32_t rtt_tsecr; /* of the last sample of ... */
    int32_t rtt_us; /* ... the round trip as the receiver of data sees it, queues on the way included; 0: no
                     * sample yet */
    uint8_t traffic_class; /* of the last segment */
    bool small : 1;        /* a segment came that was not full, and is not acknowledged yet */
    bool eager : 1;        /* another such one came meanwhile: the peer uses no Nagle algorithm */
};

/* Takes the payload and FIN of an acceptable segment that begins at offset off. */
void tcp_receive(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint64_t off,
                 braid_time now);

#endif
