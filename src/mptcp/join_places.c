/* Who has a place among the subflows, and who makes way when there are too many. */
#include "mptcp/join_places.h"

#include "mptcp/conn.h"
#include "mptcp/fate.h"
#include "mptcp/flow_state.h"

#define JOIN_SILENCE BRAID_SECOND /* a subflow that was heard of within this is in use */

/* Of both ends' subflows together. What has not proven itself does not count: whoever has seen a token could
 * fill all places with SYNs. */
bool conn_has_place(const struct braid_conn *c)
{
    unsigned taken = 0;
    each_flow (s, c)
        taken += !s->closing.dead && !s->closing.reset_due && !flow_is_unproven(s);
    return taken < c->env->params.max_subflows;
}

/* For a second nothing came, not even an ACK. That alone proves nothing: an idle path is silent, too.
 * Handshakes end by timeouts of their own. */
static bool is_silent(const struct mp_subflow *s, braid_time now)
{
    return !s->closing.dead && !s->closing.reset_due && subflow_synchronized(&s->tcp) &&
           now - s->tcp.activity.last_recv >= JOIN_SILENCE;
}

/* The probe has an old sequence number and no payload, which RFC 9293 section 3.10.7.4 has every peer answer
 * with an ACK. */
void conn_ask_the_silent(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        if (is_silent(s, now))
            subflow_probe(&s->tcp, now);
    }
}

struct mp_subflow *conn_silent_longest(struct braid_conn *c, braid_time since, braid_time now)
{
    struct mp_subflow *longest = NULL;
    each_flow (s, c) {
        if (!is_silent(s, now) || s->tcp.activity.last_recv >= since || flow_is_fate(s))
            continue;
        if (!longest || s->tcp.activity.last_recv < longest->tcp.activity.last_recv)
            longest = s;
    }
    return longest;
}
