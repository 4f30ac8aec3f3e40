/* What happens when a deadline of a subflow has passed: timeouts, probes, keepalives, delayed ACKs. */
#include "tcp/internal.h"
#include "tcp/output.h"
#include "tcp/ack.h"
#include "tcp/retransmit.h"
#include "tcp/tap_hook.h"

/* The number of timeouts and the keepalive's steps are Linux's defaults (tcp_retries2, tcp_keepalive_intvl,
 * _probes). */
#define GIVE_UP_TIME    (100 * BRAID_SECOND) /* without progress, RFC 9293 section 3.8.3 (R2) */
#define GIVE_UP_BACKOFF 15
#define GIVE_UP_LEAST   5 /* timeouts: where the RTO is long, the time alone is no proof */
#define KEEPALIVE_STEP  (75 * BRAID_SECOND)
#define KEEPALIVE_MAX   9

/* RFC 9293 section 3.8.3: for a SYN the limit is the owner's to set. */
static void on_handshake_timeout(struct subflow *sf, braid_time now)
{
    if (now - sf->syn.since >= sf->env->syn_timeout) {
        /* who has had data already may have nothing to send, and would wait for ever for the rest of it */
        if (sf->syn.passive && tcp_outstanding(sf))
            tcp_send_rst(sf, now);
        tcp_finish(sf, TCP_STATE_CLOSED, sf->syn.passive ? SUBFLOW_CLOSED_REFUSED : SUBFLOW_CLOSED_TIMEOUT,
                   now);
        return;
    }
    sf->syn.retries++;
    tcp_count_again(sf, 1);
    tcp_send_syn(sf, now);
}

/* A peer that keeps answering with a closed window is alive: RFC 9293 section 3.8.6.1 forbids giving it up.
 */
static bool hopeless(const struct subflow *sf, braid_time now)
{
    if (sf->tries.stuck_rtos < GIVE_UP_LEAST)
        return false;
    if (sf->snd.wnd == 0 && now - sf->activity.last_recv < GIVE_UP_TIME)
        return false;
    return sf->tries.stuck_rtos >= GIVE_UP_BACKOFF || now - sf->flight->stuck_since >= GIVE_UP_TIME;
}

/* RFC 6298 (5.4) to (5.6). What is retransmitted, and when, is decided at the flush; the owner hears of
 * it since other paths may take over. */
static void on_rto(struct subflow *sf, braid_time now)
{
    if (hopeless(sf, now)) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    tcp_count(sf, COUNT_TCP_TIMEOUTS, 1);
    recovery_begin_rto(sf, now);
    if (sf->tries.stuck_rtos++ == 0)
        sf->flight->stuck_since = now;
    rtt_backoff(&sf->rtt);
    sf->due.rto_base = now;
    sf->env->ops->timeout(sf, now);
    if (sf->state != TCP_STATE_CLOSED)
        sf->env->ops->wake(sf);
}

/* RFC 8985 section 6.3: what was only late by now is lost. The same follows as from an ACK that delivers
 * nothing. */
static void on_reorder_timeout(struct subflow *sf, braid_time now)
{
    uint64_t flight = sf->snd.nxt - sf->snd.una - sf->flight->board.sacked_bytes,
             in_flight = sf->flight->board.pipe;
    uint64_t lost = rack_detect_loss(sf, now);

    if (lost == 0)
        return;
    if (!sf->cc.in_recovery)
        recovery_begin(sf, flight, in_flight, now);
    struct ack_info nothing = {
        .now = now, .prior_una = sf->snd.una, .newest_sent = -1, .sample.sent_at = DELIVERY_NOTHING};
    recovery_on_ack(sf, &nothing, lost);
    sf->env->ops->wake(sf);
}

/* RFC 8985 section 7.3: one segment, for which cwnd is not asked. */
static void on_tail_probe(struct subflow *sf, braid_time now)
{
    struct tcp_sent *s = tlp_choose(sf, now);

    if (s)
        tcp_retransmit(sf, s, now);
}

