/* Arriving segments: the order of checks of RFC 9293 section 3.10.7 with the precautions of
 * RFC 5961 against blind attacks and PAWS (RFC 7323). */
#include "tcp/internal.h"

#include "base/seq.h"
#include "tcp/ack.h"
#include "tcp/challenge.h"
#include "tcp/output.h"
#include "tcp/sack_blocks.h"

#define STRAY_ACK_EVERY (100 * BRAID_MS)

/* A segment with its numbers as offsets. They may be absurd, so compare with seq64_before. */
struct seg {
    const struct wire_packet *p;
    uint64_t off, end; /* end counts SYN and FIN */
    uint64_t ack;
    bool syn, fin, rst, has_ack;
};

/* An offset is the one with these low 32 bits that is nearest to where the sequence stands: RCV.NXT for
 * the peer's numbers, SND.UNA for ours. */
static struct seg decode(const struct subflow *sf, const struct wire_packet *p)
{
    struct seg s = {
        .p = p,
        .off = seq_extend(sf->rcv.nxt, p->tcp.seq - sf->syn.irs),
        .ack = seq_extend(sf->snd.una, p->tcp.ack - sf->syn.iss),
        .syn = p->tcp.flags & TCP_SYN,
        .fin = p->tcp.flags & TCP_FIN,
        .rst = p->tcp.flags & TCP_RST,
        .has_ack = p->tcp.flags & TCP_ACK,
    };
    s.end = s.off + p->payload_len + s.syn + s.fin;
    return s;
}

/* ---- the handshake ---- */

/* Enters ESTABLISHED if the owner agrees and there is memory, which is looked at first: what the owner has
 * agreed to it may have done already. What ack leaves of the payload of our SYN is as if it had not been
 * sent; data behind our SYN/ACK is in flight, and acknowledged as any other.
 */
static bool complete_handshake(struct subflow *sf, const struct wire_packet *p, uint64_t ack, bool ask,
                               braid_time now)
{
    uint64_t sent = sf->snd.nxt;
    bool early = tcp_outstanding(sf);

    sf->snd.una = early ? 1 : ack;
    sf->snd.nxt = early ? sent : ack;
    enum subflow_verdict v = !tcp_cc_reserve(sf) ? SUBFLOW_RESET
                             : ask               ? sf->env->ops->handshake(sf, p, now)
                                                 : SUBFLOW_OK;

    if (v == SUBFLOW_RESET) {
        tcp_send_rst(sf, now);
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_LOCAL, now);
    }
    if (v != SUBFLOW_OK) {
        sf->snd.una = 0;
        sf->snd.nxt = sent;
        return false;
    }
    tcp_establish(sf, now);
    if (early && sf->state != TCP_STATE_CLOSED) { /* from now on it is sent again if it is lost */
        sf->due.rto_base = sf->activity.progress_at = now;
        tcp_deadlines_update(sf);
    }
    return sf->state != TCP_STATE_CLOSED;
}

/* Payload that came with a handshake segment, or behind it. */
static void continue_established(struct subflow *sf, const struct seg *s, struct buf *b, braid_time now)
{
    enum subflow_verdict v = sf->env->ops->segment(sf, s->p, s->off + s->syn, now);

    if (sf->state == TCP_STATE_CLOSED)
        return;
    if (v == SUBFLOW_RESET) {
        tcp_send_rst(sf, now);
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_LOCAL, now);
    } else if (v == SUBFLOW_OK) {
        tcp_receive(sf, s->p, b, s->off + s->syn, now);
    }
}

/* Our SYN or SYN/ACK, and any part of its payload, or of what left behind it. */
static bool acks_syn(const struct subflow *sf, uint64_t ack)
{
    uint64_t behind = sf->state == TCP_STATE_SYN_RECEIVED && tcp_outstanding(sf) ? sf->snd.nxt - 1 : 0;

    return ack - 1 <= max_u64(sf->syn.sent, behind);
}

/* Simultaneous open: both SYNs crossed. The owner decides now; the ACK of our SYN/ACK will only complete it.
 */
