/* Timestamps (RFC 7323): what the peer's said last, and where ours begin. */
#ifndef BRAID_TCP_TIMESTAMPS_H
#define BRAID_TCP_TIMESTAMPS_H

#include <braid/types.h>

struct subflow;
struct wire_packet;

struct tcp_timestamps {
    uint32_t recent;      /* TS.Recent: the peer's TSval that our segments echo */
    uint32_t offset;      /* random; our TSval = now in ms + this */
    braid_time recent_at; /* when it came */
};

/* RFC 7323 section 5.3: is the segment [off, end), which acknowledges ack, older than what came last? */
bool tcp_paws_rejects(struct subflow *sf, const struct wire_packet *p, uint64_t off, uint64_t end,
                      uint64_t ack, braid_time now);
/* Remembers the timestamp of an acceptable segment at off, if ACKs are to echo it. */
void tcp_ts_update(struct subflow *sf, const struct wire_packet *p, uint64_t off, braid_time now);
/* Takes a sample of rcv.rtt_us: from an ACK of ours to data that echoes its timestamp. */
void tcp_measure_rcv_rtt(struct subflow *sf, const struct wire_packet *p, braid_time now);

#endif
