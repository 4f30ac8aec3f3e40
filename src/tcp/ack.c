/* Processing of acknowledgements: cumulative, selective, duplicate; the peer's window. */
#include "tcp/internal.h"

#include "base/seq.h"
#include "tcp/ack.h"
#include "tcp/sent_find.h"

/* A duplicate may be reported long after the original; older than this it is nonsense. */
#define DSACK_MAX_SPAN (UINT64_C(1) << 30)
/* Below such an SRTT the timestamps' clock of milliseconds would be off by a tenth and more. */
#define TS_COARSE (10 * BRAID_MS)

/* RFC 9293 section 3.10.7.4 with the exception that every stack makes: an ACK of new data is never older. */
static void update_window(struct subflow *sf, const struct wire_packet *p, uint64_t off, uint64_t ack)
{
    uint32_t window = (uint32_t)p->tcp.window << sf->syn.snd_wscale;

    if (ack < sf->snd.una)
        return;
    if (ack == sf->snd.una && !seq64_before(sf->snd.wl1, off) &&
        !(sf->snd.wl1 == off && window > sf->snd.wnd))
        return;
    sf->snd.wl1 = off;
    sf->snd.wnd = window;
    if (window > sf->snd.wnd_max)
        sf->snd.wnd_max = window;
}

/* [from, to) of s reached the peer. */
static void deliver(struct subflow *sf, const struct tcp_sent *s, uint64_t from, uint64_t to,
                    struct ack_info *a)
{
    a->delivered += to - from;
    delivery_on_arrival(&sf->delivery, &sf->flight->pace, &a->sample, &s->mark, s->at, to, to - from, a->now);
    sf->cc.delivered = sf->delivery.delivered;
    rack_delivered(sf, s, to, a);
    tcp_mtu_delivered(sf, s, to - from, a->now);
    /* Karn (RFC 6298 section 3): only what was sent once gives a sample, and of that the newest, which has
     * waited least behind holes. */
    if (s->retrans)
        a->retrans_acked = true;
    else if (s->at > a->newest_sent)
        a->newest_sent = s->at;
}

/* A map is done only when all of it is acknowledged cumulatively: what is SACKed the peer may still
 * discard (RFC 2018 section 8), and then the bytes are wanted again. */
static void finish_maps(struct subflow *sf)
{
    list_each (pos, tmp, &sf->flight->maps) {
        struct tcp_map *m = list_entry(pos, struct tcp_map, node);

        if (m->off + m->len > sf->snd.una)
            return;
        list_remove(pos);
        sf->env->ops->map_done(sf, m, true);
    }
}

/* RFC 9293 section 3.10.7.4: SND.UNA moves to ack, which lies behind it. What was SACKed before has been
 * counted as delivered then. The retransmission timer starts afresh (RFC 6298 (5.3)). */
static void ack_cumulative(struct subflow *sf, uint64_t ack, struct ack_info *a)
{
    list_each (pos, tmp, &sf->flight->board.runs) {
        struct tcp_sent *s = sent_of(pos);

        if (s->start >= ack)
            break;
        uint64_t to = min_u64(s->end, ack);
        if (s->state != SENT_SACKED)
            deliver(sf, s, s->start, to, a);
        if (to < s->end)
            sent_trim(sf, s, to);
        else
            sent_remove(sf, s);
    }
    sf->snd.una = ack;
    sf->due.rto_base = a->now;
    sf->tries.stuck_rtos = 0;
    finish_maps(sf);
}

/* RFC 6675's Update(): marks the whole segments of [start, end), which lies within what is outstanding.
 * Each turn ends behind the run that it looked at, so absurd blocks cost no more than the runs that they
 * cover. */
static void apply_sack(struct subflow *sf, uint64_t start, uint64_t end, struct ack_info *a)
{
    while (start < end) {
        struct tcp_sent *s = sent_find(sf, start);
        if (!s)
            return;
        uint64_t next = s->end;

        if (s->state != SENT_SACKED)
            s = sent_cut_out(sf, s, start, end);
        if (s && s->state != SENT_SACKED) {
            deliver(sf, s, s->start, s->end, a);
            sent_mark(sf, s, SENT_SACKED);
            sent_merge_sacked(sf, s);
        }
        start = next;
    }
}

/* The peer has received [start, end) twice. Of what this connection never sent, or sent so long ago that
 * the numbers may have wrapped, nothing can be learned. */
