/* Looking inside a connection as Linux lets programs look inside its own. */
#include <stddef.h>
#include <string.h>

#include "core/inside.h"
#include "mptcp/known.h"

static enum braid_linux_state linux_state(enum tcp_state state)
{
    static const uint8_t states[TCP_STATES] = {
        [TCP_STATE_CLOSED] = BRAID_LINUX_CLOSE,          [TCP_STATE_SYN_SENT] = BRAID_LINUX_SYN_SENT,
        [TCP_STATE_SYN_RECEIVED] = BRAID_LINUX_SYN_RECV, [TCP_STATE_ESTABLISHED] = BRAID_LINUX_ESTABLISHED,
        [TCP_STATE_FIN_WAIT_1] = BRAID_LINUX_FIN_WAIT1,  [TCP_STATE_FIN_WAIT_2] = BRAID_LINUX_FIN_WAIT2,
        [TCP_STATE_CLOSE_WAIT] = BRAID_LINUX_CLOSE_WAIT, [TCP_STATE_CLOSING] = BRAID_LINUX_CLOSING,
        [TCP_STATE_LAST_ACK] = BRAID_LINUX_LAST_ACK,     [TCP_STATE_TIME_WAIT] = BRAID_LINUX_TIME_WAIT,
    };
    return states[state];
}

static enum braid_linux_ca linux_ca(const struct subflow *t)
{
    if (t->cc.in_recovery)
        return t->flight->recovery.by_rto ? BRAID_LINUX_CA_LOSS : BRAID_LINUX_CA_RECOVERY;
    return t->flight->board.sacked_bytes > 0 ? BRAID_LINUX_CA_DISORDER : BRAID_LINUX_CA_OPEN;
}

/* The SYN and an acknowledged FIN have numbers, too, and are no bytes. */
static uint64_t bytes_acked(const struct subflow *t)
{
    return t->snd.una > 0 ? t->snd.una - 1 - subflow_fin_acked(t) : 0;
}

static void describe_subflow(const struct mp_subflow *s, struct braid_subflow_details *o)
{
    const struct subflow *t = &s->tcp;
    const struct scoreboard *b = &t->flight->board;
    *o = (struct braid_subflow_details){
        .id = s->id,
        .local = t->local,
        .remote = t->remote,
        .state = linux_state(t->state),
        .ca_state = linux_ca(t),
        .timestamps = t->syn.ts_ok,
        .sack = t->syn.sack_ok,
        .scaled = t->syn.wscale_ok,
        .snd_wscale = t->syn.snd_wscale,
        .rcv_wscale = t->syn.rcv_wscale,
        .backoff = t->rtt.backoff,
        .probes = t->tries.probes,
        .mss = t->size.mss,
        .rcv_mss = t->rcv.mss,
        .pmtu = t->size.path_mtu,
        .unacked = t->snd.nxt - t->snd.una,
        .sacked = b->sacked_bytes,
        .lost = b->lost_bytes,
        .cwnd = t->cc.cwnd,
        .ssthresh = t->cc.ssthresh,
        .snd_wnd = t->snd.wnd,
        .rto_us = rtt_rto(&t->rtt),
        .rtt_us = t->rtt.srtt_us,
        .rttvar_us = t->rtt.rttvar_us,
        .min_rtt_us = t->rtt.min_rtt_us,
        .rcv_rtt_us = t->rcv.rtt_us,
        .pacing_rate = t->pacer.rate,
        .retransmits = t->snd.retransmits,
        .data_segments = t->snd.packets,
        .bytes_sent = subflow_bytes_out(t),
        .bytes_acked = bytes_acked(t),
        .bytes_received = subflow_bytes_in(t),
        .sent_at = t->activity.last_send,
        .heard_at = t->activity.last_recv,
    };
}

/* Is there a subflow of ours from this address? */
static bool in_use(const struct braid_conn *c, const struct pm_local *l)
{
    each_flow (s, c)
        if (s->join && !s->tcp.syn.passive && subflow_synchronized(&s->tcp) && !s->closing.dead &&
            s->ids.local == l->id)
            return true;
    return false;
}

static void count_addresses(const struct braid_conn *c, struct braid_conn_details *o)
{
    const struct conn_known *m = c->pm.known;
    for (unsigned i = 1; m && i < m->n_locals; i++) {
        const struct pm_local *l = &m->locals[i];
        o->announced += l->usable && l->announced;
        o->max_announced += l->usable && l->signal;
        o->local_used += in_use(c, l);
        o->max_local += l->usable && l->subflow;
    }
    for (unsigned i = 1; m && i < m->n_remotes; i++)
        o->accepted += m->remotes[i].usable;
    o->max_accepted = c->env->params.max_add_addr;
}

void braid_conn_details(const struct braid_conn *c, struct braid_conn_details *o)
{
    memset(o, 0, offsetof(struct braid_conn_details, subflows));
    o->remote_key = conn_is_mptcp(c) && c->phase >= CONN_ESTABLISHED;
    o->checksum = c->dss.checksum;
    o->token = c->keys.local_token;
    o->write_seq = c->keys.local_idsn + c->send.end + c->send.shutdown;
    o->snd_una = c->keys.local_idsn + c->send.una + c->send.fin_acked;
    o->rcv_nxt = c->keys.remote_idsn + c->recv.nxt;
    o->bytes_sent = c->send.nxt + c->syn_data.out - DATA_FIRST;
    o->bytes_acked = conn_bytes_delivered(c);
    o->bytes_received = conn_bytes_received(c);
    o->retransmits = c->send.backoff;
    o->max_subflows = c->env->params.max_subflows;
    count_addresses(c, o);
    each_flow (s, c) {
        if (!s->closing.dead && subflow_synchronized(&s->tcp) && o->n_subflows < BRAID_STATS_SUBFLOWS)
            describe_subflow(s, &o->subflows[o->n_subflows++]);
    }
}
