/* TIME_WAIT: see timewait.h. */
#include "tcp/timewait.h"

#include "base/seq.h"
#include "tcp/challenge.h"
#include "tcp/emit.h"
#include "tcp/internal.h"

/* What is needed to acknowledge a FIN that comes again, and to know old segments from a new connection. */
void timewait_init(struct timewait *tw, const struct subflow *sf)
{
    tw->local = sf->local;
    tw->remote = sf->remote;
    tw->snd_nxt = sf->syn.iss + (uint32_t)sf->snd.nxt;
    tw->rcv_nxt = sf->syn.irs + (uint32_t)sf->rcv.nxt;
    tw->ts_recent = sf->ts.recent;
    tw->ts_offset = sf->ts.offset;
    tw->window = (uint16_t)(tcp_window_now(sf) >> sf->syn.rcv_wscale);
    tw->ts_ok = sf->syn.ts_ok;
}

static struct wire_tcp ack_at(const struct timewait *tw, uint32_t seq, braid_time now)
{
    return (struct wire_tcp){
        .flags = TCP_ACK,
        .seq = seq,
        .ack = tw->rcv_nxt,
        .window = tw->window,
        .has_ts = tw->ts_ok,
        .tsval = (uint32_t)(now / BRAID_MS) + tw->ts_offset,
        .tsecr = tw->ts_recent,
    };
}

/* Also the last DATA_ACK: without it an MPTCP peer would go on asking whether its DATA_FIN arrived. */
static void send_ack_at(const struct timewait *tw, struct tcp_env *env, uint32_t seq, braid_time now)
{
    struct wire_tcp t = ack_at(tw, seq, now);
    if (tw->has_data_ack) {
        t.mp.has = MPTCP_HAS(MPTCP_DSS);
        t.mp.dss = (struct mptcp_dss){.has_ack = true, .ack64 = true, .data_ack = tw->data_ack};
    }
    tcp_emit(env, &tw->local, &tw->remote, &t);
}

static void send_ack(const struct timewait *tw, struct tcp_env *env, braid_time now)
{
    send_ack_at(tw, env, tw->snd_nxt, now);
}

void timewait_keepalive(const struct timewait *tw, struct tcp_env *env, braid_time now)
{
    send_ack_at(tw, env, tw->snd_nxt - 1, now);
}

/* Where the peer expects it: nothing answers an ACK there, so that two of these never answer each other. What
 * it has sent meanwhile is not acknowledged, as nobody has it. */
void timewait_fastclose(const struct timewait *tw, uint32_t seq, struct tcp_env *env, uint64_t key,
                        braid_time now)
{
    struct wire_tcp t = ack_at(tw, seq, now);
    t.mp.has = MPTCP_HAS(MPTCP_FASTCLOSE);
    t.mp.fastclose.key = key;
    tcp_emit(env, &tw->local, &tw->remote, &t);
}

void timewait_reset(const struct timewait *tw, struct tcp_env *env)
{
    struct wire_tcp t = {.flags = TCP_RST | TCP_ACK, .seq = tw->snd_nxt, .ack = tw->rcv_nxt};
    tcp_emit(env, &tw->local, &tw->remote, &t);
}

/* RFC 6191: a SYN that cannot be an old one. */
static bool acceptable_syn(const struct timewait *tw, const struct wire_tcp *t)
{
    if ((t->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    if (tw->ts_ok && t->has_ts && t->tsval != tw->ts_recent)
        return seq32_before(tw->ts_recent, t->tsval);
    return seq32_before(tw->rcv_nxt, t->seq);
}

/* RFC 9293 section 3.10.7.4 for TIME_WAIT, with RFC 6191 for a SYN and RFC 1337 for a RST. */
enum timewait_action timewait_input(struct timewait *tw, const struct wire_packet *p, struct tcp_env *env,
                                    braid_time now)
{
    const struct wire_tcp *t = &p->tcp;
    uint32_t len = p->payload_len + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
    /* PAWS: an old duplicate of the FIN is acknowledged, but does not make TIME_WAIT last longer. */
    bool old = tw->ts_ok && t->has_ts && seq32_before(t->tsval, tw->ts_recent);

    if (t->flags & TCP_RST)
        return tw->challenged && t->seq == tw->rcv_nxt ? TIMEWAIT_FORGET : TIMEWAIT_NOTHING;
    if (acceptable_syn(tw, t))
        return TIMEWAIT_REUSE;
    if (t->flags & TCP_SYN) {
        if (tcp_challenge_allowed(env, now)) {
            send_ack(tw, env, now);
            tw->challenged = true;
        }
        return TIMEWAIT_NOTHING;
    }
    /* Empty segments get no answer, except keepalives: two ends in TIME_WAIT would answer each other forever.
     */
    if (len == 0 && t->seq != tw->rcv_nxt - 1)
        return TIMEWAIT_NOTHING;
    send_ack(tw, env, now);
    bool fin_again = (t->flags & TCP_FIN) && t->seq + len == tw->rcv_nxt;
    return fin_again && !old ? TIMEWAIT_RESTART : TIMEWAIT_NOTHING;
}
