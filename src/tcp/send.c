/* What may be sent and when: windows, pacing, new data, retransmissions, the FIN. */
#include "tcp/internal.h"

#include <assert.h>

/* When bursts cannot grow further (a super-packet is full), let this much of the schedule leave ahead of
 * time, so that a fast flow does not need a timer per packet: a burst is then about a millisecond of the
 * rate, as it is for slower flows. */
#define PACE_AHEAD (1 * BRAID_MS)

/* A flow defers small super-packets while at least two thirds of the window are in flight: ACKs are to come.
 */
#define DEFER_DIVISOR 3

#define RETRANSMITS_PER_FLUSH 128

void tcp_update_pacing(struct subflow *sf)
{
    const struct cc *cc = &sf->cc;
    uint64_t window = max_u64(cc->cwnd, sf->board.pipe);

    if (cc->srtt_us == 0)
        return;
    if (cc->ops->pacing_rate) {
        pacer_set_rate(&sf->pacer, cc->ops->pacing_rate(cc));
        return;
    }
    uint64_t per_second = window * (uint64_t)BRAID_SECOND / (uint64_t)cc->srtt_us;
    pacer_set_rate(&sf->pacer, cc->cwnd < cc->ssthresh ? per_second * 2 : per_second + per_second / 5);
}

/* True if a burst may leave; otherwise the pacing timer runs. */
static bool pacing_admits(struct subflow *sf, braid_time now)
{
    struct pacer *pacer = &sf->pacer;
    bool coarse = pacer_quantum(pacer, sf->size.mss) + sf->size.mss > PACER_BURST_MAX;

    if (sf->due.pace != BRAID_NEVER && now < sf->due.pace)
        return false;
    sf->due.pace = BRAID_NEVER;
    if (pacer_ready(pacer, coarse ? now + PACE_AHEAD : now))
        return true;
    sf->due.pace = pacer->next;
    tcp_timers_arm(sf);
    return false;
}

uint64_t tcp_cwnd_room(const struct subflow *sf)
{
    if (tcp_prr_governs(sf))
        return sf->recovery.budget;
    return sf->cc.cwnd > sf->board.pipe ? sf->cc.cwnd - sf->board.pipe : 0;
}

/* Many small packets must not escape cwnd because it counts bytes: a run is at least one packet. */
static bool too_many_packets(const struct subflow *sf)
{
    bool many = (uint64_t)sf->board.n_flight * sf->size.mss >= sf->cc.cwnd + sf->size.mss;

    return sf->board.n_sent >= SENT_MAX / 2 || (many && sf->board.n_flight > 2 && !sf->cc.in_recovery);
}

/* RFC 5681 section 4.1, before the first transmission after idleness. */
static void restart_after_idle(struct subflow *sf, braid_time now)
{
    int64_t idle = now - sf->activity.last_send;

    if (tcp_outstanding(sf) || sf->cwnd.idle_handled || idle < rtt_rto(&sf->rtt))
        return;
    sf->cwnd.idle_handled = true;
    if (sf->cc.ops->on_idle)
        sf->cc.ops->on_idle(&sf->cc, now, idle);
    else
        sf->cc.cwnd = min_u64(sf->cc.cwnd, (uint64_t)TCP_INITIAL_WINDOW * sf->size.mss);
    tcp_update_pacing(sf);
}

static uint64_t whole_segments(uint64_t bytes, uint32_t mss)
{
    return bytes - bytes % mss;
}

/* What congestion control lets go: whole segments. */
static uint64_t congestion_space(struct subflow *sf)
{
    uint64_t room = tcp_cwnd_room(sf);

    if (too_many_packets(sf))
        room = 0;
    if (room < sf->size.mss && sf->board.pipe == 0)
        room = sf->size.mss;
    if (room < sf->size.mss)
        sf->cwnd.limited = true;
    return whole_segments(room, sf->size.mss);
}

/* What the peer's window lets go; the sender's part of silly window avoidance (RFC 9293 section 3.8.6.2.1).
 */
