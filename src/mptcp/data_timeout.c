/* The data-level retransmission timeout (RFC 8684 section 3.3.6): it watches over data that subflows
 * acknowledged but nobody DATA_ACKed, and over the DATA_FIN. */
#include "mptcp/data_timeout.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/fallback.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"
#include "mptcp/reinject.h"

/* RFC 8684 mandates no mechanism (section 3.3.6): the timer backs off as RFC 6298 has it, and the most is the
 * least that its section 2 allows. */
#define DATA_RTO_MIN (200 * BRAID_MS)
#define DATA_RTO_MAX (60 * BRAID_SECOND)
#define DATA_TRIES   20 /* a quarter of an hour without any DATA_ACK */
#define DATA_FINS    3  /* unanswered: the peer is asked whether it is one of MPTCP at all */
#define DATA_ASKED   3  /* times, before data goes once more over the only subflow there ever was */

/* In plain TCP the subflow's own timer does all of this. */
static bool waits_for_data_ack(const struct braid_conn *c)
{
    return conn_is_mptcp(c) && c->phase == CONN_ESTABLISHED &&
           (seq64_before(c->send.una, c->send.nxt) || (c->send.fin_sent && !c->send.fin_acked));
}

void conn_arm_data_timer(struct braid_conn *c, braid_time now)
{
    if (!waits_for_data_ack(c)) {
        c->deadlines.data_rtx = BRAID_NEVER;
        return;
    }
    /* Sending does not move it, or a busy sender would never time out; progress restarts it (sendbuf.c). */
    if (c->deadlines.data_rtx != BRAID_NEVER)
        return;
    /* The largest RTO of the paths that answer: a DATA_ACK comes back over any of them, and may wait for a
     * gap that another one fills. */
    int64_t rto = DATA_RTO_MIN;
    each_flow (s, c) {
        if (!s->closing.dead && s->tcp.rtt.backoff == 0 && rtt_rto(&s->tcp.rtt) > rto)
            rto = rtt_rto(&s->tcp.rtt);
    }
    /* nobody else watches over a DATA_FIN; data has its subflow's timer, so this one comes second */
    bool only_fin = c->send.una == c->send.nxt;
    rto = (only_fin ? rto : 2 * rto) << (c->send.backoff < 10 ? c->send.backoff : 10);
    c->deadlines.data_rtx = now + (rto < DATA_RTO_MAX ? rto : DATA_RTO_MAX);
}

/* Is the first unacknowledged byte in flight on a subflow, which then looks after it? One in backoff may
 * have lost its path. If none has it, its subflow acknowledged it and the DATA_ACK is missing: a middlebox
 * may have answered for the peer (section 3.3.6). */
static bool head_in_flight(const struct braid_conn *c)
{
    each_flow (s, c) {
        if (!s->closing.dead && s->tcp.rtt.backoff == 0 && flow_carries(s, c->send.una))
            return true;
    }
    return false;
}

/* Nothing answers an ACK with a DATA_FIN if the option was taken away, or if the peer has become plain TCP
 * for want of our keys: it would be repeated in vain. The answer to a question shows which of both it is. */
static void repeat_data_fin(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        if (!s->closing.dead && flow_usable(s))
            subflow_ack_at_once(&s->tcp, now);
    }
    if (c->send.backoff >= DATA_FINS && conn_may_fall_back(c) && flow_usable(c->subflows))
        subflow_ask(&c->subflows->tcp, now);
    c->send.backoff++;
}

/* Options may have been taken away, and a peer that is to fall back, but has not come to it yet, would take
 * for new data what the one subflow carries again: Linux does so when its user has read what came before. So
 * for seconds the peer is asked. The answer has the DATA_ACK if just that was lost. */
static bool waits_for_answer(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *first = c->subflows;
    bool carries = c->n_subflows == 1 && flow_carries(first, c->send.una);

    if (!conn_may_fall_back(c) || (!carries && (c->send.backoff >= DATA_ASKED || !flow_usable(first))))
        return false;
    if (!carries)
        subflow_ask(&first->tcp, now);
    c->send.backoff++;
    return true;
}

void conn_data_timeout(struct braid_conn *c, braid_time now)
{
    c->deadlines.data_rtx = BRAID_NEVER;
    if (!waits_for_data_ack(c))
        return;
    bool only_fin = c->send.una == c->send.nxt, held = only_fin || !head_in_flight(c);
    /* The subflows are acknowledged, so that none of them gives up, and a DATA_FIN alone is no data that
     * stands still (stall.c): it would be repeated for ever. */
    if (held && c->send.backoff >= DATA_TRIES) {
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
        return;
    }
    /* The subflow's ACKs come and have no options: the peer may have fallen back. It would take what is sent
     * once more for new data. While the subflow has no ACK of the data either, nothing is missing from one: a
     * single segment without options may be an ADD_ADDR that was taken away. */
    if (held && conn_peer_is_bare(c) && !flow_carries(c->subflows, c->send.una)) {
        conn_count(c, MP_DSS_FALLBACK);
        conn_fall_back(c, true);
        return;
    }
    if (only_fin) {
        repeat_data_fin(c, now);
    } else if (held && !waits_for_answer(c, now)) {
        /* a mapping at most: if the DATA_ACK was lost, the next one tells how much of the rest is needed */
        conn_reinject(c, c->send.una, 65535);
        c->send.backoff++;
    }
    conn_arm_data_timer(c, now);
    conn_dirty(c);
}
