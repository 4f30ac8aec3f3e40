/* MP_CAPABLE and MP_JOIN handshakes (RFC 8684 sections 3.1, 3.2), and falling back during them. */
#include <string.h>

#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/crypto.h"

#define KEY_DRAWS_PER_WORKER 16

struct braid_conn *conn_by_token(struct mptcp_env *env, uint32_t token)
{
    struct hnode *n = htable_first(&env->tokens, token);
    return n ? list_entry(n, struct braid_conn, token_node) : NULL;
}

void conn_token_enter(struct braid_conn *c)
{
    htable_insert(&c->env->tokens, &c->token_node, c->local_token);
    c->token_hashed = true;
}

void conn_token_forget(struct braid_conn *c)
{
    if (c->token_hashed)
        htable_remove(&c->env->tokens, &c->token_node);
    c->token_hashed = false;
}

/* Draws a key until its token is free and carries our worker's number; a worker that gets an MP_JOIN can then
 * tell whose it is. False: no luck. */
static bool draw_key(struct braid_conn *c, uint64_t *idsn)
{
    struct mptcp_env *env = c->env;
    unsigned draws = KEY_DRAWS_PER_WORKER * env->params.n_workers;
    while (draws-- > 0) {
        env->tcp.host.random(env->tcp.host.ctx, &c->local_key, sizeof(c->local_key));
        mptcp_key_derive(c->local_key, &c->local_token, idsn);
        if (c->local_token % env->params.n_workers == env->params.worker &&
            !conn_by_token(env, c->local_token)) {
            conn_token_enter(c);
            return true;
        }
    }
    conn_count(c, MP_FALLBACK_TOKEN_INIT);
    return false;
}

bool mptcp_capable_acceptable(const struct wire_mptcp *mp, unsigned n_keys)
{
    const struct mptcp_capable *k = &mp->capable;
    return (mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && k->n_keys == n_keys && k->version >= 1 &&
           (n_keys == 0 || k->version == 1) && (k->flags & MPTCP_CAPABLE_SHA256) &&
           !(k->flags & MPTCP_CAPABLE_EXTENDED);
}

bool conn_syn_capable(const struct wire_mptcp *mp)
{
    return mptcp_capable_acceptable(mp, 0);
}

static void become_plain(struct braid_conn *c)
{
    conn_token_forget(c);
    c->mode = MODE_PLAIN;
    c->checksum = false;
}

struct mp_subflow *conn_first_flow(struct braid_conn *c, uint64_t idsn, const struct braid_addr *local,
                                   const struct braid_addr *remote)
{
    conn_send_init(c, idsn);
    conn_recv_init(c, 0);
    c->first_local = *local;
    c->first_remote = *remote;
    conn_endpoints_begin(c);
    struct mp_subflow *s = flow_new(c, local, remote);
    if (!s)
        conn_free(c);
    return s;
}

struct braid_conn *conn_open_passive(struct mptcp_env *env, const struct wire_packet *syn,
                                     const struct cc_ops *cc, const struct sched_ops *sched, bool checksum,
                                     braid_time now)
{
    struct braid_conn *c = conn_new(env, cc, sched, now);
    uint64_t idsn = 0;
    if (!c)
        return NULL;
    c->passive = c->half_open = true;
    env->n_half_open++;
    c->checksum = checksum;
    c->mode = MODE_PLAIN;
    if (syn->tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE))
        conn_count(c, MP_CAPABLE_SYN_RX);
    if (mptcp_capable_acceptable(&syn->tcp.mp, 0) && draw_key(c, &idsn)) {
        c->mode = MODE_MPTCP;
        if (syn->tcp.mp.capable.flags & MPTCP_CAPABLE_CHECKSUM)
            c->checksum = true;
        c->peer_no_join = syn->tcp.mp.capable.flags & MPTCP_CAPABLE_NO_JOIN;
    } else {
        become_plain(c);
    }
    struct mp_subflow *s = conn_first_flow(c, idsn, &syn->dst, &syn->src);
    if (!s)
        return NULL;
    subflow_open_passive(&s->tcp, syn, cc, now);
    return c;
}