static uint64_t window_space(const struct subflow *sf)
{
    uint64_t edge = sf->snd.una + sf->snd.wnd;
    uint64_t room = edge > sf->snd.nxt ? edge - sf->snd.nxt : 0;

    if (room < sf->size.mss && tcp_outstanding(sf) && room < sf->snd.wnd_max / 2)
        return 0;
    return room < sf->size.mss ? room : whole_segments(room, sf->size.mss);
}

/* Is it better to wait for a larger super-packet? Never when ACKs might not come: most of the window is in
 * flight then. */
static bool worth_waiting(const struct subflow *sf, uint64_t space, uint64_t quantum)
{
    uint64_t window = min_u64(sf->cc.cwnd, sf->snd.wnd);

    return !sf->cc.in_recovery && space < quantum && space < window / DEFER_DIVISOR &&
           sf->board.pipe > window - window / DEFER_DIVISOR;
}

uint64_t subflow_space(struct subflow *sf, braid_time now)
{
    if (!subflow_can_carry_data(sf) || !list_empty(&sf->board.lost))
        return 0;
    restart_after_idle(sf, now);
    uint64_t congestion = congestion_space(sf), window = window_space(sf);
    uint64_t space = min_u64(congestion, window);
    if (space == 0)
        return 0;
    uint64_t quantum = pacer_quantum(&sf->pacer, sf->size.mss);
    if (worth_waiting(sf, space, quantum)) {
        sf->cwnd.limited |= congestion <= window;
        return 0;
    }
    if (!pacing_admits(sf, now) || !sent_reserve(sf))
        return 0;
    return min_u64(space, quantum);
}

static void account_transmission(struct subflow *sf, uint64_t bytes, braid_time now)
{
    pacer_sent(&sf->pacer, bytes, now);
    if (!tcp_prr_governs(sf))
        return;
    prr_on_sent(&sf->recovery.prr, bytes);
    sf->recovery.budget -= min_u64(sf->recovery.budget, bytes);
}

/* The beginning of a map's run as one packet that tries a larger size. Returns the segments that left. */
static unsigned send_probe(struct subflow *sf, struct tcp_sent *s, uint32_t len, braid_time now)
{
    if (len == 0 || !sent_split(sf, s, s->start + len))
        return 0;
    unsigned segments = tcp_send_data(sf, s->map, s->start, s->end, len, now);
    s->seg = len;
    if (segments == 1)
        tcp_mtu_probing(sf, s);
    return segments;
}

void subflow_send(struct subflow *sf, struct tcp_map *m, braid_time now)
{
    assert(subflow_can_carry_data(sf) && m->len > 0);
    m->off = sf->snd.nxt;
    list_append(&sf->snd.maps, &m->node);
    if (!tcp_outstanding(sf))
        sf->due.rto_base = sf->activity.progress_at = now;
    uint64_t end = m->off + m->len;
    struct tcp_sent *s = sent_add(sf, m->len, m, now);
    sf->stats.bytes_out += m->len;
    unsigned segments = send_probe(sf, s, tcp_mtu_probe(sf, m->len, now), now);
    segments += tcp_send_data(sf, m, segments ? s->end : s->start, end, sf->size.mss, now);
    tcp_count(sf, COUNT_TCP_OUT_SEGS, segments);
    account_transmission(sf, m->len, now);
    tcp_timers_update(sf);
}

void tcp_retransmit(struct subflow *sf, struct tcp_sent *s, braid_time now)
{
    unsigned segments = 1;

    if (s->start == sf->snd.una) {
        sf->due.rto_base = now;
        tcp_mtu_head_again(sf, s);
    }
    sent_again(sf, s, now);
    if (s->map)
        segments = tcp_send_data(sf, s->map, s->start, s->end, sf->size.mss, now);
    else
        tcp_send_fin(sf, s->start, now);
    sf->stats.retransmits += segments;
    tcp_count(sf, COUNT_TCP_RETRANS_SEGS, segments);
    recovery_note_retransmit(sf, sent_len(s), now);
    account_transmission(sf, sent_len(s), now);
}

