/* One TCP connection: an MPTCP subflow, or the whole of a plain TCP connection. RFC 9293 with RFC 5961, 7323,
 * 2018, 2883, 6298, 6675, 6937, 8985. It moves opaque maps (runs of payload) out and in-order slices in, and
 * knows nothing of MPTCP: its owner supplies and receives the MPTCP options through struct subflow_ops.
 *
 * Sequence numbers are 64-bit offsets from the initial sequence number: the SYN is 0, the first payload byte
 * 1, so the low 32 bits of an offset are RFC 8684's relative subflow sequence number. Wire value = iss +
 * (uint32_t)offset.
 *
 * Nothing is sent from within subflow_input except resets, challenge ACKs and handshake segments: ACKs,
 * retransmissions and probes leave in subflow_flush, once per batch. New data leaves in subflow_send, at
 * once. */
#ifndef BRAID_TCP_SUBFLOW_H
#define BRAID_TCP_SUBFLOW_H

#include <sys/uio.h>
#include <braid/cc.h>
#include "base/buf.h"
#include "base/list.h"
#include "tcp/ack_due.h"
#include "tcp/closing.h"
#include "tcp/congestion.h"
#include "tcp/deadlines.h"
#include "tcp/delivery.h"
#include "tcp/env.h"
#include "tcp/flight.h"
#include "tcp/mss.h"
#include "tcp/mtu_search.h"
#include "tcp/disorder.h"
#include "tcp/ooo.h"
#include "tcp/pacer.h"
#include "tcp/rack.h"
#include "tcp/recovery.h"
#include "tcp/recv.h"
#include "tcp/refuse.h"
#include "tcp/rtt.h"
#include "tcp/send.h"
#include "tcp/sent.h"
#include "tcp/silence.h"
#include "tcp/state.h"
#include "tcp/syn.h"
#include "tcp/timers.h"
#include "tcp/timestamps.h"
#include "tcp/tlp.h"
#include "wire/packet.h"

struct subflow;
struct freezer;
struct thaw_item;

/* A run of payload sent as one or more segments, contiguous in this subflow. Allocated by the owner, embedded
 * in a struct of its own; belongs to the subflow from subflow_send until map_done. */
struct tcp_map {
    struct list node; /* in flight->maps, by offset */
    uint64_t off;     /* offset of the first byte; set by subflow_send */
    uint32_t len;     /* payload bytes, > 0 */
    uint32_t n_slices;
    struct slice *slices; /* hold references; together len bytes */
};

/* Kinds of outgoing segment, for options_out. */
enum subflow_segment {
    SUBFLOW_SYN,
    SUBFLOW_SYNACK,
    SUBFLOW_ACK, /* no payload; also FIN, window probe and keepalive */
    SUBFLOW_DATA,
    SUBFLOW_RST
};

enum subflow_verdict {
    SUBFLOW_OK,
    SUBFLOW_DROP, /* ignore this segment (handshake: stay in the state; segment: do not queue its payload or
                     FIN) */
    SUBFLOW_RESET /* send a RST (options_out is asked) and close; closed(SUBFLOW_CLOSED_LOCAL) follows */
};

/* Implemented by the owner. None of these may destroy the subflow; all may call subflow_ack_soon and the
 * like. */