struct braid_conn *conn_open_active(struct mptcp_env *env, const struct braid_connect_params *p,
                                    braid_time now)
{
    struct braid_conn *c = conn_new(env, p->cc, p->sched, now);
    uint64_t idsn = 0;
    if (!c)
        return NULL;
    c->ops = p->ops;
    c->user = p->user;
    c->checksum = p->checksum;
    c->mode = MODE_PLAIN;
    c->phase = CONN_HANDSHAKE;
    if (!p->plain && draw_key(c, &idsn))
        c->mode = MODE_MPTCP;
    else
        become_plain(c);
    struct mp_subflow *s = conn_first_flow(c, idsn, &p->local, &p->remote);
    if (!s)
        return NULL;
    conn_pm_use(c, p->pm);
    if (conn_is_mptcp(c))
        conn_count(c, MP_CAPABLE_SYN_TX);
    subflow_open_active(&s->tcp, p->cc, now);
    return c;
}

/* ---- joins ---- */

void join_refuse(struct mptcp_env *env, const struct wire_packet *syn, int reason, braid_time now)
{
    if (!rate_allows(&env->join_refusals, env->params.join_refusals, now)) {
        env->tcp.count.v[COUNT_MP_JOIN_LIMITED]++;
        return;
    }
    env->tcp.count.v[COUNT_MP_RST_TX]++;
    tcp_refuse(&env->tcp, syn, reason);
}

static void refuse_join(struct braid_conn *c, const struct wire_packet *syn, int reason, braid_time now)
{
    conn_count(c, MP_JOIN_REJECTED);
    join_refuse(c->env, syn, reason, now);
}

/* Whoever knows a token may send joins; only the third ACK proves the keys. Beyond the limits a SYN gets no
 * answer, so that an honest peer's next try may find room. */
static bool join_limited(struct braid_conn *c, braid_time now)
{
    unsigned pending = 0;
    list_each (n, tmp, &c->subflows) {
        const struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        pending += !s->dead && s->tcp.state == TCP_STATE_SYN_RECEIVED;
    }
    return pending >= c->env->params.joins_pending || !rate_allows(&c->joins, c->env->params.join_rate, now);
}

void conn_join_passive(struct braid_conn *c, const struct wire_packet *syn, braid_time now)
{
    const struct mptcp_join *j = &syn->tcp.mp.join;
    if (j->backup)
        conn_count(c, MP_JOIN_SYN_BACKUP_RX);
    if (!conn_is_mptcp(c) || c->phase != CONN_ESTABLISHED || c->fail_due) {
        refuse_join(c, syn, MPTCP_RST_MPTCP, now);
        return;
    }
    if (c->n_subflows >= c->env->params.max_subflows) {
        refuse_join(c, syn, MPTCP_RST_PROHIBITED, now);
        return;
    }
    if (join_limited(c, now)) {
        conn_count(c, MP_JOIN_LIMITED);
        return;
    }
    uint8_t id = conn_local_id(c, &syn->dst.ip);
    struct mp_subflow *s = env_short_of_memory(c->env) ? NULL : flow_new(c, &syn->dst, &syn->src);
    if (!s) {
        refuse_join(c, syn, MPTCP_RST_RESOURCES, now);
        return;
    }
    s->join = true;
    s->local_id = id;
    s->remote_id = j->addr_id;
    s->remote_nonce = j->nonce;
    s->backup_peer = j->backup;
    c->env->tcp.host.random(c->env->tcp.host.ctx, &s->local_nonce, sizeof(s->local_nonce));
    subflow_open_passive(&s->tcp, syn, c->cc, now);
    subflow_answer(&s->tcp, now);
}

int conn_join_active(struct braid_conn *c, const struct braid_addr *local, const struct braid_addr *remote,
                     uint8_t remote_id, bool backup, braid_time now)
{
    bool unwanted = c->peer_no_join && addr_equal(remote, &c->first_remote); /* flag C, section 3.1 */
    if (!conn_is_mptcp(c) || c->phase != CONN_ESTABLISHED || !c->dss_seen || unwanted ||
        c->n_subflows >= c->env->params.max_subflows)
        return -1;
    uint8_t id = conn_local_id(c, &local->ip);
    struct mp_subflow *s = flow_new(c, local, remote);
    if (!s)
        return -1;
    s->remote_id = remote_id;
    s->join = true;
    s->local_id = id;
    s->backup_ours = backup;
    c->env->tcp.host.random(c->env->tcp.host.ctx, &s->local_nonce, sizeof(s->local_nonce));
    conn_count(c, MP_JOIN_SYN_TX);
    subflow_open_active(&s->tcp, c->cc, now);
    return 0;
}

int braid_conn_join(struct braid_conn *c, const struct braid_addr *local, const struct braid_addr *remote,
                    bool backup, braid_time now)
{
    return conn_join_active(c, local, remote, 0, backup, now);
}