static void cross_syn(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    enum subflow_verdict v = sf->env->ops->handshake(sf, p, now);

    if (v == SUBFLOW_RESET)
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_LOCAL, now);
    if (v != SUBFLOW_OK)
        return;
    sf->syn.answered = true;
    tcp_set_state(sf, TCP_STATE_SYN_RECEIVED);
    tcp_send_syn(sf, now);
    tcp_deadlines_update(sf);
}

/* RFC 9293 section 3.10.7.3. */
static void input_syn_sent(struct subflow *sf, const struct wire_packet *p, struct buf *b, braid_time now)
{
    uint8_t flags = p->tcp.flags;

    /* First check: the answer to another SYN, of an earlier connection perhaps, whose other end the RST
     * clears; or a guess of someone who has not seen ours. Without SYN it is a challenge (RFC 5961 section 4)
     * of that end, to ours: when it is cleared ours is taken, so it follows at once, but not again and again.
     */
    if ((flags & TCP_ACK) && !acks_syn(sf, p->tcp.ack - sf->syn.iss)) {
        if (flags & TCP_RST)
            return;
        tcp_send_rst_at(sf, p->tcp.ack);
        if (!(flags & TCP_SYN) && sf->syn.retries == 0 && !sf->syn.repeated)
            subflow_repeat_syn(sf, now);
        return;
    }
    /* Second check: a RST that does not acknowledge our SYN may be anybody's. */
    if (flags & TCP_RST) {
        if (flags & TCP_ACK) {
            sf->env->ops->reset(sf, p, now);
            tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_REFUSED, now);
        }
        return;
    }
    if (!(flags & TCP_SYN))
        return;
    /* The options are taken before the owner is asked. If it drops the segment our SYN goes out again, with
     * the scale that it offered before. */
    uint8_t scale = sf->syn.rcv_wscale;
    tcp_take_syn_options(sf, p, now);
    if (!(flags & TCP_ACK)) {
        cross_syn(sf, p, now);
        return;
    }
    if (!complete_handshake(sf, p, p->tcp.ack - sf->syn.iss, true, now)) {
        sf->syn.rcv_wscale = scale;
        return;
    }
    /* Not yet: the owner may still give the connection up, and then a RST alone has the peer forget it. But
     * nothing can be acknowledged behind the SYN before the owner's options have confirmed the handshake. */
    sf->ack.third = true;
    struct seg s = decode(sf, p);
    if (p->payload_len > 0 || s.fin) {
        subflow_third_ack(sf, now);
        continue_established(sf, &s, b, now);
    }
}

/* A SYN in SYN_RECEIVED: the client's again, or the other half of a simultaneous open. True: go on with it.
 */
static bool syn_in_syn_received(struct subflow *sf, const struct seg *s, struct buf *b, braid_time now)
{
    if (s->p->tcp.seq == sf->syn.irs && !s->has_ack) {
        if (sf->syn.passive) {
            sf->env->ops->syn_again(sf, s->p);
            subflow_take_syn(sf, s->p, b, now);
        }
        /* The SYN/ACK was lost, or is late; before it the owner has not decided. */
        if (sf->syn.answered && sf->syn.passive)
            tcp_send_syn(sf, now);
        return false;
    }
    /* The SYN/ACK of a simultaneous open. */
    if (s->p->tcp.seq == sf->syn.irs && !sf->syn.passive)
        return true;
    tcp_challenge_ack(sf, now);
    return false;
}

/* ---- the checks of section 3.10.7.4 ---- */

/* The owner's window may have grown since it was last advertised on this subflow, through others (RFC 8684
 * section 3.3.5), so it is asked before anything is thought to lie beyond. Old segments count as acceptable
 * from the last ACK on: they may have been reordered, and their ACK field is good. */
