/* Who has which token (RFC 8684 section 3.1), and the keys that we draw for them. */
#include "mptcp/tokens.h"

#include "base/token_share.h"
#include "mptcp/conn.h"
#include "mptcp/tapped.h"

#define DRAWS 16 /* times as many as it takes on average */

unsigned token_owner(const struct mptcp_env *env, uint32_t token)
{
    return token % env->params.n_workers;
}

bool token_is_own(const struct mptcp_env *env, uint32_t token)
{
    return token_owner(env, token) == env->params.worker;
}

bool token_is_fit(const struct mptcp_env *env, uint32_t token)
{
    const struct braid_core_params *p = &env->params;
    return token_is_own(env, token) &&
           (p->n_instances < 2 || token_share_of(token, p->n_instances) == p->instance);
}

unsigned token_draws(const struct mptcp_env *env)
{
    unsigned machines = env->params.n_instances;
    return DRAWS * env->params.n_workers * (machines < 2 ? 1 : machines);
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

/* It fails for good once in ten million connections. */
bool conn_draw_key(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    unsigned draws = token_draws(env);
    while (draws-- > 0) {
        env->tcp.host.random(env->tcp.host.ctx, &c->keys.local, sizeof(c->keys.local));
        tap_value(&env->tcp, BRAID_VALUE_KEY, &c->keys.local, sizeof(c->keys.local));
        conn_version(c)->derive(c->keys.local, &c->keys.local_token, &c->keys.local_idsn);
        conn_tap_derived(c, &c->keys.local_token, &c->keys.local_idsn);
        bool is_free = token_is_fit(env, c->keys.local_token) && !conn_by_token(env, c->keys.local_token);
        if (tap_bool(&env->tcp, BRAID_VALUE_TOKEN_FREE, is_free)) {
            conn_token_enter(c);
            return true;
        }
    }
    conn_count(c, MP_FALLBACK_TOKEN_INIT);
    return false;
}