/* A peer that answers none of several probes for so long is gone, window or not. */
static void on_persist_timeout(struct subflow *sf, braid_time now)
{
    if (sf->tries.probes_unanswered >= 3 && now - sf->activity.last_recv >= GIVE_UP_TIME) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->tries.probes++;
    sf->tries.probes_unanswered++;
    sf->due.rto_base = now;
    tcp_count(sf, COUNT_TCP_WIN_PROBE, 1);
    subflow_probe(sf, now);
}

/* One timer, one use at a time (RFC 8985 section 8): each chooses what comes next. */
static void on_rexmit(struct subflow *sf, braid_time now)
{
    switch (sf->tries.kind) {
    case REXMIT_RTO:
        if (sf->state < TCP_STATE_ESTABLISHED)
            on_handshake_timeout(sf, now);
        else
            on_rto(sf, now);
        break;
    case REXMIT_TLP:
        on_tail_probe(sf, now);
        break;
    case REXMIT_REORDER:
        on_reorder_timeout(sf, now);
        break;
    case REXMIT_PERSIST:
        on_persist_timeout(sf, now);
        break;
    case REXMIT_OFF:
        break;
    }
    if (sf->state != TCP_STATE_CLOSED)
        tcp_rexmit_choose(sf);
}

/* Who wants an answer more often than that, since somebody on the way forgets, wants the next one as soon. */
static braid_time keepalive_step(const struct tcp_keepalive *k)
{
    if (k->step > 0)
        return k->step;
    return k->idle < KEEPALIVE_STEP ? k->idle : KEEPALIVE_STEP;
}

/* RFC 9293 section 3.8.4. The deadline is not moved by traffic; what it finds decides. */
static void on_keepalive(struct subflow *sf, braid_time now)
{
    const struct tcp_keepalive k = sf->env->ops->keepalive(sf);
    braid_time due = sf->activity.last_recv + k.idle;

    /* Something came since the timer was set. */
    if (now < due) {
        sf->due.keepalive = due;
        return;
    }
    /* Retransmissions and window probes ask the peer already, and give up by rules of their own. */
    if (tcp_outstanding(sf) || sf->cwnd.blocked) {
        sf->due.keepalive = now + keepalive_step(&k);
        return;
    }
    if (sf->tries.keepalives >= (k.most > 0 ? k.most : KEEPALIVE_MAX)) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->tries.keepalives++;
    sf->due.keepalive = now + keepalive_step(&k);
    tcp_count(sf, COUNT_TCP_KEEPALIVE, 1);
    subflow_probe(sf, now);
}

/* From the last sign of life on, so that a change does not keep a dead connection longer. */
void subflow_keepalive_changed(struct subflow *sf)
{
    braid_time idle = sf->env->ops->keepalive(sf).idle;

    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return; /* tcp_establish begins */
    sf->tries.keepalives = 0;
    sf->due.keepalive = idle > 0 ? sf->activity.last_recv + idle : BRAID_NEVER;
    tcp_deadlines_arm(sf);
}

/* The ACK leaves with the flush that follows. */
static void on_delack(struct subflow *sf)
{
    sf->due.delack = BRAID_NEVER;
    sf->ack.now = true;
    tcp_count(sf, COUNT_TCP_DELAYED_ACKS, 1);
    sf->env->ops->wake(sf);
}

/* Any of them may end the subflow; then its deadlines are gone and none of the others is due. */
static void on_timer(struct timer *t, braid_time now)
{
    struct subflow *sf = list_entry(t, struct subflow, due.timer);

    if (tap_listens(sf->env))
        sf->env->tap->timer(sf->env->tap, sf, now);
    if (sf->due.rexmit <= now)
        on_rexmit(sf, now);
    if (sf->due.delack <= now)
        on_delack(sf);
    if (sf->due.keepalive <= now)
        on_keepalive(sf, now);
    if (sf->due.pace <= now) {
        sf->due.pace = BRAID_NEVER;
        sf->env->ops->wake(sf);
    }
    tcp_deadlines_arm(sf);
}

void tcp_timers_init(struct subflow *sf)
{
    timer_init(&sf->due.timer, on_timer);
    sf->due.rexmit = sf->due.delack = sf->due.keepalive = sf->due.pace = BRAID_NEVER;
}