static bool in_window(struct subflow *sf, const struct seg *s)
{
    if (seq64_before(s->end, sf->ack.last) || (int64_t)s->off < 0)
        return false;
    if (!seq64_before(sf->rcv.adv, s->end))
        return true;
    sf->rcv.adv = max_u64(sf->rcv.adv, sf->rcv.nxt + tcp_window_now(sf));
    return !seq64_before(sf->rcv.adv, s->off);
}

/* RFC 9293 section 3.10.7.4, first check: an ACK unless it is a RST. It leaves with the batch, so that a
 * flood of such segments gets one answer. A segment that was received before is reported as a duplicate. */
static void answer_unacceptable(struct subflow *sf, const struct seg *s, braid_time now)
{
    if (s->rst)
        return;
    if (s->end == s->off) {
        /* Two ends that both find the other's empty segments unacceptable must not go on forever. */
        if (now - sf->ack.stray_at < STRAY_ACK_EVERY)
            return;
        sf->ack.stray_at = now;
    }
    if (s->p->payload_len > 0 && seq64_before(s->off, sf->rcv.nxt) && !seq64_before(sf->rcv.nxt, s->end) &&
        (int64_t)s->off > 0)
        sack_note_duplicate(sf, s->off, s->off + s->p->payload_len);
    sf->ack.now = true;
}

/* The peer is there. One that paused for longer than the RTO begins with a small window again, and is
 * acknowledged quickly as at the start. */
static void note_heard(struct subflow *sf, braid_time now)
{
    if (now - sf->activity.last_recv > rtt_rto(&sf->rtt))
        sf->ack.quick = TCP_QUICK_ACKS;
    sf->activity.last_recv = now;
    sf->tries.keepalives = sf->tries.probes_unanswered = 0;
}

/* Whether the peer asks if we are there (RFC 9293 section 3.8.4), by the number before the next one and with
 * an ACK that can be true. Its path works then, at least from there to here. */
static bool is_question(const struct subflow *sf, const struct seg *s)
{
    return s->has_ack && !s->rst && !s->syn && s->end == s->off && s->off + 1 == sf->rcv.nxt &&
           !seq64_before(s->ack, sf->snd.una) && !seq64_before(sf->snd.nxt, s->ack);
}

/* RFC 5961 section 3.2: only the very number that is expected next ends the connection; of those in the
 * window a blind attacker would soon hit one. */
static void input_rst(struct subflow *sf, const struct seg *s, braid_time now)
{
    if (s->off != sf->rcv.nxt) {
        tcp_challenge_ack(sf, now);
        return;
    }
    if (sf->state == TCP_STATE_SYN_RECEIVED) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_REFUSED, now);
        return;
    }
    sf->env->ops->reset(sf, s->p, now);
    if (sf->state != TCP_STATE_CLOSED)
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_RST, now);
}

/* True if the segment passed sequence, PAWS, RST and SYN checks. A RST is not subject to PAWS (RFC 7323
 * section 5.3, R1), and a segment without ACK is dropped (fifth check): only a first SYN has none. */
static bool acceptable(struct subflow *sf, const struct seg *s, braid_time now)
{
    if (s->syn && subflow_synchronized(sf)) {
        if (!s->rst)
            tcp_challenge_ack(sf, now); /* RFC 5961 section 4.2, whatever the sequence number */
        return false;
    }
    if (!s->rst && tcp_paws_rejects(sf, s->p, s->off, s->end, s->ack, now)) {
        tcp_count(sf, COUNT_TCP_PAWS_ESTAB, 1);
        answer_unacceptable(sf, s, now);
        return false;
    }
    if (!in_window(sf, s)) {
        if (is_question(sf, s))
            note_heard(sf, now);
        answer_unacceptable(sf, s, now);
        return false;
    }
    if (s->rst)
        input_rst(sf, s, now);
    return !s->rst && s->has_ack;
}

/* RFC 5961 section 5.2, against data injected with a guessed number: the ACK field has to be right as well,
 * within the largest window that the peer ever had; 64 KB at least, which the section allows for all. */
