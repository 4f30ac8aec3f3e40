/* The first answer to data in our SYN. A server that takes it may write its answer before our third ACK is
 * there. Linux (6.18) keeps what is written then, and that ACK does not set it free: only a DATA_ACK does,
 * and we have none to send, as nothing has come. If we have nothing to say either, because what we say
 * depends on the answer, both ends wait for ever. A converter (RFC 8803) on such sockets is one, and the
 * nearer its servers are the more often that happens.
 *
 * So if no data has come for two round trips, the handshake is completed once more: the keys again, since a
 * DATA_ACK in place of a third ACK that was lost would end MPTCP, and behind them the DATA_ACK. */
#include "mptcp/first_answer.h"

#include "mptcp/conn.h"

#define LEAST_WAIT (10 * BRAID_MS)

/* The only subflow so far, or the oldest; NULL: nothing is awaited. */
static struct mp_subflow *awaiting(const struct braid_conn *c)
{
    const struct conn_syn_data *d = &c->syn_data;
    if (c->phase != CONN_ESTABLISHED || !conn_is_mptcp(c) || d->out == 0 || d->asked == FIRST_ANSWER_TRIES ||
        c->recv.nxt != DATA_FIRST || c->recv.fin_received)
        return NULL;
    each_flow (s, c) {
        if (!s->join && !s->tcp.syn.passive && !s->closing.dead && !s->closing.reset_due)
            return s;
    }
    return NULL;
}

void first_answer_await(struct braid_conn *c, braid_time now)
{
    const struct mp_subflow *s = awaiting(c);
    if (!s)
        return;
    const struct rtt *r = &s->tcp.rtt;
    int64_t wait = r->srtt_us > 0 ? 2 * (int64_t)r->srtt_us : rtt_rto(r);
    no_later(&c->deadlines.addr, now + ((wait > LEAST_WAIT ? wait : LEAST_WAIT) << c->syn_data.asked));
}

void first_answer_timeout(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *s = awaiting(c);
    if (!s)
        return;
    bool keys = s->echo_mp_capable;
    if (keys)
        subflow_ack_at_once(&s->tcp, now);
    s->echo_mp_capable = false;
    subflow_ack_at_once(&s->tcp, now);
    s->echo_mp_capable = keys;
    c->syn_data.asked++;
    first_answer_await(c, now);
}
