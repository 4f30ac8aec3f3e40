/* Fast recovery with PRR (RFC 6675, 6937), recovery after a timeout (RFC 5681), and taking either back when
 * it proves spurious (DSACK: RFC 3708; timestamps: RFC 3522, 4015). */
#include "tcp/internal.h"

#include <stdlib.h>

#include "base/seq.h"
#include "tcp/ack.h"
#include "tcp/pacing.h"

/* Constant for the same reason as in flight.c: most subflows never lose anything. */
static const struct tcp_undo none;

void recovery_init(struct subflow *sf)
{
    sf->undo = (struct tcp_undo *)&none;
}

/* A probe of the tail is moot: what it would have told is known. */
static void begin(struct subflow *sf)
{
    sf->cc.in_recovery = true;
    sf->flight->recovery.point = sf->snd.nxt;
    sf->flight->tlp_end = 0;
}

static size_t undo_size(const struct subflow *sf)
{
    return sizeof(struct tcp_undo) + sf->cc.ops->saved_size;
}

bool recovery_has_undo(const struct subflow *sf)
{
    return sf->undo != &none;
}

/* If memory is short what is lost is only the way back. */
void recovery_reserve_undo(struct subflow *sf)
{
    struct tcp_undo *u = sf->undo == &none ? calloc(1, undo_size(sf)) : NULL;

    if (!u)
        return;
    mem_take(tcp_payer(sf), mem_cost(undo_size(sf)));
    sf->undo = u;
    sf->cc.saved = u->saved;
}

/* From here on retransmitted bytes are counted up, and down again with each DSACK; at zero none of them
 * was needed. */
static void begin_undo(struct subflow *sf)
{
    if (sf->undo != &none)
        *sf->undo = (struct tcp_undo){.marker = sf->snd.una};
}

/* Once per recovery and not per segment: the algorithm sets ssthresh. */
static void tell_loss(struct subflow *sf, uint64_t in_flight, bool timeout, braid_time now)
{
    struct cc_loss loss = {.now = now, .in_flight = in_flight, .timeout = timeout};

    recovery_reserve_undo(sf);
    sf->cc.ops->on_loss(&sf->cc, &loss);
}

/* RFC 6675 section 5 step 4. The algorithm first, since PRR needs its ssthresh. */
void recovery_begin(struct subflow *sf, uint64_t flight, uint64_t in_flight, braid_time now)
{
    tell_loss(sf, in_flight, false, now);
    begin(sf);
    begin_undo(sf);
    prr_begin(&sf->flight->recovery.prr, flight, sf->cc.ssthresh);
    sf->flight->recovery.budget = 0;
    tcp_count(sf, COUNT_TCP_SACK_RECOVERY, 1);
}

/* RFC 5681 section 3.1 and RFC 6298 section 5. Only the first of several timeouts of the same data
 * reduces ssthresh. If the first run was SACKed and still is not acknowledged, the peer has thrown it
 * away (RFC 2018 section 8), and no SACK counts any more. */
void recovery_begin_rto(struct subflow *sf, braid_time now)
{
    bool reneged = sent_of(sf->flight->board.runs.next)->state == SENT_SACKED;

    tcp_mtu_timeout(sf, now);
    if (sf->tries.stuck_rtos == 0) {
        tell_loss(sf, sf->flight->board.pipe, true, now);
        begin_undo(sf);
    }
    begin(sf);
    sf->flight->recovery.by_rto = true;
    sf->cc.cwnd = sf->size.mss;
    sf->flight->rack.reorder_at = BRAID_NEVER;
    sent_lose_all(sf, reneged);
}

/* As if a recovery had begun and ended: for a loss that a probe repaired (RFC 8985 section 7.4.2), and
 * for an owner that wants the subflow slower. */