static bool ack_is_valid(struct subflow *sf, struct seg *s, braid_time now)
{
    /* The payload of our SYN has arrived, though the handshake did not say so. It is about to be sent again,
     * and no map can be acknowledged before. */
    if (seq64_before(sf->snd.nxt, s->ack) && acks_syn(sf, s->ack))
        s->ack = sf->snd.nxt;
    if (!seq64_before(sf->snd.nxt, s->ack) &&
        !seq64_before(s->ack + max_u64(sf->snd.wnd_max, UINT16_MAX), sf->snd.una))
        return true;
    tcp_challenge_ack(sf, now);
    return false;
}

/* The fifth check and all that follow. */
static void input_synchronized(struct subflow *sf, struct seg *s, struct buf *b, braid_time now)
{
    if (!ack_is_valid(sf, s, now))
        return;
    tcp_ts_update(sf, s->p, s->off, now);
    tcp_measure_rcv_rtt(sf, s->p, now);
    note_heard(sf, now);
    uint64_t ack = (int64_t)s->ack < 0 ? 0 : s->ack; /* from before our SYN: just old */
    tcp_process_ack(sf, s->p, s->off, ack, now);
    if (sf->state == TCP_STATE_CLOSED || !tcp_fin_acked(sf, s->p, s->off, now))
        return;
    continue_established(sf, s, b, now);
}

/* The ACK of our SYN/ACK. True: established, go on. */
static bool input_syn_received(struct subflow *sf, struct seg *s, braid_time now)
{
    if (!sf->syn.answered)
        return false;
    if (!acks_syn(sf, s->ack)) {
        tcp_send_rst_at(sf, s->p->tcp.ack);
        return false;
    }
    /* The window of a SYN is never scaled (RFC 7323 section 2.2), also in a simultaneous open. */
    sf->snd.wnd = sf->snd.wnd_max = (uint32_t)s->p->tcp.window << (s->syn ? 0 : sf->syn.snd_wscale);
    return complete_handshake(sf, s->p, s->ack, sf->syn.passive, now);
}

/* The peer's segment size, which delayed ACKs count in (two of them); its MSS option only says what it takes.
 *
 * Who goes by Nagle's algorithm (RFC 9293 section 3.7.4), be it Minshall's variant of it, sends no small
 * segment while an earlier one is not acknowledged, unless it is the last of all. An ACK of ours that it may
 * not have got yet counts as one that it has. */
static void note_segment_size(struct subflow *sf, const struct seg *s, uint32_t seg_size)
{
    uint32_t len = s->p->payload_len, last = seg_size > 0 && len > seg_size ? len % seg_size : len;

    if (!seg_size)
        seg_size = len;
    if (seg_size > sf->rcv.mss)
        sf->rcv.mss = seg_size;
    uint64_t full = min_u64(sf->rcv.mss, sf->syn.peer_mss - (sf->syn.ts_ok ? TCP_TS_OPTION : 0));
    if (last == 0 || last >= full || s->fin || s->off != sf->rcv.nxt)
        return;
    sf->rcv.eager |= sf->rcv.small;
    sf->rcv.small = true;
}

/* What a segment may do depends on the state: in SYN_SENT hardly anything can be checked against numbers;
 * in SYN_RECEIVED the checks hold already, and the ACK has to complete the handshake first. */
void subflow_input(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint32_t seg_size,
                   braid_time now)
{
    if (sf->state == TCP_STATE_CLOSED || sf->state == TCP_STATE_TIME_WAIT)
        return;
    if (sf->state == TCP_STATE_SYN_SENT) {
        input_syn_sent(sf, p, b, now);
        return;
    }
    struct seg s = decode(sf, p);
    bool opening = sf->state == TCP_STATE_SYN_RECEIVED;
    if (opening && s.syn && !s.rst && !syn_in_syn_received(sf, &s, b, now))
        return;
    if (!acceptable(sf, &s, now))
        return;
    if (opening && !input_syn_received(sf, &s, now))
        return;
    note_segment_size(sf, &s, seg_size);
    sf->rcv.traffic_class = p->traffic_class;
    input_synchronized(sf, &s, b, now);
}
