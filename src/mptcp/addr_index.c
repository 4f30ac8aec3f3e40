/* Where an address stands in the tables that the path manager sees: an index is what it knows addresses by.
 * Without a table there is one entry, the initial subflow's. Ports do not count for ours, as each subflow has
 * one of its own. */
#include "mptcp/addr_index.h"

#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/known.h"

int conn_find_local(const struct braid_conn *c, const struct braid_ip *ip)
{
    const struct conn_known *m = c->pm.known;
    if (!m)
        return ip_equal(&c->addresses.local.ip, ip) ? 0 : -1;
    /* those that were taken away stay in the table while subflows use them, so that indexes keep their
     * meaning */
    for (unsigned i = 0; i < m->n_locals; i++)
        if (ip_equal(&m->locals[i].addr.ip, ip))
            return (int)i;
    return -1;
}

/* PM_MAX_LOCALS: the peer has joined at an address of ours that is no endpoint. */
unsigned flow_local_index(const struct mp_subflow *s)
{
    int i = conn_find_local(s->conn, &s->tcp.local.ip);
    return i < 0 ? PM_MAX_LOCALS : (unsigned)i;
}

/* The peer's address as it looks here may be that of a NAT: for what the peer opened the ID of its MP_JOIN
 * tells (RFC 8684 section 3.2). What we opened goes to an address that we know, port included. */
unsigned flow_remote_index(const struct mp_subflow *s)
{
    const struct conn_known *m = s->conn->pm.known;
    const struct pm_remote first = conn_first_remote(s->conn);
    for (unsigned i = 0; i < (m ? m->n_remotes : 1); i++) {
        const struct pm_remote *r = m ? &m->remotes[i] : &first;
        if (s->tcp.syn.passive ? r->id == s->ids.remote : addr_equal(&r->addr, &s->tcp.remote))
            return i;
    }
    return PM_MAX_REMOTES;
}