void recovery_skip(struct subflow *sf, uint64_t in_flight, braid_time now)
{
    if (sf->cc.in_recovery)
        return;
    tell_loss(sf, in_flight, false, now);
    sf->cc.cwnd = min_u64(sf->cc.cwnd, sf->cc.ssthresh);
    if (sf->cc.ops->on_recovered)
        sf->cc.ops->on_recovered(&sf->cc, now);
}

static void end(struct subflow *sf)
{
    sf->cc.in_recovery = sf->flight->recovery.by_rto = false;
    sf->flight->recovery.dupacks = 0;
    rack_on_recovered(sf);
}

/* RFC 6675 section 5: all that was outstanding when it began is acknowledged. After a timeout slow start
 * goes on by itself; after fast recovery cwnd is what PRR led to. */
void recovery_try_end(struct subflow *sf, braid_time now)
{
    if (!sf->cc.in_recovery || sf->snd.una < sf->flight->recovery.point)
        return;
    bool fast = !sf->flight->recovery.by_rto;

    end(sf);
    /* Without timestamps Karn's rule may not have allowed a sample yet, but the path does work again. */
    sf->rtt.backoff = 0;
    bool model = sf->cc.ops->model_based;
    if (!fast && !model)
        return;
    if (!model)
        sf->cc.cwnd = sf->cc.ssthresh;
    if (sf->cc.ops->on_recovered)
        sf->cc.ops->on_recovered(&sf->cc, now);
}

/* What the algorithm has saved stays: if a timeout within this recovery proves spurious, so has what was
 * before it, and both are taken back. */
void recovery_forget_undo(struct subflow *sf)
{
    if (sf->undo != &none)
        *sf->undo = (struct tcp_undo){.marker = 0};
}

void recovery_free_undo(struct subflow *sf)
{
    if (sf->undo == &none)
        return;
    mem_give(tcp_payer(sf), mem_cost(undo_size(sf)));
    free(sf->undo);
    sf->cc.saved = NULL;
    recovery_init(sf);
}

/* The timestamp of the first one tells ACKs of the original from those of the repetition (RFC 3522
 * section 3.2). */
void recovery_note_retransmit(struct subflow *sf, uint64_t bytes, braid_time now)
{
    if (sf->undo->marker == 0)
        return;
    sf->undo->retrans += (int64_t)bytes;
    if (!sf->undo->armed) {
        sf->undo->armed = true;
        sf->undo->tsval = tcp_tsval(sf, now);
    }
}

/* Eifel: the ACK echoes a segment sent before the first retransmission. In fast recovery, where some may be
 * lost and others not, only one that ends it proves that none was; so, too, after a timeout if the ACK
 * reports a duplicate: the retransmission brought it about, and all that it proves of the originals is how
 * far they had arrived when the path fell silent. */
static bool originals_arrived(const struct subflow *sf, const struct ack_info *a)
{
    return sf->cc.in_recovery && a->has_ts && sf->snd.una > a->prior_una &&
           seq32_before(a->tsecr, sf->undo->tsval) &&
           ((sf->flight->recovery.by_rto && !a->dsack) || sf->snd.una >= sf->flight->recovery.point);
}

/* RFC 3708 for DSACKs, RFC 4015 for timestamps. What was marked lost is in flight again, as it always
 * was. */
void recovery_try_undo(struct subflow *sf, const struct ack_info *a)
{
    if (sf->undo->marker == 0 || !sf->undo->armed)
        return;
    /* Less than 0 where the path has doubled segments as well, which proves no less. */
    if (!(a->dsack && sf->undo->retrans <= 0) && !originals_arrived(sf, a))
        return;
    tcp_count(sf, sf->flight->recovery.by_rto ? COUNT_TCP_SPURIOUS_RTOS : COUNT_TCP_DSACK_UNDO, 1);
    if (sf->cc.in_recovery)
        end(sf);
    sf->rtt.backoff = 0;
    if (tcp_outstanding(sf))
        sent_unlose_all(sf);
    sf->cc.ops->on_undo(&sf->cc, a->now);
    recovery_free_undo(sf);
}