struct subflow_ops {
    /* SYN_SENT: the acceptable SYN/ACK (or, simultaneous open, SYN). SYN_RECEIVED: the segment that
     * acknowledges our SYN/ACK, perhaps with payload. State is already set to ESTABLISHED's values except
     * sf->state. */
    enum subflow_verdict (*handshake)(struct subflow *sf, const struct wire_packet *p, braid_time now);
    /* SYN_RECEIVED: the SYN came again, before its payload is taken. */
    void (*syn_again)(struct subflow *sf, const struct wire_packet *p);
    /* The subflow is ESTABLISHED; follows handshake's SUBFLOW_OK. */
    void (*established)(struct subflow *sf, braid_time now);
    /* Any acceptable segment without RST in ESTABLISHED and later states, after ACK processing and before its
     * payload is queued. off: offset of its first payload byte (may lie before rcv.nxt: trimmed later). In
     * the handshake's last segment it is called after established. */
    enum subflow_verdict (*segment)(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                    braid_time now);
    /* The next slice in order, at offset off; takes over the slice's reference. */
    void (*data)(struct subflow *sf, uint64_t off, struct slice s, braid_time now);
    /* The peer's FIN is in order. */
    void (*fin)(struct subflow *sf, braid_time now);
    /* An acceptable RST came; its options are in p. closed() follows: SUBFLOW_CLOSED_REFUSED in SYN_SENT,
     * else SUBFLOW_CLOSED_RST. */
    void (*reset)(struct subflow *sf, const struct wire_packet *p, braid_time now);
    /* All of m was acknowledged (cumulatively), or the subflow ended (acked false). The owner frees it. */
    void (*map_done)(struct subflow *sf, struct tcp_map *m, bool acked);
    /* A retransmission timeout fired; sf->rtt.backoff counts them. */
    void (*timeout)(struct subflow *sf, braid_time now);
    /* Something (pacing, a timer, an undo) made sending or flushing possible outside of subflow_input. */
    void (*wake)(struct subflow *sf);
    /* The subflow is closed: no more callbacks but map_done from subflow_destroy. */
    void (*closed)(struct subflow *sf, enum subflow_closed why, braid_time now);
    /* Adds MPTCP options to t->mp (t->mp.has is 0 before); they may take `space` bytes. map: the one that the
     * payload belongs to, for SUBFLOW_DATA; `fin`: the segment carries a FIN. */
    void (*options_out)(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                        unsigned space, struct wire_tcp *t);
    /* The payload of a SYN or SYN/ACK that is about to leave (sf->state tells which, sf->syn.retries how
     * often it did before), of at most `room` bytes, in up to n pieces, which stay valid during the call;
     * returns how many. The bytes are the first of the stream. What the peer acknowledges with its answer
     * lies before snd.una when established is called; the rest is the owner's to send. */
    unsigned (*syn_payload)(struct subflow *sf, uint32_t room, struct iovec *iov, unsigned n);
    /* Writes what the owner knows of a map of its own, and makes one of what was written: without its place,
     * off and len. NULL if something was wrong with it. NULL both: maps are not handed over. */
    void (*map_freeze)(const struct subflow *sf, const struct tcp_map *m, struct freezer *f);
    struct tcp_map *(*map_thaw)(struct subflow *sf, const struct thaw_item *i);
    /* Receive window to advertise, in bytes, relative to what options_out acknowledges. */
    uint64_t (*window)(struct subflow *sf);
    struct tcp_keepalive (*keepalive)(const struct subflow *sf);
};

/* Each group is declared beside the file that keeps it. The pointers are never NULL once the subflow is open:
 * what they point to is made when it is needed, and is constant and empty otherwise. */
struct subflow {
    struct tcp_env *env;
    struct mem_account *account; /* the owner's: out-of-order data is charged here */
    struct tcp_books *books;     /* of its path; never NULL once it is open */
    struct braid_addr local, remote;
    enum tcp_state state;

    struct tcp_syn syn;
    struct tcp_timestamps ts;
    struct tcp_size size;
    struct reo_wnd reo_wnd;
    struct mtu_search mtu;

    struct tcp_snd snd;
    struct tcp_flight *flight; /* something that was sent is not acknowledged */
    struct tcp_undo *undo;     /* something was lost, or seemed to be */
    struct tcp_rcv rcv;
    struct tcp_disorder *ooo; /* something came out of order, or twice */
    struct tcp_ack_due ack;
    struct tcp_fins fin;

    struct cc cc;
    struct cwnd_use cwnd;
    struct rtt rtt;
    struct pacer pacer;
    struct delivery delivery; /* delivery.delivered is mirrored to cc.delivered */

    struct tcp_deadlines due;
    struct tcp_tries tries;
    struct tcp_activity activity;
};

/* Passive open from a SYN: SYN_RECEIVED, nothing sent. cc: the algorithm. The struct must be zeroed; env,
 * account and size.reserve set. */
void subflow_open_passive(struct subflow *sf, const struct wire_packet *syn, const struct cc_ops *cc,
                          braid_time now);
/* The payload of that SYN, of which the owner takes sf->syn.take bytes at most, goes to ops->data; those of
 * later SYNs do by themselves. Nothing if memory is short. b: the buffer that syn->payload points into. */
void subflow_take_syn(struct subflow *sf, const struct wire_packet *syn, struct buf *b, braid_time now);
/* Sends the SYN/ACK and starts its timer. */
void subflow_answer(struct subflow *sf, braid_time now);
/* Active open: SYN_SENT, sends the SYN. As above; local and remote set too. */
void subflow_open_active(struct subflow *sf, const struct cc_ops *cc, braid_time now);
/* In SYN_SENT: the SYN leaves once more, beside those of the retransmission timer. */
void subflow_repeat_syn(struct subflow *sf, braid_time now);

/* Processes a TCP segment for this subflow. b: the buffer that p->payload points into. seg_size: payload
 * bytes per segment if it is a super-packet, else 0. */
void subflow_input(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint32_t seg_size,
                   braid_time now);
/* Processes an ICMP error that quotes a packet of ours. */
void subflow_icmp(struct subflow *sf, const struct wire_packet *p, braid_time now);

/* Bytes of new data that subflow_send would take now: the least of what cwnd (or PRR), the peer's window,
 * pacing and a super-packet admit; 0 if not established, closing, or retransmissions wait. When only pacing
 * is in the way, the pacing timer is armed and wake follows. */
