/* Fate sharing (RFC 6897 section 4.2.2): programs know a connection by the ends of its first subflow, and as
 * long as it lives nobody else is to have these. So it ends as TCP would, with that subflow: when it was
 * reset or closed, by whomever, when its timers have given it up, and as soon as its address here is taken
 * away. One that is only silent, spared, or whose address the peer has withdrawn although it still works is
 * not gone, and neither a path manager nor a join that wants a place ends it. */
#include "mptcp/fate.h"

#include "mptcp/conn.h"
#include "mptcp/marks.h"

static bool has_first(const struct braid_conn *c)
{
    each_flow (s, c) {
        if (!s->join && !s->closing.dead)
            return true;
    }
    return false;
}

int conn_share_fate(struct braid_conn *c, bool share)
{
    if (share && !has_first(c))
        return -1;
    c->closing.fate_shared = share;
    return 0;
}

bool flow_is_fate(const struct mp_subflow *s)
{
    return s->conn->closing.fate_shared && !s->join;
}

/* Plain TCP and handshakes end with their subflow anyway; and where both directions have ended at the data
 * level, the end of the subflows is what follows. */
void flow_note_fate(const struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    bool over = c->recv.fin_received && c->send.fin_acked;
    if (!flow_is_fate(s) || c->phase != CONN_ESTABLISHED || !conn_is_mptcp(c) || over || c->closing.fail_due)
        return;
    conn_count(c, MP_FATE_SHARED);
    conn_fail(c, BRAID_CLOSE_FATE, true);
}
