/* Joins (RFC 8684 section 3.2): opening subflows, and answering those of the peer. Whose handshake is
 * complete is known in join_handshake.c, who has a place in join_places.c.
 *
 * Whoever has seen a token may send SYNs with it; only the HMAC of the third ACK proves the keys. So what has
 * proven nothing takes no place among the subflows, and gives way to the next one after a while; and what
 * has proven itself is never kept out by subflows that nobody is behind any more. */
#include "mptcp/joins.h"

#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/flow.h"
#include "mptcp/flow_state.h"
#include "mptcp/join_places.h"
#include "mptcp/known.h"
#include "mptcp/own_addrs.h"
#include "mptcp/ports.h"
#include "mptcp/retries.h"
#include "mptcp/tapped.h"

#define JOIN_GRACE BRAID_SECOND /* for the third ACK, however many others come: several round trips */

/* With a RST that says why (section 3.2), also for the core, where nobody has the token. */
void join_refuse(struct mptcp_env *env, const struct wire_packet *syn, int reason, braid_time now)
{
    bool may = join_refusals_allow(&env->join_refusals, &env->hash_key, &syn->src.ip,
                                   env->params.join_refusals, now);
    if (!tap_bool(&env->tcp, BRAID_VALUE_MAY, may)) {
        env->tcp.count.v[COUNT_MP_JOIN_UNANSWERED]++;
        return;
    }
    env->tcp.count.v[COUNT_MP_RST_TX] += reason >= 0;
    tcp_refuse(&env->tcp, syn, reason);
}

/* The same for a SYN whose token is c's. */
static void refuse_join(struct braid_conn *c, const struct wire_packet *syn, int reason, braid_time now)
{
    conn_count(c, MP_JOIN_REJECTED);
    join_refuse(c->env, syn, conn_version(c)->reset_reasons ? reason : -1, now);
}

/* ---- passive ---- */

/* Frees a join that had its time and did not prove itself; the path manager's books are closed while it still
 * has its addresses. */
static void give_up(struct mp_subflow *s, braid_time now)
{
    conn_count(s->conn, MP_JOIN_GAVE_WAY);
    conn_pm_ended(s, now);
    flow_free(s); /* no RST: if the SYN/ACK was lost the peer sends its SYN again */
}

/* Room for one more join without its third ACK: the oldest gives way when it had its time. Otherwise the SYN
 * gets no answer, so that an honest peer's next try may find room. */
static bool has_room(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *oldest = NULL; /* subflows are in the order of their ids */
    unsigned pending = 0;
    each_flow (s, c) {
        if (s->closing.dead || !flow_is_unproven(s))
            continue;
        oldest = oldest ? oldest : s;
        pending++;
    }
    /* the rate is asked last, so that SYNs which get no place do not use it up */
    bool full = pending >= c->env->params.joins_pending;
    if ((full && now - oldest->tcp.syn.since < JOIN_GRACE) ||
        !rate_allows(&c->join.rate, c->env->params.join_rate, now))
        return false;
    if (full)
        give_up(oldest, now);
    return true;
}

void conn_join_passive(struct braid_conn *c, const struct wire_packet *syn, braid_time now)
{
    const struct mptcp_join *j = &syn->tcp.mp.join;
    if (j->backup)
        conn_count(c, MP_JOIN_SYN_BACKUP_RX);
    /* its token is known, yet there is nothing to be joined (any more): fallen back (section 3.7), or ending
     */
    if (!conn_is_mptcp(c) || c->phase != CONN_ESTABLISHED || c->closing.fail_due) {
        refuse_join(c, syn, MPTCP_RST_MPTCP, now);
        return;
    }
    /* it has not heard yet that the address was taken away (section 3.4.2) */
    if (!conn_may_be_joined_at(c, &syn->dst.ip)) {
        refuse_join(c, syn, MPTCP_RST_PROHIBITED, now);
        return;
    }
    /* full, and everybody was heard of within a second: nobody could make way for it */
    bool place = conn_has_place(c);
    if (!place && !conn_silent_longest(c, now, now)) {
        refuse_join(c, syn, MPTCP_RST_PROHIBITED, now);
        return;
    }
    if (!has_room(c, now)) {
        conn_count(c, MP_JOIN_LIMITED);
        return;
    }
    /* asked now, they have a round trip to answer before the third ACK picks among those who did not */
    if (!place)
        conn_ask_the_silent(c, now);
    uint8_t id = conn_local_id(c, &syn->dst.ip);
    /* with the last sixteenth of the memory, what is there already goes on, and nothing joins it */
    struct mp_subflow *s = env_short_of_memory(c->env) ? NULL : flow_new(c, &syn->dst, &syn->src);
    if (!s) {
        refuse_join(c, syn, MPTCP_RST_RESOURCES, now);
        return;
    }
    s->join = true;
    s->ids.local = id;
    s->ids.remote = j->addr_id;
    s->ids.remote_nonce = j->nonce;
    s->backup.peer = j->backup;
    /* The nonce makes the HMACs of this handshake worthless for another one (section 3.2). */
    tap_random(&c->env->tcp, &s->ids.local_nonce, sizeof(s->ids.local_nonce));
    subflow_open_passive(&s->tcp, syn, c->cc, now);
    subflow_answer(&s->tcp, now);
}

