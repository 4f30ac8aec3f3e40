/* What a connection knows of addresses beyond those of its initial subflow: made on demand, and freed again
 * at the flush after which it says nothing any more. Most connections never have any: a client with one
 * address, and a server that announces none. */
#include "mptcp/known.h"

#include <stdlib.h>

#include "mptcp/conn.h"

/* The address ID of the initial subflow is 0 at both ends (RFC 8684 section 3.2). */
struct pm_local conn_first_local(const struct braid_conn *c)
{
    return (struct pm_local){.addr = c->addresses.local, .usable = true, .subflow = true};
}

/* Flag C of the peer's MP_CAPABLE forbids subflows to the address and port that we know it by (section 3.1),
 * not to those that it announces. */
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
    /* As the connection itself: its own account is limited by its buffers, and is for what fills them. */
    mem_take(&c->env->mem, mem_cost(sizeof(*m)));
    m->locals[0] = conn_first_local(c);
    m->remotes[0] = conn_first_remote(c);
    m->n_locals = m->n_remotes = 1;
    return m;
}

/* Pairs are the largest part of what is known, and only who opens subflows needs them. False: memory is
 * short. */
bool conn_know_pairs(struct braid_conn *c)
{
    struct conn_known *m = conn_know(c);
    if (!m || m->pairs)
        return m;
    m->pairs = calloc(1, PAIRS_SIZE);
    if (m->pairs)
        mem_take(&c->env->mem, mem_cost(PAIRS_SIZE));
    return m->pairs;
}

void conn_know_nothing(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    if (!m)
        return;
    mem_give(&c->env->mem, mem_cost(sizeof(*m)) + (m->pairs ? mem_cost(PAIRS_SIZE) : 0) +
                               (m->rights ? mem_cost(sizeof(*m->rights)) : 0) +
                               (m->demand ? mem_cost(sizeof(*m->demand)) : 0));
    free(m->pairs);
    free(m->rights);
    free(m->demand);
    free(m);
    c->pm.known = NULL;
}

/* Which IDs and ports were drawn last is worth knowing, too: made anew, it would give a withdrawn ID to
 * another address. Announcements need no look, since the initial address is never announced; and the rate of
 * opens only counts where there are pairs. */
static bool knows_nothing(const struct braid_conn *c, const struct conn_known *m)
{
    const struct pm_local *l = &m->locals[0];
    bool only_first = m->n_locals == 1 && m->n_remotes == 1 && !m->pairs && !m->rights && !m->demand &&
                      m->next_id == 0 && !m->ports.begun;
    /* as conn_first_local and conn_first_remote would say it again */
    bool as_ever = l->usable && l->subflow && !l->backup && m->remotes[0].usable == !c->join.unwanted;
    bool silent = m->n_echoes == 0 && m->n_withdrawals == 0 && !m->departing;
    uint64_t priv = 0;
    for (unsigned i = 0; i < PM_PRIV_WORDS; i++)
        priv |= m->priv[i];
    bool waits = m->load.call_bytes > 0 || m->load.call_waited > 0;
    return only_first && as_ever && silent && priv == 0 && !waits;
}

void conn_know_less(struct braid_conn *c)
{
    if (c->pm.known && knows_nothing(c, c->pm.known))
        conn_know_nothing(c);
}
