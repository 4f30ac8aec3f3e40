/* What the files of src/tcp share with each other and nobody else. */
#ifndef BRAID_TCP_INTERNAL_H
#define BRAID_TCP_INTERNAL_H

#include "tcp/sent.h"
#include "tcp/subflow.h"

#define TCP_DELACK_TIME     (40 * BRAID_MS)
#define TCP_DELACK_QUICK    (4 * BRAID_MS) /* while the connection is young, and of less than a full segment */
#define TCP_QUICK_ACKS      16
#define TCP_INITIAL_WINDOW  10                   /* segments, RFC 6928 */
#define TCP_GIVE_UP_TIME    (100 * BRAID_SECOND) /* without progress, RFC 9293 section 3.8.3 (R2) */
#define TCP_GIVE_UP_BACKOFF 15
#define TCP_GIVE_UP_LEAST   5 /* timeouts: where the RTO is long, the time alone is no proof */
#define TCP_PROBE_MAX_TIME  (60 * BRAID_SECOND)
#define TCP_KEEPALIVE_STEP  (75 * BRAID_SECOND)
#define TCP_KEEPALIVE_MAX   9
#define TCP_HOP_LIMIT       64
#define TCP_DUPTHRESH       3
#define TCP_OOO_MAX         4096 /* entries of the out-of-order queue */

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline void tcp_count(struct subflow *sf, enum braid_counter c, uint64_t n)
{
    sf->env->count.v[c] += n;
}

static inline uint32_t tcp_tsval(const struct subflow *sf, braid_time now)
{
    return (uint32_t)(now / BRAID_MS) + sf->ts.offset;
}

static inline bool tcp_outstanding(const struct subflow *sf)
{
    return !list_empty(&sf->board.runs);
}

/* ---- subflow.c ---- */
void tcp_set_state(struct subflow *sf, enum tcp_state state);
/* Ends the subflow (CLOSED, or TIME_WAIT if state says so) and tells the owner. */
void tcp_finish(struct subflow *sf, enum tcp_state state, enum subflow_closed why, braid_time now);
/* Handshake: takes MSS, window scale, SACK and timestamps from a SYN or SYN/ACK. */
void tcp_take_syn_options(struct subflow *sf, const struct wire_packet *p, braid_time now);
/* The window scale that we offer for a buffer of so many bytes. */
uint8_t tcp_window_scale(size_t rcvbuf);
/* The handshake is complete: congestion control starts. */
void tcp_establish(struct subflow *sf, braid_time now);

/* ---- output.c ---- */
/* What the window field of the next segment (not a SYN) will say, in bytes. */
uint64_t tcp_window_now(const struct subflow *sf);
/* The MSS that we offer to a peer: what our link takes, or, if it is known to be less, the path to it. */
uint16_t tcp_own_mss(struct tcp_env *env, const struct braid_ip *peer, braid_time now);
void tcp_send_syn(struct subflow *sf, braid_time now);
void tcp_send_ack(struct subflow *sf, braid_time now);
void tcp_send_fin(struct subflow *sf, uint64_t off, braid_time now);
/* A RST with the given wire sequence number, or the one of RFC 9293 section 3.10.7.4 for our own abort. */
void tcp_send_rst(struct subflow *sf, braid_time now);
void tcp_send_rst_at(struct subflow *sf, uint32_t seq);
/* The payload [start, end) of map m, in segments of at most mss bytes. Returns the number of segments. */
unsigned tcp_send_data(struct subflow *sf, const struct tcp_map *m, uint64_t start, uint64_t end,
                       uint32_t mss, braid_time now);
/* An ACK that answers something suspect, within the rate limit of RFC 5961 section 7. */
void tcp_challenge_ack(struct subflow *sf, braid_time now);
/* True if RFC 5961's limit admits one more; counts it. */
bool tcp_challenge_allowed(struct tcp_env *env, braid_time now);
/* A segment without state behind it: resets and TIME_WAIT. t: complete but for ports. */
void tcp_emit(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
              const struct wire_tcp *t);

/* ---- send.c ---- */
/* Is PRR, not cwnd, what says how much may leave? */
static inline bool tcp_prr_governs(const struct subflow *sf)
{
    return sf->cc.in_recovery && !sf->recovery.by_rto && !sf->cc.ops->model_based;
}
/* Bytes that congestion control lets go now. */
uint64_t tcp_cwnd_room(const struct subflow *sf);
/* The run leaves again, bookkeeping included. */
void tcp_retransmit(struct subflow *sf, struct tcp_sent *s, braid_time now);
void tcp_update_pacing(struct subflow *sf);

/* ---- recv.c ---- */
/* Takes the payload and FIN of an acceptable segment that begins at offset off. */
void tcp_receive(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint64_t off,
                 braid_time now);
