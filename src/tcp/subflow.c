/* The life of a subflow: opening, its end, what always holds in between. */
#include "tcp/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/addr.h"
#include "tcp/output.h"
#include "tcp/tap_hook.h"

void tcp_parts_init(struct subflow *sf)
{
    tcp_flight_init(sf);
    tcp_disorder_init(sf);
    recovery_init(sf);
    tcp_timers_init(sf);
    pacer_init(&sf->pacer);
    sf->reo_wnd.mult = 1;
    if (!sf->books)
        sf->books = &sf->env->books;
    /* A ring of one: who couples subflows links them, and algorithms never meet NULL. */
    sf->cc.group_next = &sf->cc;
    sf->cc.ssthresh = CC_SSTHRESH_INFINITE;
}

/* It is always the same one for the same two ends, so that a peer who remembers a connection that had them
 * before sees a later time in a new SYN and takes it at once (RFC 6191), and what is still on its way of that
 * connection has an earlier time than the new one, and is no part of it (RFC 7323 section 5.3). Who does not
 * know the key learns nothing from it of others. */
static uint32_t clock_offset(const struct subflow *sf)
{
    const struct braid_addr ends[2] = {sf->local, sf->remote};

    return (uint32_t)siphash(&sf->env->clock_key, ends, sizeof(ends));
}

/* What both kinds of open share. */
static void open_common(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    bool v4 = ip_is_v4(&sf->local.ip);

    tcp_parts_init(sf);
    /* Who could guess them could inject data (RFC 9293 section 3.4.1), or learn since when this machine runs
     * (RFC 7323 section 7.1). */
    tap_random(sf->env, &sf->syn.iss, sizeof(sf->syn.iss));
    sf->ts.offset = clock_offset(sf);
    tap_value(sf->env, BRAID_VALUE_CLOCK, &sf->ts.offset, sizeof(sf->ts.offset));
    sf->syn.peer_mss = tcp_default_mss(v4);
    tcp_mtu_init(sf, now);
    sf->rcv.mss = sf->syn.peer_mss;
    sf->syn.rcv_wscale = tcp_window_scale(sf->env->rcvbuf_max);
    sf->ack.quick = TCP_QUICK_ACKS;
    sf->syn.since = sf->activity.last_recv = sf->activity.last_send = sf->activity.progress_at = now;
    rtt_init(&sf->rtt);
    sf->cc.ops = cc;
    subflow_update_mss(sf);
    sf->cc.cwnd = (uint64_t)TCP_INITIAL_WINDOW * sf->size.mss;
}

/* Nothing is sent: the owner may want to ask somebody first. */
void subflow_open_passive(struct subflow *sf, const struct wire_packet *syn, const struct cc_ops *cc,
                          braid_time now)
{
    sf->local = syn->dst;
    sf->remote = syn->src;
    sf->syn.passive = true;
    open_common(sf, cc, now);
    sf->rcv.traffic_class = syn->traffic_class;
    tcp_take_syn_options(sf, syn, now);
    tcp_count(sf, COUNT_TCP_PASSIVE_OPENS, 1);
    tcp_set_state(sf, TCP_STATE_SYN_RECEIVED);
}

/* The timeouts count from here: what the owner took its time for is not the network's. */
void subflow_answer(struct subflow *sf, braid_time now)
{
    if (sf->state != TCP_STATE_SYN_RECEIVED || sf->syn.answered)
        return;
    sf->syn.answered = true;
    sf->syn.since = now;
    sf->snd.nxt = 1;
    tcp_send_syn(sf, now);
    tcp_deadlines_update(sf);
}

/* OPEN call, RFC 9293 section 3.10.1. The SYN takes number 0. */
void subflow_open_active(struct subflow *sf, const struct cc_ops *cc, braid_time now)
{
    open_common(sf, cc, now);
    tcp_count(sf, COUNT_TCP_ACTIVE_OPENS, 1);
    tcp_set_state(sf, TCP_STATE_SYN_SENT);
    sf->snd.nxt = 1;
    tcp_send_syn(sf, now);
    tcp_deadlines_update(sf);
}

/* The timer's time stays, and so does the number of its retries, from which follows what a SYN is like. */
void subflow_repeat_syn(struct subflow *sf, braid_time now)
{
    braid_time rto_base = sf->due.rto_base;

    if (sf->state != TCP_STATE_SYN_SENT)
        return;
    sf->syn.repeated = true;
    tcp_count_again(sf, 1);
    tcp_send_syn(sf, now);
    sf->due.rto_base = rto_base;
}

/* Runs before maps: they point into them. */
void subflow_destroy(struct subflow *sf)
{
    if (!sf->flight)
        return; /* never opened */
    tcp_deadlines_stop(sf);
    tcp_set_state(sf, TCP_STATE_CLOSED);
    sent_clear(sf);
    list_each (pos, tmp, &sf->flight->maps) {
        list_remove(pos);
        sf->env->ops->map_done(sf, list_entry(pos, struct tcp_map, node), false);
    }
    tcp_flight_free(sf);
    recovery_free_undo(sf);
    tcp_ooo_clear(sf);
    tcp_cc_free(sf);
}

/* Maps lie end to end up to what was sent last, FIN not counted. */
static void check_maps(const struct subflow *sf)
{
    uint64_t at = 0;

    for (const struct list *pos = sf->flight->maps.next; pos != &sf->flight->maps; pos = pos->next) {
        const struct tcp_map *m = list_entry(pos, struct tcp_map, node);

        assert(m->len > 0 && m->off >= at && m->off + m->len > sf->snd.una);
        assert(at == 0 || m->off == at);
        at = m->off + m->len;
    }
    assert(at == 0 || at == (sf->snd.nxt - sf->fin.sent));
}

/* What algorithms see is what src/tcp has. */
static void check_recovery(const struct subflow *sf)
{
    assert(!sf->flight->recovery.by_rto || sf->cc.in_recovery);
    assert(!sf->cc.in_recovery || sf->flight->recovery.point >= sf->snd.una);
    assert(sf->cc.mss == sf->size.mss && sf->cc.in_flight == sf->flight->board.pipe && sf->cc.cwnd > 0);
    assert(sf->cc.usable == subflow_can_carry_data(sf) && sf->cc.delivered == sf->delivery.delivered);
    assert(sf->flight->tlp_end <= sf->snd.nxt);
}

void subflow_check(const struct subflow *sf)
{
    assert(sf->snd.una <= sf->snd.nxt);
    assert(!sf->fin.sent || sf->fin.wanted);
    assert(sf->flight->board.pipe + sf->flight->board.lost_bytes + sf->flight->board.sacked_bytes ==
           (tcp_outstanding(sf) ? sf->snd.nxt - max_u64(sf->snd.una, 1) : 0)); /* the SYN is no part of it */
    assert(sf->state != TCP_STATE_CLOSE_WAIT || sf->fin.received);
    assert(!sf->fin.received || sf->rcv.nxt == sf->fin.in_off + 1);
    /* Whatever is outstanding has a timer that will do something about it. */
    if (subflow_synchronized(sf) && sf->state != TCP_STATE_TIME_WAIT && tcp_outstanding(sf))
        assert(sf->due.rexmit != BRAID_NEVER && sf->due.timer.at != BRAID_NEVER);
    if (subflow_synchronized(sf))
        check_recovery(sf);
    check_maps(sf);
    sent_check(sf);
    tcp_ooo_check(sf);
}