static void on_dsack(struct subflow *sf, struct range r, struct ack_info *a)
{
    if (r.end > sf->snd.nxt || r.end - r.start > DSACK_MAX_SPAN || (int64_t)r.start < 0)
        return;
    a->dsack = true;
    tcp_count(sf, COUNT_TCP_DSACK_RECV, 1);
    if (sf->undo->marker && r.end > sf->undo->marker)
        sf->undo->retrans -= (int64_t)(r.end - r.start);
    rack_on_dsack(sf);
}

/* RFC 2883 section 4: the first block reports a duplicate if it lies below the ACK or inside the second
 * block. */
static bool is_dsack(const struct range *r, unsigned n, uint64_t ack)
{
    if (seq64_before(r[0].start, ack))
        return true;
    return n > 1 && r[1].start <= r[0].start && r[0].end <= r[1].end;
}

/* Ascending by start; there are at most four. */
static void sort_ranges(struct range *r, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && r[j].start < r[j - 1].start; j--) {
            struct range t = r[j];

            r[j] = r[j - 1];
            r[j - 1] = t;
        }
}

/* RFC 2018 section 4, after SND.UNA has moved. The blocks are taken in ascending order, so that the
 * scoreboard is walked through once and RACK sees segments in the order in which they were sent. */
static void process_sack(struct subflow *sf, const struct wire_tcp *t, uint64_t ack, struct ack_info *a)
{
    struct range blocks[TCP_SACK_MAX], *r = blocks;
    unsigned n = 0;

    for (unsigned i = 0; i < t->n_sack; i++) {
        uint64_t start = seq_extend(sf->snd.una, t->sack[i].start - sf->syn.iss);
        uint64_t end = seq_extend(sf->snd.una, t->sack[i].end - sf->syn.iss);

        if (!seq64_before(start, end) || seq64_before(sf->snd.nxt, end))
            return; /* one wrong block makes all of them suspect */
        blocks[n++] = (struct range){start, end};
    }
    if (n > 0 && is_dsack(blocks, n, ack)) {
        on_dsack(sf, blocks[0], a);
        r++;
        n--;
    }
    sort_ranges(r, n);
    a->selective = true;
    for (unsigned i = 0; i < n; i++)
        if (seq64_before(sf->snd.una, r[i].end))
            apply_sack(sf, seq64_before(r[i].start, sf->snd.una) ? sf->snd.una : r[i].start, r[i].end, a);
}

/* Timestamps count milliseconds: on a short path they say nothing, unless nothing else ends the backoff. */
static int64_t timestamp_rtt(const struct subflow *sf, const struct ack_info *a)
{
    int32_t ms = (int32_t)(tcp_tsval(sf, a->now) - a->tsecr);

    if (!a->has_ts || sf->snd.una == a->prior_una || ms < 0 || ms > RTT_RTO_MAX / BRAID_MS)
        return 0;
    if (sf->rtt.backoff == 0 && sf->rtt.srtt_us > 0 && sf->rtt.srtt_us < TS_COARSE)
        return 0;
    return (ms ? ms : 1) * BRAID_MS;
}

/* The answer to a probe acknowledges what had arrived before the path fell silent, and echoes a timestamp of
 * then: the sample would be as long as the silence. It does show that the path works. */
static bool answers_probe(struct subflow *sf, const struct ack_info *a)
{
    if (!sf->tries.probed || a->delivered == 0)
        return false;
    sf->tries.probed = false;
    sf->rtt.backoff = 0;
    return true;
}

/* A retransmission that fills a hole also acknowledges what has waited behind it for long: then only the
 * timestamp is good. */
static void take_rtt(struct subflow *sf, struct ack_info *a)
{
    if (answers_probe(sf, a))
        return;
    if (a->retrans_acked)
        a->rtt_us = timestamp_rtt(sf, a);
    else if (a->newest_sent >= 0)
        a->rtt_us = a->now > a->newest_sent ? a->now - a->newest_sent : 1;
    if (a->rtt_us > a->now - sf->env->resumed_at)
        a->rtt_us = 0; /* this end stood still in between */
    if (a->rtt_us == 0)
        return;
    tcp_take_rtt(sf, a->rtt_us, a->now);
    sf->tries.tlp_sampled = true;
    sf->cc.srtt_us = sf->rtt.srtt_us;
    sf->cc.min_rtt_us = sf->rtt.min_rtt_us;
}

/* RFC 6582, for peers without SACK: the first segment is lost after three duplicate ACKs, and at each partial
 * ACK of the recovery. */
