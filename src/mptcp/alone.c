/* A connection that has no subflow, or none over which its peer could still send. */
#include "mptcp/alone.h"

#include "mptcp/conn.h"

bool conn_alone(const struct braid_conn *c)
{
    each_flow (s, c) {
        /* the peer has ended its half there although more of its data has to come */
        bool deaf = s->tcp.fin.received && !c->recv.fin_received;
        if (!s->closing.dead && subflow_synchronized(&s->tcp) && !deaf)
            return false;
    }
    return true;
}

void conn_await_revival(struct braid_conn *c, braid_time now)
{
    if (c->recv.fin_received && c->send.fin_acked)
        return; /* all that is missing is the user's reading */
    /* Each flush may come here again: the time that runs already is not prolonged. */
    no_later(&c->deadlines.gone, now + c->env->params.break_before_make);
}