uint64_t subflow_space(struct subflow *sf, braid_time now);
/* Sends m, of at most subflow_space() bytes, as one (super-)packet. */
void subflow_send(struct subflow *sf, struct tcp_map *m, braid_time now);
/* Before the third ACK of a passive open, behind the SYN/ACK: bytes of new data that subflow_send_early would
 * take now, within the initial window and the one of the peer's SYN. 0 as well if the SYN/ACK has not left or
 * was repeated, since what it acknowledged has to be known. */
uint64_t subflow_early_space(struct subflow *sf);
/* Sends m, of at most so many bytes. Until the third ACK nothing of it is sent again. */
void subflow_send_early(struct subflow *sf, struct tcp_map *m, braid_time now);
/* The third segment of a handshake that we began, if nothing has left since the SYN/ACK: before new data, or
 * else by the flush. */
void subflow_third_ack(struct subflow *sf, braid_time now);
/* End of batch: retransmissions due, pending ACKs, FIN. */
void subflow_flush(struct subflow *sf, braid_time now);
/* An ACK leaves at the next flush / at once. */
void subflow_ack_soon(struct subflow *sf);
void subflow_ack_at_once(struct subflow *sf, braid_time now);
/* An ACK is owed for an empty segment, and is no matter of microseconds: the next segment of any kind is it,
 * or one of its own after some milliseconds. */
void subflow_ack_shortly(struct subflow *sf, braid_time now);
/* The owner has data that only the peer's window (its own or the connection's) holds back: keep probing, with
 * the persist timer's backoff (RFC 9293 section 3.8.6.1). */
void subflow_set_blocked(struct subflow *sf, bool blocked, braid_time now);
/* What ops->keepalive says is another time now. */
void subflow_keepalive_changed(struct subflow *sf);
/* Another congestion control from now on; cwnd, ssthresh and a recovery under way stay. */
void subflow_set_cc(struct subflow *sf, const struct cc_ops *cc, braid_time now);
/* Sends one keepalive-style probe (an old sequence number, no payload) now. */
void subflow_probe(struct subflow *sf, braid_time now);

/* From when on the path has to be taken for silent, should the peer acknowledge nothing until then;
 * BRAID_NEVER: nothing is on its way. Long before the retransmission timeout, so an owner that can do without
 * this subflow should only do without it for a while. patience: each step doubles the grace. */
braid_time subflow_silent_at(const struct subflow *sf, unsigned patience);
/* Probes a silent path (subflow_probe). The answer acknowledges, with an old timestamp, what had arrived
 * before the silence; nobody is to conclude from that that nothing was lost. */
void subflow_ask(struct subflow *sf, braid_time now);
/* The path is known to work again: what is outstanding times out at the next run of the timers, whatever the
 * backoff. */
void subflow_retry(struct subflow *sf, braid_time now);
/* This end stood still and goes on now (braid_core_resumed). */
void subflow_resumed(struct subflow *sf, braid_time now);
/* The subflow holds up others: it is to send about half as fast, within the rules of its congestion control
 * (struct cc_ops: on_penalty). Nothing in recovery. */
void subflow_penalize(struct subflow *sf, braid_time now);

/* No more data will be sent: FIN follows at the next flush. */
void subflow_close(struct subflow *sf, braid_time now);
/* Sends a RST with options_out's options unless CLOSED or the SYN was not answered; CLOSED. ops->closed is
 * not called. */
void subflow_reset(struct subflow *sf, braid_time now);
/* Releases everything; map_done is called for each map left. */
void subflow_destroy(struct subflow *sf);
/* Recomputes mss after size.reserve or size.path_mtu changed. */
void subflow_update_mss(struct subflow *sf);

static inline bool subflow_synchronized(const struct subflow *sf)
{
    return sf->state >= TCP_STATE_ESTABLISHED;
}
/* Bytes of payload that came in order ... */
static inline uint64_t subflow_bytes_in(const struct subflow *sf)
{
    return sf->rcv.nxt > 0 ? sf->rcv.nxt - 1 - sf->fin.received : 0; /* the SYN and the FIN count one each */
}
/* ... and that were sent, each counted once. */
static inline uint64_t subflow_bytes_out(const struct subflow *sf)
{
    return sf->snd.nxt > 0 ? sf->snd.nxt - 1 - sf->fin.sent : 0;
}
/* Is it the initial window, or that after idleness, that leaves? */
static inline bool subflow_in_initial_window(const struct subflow *sf)
{
    return sf->cwnd.initial > 0;
}
/* Has our FIN, the last thing that we send, arrived? */
static inline bool subflow_fin_acked(const struct subflow *sf)
{
    return sf->fin.sent && sf->snd.una == sf->snd.nxt;
}
/* May new data be put on it at all? */
static inline bool subflow_can_carry_data(const struct subflow *sf)
{
    return (sf->state == TCP_STATE_ESTABLISHED || sf->state == TCP_STATE_CLOSE_WAIT) && !sf->fin.wanted;
}

/* Asserts the invariants of a subflow. */
void subflow_check(const struct subflow *sf);

#endif
