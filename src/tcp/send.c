/* New data leaves at once, the rest at the end of a batch. */
#include "tcp/internal.h"

#include <assert.h>

#include "tcp/output.h"
#include "tcp/pacing.h"
#include "tcp/retransmit.h"
#include "tcp/space.h"

/* The beginning of a map's run as one packet that tries a larger size. Returns the segments that left. */
static unsigned send_probe(struct subflow *sf, struct tcp_sent *s, uint32_t len, braid_time now)
{
    struct tcp_sent *rest = len > 0 ? sent_split(sf, s, s->start + len) : NULL;
    if (!rest)
        return 0;
    rest->lead = 0; /* its first segment begins here */
    unsigned segments = tcp_send_data(sf, s->map, s->start, s->end, len, now);
    /* The run is this one segment: SACK blocks are taken in whole segments (sent_cut_out). */
    s->seg = len;
    /* A map of very many slices takes several packets, and then the size was not tried. */
    if (segments == 1)
        tcp_mtu_probing(sf, s);
    return segments;
}

/* The map belongs to the subflow from here on, whatever becomes of it. With nothing in flight before,
 * both clocks start: of the retransmission timer, and of the silence of the path. */
void subflow_send(struct subflow *sf, struct tcp_map *m, braid_time now)
{
    assert(subflow_can_carry_data(sf) && m->len > 0);
    tcp_flight_reserve(sf); /* subflow_space did, unless the owner has made two maps of one space */
    m->off = sf->snd.nxt;
    list_append(&sf->flight->maps, &m->node);
    if (!tcp_outstanding(sf))
        sf->due.rto_base = sf->activity.progress_at = now;
    uint64_t end = m->off + m->len;
    struct tcp_sent *s = sent_add(sf, m->len, m, now);
    unsigned segments = send_probe(sf, s, tcp_mtu_probe(sf, m->len, now), now);
    segments += tcp_send_data(sf, m, segments ? s->end : s->start, end, sf->size.mss, now);
    tcp_count_sent(sf, segments);
    tcp_account_transmission(sf, m->len, now);
    tcp_deadlines_update(sf);
}

/* The numbers that our SYN/ACK has acknowledged are those that go on here. */
uint64_t subflow_early_space(struct subflow *sf)
{
    const struct tcp_syn *syn = &sf->syn;
    bool behind_synack = sf->state == TCP_STATE_SYN_RECEIVED && syn->passive && syn->answered;
    uint64_t window = min_u64(tcp_initial_window(sf), sf->snd.wnd), used = sf->snd.nxt - 1;

    if (!behind_synack || syn->wavers || syn->retries > 0 || 1u + syn->acked != sf->rcv.nxt)
        return 0;
    return used < window && tcp_flight_reserve(sf) ? window - used : 0;
}

/* The sample of the round trip that the third ACK gives counts from the SYN/ACK, as does its timer. */
void subflow_send_early(struct subflow *sf, struct tcp_map *m, braid_time now)
{
    braid_time synack_at = sf->activity.last_send;

    m->off = sf->snd.nxt;
    list_append(&sf->flight->maps, &m->node);
    sent_add(sf, m->len, m, now);
    unsigned segments = tcp_send_data(sf, m, m->off, m->off + m->len, sf->size.mss, now);
    tcp_count_sent(sf, segments);
    sf->activity.last_send = synack_at;
}

/* One ACK per batch and subflow, however many segments came (RFC 5681 section 4.2 allows it for stretches
 * of a window). */
static void flush_ack(struct subflow *sf, braid_time now)
{
    if (tcp_ack_is_due(sf))
        tcp_send_ack(sf, now);
    else
        tcp_ack_delay(sf, now);
}

void subflow_third_ack(struct subflow *sf, braid_time now)
{
    if (sf->ack.third && subflow_synchronized(sf))
        tcp_send_ack(sf, now);
}

/* Retransmissions before the FIN, which has to be last, and the ACK at the end, since each segment with
 * payload is one already. */
void subflow_flush(struct subflow *sf, braid_time now)
{
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return;
    subflow_third_ack(sf, now);
    /* with something lost the owner was not let, and may have what there is room for now */
    bool let = list_empty(&sf->flight->board.lost);
    tcp_retransmit_lost(sf, now);
    if (let)
        tcp_note_app_limited(sf, now);
    tcp_fin_flush(sf, now);
    flush_ack(sf, now);
    tcp_deadlines_update(sf);
    tcp_flight_rest(sf);
    tcp_disorder_rest(sf);
}

/* Whatever opens the window ends the backoff of the probes. They count from now only if nothing is in
 * flight: otherwise the retransmission timer covers it. */
void subflow_set_blocked(struct subflow *sf, bool blocked, braid_time now)
{
    if (sf->cwnd.blocked == blocked)
        return;
    sf->cwnd.blocked = blocked;
    sf->tries.probes = sf->tries.probes_unanswered = 0;
    if (blocked && !tcp_outstanding(sf))
        sf->due.rto_base = now;
    if (subflow_synchronized(sf) && sf->state != TCP_STATE_TIME_WAIT)
        tcp_deadlines_update(sf);
}