/* ---- active ---- */

/* Whether the connection can have a subflow more, to `remote`, at all. */
static enum braid_error may_join(const struct braid_conn *c, const struct braid_addr *local,
                                 const struct braid_addr *remote)
{
    if (c->phase > CONN_ESTABLISHED || c->closing.fail_due)
        return BRAID_ERROR_CLOSED;
    if (!conn_is_mptcp(c))
        return BRAID_ERROR_PLAIN;
    /* section 3.1: no subflow before a DSS has come over the first */
    if (c->phase < CONN_ESTABLISHED || !c->dss.keyed)
        return BRAID_ERROR_NOT_YET;
    if (!ip_is_pair(&local->ip, &remote->ip) || remote->port == 0)
        return BRAID_ERROR_ADDRESS;
    if (c->join.unwanted && addr_equal(remote, &c->addresses.remote)) /* flag C, section 3.1 */
        return BRAID_ERROR_UNWANTED;
    return conn_has_place(c) ? BRAID_ERROR_NONE : BRAID_ERROR_LIMIT;
}

/* Chooses the port of a join, unless it is chosen. Where the walk through the ports stands is kept per
 * connection, for its ports not to come again soon. */
static enum braid_error find_port(struct braid_conn *c, struct braid_addr *from, const struct braid_addr *to,
                                  braid_time now)
{
    struct port_walk unused;
    struct conn_known *m = from->port ? NULL : conn_know(c);
    if (!from->port && !m)
        return BRAID_ERROR_MEMORY;
    return ports_find(c->env, m ? &m->ports : &unused, from, to, now);
}

/* The nonce is new for each join, as for those of the peer. */
static enum braid_error join(struct braid_conn *c, const struct braid_addr *local,
                             const struct braid_addr *remote, uint8_t remote_id, bool backup, bool wished,
                             braid_time now)
{
    struct mptcp_env *env = c->env;
    struct braid_addr from = *local;
    enum braid_error error = may_join(c, local, remote);
    if (!error)
        error = find_port(c, &from, remote, now);
    if (error)
        return error;
    uint8_t id = conn_local_id(c, &from.ip);
    struct mp_subflow *s = flow_new(c, &from, remote);
    if (!s)
        return BRAID_ERROR_MEMORY;
    s->ids.remote = remote_id;
    s->join = true;
    s->ids.local = id;
    s->backup.ours = backup;
    s->wished = wished;
    tap_random(&env->tcp, &s->ids.local_nonce, sizeof(s->ids.local_nonce));
    conn_count(c, MP_JOIN_SYN_TX);
    subflow_open_active(&s->tcp, c->cc, now);
    return BRAID_ERROR_NONE;
}

/* Its SYN leaves at once; backup is flag B of it. */
enum braid_error conn_join_active(struct braid_conn *c, const struct braid_addr *local,
                                  const struct braid_addr *remote, uint8_t remote_id, bool backup,
                                  braid_time now)
{
    return join(c, local, remote, remote_id, backup, false, now);
}

enum braid_error braid_conn_join(struct braid_conn *c, const struct braid_addr *local,
                                 const struct braid_addr *remote, bool backup, braid_time now)
{
    const struct braid_pair ends = {*local, *remote};
    if (conn_tapped(c))
        conn_tap_event(c, BRAID_TAP_JOIN, now, 1, (const uint64_t[]){backup}, &ends, sizeof(ends));
    return join(c, local, remote, 0, backup, true, now);
}
