/* The scheduler of a connection: see sched_state.h and braid/sched.h. */
#include "mptcp/sched_state.h"

#include <stdlib.h>

#include "mptcp/conn.h"

/* The new state is there before the old one goes, so that failing changes nothing. The algorithm begins with
 * zeros, and may set up more in init. */
bool conn_sched_use(struct braid_conn *c, const struct sched_ops *ops)
{
    uint64_t *priv = ops->priv_size > 0 ? calloc(1, ops->priv_size) : NULL;
    if (ops->priv_size > 0 && !priv)
        return false;
    conn_sched_free(c);
    if (priv)
        mem_take(&c->env->mem, mem_cost(ops->priv_size));
    c->sched = (struct sched){.ops = ops, .priv = priv};
    if (ops->init)
        ops->init(&c->sched);
    return true;
}

void conn_sched_free(struct braid_conn *c)
{
    if (c->sched.priv)
        mem_give(&c->env->mem, mem_cost(c->sched.ops->priv_size));
    free(c->sched.priv);
    c->sched.priv = NULL;
}
