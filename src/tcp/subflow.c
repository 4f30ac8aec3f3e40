/* The life of a subflow: opening, closing, its states (RFC 9293 section 3.3.2). */
#include "tcp/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

#define IP4_HEADER 20u
#define IP6_HEADER 40u
#define TS_OPTION  12u /* with its two NOPs */
#define MSS_LEAST  64u
#define WSCALE_MAX 14 /* RFC 7323 section 2.3 */

static const char *const state_names[TCP_STATES] = {
    [TCP_STATE_CLOSED] = "CLOSED",
    [TCP_STATE_SYN_SENT] = "SYN-SENT",
    [TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
    [TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_STATE_CLOSING] = "CLOSING",
    [TCP_STATE_LAST_ACK] = "LAST-ACK",
    [TCP_STATE_TIME_WAIT] = "TIME-WAIT",
};

const char *tcp_state_text(enum tcp_state s)
{
    return s < TCP_STATES ? state_names[s] : "?";
}

/* The only function that changes the state. */
void tcp_set_state(struct subflow *sf, enum tcp_state state)
{
    sf->state = state;
    sf->cc.usable = subflow_can_carry_data(sf);
}

void tcp_finish(struct subflow *sf, enum tcp_state state, enum subflow_closed why, braid_time now)
{
    if (sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED)
        tcp_count(sf, COUNT_TCP_ATTEMPT_FAILS, 1);
    else if (why == SUBFLOW_CLOSED_RST)
        tcp_count(sf, COUNT_TCP_ESTAB_RESETS, 1);
    else if (why == SUBFLOW_CLOSED_TIMEOUT)
        tcp_count(sf, COUNT_TCP_ABORT_ON_TIMEOUT, 1);
    tcp_timers_stop(sf);
    tcp_set_state(sf, state);
    sf->ops->closed(sf, why, now);
}

void subflow_update_mss(struct subflow *sf)
{
    uint32_t ip = ip_is_v4(&sf->local.ip) ? IP4_HEADER : IP6_HEADER;
    uint32_t options = (sf->syn.ts_ok ? TS_OPTION : 0) + sf->size.reserve;
    uint32_t path = sf->size.path_mtu - ip - TCP_HEADER_MIN;
    uint32_t least = sf->syn.peer_mss < path ? sf->syn.peer_mss : path;

    sf->size.mss = least > options + MSS_LEAST ? least - options : MSS_LEAST;
    sf->cc.mss = sf->size.mss;
}

/* The least scale that lets the window field express the whole buffer. */
uint8_t tcp_window_scale(size_t rcvbuf)
{
    uint8_t scale = 0;

    while (scale < WSCALE_MAX && (size_t)UINT16_MAX << scale < rcvbuf)
        scale++;
    return scale;
}

static void init_lists(struct subflow *sf)
{
    list_init(&sf->snd.maps);
    list_init(&sf->board.runs);
    list_init(&sf->board.by_time);
    list_init(&sf->board.lost);
    list_init(&sf->ooo.pieces);
}

/* What both kinds of open share. */
static void open_common(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    bool v4 = ip_is_v4(&sf->local.ip);

    init_lists(sf);
    tcp_timer_init(sf);
    sf->env->host.random(sf->env->host.ctx, &sf->syn.iss, sizeof(sf->syn.iss));
    sf->env->host.random(sf->env->host.ctx, &sf->ts.offset, sizeof(sf->ts.offset));
    sf->syn.peer_mss = tcp_default_mss(v4);
    tcp_mtu_init(sf, now);
    sf->rcv.mss = sf->syn.peer_mss;
    sf->syn.rcv_wscale = tcp_window_scale(sf->env->rcvbuf_max);
    sf->ack.quick = TCP_QUICK_ACKS;
    sf->syn.opened_at = sf->activity.last_recv = sf->activity.last_send = sf->activity.progress_at = now;
    sf->tries.keepalive_idle = sf->env->keepalive_idle;
    rtt_init(&sf->rtt);
    rack_init(&sf->rack);
    pacer_init(&sf->pacer);
    sf->cc.ops = cc;
    sf->cc.group_next = &sf->cc;
    sf->cc.ssthresh = CC_SSTHRESH_INFINITE;
    subflow_update_mss(sf);
    sf->cc.cwnd = (uint64_t)TCP_INITIAL_WINDOW * sf->size.mss;
}

void tcp_take_syn_options(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    const struct wire_tcp *t = &p->tcp;

    sf->syn.irs = t->seq;
    sf->rcv.nxt = 1;
    sf->syn.ts_ok = t->has_ts;
    sf->syn.sack_ok = t->sack_ok;
    sf->syn.wscale_ok = t->has_wscale;
    sf->syn.snd_wscale = 0;
    if (t->has_wscale)
        sf->syn.snd_wscale = t->wscale < WSCALE_MAX ? t->wscale : WSCALE_MAX;
    else
        sf->syn.rcv_wscale = 0;
    if (t->has_mss)
        sf->syn.peer_mss = t->mss > sf->env->min_mss ? t->mss : sf->env->min_mss;
    sf->ts.recent = t->tsval;
    sf->ts.recent_at = now;
    sf->snd.wnd = sf->snd.wnd_max = t->window; /* a SYN's window is never scaled */
    sf->snd.wl1 = 0;
    subflow_update_mss(sf);
}

void subflow_open_passive(struct subflow *sf, const struct wire_packet *syn, const struct cc_ops *cc,
                          braid_time now)
{
    sf->local = syn->dst;
    sf->remote = syn->src;
    sf->syn.passive = true;
    open_common(sf, cc, now);
    tcp_take_syn_options(sf, syn, now);
    tcp_count(sf, COUNT_TCP_PASSIVE_OPENS, 1);
    tcp_set_state(sf, TCP_STATE_SYN_RECEIVED);
}

void subflow_answer(struct subflow *sf, braid_time now)
{
    if (sf->state != TCP_STATE_SYN_RECEIVED || sf->syn.answered)
        return;
    sf->syn.answered = true;
    sf->syn.opened_at = now;
    sf->snd.nxt = 1;
    tcp_send_syn(sf, now);
    tcp_timers_update(sf);
}

void subflow_open_active(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    open_common(sf, cc, now);
    tcp_count(sf, COUNT_TCP_ACTIVE_OPENS, 1);
    tcp_set_state(sf, TCP_STATE_SYN_SENT);
    sf->snd.nxt = 1;
    tcp_send_syn(sf, now);
    tcp_timers_update(sf);
}

/* RFC 6928: min(10 MSS, max(2 MSS, 14600)); one segment after a lost SYN (RFC 5681 section 3.1). */
static uint64_t initial_window(const struct subflow *sf)
{
    uint64_t mss = sf->size.mss;

    return sf->syn.retries ? mss : min_u64(TCP_INITIAL_WINDOW * mss, max_u64(2 * mss, 14600));
}

void tcp_establish(struct subflow *sf, braid_time now)
{
    tcp_set_state(sf, TCP_STATE_ESTABLISHED);
    sf->due.rexmit = BRAID_NEVER;
    sf->tlp.sampled = !sf->syn.retries && !sf->syn.stateless; /* Karn's rule */
    if (sf->tlp.sampled)
        rtt_sample(&sf->rtt, now - sf->activity.last_send, now);
    sf->cc.srtt_us = sf->rtt.srtt_us;
    sf->cc.min_rtt_us = sf->rtt.min_rtt_us;
    sf->cc.cwnd = initial_window(sf);
    sf->cc.ops->init(&sf->cc, now);
    sf->cwnd.round_end = sf->snd.nxt;
    sf->snd.edge = max_u64(sf->snd.edge, sf->snd.una + sf->snd.wnd);
    tcp_update_pacing(sf);
    if (sf->tries.keepalive_idle > 0)
        sf->due.keepalive = now + sf->tries.keepalive_idle;
    sf->ops->established(sf, now);
}

/* With a model of the path there is no ssthresh, nor is there PRR; without one there have to be both. */
static void settle_ssthresh(struct subflow *sf, bool model_before)
{
    if (sf->cc.ops->model_based)
        sf->cc.ssthresh = CC_SSTHRESH_INFINITE;
    else if (model_before)
        sf->cc.ssthresh = max_u64(sf->cc.cwnd, 2 * (uint64_t)sf->size.mss);
    if (model_before && tcp_prr_governs(sf)) {
        prr_begin(&sf->recovery.prr, sf->board.pipe, sf->cc.ssthresh);
        sf->recovery.budget = 0;
    }
}

/* The algorithm that would have to take a spurious recovery back knows nothing of its beginning. */
void subflow_set_cc(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    uint64_t cwnd = sf->cc.cwnd, ssthresh = sf->cc.ssthresh;
    bool model_before = sf->cc.ops->model_based;

    if (sf->cc.ops == cc)
        return;
    sf->cc.ops = cc;
    if (!subflow_synchronized(sf))
        return; /* tcp_establish calls init */
    memset(sf->cc.priv, 0, sizeof(sf->cc.priv));
    cc->init(&sf->cc, now);
    sf->cc.cwnd = cwnd;
    sf->cc.ssthresh = ssthresh;
    settle_ssthresh(sf, model_before);
    sf->recovery.undo_marker = 0;
    tcp_update_pacing(sf);
}

void subflow_close(struct subflow *sf, braid_time now)
{
    (void)now;
    sf->fin.wanted = true;
    sf->cc.usable = false;
}

void subflow_reset(struct subflow *sf, braid_time now)
{
    if (sf->state == TCP_STATE_CLOSED)
        return;
    if (sf->state >= TCP_STATE_ESTABLISHED && sf->state != TCP_STATE_TIME_WAIT)
        tcp_send_rst(sf, now);
    else if (sf->state == TCP_STATE_SYN_RECEIVED && sf->syn.answered)
        tcp_send_rst(sf, now);
    tcp_timers_stop(sf);
    tcp_set_state(sf, TCP_STATE_CLOSED);
}

void subflow_destroy(struct subflow *sf)
{
    if (!sf->snd.maps.next)
        return; /* never opened */
    tcp_timers_stop(sf);
    tcp_set_state(sf, TCP_STATE_CLOSED);
    sent_clear(sf);
    list_each (pos, tmp, &sf->snd.maps) {
        list_remove(pos);
        sf->ops->map_done(sf, list_entry(pos, struct tcp_map, node), false);
    }
    tcp_receive_clear(sf);
}

static void check_maps(const struct subflow *sf)
{
    uint64_t at = 0;

    for (const struct list *pos = sf->snd.maps.next; pos != &sf->snd.maps; pos = pos->next) {
        const struct tcp_map *m = list_entry(pos, struct tcp_map, node);

        assert(m->len > 0 && m->off >= at && m->off + m->len > sf->snd.una);
        assert(at == 0 || m->off == at);
        at = m->off + m->len;
    }
    assert(at == 0 || at == (sf->fin.sent ? sf->fin.off : sf->snd.nxt));
}

static void check_recovery(const struct subflow *sf)
{
    assert(!sf->recovery.by_rto || sf->cc.in_recovery);
    assert(!sf->cc.in_recovery || sf->recovery.point >= sf->snd.una);
    assert(sf->cc.mss == sf->size.mss && sf->cc.in_flight == sf->board.pipe && sf->cc.cwnd > 0);
    assert(sf->cc.usable == subflow_can_carry_data(sf) && sf->cc.delivered == sf->delivery.delivered);
    assert(sf->tlp.end <= sf->snd.nxt);
}

void subflow_check(const struct subflow *sf)
{
    assert(sf->snd.una <= sf->snd.nxt);
    assert(!sf->fin.sent || (sf->fin.wanted && sf->snd.nxt == sf->fin.off + 1));
    assert(sf->board.pipe + sf->board.lost_bytes + sf->board.sacked_bytes ==
           (tcp_outstanding(sf) ? sf->snd.nxt - sf->snd.una : 0));
    assert(sf->state != TCP_STATE_CLOSE_WAIT || sf->fin.received);
    assert(!sf->fin.received || sf->rcv.nxt == sf->fin.in_off + 1);
    /* Whatever is outstanding has a timer that will do something about it. */
    if (subflow_synchronized(sf) && sf->state != TCP_STATE_TIME_WAIT && tcp_outstanding(sf))
        assert(sf->due.rexmit != BRAID_NEVER && sf->due.timer.at != BRAID_NEVER);
    if (subflow_synchronized(sf))
        check_recovery(sf);
    check_maps(sf);
    sent_check(sf);
    tcp_receive_check(sf);
}
