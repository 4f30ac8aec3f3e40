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
    braid_time at = earliest(earliest(sf->rexmit_at, sf->delack_at), earliest(sf->keepalive_at, sf->pace_at));

    if (at == BRAID_NEVER)
        wheel_cancel(&sf->env->wheel, &sf->timer);
    else if (at < sf->timer.at)
        wheel_arm(&sf->env->wheel, &sf->timer, at);
}

void tcp_timers_stop(struct subflow *sf)
{
    sf->rexmit_at = sf->delack_at = sf->keepalive_at = sf->pace_at = BRAID_NEVER;
    sf->rexmit_kind = REXMIT_OFF;
    wheel_cancel(&sf->env->wheel, &sf->timer);
}

static braid_time probe_interval(const struct subflow *sf)
{
    unsigned shift = sf->probes_sent < 16 ? sf->probes_sent : 16;

    return earliest(rtt_rto(&sf->rtt) << shift, TCP_PROBE_MAX_TIME);
}

static void set_rexmit(struct subflow *sf, enum tcp_rexmit_timer kind, braid_time at)
{
    sf->rexmit_kind = kind;
    sf->rexmit_at = at;
}

static braid_time handshake_deadline(const struct subflow *sf)
{
    unsigned shift = sf->syn_retries < 6 ? sf->syn_retries : 6;

    if (sf->state == TCP_STATE_SYN_RECEIVED && !sf->answered)
        return BRAID_NEVER;
    return earliest(sf->rto_base + (HANDSHAKE_RTO << shift), sf->opened_at + sf->env->syn_timeout);
}

/* Which of its uses the retransmission timer has now. */
static void choose_rexmit(struct subflow *sf)
{
    braid_time rto_at = sf->rto_base + rtt_rto(&sf->rtt);

    if (sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED) {
        set_rexmit(sf, REXMIT_RTO, handshake_deadline(sf));
        return;
    }
    if (!tcp_outstanding(sf)) {
        if (sf->blocked)
            set_rexmit(sf, REXMIT_PERSIST, sf->rto_base + probe_interval(sf));
        else
            set_rexmit(sf, REXMIT_OFF, BRAID_NEVER);
        return;
    }
    set_rexmit(sf, REXMIT_RTO, rto_at);
    if (sf->reorder_at < rto_at) {
        set_rexmit(sf, REXMIT_REORDER, sf->reorder_at);
    } else if (tlp_allowed(sf)) {
        braid_time last = sent_of_link(sf->by_time.prev)->at;
        braid_time at = (sf->rto_base > last ? sf->rto_base : last) + tlp_timeout(sf);

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
    if (now - sf->opened_at >= sf->env->syn_timeout) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_REFUSED, now);
        return;
    }
    sf->syn_retries++;
    tcp_count(sf, COUNT_TCP_RETRANS_SEGS, 1);
    tcp_send_syn(sf, now);
}

/* A peer that keeps answering with a closed window is alive: RFC 9293 section 3.8.6.1 forbids giving it up.
 */
static bool hopeless(const struct subflow *sf, braid_time now)
{
    if (sf->stuck_rtos < TCP_GIVE_UP_LEAST)
        return false;
    if (sf->snd_wnd == 0 && now - sf->last_recv < TCP_GIVE_UP_TIME)
        return false;
    return sf->stuck_rtos >= TCP_GIVE_UP_BACKOFF || now - sf->stuck_since >= TCP_GIVE_UP_TIME;
}

static void on_rto(struct subflow *sf, braid_time now)
{
    if (hopeless(sf, now)) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    tcp_count(sf, COUNT_TCP_TIMEOUTS, 1);
    recovery_begin_rto(sf, now);
    if (sf->stuck_rtos++ == 0)
        sf->stuck_since = now;
    rtt_backoff(&sf->rtt);
    sf->rto_base = now;
    sf->ops->timeout(sf, now);
    if (sf->state != TCP_STATE_CLOSED)
        sf->ops->wake(sf);
}

static void on_reorder_timeout(struct subflow *sf, braid_time now)
{
    uint64_t flight = sf->snd_nxt - sf->snd_una - sf->sacked_bytes, in_flight = sf->pipe;
    uint64_t lost = rack_detect_loss(sf, now);

    if (lost == 0)
        return;
    if (!sf->cc.in_recovery)
        recovery_begin(sf, flight, in_flight, now);
    struct ack_info nothing = {
        .now = now, .prior_una = sf->snd_una, .newest_sent = -1, .sample.sent_at = DELIVERY_NOTHING};
    recovery_on_ack(sf, &nothing, lost);
    sf->ops->wake(sf);
}

static void on_persist_timeout(struct subflow *sf, braid_time now)
{
    if (sf->probes_unanswered >= 3 && now - sf->last_recv >= TCP_GIVE_UP_TIME) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->probes_sent++;
    sf->probes_unanswered++;
    sf->rto_base = now;
    tcp_count(sf, COUNT_TCP_WIN_PROBE, 1);
    subflow_probe(sf, now);
}

static void on_rexmit(struct subflow *sf, braid_time now)
{
    switch (sf->rexmit_kind) {
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
    braid_time due = sf->last_recv + sf->keepalive_idle;

    if (now < due) {
        sf->keepalive_at = due;
        return;
    }
    if (tcp_outstanding(sf) || sf->blocked) {
        sf->keepalive_at = now + TCP_KEEPALIVE_STEP;
        return;
    }
    if (sf->keepalive_sent >= TCP_KEEPALIVE_MAX) {
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_TIMEOUT, now);
        return;
    }
    sf->keepalive_sent++;
    sf->keepalive_at = now + TCP_KEEPALIVE_STEP;
    tcp_count(sf, COUNT_TCP_KEEPALIVE, 1);
    subflow_probe(sf, now);
}

void subflow_set_keepalive(struct subflow *sf, braid_time idle)
{
    sf->keepalive_idle = idle;
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return; /* tcp_establish begins */
    sf->keepalive_sent = 0;
    sf->keepalive_at = idle > 0 ? sf->last_recv + idle : BRAID_NEVER;
    tcp_timers_arm(sf);
}

static void on_delack(struct subflow *sf)
{
    sf->delack_at = BRAID_NEVER;
    sf->ack_now = true;
    tcp_count(sf, COUNT_TCP_DELAYED_ACKS, 1);
    sf->ops->wake(sf);
}

static void on_timer(struct timer *t, braid_time now)
{
    struct subflow *sf = list_entry(t, struct subflow, timer);

    if (sf->rexmit_at <= now)
        on_rexmit(sf, now);
    if (sf->delack_at <= now)
        on_delack(sf);
    if (sf->keepalive_at <= now)
        on_keepalive(sf, now);
    if (sf->pace_at <= now) {
        sf->pace_at = BRAID_NEVER;
        sf->ops->wake(sf);
    }
    tcp_timers_arm(sf);
}

void tcp_timer_init(struct subflow *sf)
{
    timer_init(&sf->timer, on_timer);
    sf->rexmit_at = sf->delack_at = sf->keepalive_at = sf->pace_at = BRAID_NEVER;
    sf->reorder_at = BRAID_NEVER;
}
