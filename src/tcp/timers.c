/* One wheel timer per subflow stands for all its deadlines. It is armed lazily: when a deadline moves to a
 * later time, as the retransmission timer's does on each ACK, the wheel is left alone and the timer fires
 * early once. */
#include "tcp/internal.h"

#define HANDSHAKE_RTO BRAID_SECOND

static braid_time earliest(braid_time a, braid_time b)
{
    return a < b ? a : b;
}

void tcp_timers_arm(struct subflow *sf)
{
    braid_time at =
        earliest(earliest(sf->due.rexmit, sf->due.delack), earliest(sf->due.keepalive, sf->due.pace));

    if (at == BRAID_NEVER)
        wheel_cancel(&sf->env->wheel, &sf->due.timer);
    else if (at < sf->due.timer.at)
        wheel_arm(&sf->env->wheel, &sf->due.timer, at);
}

void tcp_timers_stop(struct subflow *sf)
{
    sf->due.rexmit = sf->due.delack = sf->due.keepalive = sf->due.pace = BRAID_NEVER;
    sf->due.kind = REXMIT_OFF;
    wheel_cancel(&sf->env->wheel, &sf->due.timer);
}

static braid_time probe_interval(const struct subflow *sf)
{
    unsigned shift = sf->tries.probes < 16 ? sf->tries.probes : 16;

    return earliest(rtt_rto(&sf->rtt) << shift, TCP_PROBE_MAX_TIME);
}

static void set_rexmit(struct subflow *sf, enum tcp_rexmit_timer kind, braid_time at)
{
    sf->due.kind = kind;
    sf->due.rexmit = at;
}

static braid_time handshake_deadline(const struct subflow *sf)
{
    unsigned shift = sf->syn.retries < 6 ? sf->syn.retries : 6;

    if (sf->state == TCP_STATE_SYN_RECEIVED && !sf->syn.answered)
        return BRAID_NEVER;
    return earliest(sf->due.rto_base + (HANDSHAKE_RTO << shift), sf->syn.opened_at + sf->env->syn_timeout);
}

/* Which of its uses the retransmission timer has now. */
static void choose_rexmit(struct subflow *sf)
{
    braid_time rto_at = sf->due.rto_base + rtt_rto(&sf->rtt);

    if (sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED) {
        set_rexmit(sf, REXMIT_RTO, handshake_deadline(sf));
        return;
    }
    if (!tcp_outstanding(sf)) {
        if (sf->snd.blocked)
            set_rexmit(sf, REXMIT_PERSIST, sf->due.rto_base + probe_interval(sf));
        else
            set_rexmit(sf, REXMIT_OFF, BRAID_NEVER);
        return;
    }
    set_rexmit(sf, REXMIT_RTO, rto_at);
    if (sf->due.reorder < rto_at) {
        set_rexmit(sf, REXMIT_REORDER, sf->due.reorder);
    } else if (tlp_allowed(sf)) {
        braid_time last = sent_of_link(sf->board.by_time.prev)->at;
        braid_time at = (sf->due.rto_base > last ? sf->due.rto_base : last) + tlp_timeout(sf);

        set_rexmit(sf, REXMIT_TLP, earliest(at, rto_at));
    }
}

void tcp_timers_update(struct subflow *sf)
{
    choose_rexmit(sf);
    tcp_timers_arm(sf);
}

static void on_handshake_timeout(struct subflow *sf, braid_time now)
{
    if (now - sf->syn.opened_at >= sf->env->syn_timeout) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_REFUSED, now);
        return;
    }
    sf->syn.retries++;
    tcp_count(sf, COUNT_TCP_RETRANS_SEGS, 1);
    tcp_send_syn(sf, now);
}

/* A peer that keeps answering with a closed window is alive: RFC 9293 section 3.8.6.1 forbids giving it up.
 */
static bool hopeless(const struct subflow *sf, braid_time now)
{
    if (sf->tries.stuck_rtos < TCP_GIVE_UP_LEAST)
        return false;
    if (sf->snd.wnd == 0 && now - sf->activity.last_recv < TCP_GIVE_UP_TIME)
        return false;
    return sf->tries.stuck_rtos >= TCP_GIVE_UP_BACKOFF || now - sf->tries.stuck_since >= TCP_GIVE_UP_TIME;
}

