/* SYNs answered without keeping state: so a flood of SYNs from forged addresses fills nothing. The third ACK
 * of MPTCP v1 carries both keys (RFC 8684 section 3.1), so our key need not be kept: it is a keyed hash over
 * what the SYN cookie vouches for (src/tcp/cookie.h), and is computed once more when it comes back. Whether
 * its token is free can only be seen then. */
#include "mptcp/stateless.h"

#include "mptcp/conn.h"
#include "mptcp/crypto.h"
#include "mptcp/handshake.h"
#include "mptcp/open.h"
#include "mptcp/tokens.h"
#include "tcp/cookie.h"

/* as tokens.c draws keys; each try is right once in n_workers times */
#define TRIES_PER_WORKER 16
#define USE_KEY          16 /* and the numbers above */

/* The key of a connection that does not exist yet: the first one in a row of hashes whose token carries our
 * worker's number. False: no luck, in one of ten million SYNs at most, which is answered as plain TCP. slot:
 * the time slot of the cookie, which knows it when it comes back. */
static bool make_key(const struct mptcp_env *env, const struct wire_packet *p, uint32_t irs, uint64_t slot,
                     uint64_t *key, uint32_t *token, uint64_t *idsn)
{
    for (uint32_t i = 0; i < TRIES_PER_WORKER * env->params.n_workers; i++) {
        *key = cookie_hash(&env->cookie_key, p, irs, slot, USE_KEY + i);
        mptcp_key_derive(*key, token, idsn);
        if (token_is_own(env, *token))
            return true;
    }
    return false;
}

/* Whatever the SYN's option was, the answer costs one hash for the cookie and, for MPTCP, those of make_key;
 * nothing is remembered but that cookies are out. */
void conn_answer_stateless(struct mptcp_env *env, const struct wire_packet *syn,
                           const struct braid_listen_params *l, braid_time now)
{
    bool checksum = l->checksum;
    struct wire_mptcp mp = {0};
    uint64_t key, idsn;
    uint32_t token;
    if (syn->tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE))
        env->tcp.count.v[COUNT_MP_CAPABLE_SYN_RX]++;
    if (l->clients != BRAID_CLIENTS_PLAIN && mptcp_capable_acceptable(&syn->tcp.mp, 0) &&
        make_key(env, syn, syn->tcp.seq, cookie_slot(now), &key, &token, &idsn)) {
        /* The one bit that the cookie has for us. Flag C need not be remembered: the third ACK has it again.
         */
        checksum = checksum || (syn->tcp.mp.capable.flags & MPTCP_CAPABLE_CHECKSUM);
        mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        mp.capable = (struct mptcp_capable){
            .version = 1,
            .flags = MPTCP_CAPABLE_SHA256 | (checksum ? MPTCP_CAPABLE_CHECKSUM : 0) |
                     (l->no_join ? MPTCP_CAPABLE_NO_JOIN : 0),
            .n_keys = 1,
            .sender_key = key,
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

/* Do both keys come back? Then ours is entered, and is what was in the SYN/ACK. A token that somebody else
 * has by now means plain TCP (section 3.1), and so does an ACK without the keys: nothing else could tell that
 * the SYN had the option. */
static bool take_key(struct braid_conn *c, const struct wire_packet *ack, const struct cookie *k)
{
    const struct wire_mptcp *mp = &ack->tcp.mp;
    if (!mptcp_capable_acceptable(mp, 2) ||
        !make_key(c->env, ack, k->syn.tcp.seq, k->slot, &c->keys.local, &c->keys.local_token,
                  &c->keys.local_idsn) ||
        mp->capable.receiver_key != c->keys.local)
        return false;
    if (conn_by_token(c->env, c->keys.local_token)) {
        conn_count(c, MP_FALLBACK_TOKEN_INIT);
        return false;
    }
    conn_token_enter(c);
    c->dss.checksum = k->flag;
    c->join.unwanted = mp->capable.flags & MPTCP_CAPABLE_NO_JOIN;
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
    c->closing.fate_shared = l->fate_sharing;
    /* a SYN's payload was not kept: it comes again, perhaps without a mapping */
    c->syn_data.most = l->syn_data;
    c->mode = take_key(c, ack, &k) ? MODE_MPTCP : MODE_PLAIN;
    struct mp_subflow *s = conn_first_flow(c, &ack->dst, &ack->src);
    if (!s)
        return NULL;
    env->tcp.count.v[COUNT_TCP_COOKIES_RECV]++;
    subflow_open_cookie(&s->tcp, &k, l->cc, now);
    return c;
}