/* ---- the handshake's last segments ---- */

static void remember_peer(struct braid_conn *c, uint64_t key)
{
    uint64_t idsn;
    c->remote_key = key;
    mptcp_key_derive(key, &c->remote_token, &idsn);
    conn_recv_init(c, idsn);
    c->was_mptcp = true;
}

static void handshake_fallback(struct mp_subflow *s)
{
    become_plain(s->conn);
    s->tcp.data_reserve = 0;
    subflow_update_mss(&s->tcp);
}

/* Third ACK of the first subflow, perhaps with data. */
static enum subflow_verdict capable_ack(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_capable *k = &p->tcp.mp.capable;
    if (!conn_is_mptcp(c))
        return SUBFLOW_OK;
    if (mptcp_capable_acceptable(&p->tcp.mp, 2) && k->receiver_key == c->local_key) {
        conn_count(c, MP_CAPABLE_ACK_RX);
        remember_peer(c, k->sender_key);
    } else if ((p->tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && p->tcp.seq != s->tcp.irs + 1) {
        return SUBFLOW_DROP; /* it has overtaken the segments with MP_CAPABLE, which will be sent again */
    } else {
        conn_count(c, MP_CAPABLE_FALLBACK_ACK);
        handshake_fallback(s);
    }
    return SUBFLOW_OK;
}

static enum subflow_verdict capable_synack(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_capable *k = &p->tcp.mp.capable;
    if (!conn_is_mptcp(c))
        return SUBFLOW_OK;
    if ((p->tcp.flags & TCP_ACK) && mptcp_capable_acceptable(&p->tcp.mp, 1)) {
        conn_count(c, MP_CAPABLE_SYNACK_RX);
        c->checksum = c->checksum || (k->flags & MPTCP_CAPABLE_CHECKSUM);
        c->peer_no_join = k->flags & MPTCP_CAPABLE_NO_JOIN;
        remember_peer(c, k->sender_key);
        s->echo_mp_capable = true;
    } else {
        conn_count(c, MP_CAPABLE_FALLBACK_SYNACK);
        handshake_fallback(s);
    }
    return SUBFLOW_OK;
}

static bool join_hmac_good(const struct mp_subflow *s, const struct mptcp_join *j, size_t len)
{
    const struct braid_conn *c = s->conn;
    uint8_t mac[MPTCP_HMAC_LEN];
    mptcp_join_hmac(c->remote_key, c->local_key, s->remote_nonce, s->local_nonce, mac);
    return mptcp_hmac_equal(mac, j->hmac, len);
}

static enum subflow_verdict join_segment(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_join *j = &p->tcp.mp.join;
    enum mptcp_join_kind want = s->tcp.passive ? MPTCP_JOIN_ACK : MPTCP_JOIN_SYNACK;
    s->rst_reason = MPTCP_RST_MPTCP;
    if (!(p->tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) || j->kind != want || !conn_is_mptcp(c))
        return SUBFLOW_RESET;
    if (s->tcp.passive) {
        conn_count(c, MP_JOIN_ACK_RX);
        if (!join_hmac_good(s, j, sizeof(j->hmac))) {
            conn_count(c, MP_JOIN_ACK_HMAC);
            return SUBFLOW_RESET;
        }
    } else {
        conn_count(c, MP_JOIN_SYNACK_RX);
        s->remote_nonce = j->nonce;
        s->remote_id = j->addr_id;
        s->backup_peer = j->backup;
        if (!join_hmac_good(s, j, 8)) {
            conn_count(c, MP_JOIN_SYNACK_HMAC);
            return SUBFLOW_RESET;
        }
    }
    s->rst_reason = -1;
    return SUBFLOW_OK;
}

enum subflow_verdict flow_handshake(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    if (c->fail_due)
        return SUBFLOW_DROP;
    if (s->join)
        return join_segment(s, p);
    enum subflow_verdict v = sf->passive ? capable_ack(s, p) : capable_synack(s, p);
    if (conn_is_mptcp(c)) {
        uint8_t scale = p->tcp.flags & TCP_SYN ? 0 : sf->snd_wscale;
        c->data_edge = c->data_una + ((uint64_t)p->tcp.window << scale); /* the keys stand for a DATA_ACK */
    } else {
        c->rcv_linear_from = 0;
        c->data_edge = c->data_una + NO_DATA_WINDOW;
    }
    return v;
}