static void on_rto(struct subflow *sf, braid_time now)
{
    if (hopeless(sf, now)) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    tcp_count(sf, COUNT_TCP_TIMEOUTS, 1);
    recovery_begin_rto(sf, now);
    if (sf->tries.stuck_rtos++ == 0)
        sf->tries.stuck_since = now;
    rtt_backoff(&sf->rtt);
    sf->due.rto_base = now;
    sf->ops->timeout(sf, now);
    if (sf->state != TCP_STATE_CLOSED)
        sf->ops->wake(sf);
}

static void on_reorder_timeout(struct subflow *sf, braid_time now)
{
    uint64_t flight = sf->snd.nxt - sf->snd.una - sf->board.sacked_bytes, in_flight = sf->board.pipe;
    uint64_t lost = rack_detect_loss(sf, now);

    if (lost == 0)
        return;
    if (!sf->cc.in_recovery)
        recovery_begin(sf, flight, in_flight, now);
    struct ack_info nothing = {
        .now = now, .prior_una = sf->snd.una, .newest_sent = -1, .sample.sent_at = DELIVERY_NOTHING};
    recovery_on_ack(sf, &nothing, lost);
    sf->ops->wake(sf);
}

static void on_persist_timeout(struct subflow *sf, braid_time now)
{
    if (sf->tries.probes_unanswered >= 3 && now - sf->activity.last_recv >= TCP_GIVE_UP_TIME) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->tries.probes++;
    sf->tries.probes_unanswered++;
    sf->due.rto_base = now;
    tcp_count(sf, COUNT_TCP_WIN_PROBE, 1);
    subflow_probe(sf, now);
}

static void on_rexmit(struct subflow *sf, braid_time now)
{
    switch (sf->due.kind) {
    case REXMIT_RTO:
        if (sf->state < TCP_STATE_ESTABLISHED)
            on_handshake_timeout(sf, now);
        else
            on_rto(sf, now);
        break;
    case REXMIT_TLP:
        tlp_send(sf, now);
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
        choose_rexmit(sf);
}

/* RFC 9293 section 3.8.4. The deadline is not moved by traffic; what it finds decides. */
static void on_keepalive(struct subflow *sf, braid_time now)
{
    braid_time due = sf->activity.last_recv + sf->tries.keepalive_idle;

    if (now < due) {
        sf->due.keepalive = due;
        return;
    }
    if (tcp_outstanding(sf) || sf->snd.blocked) {
        sf->due.keepalive = now + TCP_KEEPALIVE_STEP;
        return;
    }
    if (sf->tries.keepalives >= TCP_KEEPALIVE_MAX) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->tries.keepalives++;
    sf->due.keepalive = now + TCP_KEEPALIVE_STEP;
    tcp_count(sf, COUNT_TCP_KEEPALIVE, 1);
    subflow_probe(sf, now);
}

void subflow_set_keepalive(struct subflow *sf, braid_time idle)
{
    sf->tries.keepalive_idle = idle;
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return; /* tcp_establish begins */
    sf->tries.keepalives = 0;
    sf->due.keepalive = idle > 0 ? sf->activity.last_recv + idle : BRAID_NEVER;
    tcp_timers_arm(sf);
}

static void on_delack(struct subflow *sf)
{
    sf->due.delack = BRAID_NEVER;
    sf->ack.now = true;
    tcp_count(sf, COUNT_TCP_DELAYED_ACKS, 1);
    sf->ops->wake(sf);
}

static void on_timer(struct timer *t, braid_time now)
{
    struct subflow *sf = list_entry(t, struct subflow, due.timer);

    if (sf->due.rexmit <= now)
        on_rexmit(sf, now);
    if (sf->due.delack <= now)
        on_delack(sf);
    if (sf->due.keepalive <= now)
        on_keepalive(sf, now);
    if (sf->due.pace <= now) {
        sf->due.pace = BRAID_NEVER;
        sf->ops->wake(sf);
    }
    tcp_timers_arm(sf);
}

void tcp_timer_init(struct subflow *sf)
{
    timer_init(&sf->due.timer, on_timer);
    sf->due.rexmit = sf->due.delack = sf->due.keepalive = sf->due.pace = BRAID_NEVER;
    sf->due.reorder = BRAID_NEVER;
}