/* Slow start up to ssthresh while a timeout's losses are repaired; the algorithm takes over after that. */
static void grow_after_rto(struct subflow *sf, uint64_t delivered)
{
    if (sf->cc.cwnd < sf->cc.ssthresh)
        sf->cc.cwnd = min_u64(sf->cc.cwnd + delivered, sf->cc.ssthresh);
}

/* PRR says how many bytes may leave on this ACK; cwnd is what is in flight and those. */
static void reduce(struct subflow *sf, const struct ack_info *a, uint64_t lost)
{
    bool advanced = sf->snd.una > a->prior_una;

    sf->flight->recovery.budget = prr_on_ack(&sf->flight->recovery.prr, a->delivered, sf->flight->board.pipe,
                                             advanced, lost > 0, sf->size.mss);
    sf->cc.cwnd = max_u64(sf->flight->board.pipe + sf->flight->recovery.budget, sf->size.mss);
}

/* Without SACK, a retransmission that fills a hole also seems to deliver what has waited behind it. */
static uint64_t delivery_rate(const struct subflow *sf, const struct delivery_result *r)
{
    if (r->interval_us == 0 || (!sf->syn.sack_ok && sf->cc.in_recovery))
        return 0;
    return (uint64_t)((unsigned __int128)r->delivered * (uint64_t)BRAID_SECOND / (uint64_t)r->interval_us);
}

/* A round in which the window was used up to its end counts for the next one, too: its ACKs come when
 * nothing waits any more. */
static void tell_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost, bool round_start)
{
    struct delivery_result r = delivery_finish(&sf->delivery, &a->sample, sf->cc.min_rtt_us, a->now);
    struct cc_ack ack = {
        .now = a->now,
        .acked = a->delivered,
        .lost = lost,
        .prior_in_flight = a->prior_flight,
        .rtt_us = a->rtt_us,
        .cwnd_limited = sf->cwnd.limited || sf->cwnd.limited_before,
        .round_start = round_start,
        .app_limited = r.app_limited,
        .rate = delivery_rate(sf, &r),
        .prior_delivered = r.prior_delivered,
    };
    ack.interval_us = ack.rate > 0 ? r.interval_us : 0;
    sf->cc.ops->on_ack(&sf->cc, &ack);
}

/* A round trip ends when something is acknowledged that was sent after its beginning. With a model of the
 * path the algorithm gets every ACK, and nobody else touches cwnd. */
void recovery_on_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost)
{
    bool round_start = sf->snd.una > sf->cwnd.round_end;
    bool model = sf->cc.ops->model_based;

    if (sf->flight->recovery.by_rto && !model)
        grow_after_rto(sf, a->delivered);
    else if (sf->cc.in_recovery && !model)
        reduce(sf, a, lost);
    else if (a->delivered > 0 || lost > 0)
        tell_ack(sf, a, lost, round_start);
    if (round_start) {
        sf->cwnd.round_end = sf->snd.nxt;
        sf->cwnd.limited_before = sf->cwnd.limited;
        sf->cwnd.limited = false;
    }
    tcp_update_pacing(sf);
}

/* Papers halve the window (Raiciu et al., NSDI 2012); in congestion avoidance that is what a loss does,
 * and the algorithm keeps its own books of it. */
void subflow_penalize(struct subflow *sf, braid_time now)
{
    struct cc *cc = &sf->cc;

    if (cc->in_recovery)
        return;
    if (cc->ops->on_penalty)
        cc->ops->on_penalty(cc, now);
    else if (cc->cwnd < cc->ssthresh)
        cc->cwnd = max_u64(cc->cwnd / 2, 2 * (uint64_t)sf->size.mss);
    else
        recovery_skip(sf, sf->flight->board.pipe, now);
    tcp_update_pacing(sf);
}
