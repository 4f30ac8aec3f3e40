/* Fast recovery with PRR (RFC 6675, 6937), recovery after a timeout (RFC 5681), and taking either back when
 * it proves spurious (DSACK: RFC 3708; timestamps: RFC 3522, 4015). */
#include "tcp/internal.h"

#include "base/seq.h"

static void begin(struct subflow *sf)
{
    sf->cc.in_recovery = true;
    sf->recovery_point = sf->snd_nxt;
    sf->tlp_end = 0;
}

static void begin_undo(struct subflow *sf)
{
    sf->undo_marker = sf->snd_una;
    sf->undo_retrans = 0;
    sf->undo_armed = false;
}

static void tell_loss(struct subflow *sf, uint64_t in_flight, bool timeout, braid_time now)
{
    struct cc_loss loss = {.now = now, .in_flight = in_flight, .timeout = timeout};

    sf->cc.ops->on_loss(&sf->cc, &loss);
}

void recovery_begin(struct subflow *sf, uint64_t flight, uint64_t in_flight, braid_time now)
{
    tell_loss(sf, in_flight, false, now);
    begin(sf);
    begin_undo(sf);
    prr_begin(&sf->prr, flight, sf->cc.ssthresh);
    sf->prr_budget = 0;
    tcp_count(sf, COUNT_TCP_SACK_RECOVERY, 1);
}

void recovery_begin_rto(struct subflow *sf, braid_time now)
{
    bool reneged = sent_of(sf->sent.next)->state == SENT_SACKED;

    tcp_mtu_timeout(sf, now);
    if (sf->stuck_rtos == 0) {
        tell_loss(sf, sf->pipe, true, now);
        begin_undo(sf);
    }
    begin(sf);
    sf->in_rto_recovery = true;
    sf->cc.cwnd = sf->mss;
    sf->reorder_at = BRAID_NEVER;
    sent_lose_all(sf, reneged);
}

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
    sf->cc.in_recovery = sf->in_rto_recovery = false;
    sf->dupacks = 0;
    rack_on_recovered(sf);
}

void recovery_try_end(struct subflow *sf, braid_time now)
{
    if (!sf->cc.in_recovery || sf->snd_una < sf->recovery_point)
        return;
    bool fast = !sf->in_rto_recovery;

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

void recovery_note_retransmit(struct subflow *sf, uint64_t bytes, braid_time now)
{
    if (sf->undo_marker == 0)
        return;
    sf->undo_retrans += (int64_t)bytes;
    if (!sf->undo_armed) {
        sf->undo_armed = true;
        sf->undo_tsval = tcp_tsval(sf, now);
    }
}

/* Eifel: the ACK echoes a segment sent before the first retransmission. In fast recovery, where some may be
 * lost and others not, only one that ends it proves that none was; so, too, after a timeout if the ACK
 * reports a duplicate: the retransmission brought it about, and all that it proves of the originals is how
 * far they had arrived when the path fell silent. */
static bool originals_arrived(const struct subflow *sf, const struct ack_info *a)
{
    return sf->cc.in_recovery && a->has_ts && sf->snd_una > a->prior_una &&
           seq32_before(a->tsecr, sf->undo_tsval) &&
           ((sf->in_rto_recovery && !a->dsack) || sf->snd_una >= sf->recovery_point);
}

void recovery_try_undo(struct subflow *sf, const struct ack_info *a)
{
    if (sf->undo_marker == 0 || !sf->undo_armed)
        return;
    if (!(a->dsack && sf->undo_retrans <= 0) && !originals_arrived(sf, a))
        return;
    tcp_count(sf, sf->in_rto_recovery ? COUNT_TCP_SPURIOUS_RTOS : COUNT_TCP_DSACK_UNDO, 1);
    if (sf->cc.in_recovery)
        end(sf);
    sf->undo_marker = 0;
    sf->rtt.backoff = 0;
    sent_unlose_all(sf);
    sf->cc.ops->on_undo(&sf->cc, a->now);
}

/* Slow start up to ssthresh while a timeout's losses are repaired; the algorithm takes over after that. */
static void grow_after_rto(struct subflow *sf, uint64_t delivered)
{
    if (sf->cc.cwnd < sf->cc.ssthresh)
        sf->cc.cwnd = min_u64(sf->cc.cwnd + delivered, sf->cc.ssthresh);
}

static void reduce(struct subflow *sf, const struct ack_info *a, uint64_t lost)
{
    bool advanced = sf->snd_una > a->prior_una;

    sf->prr_budget = prr_on_ack(&sf->prr, a->delivered, sf->pipe, advanced, lost > 0, sf->mss);
    sf->cc.cwnd = max_u64(sf->pipe + sf->prr_budget, sf->mss);
}

/* Without SACK, a retransmission that fills a hole also seems to deliver what has waited behind it. */
static uint64_t delivery_rate(const struct subflow *sf, const struct delivery_result *r)
{
    if (r->interval_us == 0 || (!sf->sack_ok && sf->cc.in_recovery))
        return 0;
    return (uint64_t)((unsigned __int128)r->delivered * (uint64_t)BRAID_SECOND / (uint64_t)r->interval_us);
}

static void tell_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost, bool round_start)
{
    struct delivery_result r = delivery_finish(&sf->delivery, &a->sample, sf->cc.min_rtt_us, a->now);
    struct cc_ack ack = {
        .now = a->now,
        .acked = a->delivered,
        .lost = lost,
        .prior_in_flight = a->prior_flight,
        .rtt_us = a->rtt_us,
        .cwnd_limited = sf->cwnd_limited || sf->cwnd_limited_before,
        .round_start = round_start,
        .app_limited = r.app_limited,
        .rate = delivery_rate(sf, &r),
        .prior_delivered = r.prior_delivered,
    };
    ack.interval_us = ack.rate > 0 ? r.interval_us : 0;
    sf->cc.ops->on_ack(&sf->cc, &ack);
}

void recovery_on_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost)
{
    bool round_start = sf->snd_una > sf->round_end;
    bool model = sf->cc.ops->model_based;

    if (sf->in_rto_recovery && !model)
        grow_after_rto(sf, a->delivered);
    else if (sf->cc.in_recovery && !model)
        reduce(sf, a, lost);
    else if (a->delivered > 0 || lost > 0)
        tell_ack(sf, a, lost, round_start);
    if (round_start) {
        sf->round_end = sf->snd_nxt;
        sf->cwnd_limited_before = sf->cwnd_limited;
        sf->cwnd_limited = false;
    }
    tcp_update_pacing(sf);
}
