/* What a connection knows of addresses beyond those of its initial subflow: made on demand, and freed again.
 */
#include "mptcp/known.h"

#include <stdlib.h>

#include "mptcp/conn.h"

struct pm_local conn_first_local(const struct braid_conn *c)
{
    return (struct pm_local){.addr = c->addresses.local, .usable = true, .subflow = true};
}

struct pm_remote conn_first_remote(const struct braid_conn *c)
{
    return (struct pm_remote){.addr = c->addresses.remote, .usable = !c->join.unwanted};
}

struct conn_known *conn_know(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    if (m)
        return m;
    m = c->pm.known = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    mem_take(&c->env->mem, mem_cost(sizeof(*m)));
    m->locals[0] = conn_first_local(c);
    m->remotes[0] = conn_first_remote(c);
    m->n_locals = m->n_remotes = 1;
    return m;
}

void conn_know_nothing(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    if (!m)
        return;
    mem_give(&c->env->mem, mem_cost(sizeof(*m)) + (m->pairs ? mem_cost(PAIRS_SIZE) : 0));
    free(m->pairs);
    free(m);
    c->pm.known = NULL;
}

/* Which IDs and ports were drawn last is worth knowing, too. */
static bool knows_nothing(const struct braid_conn *c, const struct conn_known *m)
{
    const struct pm_local *l = &m->locals[0];
    bool only_first =
        m->n_locals == 1 && m->n_remotes == 1 && !m->pairs && m->next_id == 0 && !m->ports.begun;
    bool as_ever = l->usable && l->subflow && !l->backup && m->remotes[0].usable == !c->join.unwanted;
    bool silent = m->n_echoes == 0 && m->n_withdrawals == 0 && !m->departing;
    uint64_t priv = 0;
    for (unsigned i = 0; i < PM_PRIV_WORDS; i++)
        priv |= m->priv[i];
    return only_first && as_ever && silent && priv == 0;
}

void conn_know_less(struct braid_conn *c)
{
    if (c->pm.known && knows_nothing(c, c->pm.known))
        conn_know_nothing(c);
}
