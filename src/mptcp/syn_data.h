/* Data in the SYN, and in the SYN/ACK of plain TCP (RFC 8684 appendix B, RFC 8803 section 3). It belongs to
 * the stream, but not to the data sequence space: behind it the numbers of the data begin with DATA_FIRST,
 * and the relative numbers of the subflow with 1, though its offsets are behind the bytes of the SYN. */
#ifndef BRAID_MPTCP_SYN_DATA_H
#define BRAID_MPTCP_SYN_DATA_H

#include "tcp/subflow.h"

struct braid_conn;
struct mp_subflow;
struct slice;
struct wire_packet;

/* In bytes. Of a connection that is plain TCP from its SYN on they count as any others, and `in` stays 0. */
struct conn_syn_data {
    uint16_t most;  /* of the peer's SYN, that the listener takes; 0: none */
    uint16_t in;    /* that the peer's SYN has brought, or what came again in its place */
    uint16_t acked; /* of these, by the SYN/ACK that the peer answers */
    uint16_t offer; /* of what is written, that our SYN or SYN/ACK carries if it has room */
    uint16_t out;   /* of these, that the peer's answer has acknowledged */
    bool settled;   /* `in` is what it will be */
    bool inside;    /* what is not acknowledged has become part of the data sequence space */
    bool unmapped;  /* the peer repeats its SYN's data without mappings, as Linux does */
    uint8_t asked;  /* how often for the answer to ours (first_answer.c) */
};

/* Bytes of what the peer's SYN has brought that are not part of the data sequence space. */
static inline uint32_t syn_data_outside(const struct conn_syn_data *d)
{
    return d->inside ? d->acked : d->in;
}

/* ---- the peer's ---- */

/* Of so many bytes that there may be in or behind the handshake: none if the version that is spoken has no
 * place for them. */
uint16_t syn_data_bound(const struct braid_conn *c, uint16_t most);

/* How many bytes from offset off on, which no mapping covers, may be data of the peer's SYN. */
uint32_t syn_data_room(const struct mp_subflow *s, uint64_t off);
/* They are, in this slice, which follows all that there was. Takes it over. */
void syn_data_take(struct mp_subflow *s, struct slice *in);
/* The third ACK, or what stands for it: tells from where on this peer sends its stream. False: that cannot be
 * told, so that there is no MPTCP. */
bool syn_data_agree(struct mp_subflow *s, const struct wire_packet *p);
/* False: the relative subflow sequence numbers of this segment, which starts at offset off, cannot be
 * understood before bytes come that are missing. */
bool syn_data_settle(struct mp_subflow *s, const struct wire_packet *p, uint64_t off);
/* Where data has checksums, and what comes again has a mapping that goes on behind it: holds those bytes
 * back, with which the sum begins. */
void syn_data_hold(struct mp_subflow *s, const struct wire_packet *p, uint64_t off);
/* What a relative subflow sequence number of the peer's lacks to be an offset. */
uint64_t syn_data_shift_in(const struct mp_subflow *s);

/* ---- ours ---- */

/* Writes the first bytes of the stream, for the SYN or SYN/ACK. False: memory is short. */
bool syn_data_offer(struct braid_conn *c, const void *data, size_t len);
/* The SYN of this first subflow is about to leave: with MP_CAPABLE? */
bool syn_data_capable(const struct mp_subflow *s);

/* As ops.syn_payload (struct subflow_ops). */
unsigned flow_syn_payload(struct subflow *sf, uint32_t room, struct iovec *iov, unsigned n);
/* The handshake of the first subflow is complete. */
void syn_data_established(struct mp_subflow *s);
/* What an offset of ours is more than the relative subflow sequence number. */
uint64_t syn_data_shift_out(const struct mp_subflow *s);

#endif
