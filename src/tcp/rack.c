/* Loss detection by time: RACK, RFC 8985. */
#include "tcp/internal.h"

#include "base/seq.h"
#include "tcp/ack.h"

#define REO_WND_PERSIST 16 /* recoveries that a multiplier above 1 outlives */

/* RACK_sent_after: what left in one microsecond left in the order of the stream. */
static bool sent_after(braid_time t1, uint64_t seq1, braid_time t2, uint64_t seq2)
{
    return t1 > t2 || (t1 == t2 && seq1 > seq2);
}

/* Was it an earlier transmission of s that arrived? While a hole is open the peer echoes the timestamp of
 * what came before the hole (RFC 7323 section 4.3), so the echo says nothing of what is SACKed behind it:
 * then a retransmission is taken for delivered by its age alone. */
static bool is_ambiguous(const struct subflow *sf, const struct tcp_sent *s, const struct ack_info *a)
{
    if (!s->retrans)
        return false;
    if (!a->selective && a->has_ts && seq32_before(a->tsecr, tcp_tsval(sf, s->at)))
        return true;
    return a->now - s->at < sf->rtt.min_rtt_us;
}

/* Section 6.2 steps 2 and 3. */
void rack_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t end, const struct ack_info *a)
{
    struct rack *r = &sf->flight->rack;

    /* Step 3: what was sent once and arrives below the highest that arrived has been overtaken on the
     * path. */
    if (end > r->fack)
        r->fack = end;
    else if (end < r->fack && !s->retrans)
        sf->reo_wnd.reordering_seen = true;
    if (is_ambiguous(sf, s, a))
        return;
    /* Step 2: the round trip of each, but the time of transmission of the one that left last. */
    r->rtt_us = a->now - s->at;
    if (sent_after(s->at, end, r->xmit_ts, r->end_seq)) {
        r->xmit_ts = s->at;
        r->end_seq = end;
    }
}

/* Step 4: once per round trip. */
void rack_on_dsack(struct subflow *sf)
{
    if (sf->flight->rack.dsack_round && sf->snd.una < sf->flight->rack.dsack_round)
        return;
    if (tcp_outstanding(sf)) /* else the round is over already */
        sf->flight->rack.dsack_round = sf->snd.nxt;
    if (sf->reo_wnd.mult < UINT16_MAX)
        sf->reo_wnd.mult++;
    sf->reo_wnd.persist = REO_WND_PERSIST;
}

/* Section 6.2 step 4: a wider window is forgotten after 16 recoveries without a DSACK. */
void rack_on_recovered(struct subflow *sf)
{
    if (sf->reo_wnd.persist > 0 && --sf->reo_wnd.persist == 0)
        sf->reo_wnd.mult = 1;
}

/* Section 6.2 step 4. Without reordering so far, losses that DupThresh segments prove need no wait.
 * Otherwise a quarter of the least round trip, times the multiplier, at most a smoothed one. */
static int64_t reordering_window(const struct subflow *sf)
{
    if (!sf->reo_wnd.reordering_seen &&
        (sf->cc.in_recovery || sf->flight->board.sacked_bytes >= (uint64_t)TCP_DUPTHRESH * sf->size.mss))
        return 0;
    int64_t window = (int64_t)(sf->rtt.min_rtt_us / 4) * sf->reo_wnd.mult;
    return window < sf->rtt.srtt_us ? window : sf->rtt.srtt_us;
}

/* Step 5. by_time is in the order of transmission: what comes after the first run that still has time left
 * has more of it. */
uint64_t rack_detect_loss(struct subflow *sf, braid_time now)
{
    struct rack *r = &sf->flight->rack;
    int64_t window = reordering_window(sf);
    uint64_t lost = 0;

    /* Written only where it changes: with nothing in flight *r is constant (flight.h). */
    if (r->reorder_at != BRAID_NEVER)
        r->reorder_at = BRAID_NEVER;
    if (!sf->syn.sack_ok)
        return 0;
    list_each (pos, tmp, &sf->flight->board.by_time) {
        struct tcp_sent *s = sent_of_link(pos);

        if (!sent_after(r->xmit_ts, r->end_seq, s->at, s->end))
            break;
        if (s->at + r->rtt_us + window > now) {
            r->reorder_at = s->at + r->rtt_us + window;
            break;
        }
        if (s->retrans)
            tcp_count(sf, COUNT_TCP_LOST_RETRANSMIT, 1);
        if (!tcp_mtu_lost(sf, s, now))
            lost += sent_len(s);
        sent_mark(sf, s, SENT_LOST);
    }
    return lost;
}
