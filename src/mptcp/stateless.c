/* SYNs answered without keeping state: so a flood of SYNs from forged addresses fills nothing. The third ACK
 * of MPTCP carries both keys (RFC 8684 section 3.1), so our key need not be kept: it is a keyed hash over
 * what the SYN cookie vouches for (src/tcp/cookie.h), and is computed once more when it comes back. Whether
 * its token is free can only be seen then. */
#include "mptcp/stateless.h"

#include "mptcp/conn.h"
#include "mptcp/handshake.h"
#include "mptcp/open.h"
#include "mptcp/tokens.h"
#include "tcp/cookie.h"

#define USE_KEY  16         /* and the numbers above, ... */
#define USE_KEYS (1u << 24) /* ... so many for each version */

/* The key of a connection that does not exist yet: the first one in a row of hashes whose token carries our
 * worker's number, and our machine's. False: no luck, in one of ten million SYNs at most, which is answered
 * as plain TCP. slot: the time slot of the cookie, which knows it when it comes back. */
static bool make_key(const struct mptcp_env *env, const struct mptcp_version *v, const struct wire_packet *p,
                     uint32_t irs, uint64_t slot, struct conn_keys *out)
{
    uint32_t use = USE_KEY + (MPTCP_NEWEST - v->number) * USE_KEYS;
    out->version = v->number;
    for (uint32_t i = 0; i < token_draws(env); i++) {
        out->local = cookie_hash(&env->cookie_key, p, irs, slot, use + i);
        v->derive(out->local, &out->local_token, &out->local_idsn);
        if (token_is_fit(env, out->local_token))
            return true;
    }
    return false;
}

/* Whatever the SYN's option was, the answer costs one hash for the cookie and, for MPTCP, those of make_key;
 * nothing is remembered but that cookies are out. */
void conn_answer_stateless(struct mptcp_env *env, const struct wire_packet *syn,
                           const struct braid_listen_params *l, braid_time now)
{
    const struct mptcp_version *v =
        l->clients == BRAID_CLIENTS_PLAIN ? NULL : mptcp_offered(&syn->tcp.mp, l->version_0);
    bool checksum = l->checksum;
    struct wire_mptcp mp = {0};
    struct conn_keys keys;
    if (syn->tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE))
        env->tcp.count.v[COUNT_MP_CAPABLE_SYN_RX]++;
    if (v && make_key(env, v, syn, syn->tcp.seq, cookie_slot(now), &keys)) {
        /* The one bit that the cookie has for us. Version and flag C need not be remembered: the third ACK
         * has them again. */
        checksum = checksum || (syn->tcp.mp.capable.flags & MPTCP_CAPABLE_CHECKSUM);
        mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        mp.capable = (struct mptcp_capable){
            .version = v->number,
            .flags = MPTCP_CAPABLE_SHA256 | (checksum ? MPTCP_CAPABLE_CHECKSUM : 0) |
                     (l->no_join ? v->no_join : 0),
            .n_keys = 1,
            .sender_key = keys.local,
        };
    }
    env->cookie_sent = now;
    cookie_answer(&env->tcp, &env->cookie_key, syn, checksum, &mp, now);
}

/* Outside of this time a stranger's ACK costs no hash. */
bool conn_cookies_out(const struct mptcp_env *env, braid_time now)
{
    return env->cookie_sent != 0 && now - env->cookie_sent < 2 * COOKIE_SLOT;
}

/* The version that a third ACK says was agreed on; NULL: none that we may have answered with. */
static const struct mptcp_version *agreed(const struct wire_mptcp *mp, bool version_0)
{
    for (unsigned n = !version_0; n <= MPTCP_NEWEST; n++)
        if (mptcp_agrees(mp, &mptcp_versions[n], 2))
            return &mptcp_versions[n];
    return NULL;
}

/* Do both keys come back? Then ours is entered, and is what was in the SYN/ACK. A token that somebody else
 * has by now means plain TCP (section 3.1), and so does an ACK without the keys: nothing else could tell that
 * the SYN had the option. */
static bool take_key(struct braid_conn *c, const struct wire_packet *ack, const struct cookie *k,
                     bool version_0)
{
    const struct wire_mptcp *mp = &ack->tcp.mp;
    const struct mptcp_version *v = agreed(mp, version_0);
    if (!v || !make_key(c->env, v, ack, k->syn.tcp.seq, k->slot, &c->keys) ||
        mp->capable.receiver_key != c->keys.local)
        return false;
    if (v->syn_key) /* what was in the SYN is not known any more */
        conn_learn_key(c, mp->capable.sender_key);
    if (conn_by_token(c->env, c->keys.local_token)) {
        conn_count(c, MP_FALLBACK_TOKEN_INIT);
        return false;
    }
    conn_token_enter(c);
    c->dss.checksum = k->flag;
    c->join.unwanted = mp->capable.flags & v->no_join;
    return true;
}

/* The user is asked only now (incoming), when the client is answered already and has proven its address. */
struct braid_conn *conn_open_stateless(struct mptcp_env *env, const struct wire_packet *ack,
                                       const struct braid_listen_params *l, braid_time now)
{
    struct cookie k;
    if (!cookie_check(&env->cookie_key, ack, now, &k)) {
        env->tcp.count.v[COUNT_TCP_COOKIES_FAILED]++;
        return NULL;
    }
    struct braid_conn *c = conn_new(env, l->cc, l->sched, now);
    if (!c)
        return NULL;
    /* not half open: with the cookie the peer has shown that packets to its address reach it */
    c->handshake.passive = c->handshake.stateless = true;
    c->phase = CONN_HANDSHAKE;
    c->join.refused = l->no_join;
    c->join.believing = l->believe_addresses;
    c->closing.fate_shared = l->fate_sharing;
    c->mode = take_key(c, ack, &k, l->version_0) ? MODE_MPTCP : MODE_PLAIN;
    /* a SYN's payload was not kept: it comes again, perhaps without a mapping */
    c->syn_data.most = syn_data_bound(c, l->syn_data);
    struct mp_subflow *s = conn_first_flow(c, &ack->dst, &ack->src);
    if (!s)
        return NULL;
    env->tcp.count.v[COUNT_TCP_COOKIES_RECV]++;
    subflow_open_cookie(&s->tcp, &k, l->cc, now);
    return c;
}
