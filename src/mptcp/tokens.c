/* Who has which token (RFC 8684 section 3.1), and the keys that we draw for them. */
#include "mptcp/tokens.h"

#include "mptcp/conn.h"
#include "mptcp/crypto.h"

/* draws for each worker that there is, as one in n_workers is right */
#define KEY_DRAWS_PER_WORKER 16

unsigned token_owner(const struct mptcp_env *env, uint32_t token)
{
    return token % env->params.n_workers;
}

bool token_is_own(const struct mptcp_env *env, uint32_t token)
{
    return token_owner(env, token) == env->params.worker;
}

/* Nobody can choose tokens, which are hashes of keys that we draw: they need no keyed hash to spread. At most
 * one connection has each. */
struct braid_conn *conn_by_token(struct mptcp_env *env, uint32_t token)
{
    struct hnode *n = htable_first(&env->tokens, token);
    return n ? list_entry(n, struct braid_conn, keys.token_node) : NULL;
}

void conn_token_enter(struct braid_conn *c)
{
    htable_insert(&c->env->tokens, &c->keys.token_node, c->keys.local_token);
    c->keys.token_hashed = true;
}

/* From now on joins with this token are refused as unknown: the connection is plain TCP, or its data has
 * ended. */
void conn_token_forget(struct braid_conn *c)
{
    if (c->keys.token_hashed)
        htable_remove(&c->env->tokens, &c->keys.token_node);
    c->keys.token_hashed = false;
}

/* Each draw is right once in n_workers times, so that it fails for good once in ten million connections. */
bool conn_draw_key(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    unsigned draws = KEY_DRAWS_PER_WORKER * env->params.n_workers;
    while (draws-- > 0) {
        env->tcp.host.random(env->tcp.host.ctx, &c->keys.local, sizeof(c->keys.local));
        mptcp_key_derive(c->keys.local, &c->keys.local_token, &c->keys.local_idsn);
        if (token_is_own(env, c->keys.local_token) && !conn_by_token(env, c->keys.local_token)) {
            conn_token_enter(c);
            return true;
        }
    }
    conn_count(c, MP_FALLBACK_TOKEN_INIT);
    return false;
}
