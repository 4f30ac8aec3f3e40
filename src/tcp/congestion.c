/* Between a subflow and its congestion control: see congestion.h and braid/cc.h. */
#include "tcp/internal.h"

#include <stdlib.h>

#include "tcp/pacing.h"

/* After a timeout it is slow start that paces the repair (RFC 5681 section 3.1), and an algorithm with a
 * model of the path has its own idea. */
bool tcp_prr_governs(const struct subflow *sf)
{
    return sf->cc.in_recovery && !sf->flight->recovery.by_rto && !sf->cc.ops->model_based;
}

/* In bytes. pipe may exceed cwnd after a reduction: then nothing leaves until enough has been
 * acknowledged. */
uint64_t tcp_cwnd_room(const struct subflow *sf)
{
    if (tcp_prr_governs(sf))
        return sf->flight->recovery.budget;
    return sf->cc.cwnd > sf->flight->board.pipe ? sf->cc.cwnd - sf->flight->board.pipe : 0;
}

/* RFC 6928: min(10 MSS, max(2 MSS, 14600)); one segment after a lost SYN (RFC 5681 section 3.1). */
uint64_t tcp_initial_window(const struct subflow *sf)
{
    uint64_t mss = sf->size.mss;

    return sf->syn.retries ? mss : min_u64(TCP_INITIAL_WINDOW * mss, max_u64(2 * mss, 14600));
}

/* RFC 2861: half of the window for each RTO without a transmission, down to what RFC 5681 section 4.1 begins
 * with. A path often stands still for a moment because another one of the connection holds up the data; and
 * what it carried just before still says something of it. ssthresh remembers that, and slow start leads back.
 */
static void restart_window(struct subflow *sf, int64_t idle)
{
    uint64_t least = min_u64(sf->cc.cwnd, (uint64_t)TCP_INITIAL_WINDOW * sf->size.mss);
    int64_t rto = rtt_rto(&sf->rtt);

    sf->cc.ssthresh = max_u64(sf->cc.ssthresh, sf->cc.cwnd - sf->cc.cwnd / 4);
    for (; idle >= rto && sf->cc.cwnd > least; idle -= rto)
        sf->cc.cwnd = max_u64(sf->cc.cwnd / 2, least);
    sf->cwnd.initial = (uint32_t)least;
}

/* Once per idle period, since the owner may ask for space several times before it sends. The RTO stands
 * for the time after which the old window says nothing of the path. */
void tcp_restart_after_idle(struct subflow *sf, braid_time now)
{
    int64_t idle = now - sf->activity.last_send;

    if (tcp_outstanding(sf) || sf->cwnd.idle_handled || idle < rtt_rto(&sf->rtt))
        return;
    sf->cwnd.idle_handled = true;
    if (sf->cc.ops->on_idle)
        sf->cc.ops->on_idle(&sf->cc, now, idle);
    else
        restart_window(sf, idle);
    tcp_update_pacing(sf);
}

/* Retransmissions count as new data does: both load the path. */
void tcp_account_transmission(struct subflow *sf, uint64_t bytes, braid_time now)
{
    tcp_pacing_sent(sf, bytes, now);
    sf->cwnd.initial -= (uint32_t)min_u64(sf->cwnd.initial, bytes);
    if (!tcp_prr_governs(sf))
        return;
    prr_on_sent(&sf->flight->recovery.prr, bytes);
    sf->flight->recovery.budget -= min_u64(sf->flight->recovery.budget, bytes);
}

/* With a model of the path there is no ssthresh, nor is there PRR; without one there have to be both. */
static void settle_ssthresh(struct subflow *sf, bool model_before)
{
    if (sf->cc.ops->model_based)
        sf->cc.ssthresh = CC_SSTHRESH_INFINITE;
    else if (model_before)
        sf->cc.ssthresh = max_u64(sf->cc.cwnd, 2 * (uint64_t)sf->size.mss);
    if (model_before && tcp_prr_governs(sf)) {
        prr_begin(&sf->flight->recovery.prr, sf->flight->board.pipe, sf->cc.ssthresh);
        sf->flight->recovery.budget = 0;
    }
}

/* The operations are still those that the state was made for. */
void tcp_cc_free(struct subflow *sf)
{
    if (!sf->cc.priv)
        return;
    mem_give(tcp_payer(sf), mem_cost(sf->cc.ops->priv_size));
    free(sf->cc.priv);
    sf->cc.priv = NULL;
}

/* Zeroed state for cc, in the place of what is there. False: memory is short, and nothing changed. */
static bool take(struct subflow *sf, const struct cc_ops *cc)
{
    uint64_t *priv = cc->priv_size > 0 ? calloc(1, cc->priv_size) : NULL;

    if (cc->priv_size > 0 && !priv)
        return false;
    tcp_cc_free(sf);
    recovery_free_undo(sf);
    if (priv)
        mem_take(tcp_payer(sf), mem_cost(cc->priv_size));
    sf->cc.ops = cc;
    sf->cc.priv = priv;
    return true;
}

/* Not earlier than the handshake's last segment: half-open subflows are what strangers make most of. */
bool tcp_cc_reserve(struct subflow *sf)
{
    return sf->cc.priv || take(sf, sf->cc.ops);
}

/* If memory is short the old one goes on. A spurious recovery cannot be taken back any more: the algorithm
 * that would have to do it knows nothing of its beginning. */
void subflow_set_cc(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    uint64_t cwnd = sf->cc.cwnd, ssthresh = sf->cc.ssthresh;
    bool model_before = sf->cc.ops->model_based;

    if (sf->cc.ops == cc)
        return;
    if (sf->cc.priv || subflow_synchronized(sf)) {
        if (!take(sf, cc))
            return;
    }
    sf->cc.ops = cc;
    if (!subflow_synchronized(sf))
        return; /* tcp_establish calls init */
    cc->init(&sf->cc, now);
    sf->cc.cwnd = cwnd;
    sf->cc.ssthresh = ssthresh;
    settle_ssthresh(sf, model_before);
    tcp_update_pacing(sf);
}