/* Notes a duplicate for the next DSACK (RFC 2883) and asks for an ACK. */
void tcp_note_duplicate(struct subflow *sf, uint64_t start, uint64_t end);
/* Fills t's SACK blocks, at most `room` of them. */
void tcp_fill_sack(struct subflow *sf, struct wire_tcp *t, unsigned room);
/* Is there something that only a pure ACK can report? */
static inline bool tcp_sack_pending(const struct subflow *sf)
{
    return sf->syn.sack_ok && (sf->ooo.n_sacks > 0 || sf->ooo.dsack.start != sf->ooo.dsack.end);
}
/* Sends or schedules the ACK that is due at the end of a batch. */
void tcp_ack_flush(struct subflow *sf, braid_time now);
/* An ACK left with a segment. pure: without payload and FIN, with all the SACK blocks. */
void tcp_ack_was_sent(struct subflow *sf, bool pure, uint64_t window);
void tcp_receive_clear(struct subflow *sf);
void tcp_receive_check(const struct subflow *sf);

/* ---- ack.c ---- */
/* What one ACK brought. */
struct ack_info {
    braid_time now;
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

/* ---- rack.c ---- */
void rack_init(struct rack *r);
/* [.., end) of s was delivered for the first time. */
void rack_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t end, const struct ack_info *a);
/* A DSACK came (RFC 8985 section 6.2 step 4). */
void rack_on_dsack(struct subflow *sf);
void rack_on_recovered(struct subflow *sf);
/* Marks losses and sets sf->due.reorder. Returns the bytes newly marked. */
uint64_t rack_detect_loss(struct subflow *sf, braid_time now);
/* May a tail loss probe be scheduled? */
bool tlp_allowed(const struct subflow *sf);
braid_time tlp_timeout(const struct subflow *sf);
void tlp_send(struct subflow *sf, braid_time now);
/* True if the probe repaired a loss: congestion control has to hear of it (section 7.4.2). */
bool tlp_process_ack(struct subflow *sf, const struct ack_info *a);

/* ---- mtu.c ---- */
/* The size of packets to a peer to begin with. */
uint16_t tcp_mtu_known(struct tcp_env *env, const struct braid_ip *peer, braid_time now);
void tcp_mtu_init(struct subflow *sf, braid_time now);
/* How many of the next len bytes should leave as one larger packet, to see whether that passes; 0: none. Then
 * tcp_mtu_probing(s): they are the run s. */
uint32_t tcp_mtu_probe(struct subflow *sf, uint32_t len, braid_time now);
void tcp_mtu_probing(struct subflow *sf, const struct tcp_sent *s);
/* So many bytes of s were delivered. */
void tcp_mtu_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t bytes, braid_time now);
/* s was lost. True: as a probe, which says nothing of congestion. */
bool tcp_mtu_lost(struct subflow *sf, const struct tcp_sent *s, braid_time now);
/* The retransmission timer expired. */
void tcp_mtu_timeout(struct subflow *sf, braid_time now);
/* s, the first run that is outstanding, is about to be retransmitted: in smaller segments, if those of this
 * size never arrive. */
void tcp_mtu_head_again(struct subflow *sf, const struct tcp_sent *s);
/* The path swallows, or is suspected to, what both ends would take. Then segments leave one by one: what
 * swallows the big ones may sit on this machine, where it sees a super-packet as one. */
bool tcp_mtu_limited(const struct subflow *sf);
/* A router says that no larger packet than mtu passes; 0: it does not say what would. */
void tcp_mtu_icmp(struct subflow *sf, uint32_t mtu, braid_time now);

/* ---- recovery.c ---- */
/* flight: see prr_begin; in_flight: pipe before the loss was detected. */
void recovery_begin(struct subflow *sf, uint64_t flight, uint64_t in_flight, braid_time now);
void recovery_begin_rto(struct subflow *sf, braid_time now);
/* The congestion response to a loss that needs no recovery. */
void recovery_skip(struct subflow *sf, uint64_t in_flight, braid_time now);
/* Adapts cwnd to an ACK, in and out of recovery. lost: bytes it marked lost. */
void recovery_on_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost);
/* Ends the recovery if snd.una has passed its end. */
void recovery_try_end(struct subflow *sf, braid_time now);
/* Undoes a recovery that proved spurious. */
void recovery_try_undo(struct subflow *sf, const struct ack_info *a);
void recovery_note_retransmit(struct subflow *sf, uint64_t bytes, braid_time now);

/* ---- timers.c ---- */
void tcp_timer_init(struct subflow *sf);
/* Recomputes the retransmission timer's use, then arms the wheel for the earliest deadline. */
void tcp_timers_update(struct subflow *sf);
/* Arms the wheel only. */
void tcp_timers_arm(struct subflow *sf);
void tcp_timers_stop(struct subflow *sf);

/* What a peer without an MSS option takes, RFC 9293 section 3.7.1. */
static inline uint16_t tcp_default_mss(bool v4)
{
    return v4 ? 536 : 1220;
}

#endif
