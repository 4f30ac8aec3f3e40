/* Connections that begin: from a SYN for a listener, or because the user opens one (RFC 8684 section 3.1). */
#include "mptcp/open.h"

#include "mptcp/conn.h"
#include "mptcp/flow.h"
#include "mptcp/handshake.h"
#include "mptcp/own_addrs.h"
#include "mptcp/path_manager.h"
#include "mptcp/rights.h"
#include "mptcp/tokens.h"

/* The mode has to be decided before: flow_new sets aside option space for a DSS only if the connection is
 * MPTCP. */
struct mp_subflow *conn_first_flow(struct braid_conn *c, const struct braid_addr *local,
                                   const struct braid_addr *remote)
{
    c->addresses.local = *local;
    c->addresses.remote = *remote;
    /* After these addresses are set: an endpoint may be one of them. */
    conn_endpoints_begin(c);
    struct mp_subflow *s = flow_new(c, local, remote);
    if (!s)
        conn_free(c);
    return s;
}

/* Speaks MPTCP with whoever offers it. False: there is no version for both, or no key whose token is free:
 * better plain TCP than no connection. */
static bool begin_mptcp(struct braid_conn *c, const struct wire_mptcp *mp,
                        const struct braid_listen_params *l)
{
    const struct mptcp_version *v = mptcp_offered(mp, l->version_0);
    if (!v)
        return false;
    c->keys.version = v->number;
    if (!conn_draw_key(c))
        return false;
    if (v->syn_key)
        conn_learn_key(c, mp->capable.sender_key);
    c->mode = MODE_MPTCP;
    /* either end's wish binds both (flag A) */
    if (mp->capable.flags & MPTCP_CAPABLE_CHECKSUM)
        c->dss.checksum = true;
    c->join.unwanted = mp->capable.flags & v->no_join;
    return true;
}

/* Nothing is sent yet: the user is asked first, at the flush, and answers when it likes (CONN_PENDING). */
struct braid_conn *conn_open_passive(struct mptcp_env *env, const struct wire_packet *syn, struct buf *b,
                                     const struct braid_listen_params *l, braid_time now)
{
    bool plain = l->clients == BRAID_CLIENTS_PLAIN;
    struct braid_conn *c = conn_new(env, l->cc, l->sched, now);
    if (!c)
        return NULL;
    /* counted until the third ACK: beyond params.half_open SYNs are answered with cookies (stateless.c) */
    c->handshake.passive = c->handshake.half_open = true;
    env->n_half_open++;
    c->dss.checksum = l->checksum;
    c->join.refused = l->no_join;
    c->join.believing = l->believe_addresses;
    c->closing.fate_shared = l->fate_sharing;
    c->mode = MODE_PLAIN;
    /* counted also where the answer has none: other versions and algorithms make plain TCP */
    if (syn->tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE))
        conn_count(c, MP_CAPABLE_SYN_RX);
    if (plain || !begin_mptcp(c, &syn->tcp.mp, l))
        conn_become_plain(c);
    struct mp_subflow *s = conn_first_flow(c, &syn->dst, &syn->src);
    if (!s)
        return NULL;
    subflow_open_passive(&s->tcp, syn, l->cc, now);
    s->tcp.syn.take = c->syn_data.most = syn_data_bound(c, l->syn_data);
    subflow_take_syn(&s->tcp, syn, b, now);
    return c;
}

/* False: memory is short. */
static bool begin_sockopt(struct braid_conn *c, const struct braid_connect_params *p)
{
    const struct braid_core_params *core = &c->env->params;
    if (p->rcvbuf == 0 && p->traffic_class == 0 && p->max_segment == 0)
        return true;
    struct conn_sockopt *own = conn_own_sockopt(c);
    if (!own)
        return false;
    own->traffic_class = CONN_CLASS(p->traffic_class);
    own->most = p->max_segment > 0 && p->max_segment < core->min_mss ? core->min_mss : p->max_segment;
    if (p->rcvbuf > 0 && p->rcvbuf < own->rcvbuf_max)
        own->rcvbuf_max = p->rcvbuf > CONN_LEAST_BUFFER ? p->rcvbuf : CONN_LEAST_BUFFER;
    if (c->recv.rcvbuf > own->rcvbuf_max)
        c->recv.rcvbuf = own->rcvbuf_max;
    if (c->recv.edge > c->recv.nxt + c->recv.rcvbuf)
        c->recv.edge = c->recv.nxt + c->recv.rcvbuf; /* nothing was offered yet */
    return true;
}

/* What the peer wishes, checksums (flag A) and no joins (flag C), comes with its SYN/ACK (handshake.c). */
struct braid_conn *conn_open_active(struct mptcp_env *env, const struct braid_connect_params *p,
                                    braid_time now)
{
    struct braid_conn *c = conn_new(env, p->cc, p->sched, now);
    if (!c)
        return NULL;
    c->ops = p->ops;
    c->user = p->user;
    c->dss.checksum = p->checksum;
    c->join.refused = p->no_join;
    c->join.believing = p->believe_addresses;
    c->keys.version = p->version_0 ? 0 : MPTCP_NEWEST;
    c->closing.fate_shared = p->fate_sharing;
    c->mode = MODE_PLAIN;
    c->phase = CONN_HANDSHAKE;
    if (!p->plain && conn_draw_key(c))
        c->mode = MODE_MPTCP;
    else
        conn_become_plain(c);
    if (!begin_sockopt(c, p) || (p->syn_len > 0 && !syn_data_offer(c, p->syn_data, p->syn_len))) {
        conn_free(c);
        return NULL;
    }
    /* What is known of addresses begins with the first subflow's. */
    c->addresses.local = p->local;
    c->addresses.remote = p->remote;
    if (!conn_rights_begin(c, p->only, p->n_only)) {
        conn_free(c);
        return NULL;
    }
    struct mp_subflow *s = conn_first_flow(c, &p->local, &p->remote);
    if (!s)
        return NULL;
    /* behind conn_first_flow, which has entered the endpoints: the default follows from whether any is to be
     * signalled */
    conn_pm_use(c, p->pm);
    if (conn_is_mptcp(c))
        conn_count(c, MP_CAPABLE_SYN_TX);
    subflow_open_active(&s->tcp, p->cc, now);
    return c;
}