static uint64_t newreno_detect_loss(struct subflow *sf, struct ack_info *a)
{
    bool advanced = sf->snd.una > a->prior_una;

    if (a->dupack) {
        sf->flight->recovery.dupacks++;
        /* Each duplicate tells of one segment that arrived, which one is not known: PRR counts it as
         * delivered. */
        if (sf->cc.in_recovery)
            a->delivered += sf->size.mss;
    } else if (advanced) {
        sf->flight->recovery.dupacks = 0;
    }
    if (!tcp_outstanding(sf) || sf->flight->recovery.by_rto)
        return 0;
    bool partial = sf->cc.in_recovery && advanced;
    /* RFC 6582 section 3.2: duplicates of what a recovery before has repeated without need must not begin
     * another one. */
    bool third = !sf->cc.in_recovery && sf->flight->recovery.dupacks == TCP_DUPTHRESH &&
                 sf->snd.una > sf->flight->recovery.point;
    struct tcp_sent *head = sent_of(sf->flight->board.runs.next);
    if ((!partial && !third) || head->state != SENT_FLIGHT)
        return 0;
    /* A lost probe of the path MTU is no sign of congestion, so that it is not counted. */
    bool probe = tcp_mtu_lost(sf, head, a->now);
    if (!probe && sent_len(head) > sf->size.mss)
        sent_split(sf, head, head->start + sf->size.mss);
    sent_mark(sf, head, SENT_LOST);
    return probe ? 0 : sent_len(head);
}

/* RFC 5681's definition; an ACK that carries MPTCP signals other than DSS is none (RFC 8684 section 3.3.4).
 * Nor is one with SACK blocks: RFC 8985 section 7.4.2 wants it without, and NewReno's peers send none. */
static bool is_dupack(const struct subflow *sf, const struct wire_packet *p, uint64_t ack, uint64_t prior_wnd)
{
    return ack == sf->snd.una && tcp_outstanding(sf) && p->payload_len == 0 && sf->snd.wnd == prior_wnd &&
           !(p->tcp.flags & TCP_FIN) && !(p->tcp.mp.has & ~MPTCP_HAS(MPTCP_DSS)) && p->tcp.n_sack == 0;
}

/* What follows from an ACK, in this order: a recovery that was in error is taken back before it could end
 * by itself; one that is over ends before losses are looked for, so that new ones begin a new recovery;
 * the window adapts last, when pipe is right. */
static void react(struct subflow *sf, struct ack_info *a)
{
    recovery_try_undo(sf, a);
    recovery_try_end(sf, a->now);
    if (tlp_process_ack(sf, a))
        recovery_skip(sf, a->prior_flight, a->now);
    uint64_t lost = sf->syn.sack_ok ? rack_detect_loss(sf, a->now) : newreno_detect_loss(sf, a);
    if (lost > 0 && !sf->cc.in_recovery)
        recovery_begin(sf, sf->snd.nxt - a->prior_una - a->prior_sacked, a->prior_flight, a->now);
    recovery_on_ack(sf, a, lost);
}

/* The state before the ACK is kept in a, since RFC 6937 and the congestion controls ask what was in
 * flight when the news came. An ACK that brings nothing new and is no duplicate has only its window. */
void tcp_process_ack(struct subflow *sf, const struct wire_packet *p, uint64_t off, uint64_t ack,
                     braid_time now)
{
    uint64_t prior_wnd = sf->snd.wnd;
    bool news = ack > sf->snd.una || (sf->syn.sack_ok && p->tcp.n_sack > 0);

    update_window(sf, p, off, ack);
    struct ack_info a = {
        .now = now,
        .prior_una = sf->snd.una,
        .prior_sacked = sf->flight->board.sacked_bytes,
        .prior_flight = sf->flight->board.pipe,
        .newest_sent = -1,
        .sample.sent_at = DELIVERY_NOTHING,
        /* 0 is what stands there when a peer has nothing to echo (RFC 7323 section 3.2). */
        .has_ts = sf->syn.ts_ok && p->tcp.has_ts && p->tcp.tsecr,
        .tsecr = p->tcp.tsecr,
        .dupack = is_dupack(sf, p, ack, prior_wnd),
    };
    if (!news && !a.dupack)
        return;
    if (ack > sf->snd.una)
        ack_cumulative(sf, ack, &a);
    if (sf->syn.sack_ok)
        process_sack(sf, &p->tcp, ack, &a);
    if (a.delivered > 0) {
        sf->activity.progress_at = now;
        sf->tries.sent_once = !a.retrans_acked;
    }
    take_rtt(sf, &a);
    react(sf, &a);
    tcp_deadlines_update(sf);
}
