/* How a subflow stands: what is to be expected of it, by its own state alone. Whether others would do instead
 * is for those who ask to find out. */
#include "mptcp/flow_state.h"

#include "mptcp/conn.h"

/* A join of ours is confirmed by the fourth ACK. Section 3.2 forbids data before, as the other end may not
 * have our third ACK, and with it our HMAC. */
bool flow_usable(const struct mp_subflow *s)
{
    return !s->closing.dead && !s->closing.reset_due && s->confirmed && subflow_can_carry_data(&s->tcp);
}

bool flow_answers(const struct mp_subflow *s)
{
    return flow_usable(s) && !s->silence.suspect && s->tcp.rtt.backoff == 0;
}

struct mp_subflow *conn_heard_last(struct braid_conn *c)
{
    struct mp_subflow *last = NULL;
    each_flow (s, c) {
        if (s->closing.dead || s->closing.reset_due || !s->confirmed || s->tcp.fin.sent)
            continue;
        if (!last || s->tcp.activity.last_recv > last->tcp.activity.last_recv)
            last = s;
    }
    return last;
}

/* A FIN behind the DATA_FIN says nothing of the kind: that peer has closed its half of the connection, and
 * still reads (fins.c). */
bool flow_given_up(const struct mp_subflow *s)
{
    return s->tcp.fin.received && !s->conn->recv.fin_known;
}

bool flow_is_unproven(const struct mp_subflow *s)
{
    return s->join && s->tcp.syn.passive && s->tcp.state == TCP_STATE_SYN_RECEIVED;
}
