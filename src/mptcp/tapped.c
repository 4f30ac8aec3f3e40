/* See tapped.h. */
#include "mptcp/tapped.h"

#include <assert.h>
#include <string.h>

static uint64_t at_least(uint64_t v, uint64_t least)
{
    return v > least ? v : least;
}

/* What the listener says of the others is what the connection sees from now on; all hold no less than this
 * core alone does. */
static void settle(struct conn_tap *t, const struct braid_tap_event *e)
{
    struct mptcp_env *env = t->env;
    size_t memory = at_least(e->memory, env->mem.used - t->memory);
    uint64_t conns = at_least(e->conns, env->n_conns - t->conns);
    t->memory += memory - env->mem.used;
    env->mem.used = memory;
    t->conns += conns - env->n_conns;
    env->n_conns = conns;
}

void conn_tap_tell(struct mptcp_env *env, struct braid_conn *c, struct braid_tap_event *e)
{
    struct conn_tap *t = (struct conn_tap *)env->tcp.tap;
    t->tap.at = e->kind == BRAID_TAP_GONE ? NULL : c;
    e->conn = c;
    e->memory = env->mem.used;
    e->conns = env->n_conns;
    t->fn(t->ctx, e);
    settle(t, e);
}

void conn_tap_event(struct braid_conn *c, enum braid_tap_kind kind, braid_time now, unsigned count,
                    const uint64_t *n, const void *data, size_t len)
{
    struct braid_tap_event e = {.kind = kind, .now = now, .count = count, .data = data, .len = len};
    assert(count <= BRAID_TAP_NUMBERS);
    if (count > 0)
        memcpy(e.n, n, count * sizeof(*n));
    conn_tap_tell(c->env, c, &e);
}
