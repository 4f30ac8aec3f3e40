/* FINs of the peer on subflows of an MPTCP connection. A FIN ends one direction of one subflow, as in TCP
 * (RFC 8684 section 3.3.3); the end of the data is the DATA_FIN. So there are three kinds of peers behind it:
 *
 * One that has sent its DATA_FIN, and closes its half of the subflows at once with it: it still reads, and
 * our data, our DATA_FIN and only then our FIN go over these subflows.
 *
 * One that gives up this subflow among others: it waits for our FIN. As long as no DATA_FIN is known a FIN
 * means that, if there is another subflow that answers and that the peer may still send over. Linux does the
 * same: it closes a subflow in CLOSE_WAIT while the connection is ESTABLISHED, and only then.
 *
 * One that closes its last subflow without a DATA_FIN: that may be late, or a new subflow may follow. Our
 * direction goes on meanwhile, for the time that a connection may be without subflows. */
#include "mptcp/fins.h"

#include "mptcp/alone.h"
#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/silent_paths.h"

/* A subflow on which the rest of the peer's data, and its DATA_FIN, can still come. */
static bool peer_may_send(const struct mp_subflow *s)
{
    return flow_answers(s) && !s->tcp.fin.received;
}

/* Does the peer keep a way for the rest of its data? Then a FIN ends a subflow of several. */
static bool peer_has_another(struct braid_conn *c, braid_time now)
{
    conn_watch_paths(c, now); /* what has just been acknowledged may have ended a suspicion */
    each_flow (s, c)
        if (peer_may_send(s))
            return true;
    return false;
}

void conn_answer_fins(struct braid_conn *c, braid_time now)
{
    bool ended = c->recv.fin_received && c->send.fin_acked, any = false;
    each_flow (s, c) {
        if (s->closing.dead || !s->tcp.fin.received)
            continue;
        any = true;
        /* Ours follows where both ends are through, and where the peer waits for it. Everywhere else it would
         * cut off what we have to send: a subflow with our FIN carries nothing new. */
        if (!s->tcp.fin.wanted && (ended || (flow_given_up(s) && peer_has_another(c, now))))
            subflow_close(&s->tcp, now);
    }
    /* a peer that closes all its subflows without a DATA_FIN and never comes back would hold the connection
     * for ever, as its last subflow stays in CLOSE_WAIT */
    if (any && conn_alone(c))
        conn_await_revival(c, now);
}