/* The first lost run, cut to what may leave now; NULL: nothing may. */
static struct tcp_sent *next_lost(struct subflow *sf, braid_time now)
{
    struct tcp_sent *s = sent_of_link(sf->board.lost.next);
    uint64_t room = min_u64(tcp_cwnd_room(sf), pacer_quantum(&sf->pacer, sf->size.mss));

    if (sf->board.pipe == 0)
        room = max_u64(room, sf->size.mss);
    else if (room < min_u64(sf->size.mss, sent_len(s)) || !pacing_admits(sf, now))
        return NULL;
    room = max_u64(whole_segments(room, sf->size.mss), sf->size.mss);
    if (sent_len(s) > room)
        sent_split(sf, s, s->start + room); /* if memory is short all of it leaves: better than none */
    return s;
}

/* At most so many packets at once: absurd SACK blocks may have made each of them tiny. */
static void retransmit_lost(struct subflow *sf, braid_time now)
{
    for (unsigned i = 0; !list_empty(&sf->board.lost); i++) {
        struct tcp_sent *s = next_lost(sf, now);

        if (!s)
            return;
        if (i == RETRANSMITS_PER_FLUSH) {
            sf->due.pace = now + BRAID_MS;
            return;
        }
        tcp_retransmit(sf, s, now);
    }
}

/* The FIN does not wait for cwnd or the peer's window: it is small, and the retransmission timer covers it.
 */
static void send_fin(struct subflow *sf, braid_time now)
{
    if (sf->state != TCP_STATE_ESTABLISHED && sf->state != TCP_STATE_CLOSE_WAIT)
        return;
    if (!sent_reserve(sf)) {
        sf->due.pace = now + BRAID_MS;
        return;
    }
    if (!tcp_outstanding(sf))
        sf->due.rto_base = now;
    sf->fin.off = sf->snd.nxt;
    sent_add(sf, 1, NULL, now);
    sf->fin.sent = true;
    tcp_send_fin(sf, sf->fin.off, now);
    tcp_set_state(sf, sf->state == TCP_STATE_ESTABLISHED ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_LAST_ACK);
}

/* The owner has sent what it had, or wanted to. If more could leave now, it is not the path that limits the
 * rate. What the peer's window holds back does not count: a flow that is limited by it for good has to be
 * measured all the same. */
static void note_app_limited(struct subflow *sf, braid_time now)
{
    uint64_t room = tcp_cwnd_room(sf), window = window_space(sf);

    if (!subflow_can_carry_data(sf) || !list_empty(&sf->board.lost) || sf->snd.blocked ||
        sf->due.pace != BRAID_NEVER)
        return;
    if (room < sf->size.mss || window == 0 || too_many_packets(sf) || !pacer_ready(&sf->pacer, now))
        return;
    if (!worth_waiting(sf, min_u64(room, window), pacer_quantum(&sf->pacer, sf->size.mss)))
        delivery_app_limited(&sf->delivery, sf->board.pipe);
}

void subflow_flush(struct subflow *sf, braid_time now)
{
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return;
    retransmit_lost(sf, now);
    note_app_limited(sf, now);
    if (sf->fin.wanted && !sf->fin.sent)
        send_fin(sf, now);
    tcp_ack_flush(sf, now);
    tcp_timers_update(sf);
}

void subflow_ack_soon(struct subflow *sf)
{
    sf->ack.forced = true;
}

void subflow_set_blocked(struct subflow *sf, bool blocked, braid_time now)
{
    if (sf->snd.blocked == blocked)
        return;
    sf->snd.blocked = blocked;
    sf->tries.probes = sf->tries.probes_unanswered = 0;
    if (blocked && !tcp_outstanding(sf))
        sf->due.rto_base = now;
    if (subflow_synchronized(sf) && sf->state != TCP_STATE_TIME_WAIT)
        tcp_timers_update(sf);
}
