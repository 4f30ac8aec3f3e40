/* Subflows that are to end, and the time that they have for it: those that we close in order, and those whose
 * address the peer has withdrawn. */
#include "mptcp/retire.h"

#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/reinject.h"

#define RETIRE_TIME (5 * BRAID_SECOND) /* for the FINs of a subflow that we close */
#define PROBE_TIME  BRAID_SECOND       /* for a subflow whose address was withdrawn to show that it lives */

/* A handshake under way has nothing to end in order: it is reset, without a reason. */
void flow_retire(struct mp_subflow *s, braid_time now)
{
    struct braid_conn *c = s->conn;
    if (!subflow_synchronized(&s->tcp)) {
        flow_reset(s, -1);
        return;
    }
    if (s->closing.retired)
        return;
    s->closing.retired = true;
    s->closing.close_by = now + RETIRE_TIME;
    no_later(&c->deadlines.addr, s->closing.close_by);
    conn_count(c, MP_RM_SUBFLOW);
    conn_reinject_flow(s);
    /* section 3.4.2: a subflow that works ends with FINs, and what it carries goes over others meanwhile */
    subflow_close(&s->tcp, now);
    conn_dirty(c);
}

/* Section 3.4.2: a path that still works is kept; its owner closes it. So a forged or stale REMOVE_ADDR ends
 * nothing that lives. Any segment within the time counts as an answer (options_in.c). */
void flow_ask_alive(struct mp_subflow *s, braid_time now)
{
    struct braid_conn *c = s->conn;
    if (s->tcp.state == TCP_STATE_SYN_SENT) {
        flow_reset(s, -1);
        return;
    }
    subflow_probe(&s->tcp, now);
    s->closing.answer_by = now + PROBE_TIME;
    no_later(&c->deadlines.addr, s->closing.answer_by);
}

/* Who hears that all has ended closes all its subflows (section 3.3.3). Where our FIN follows its own, three
 * segments end a subflow, and four where both begin. */
void flow_await_fin(struct mp_subflow *s, braid_time until)
{
    s->closing.awaits_fin = true;
    s->closing.close_by = until;
    no_later(&s->conn->deadlines.addr, until);
}

void conn_follow_fins(struct braid_conn *c, braid_time now)
{
    each_flow (s, c)
        if (s->closing.awaits_fin && s->tcp.fin.received && !s->closing.dead)
            subflow_close(&s->tcp, now);
}

/* Looks at both deadlines of each subflow, and arms the timer for those that are still to come. */
void conn_retire_timeout(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        if (s->closing.dead || s->closing.reset_due)
            continue;
        if (s->closing.answer_by > 0 && s->closing.answer_by <= now) {
            conn_count(c, MP_RM_SUBFLOW);
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
        } else if (s->closing.answer_by > 0) {
            no_later(&c->deadlines.addr, s->closing.answer_by);
        }
        bool waits = s->closing.awaits_fin && !s->tcp.fin.wanted;
        if (waits && s->closing.close_by <= now)
            subflow_close(&s->tcp, now);
        else if (s->closing.retired && s->closing.close_by <= now)
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
        else if (s->closing.retired || waits)
            no_later(&c->deadlines.addr, s->closing.close_by);
    }
}
