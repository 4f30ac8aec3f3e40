/* Ends that close their half of all subflows together with their data, as the stacks of Apple and mptcp.org
 * do, and go on reading (RFC 8684 section 3.3.3). Ours never does, so this reaches into the connection. */
#include "early.h"

#include "mptcp/conn.h"
#include "world.h"
#include "mptcp/marks.h"

/* Is it time? It must not be before nothing but the DATA_FIN is outstanding. */
static bool is_due(const struct app *a)
{
    const struct braid_conn *c = a->conn;

    if (!c || a->finned || !a->shut || c->phase != CONN_ESTABLISHED || !conn_is_mptcp(c))
        return false;
    if (a->p.fin_early == FIN_WITH_DATA_FIN)
        return c->send.fin_sent && c->send.una == c->send.end;
    return a->p.fin_early == FIN_BEHIND_DATA_FIN && c->send.fin_acked;
}

static void close_half(struct app *a)
{
    struct braid_conn *c = a->conn;

    sim_trace(a->world, "%s %u closes its half of the subflows", a->side ? "server" : "client", a->index);
    a->finned = true;
    each_flow (s, c) {
        if (!s->closing.dead && subflow_synchronized(&s->tcp))
            subflow_close(&s->tcp, a->world->time.now);
    }
    conn_dirty(c);
}

void sim_close_early(struct world *w, const struct sim_core *core)
{
    for (unsigned i = 0; i < w->s.n_conns; i++)
        for (unsigned side = 0; side < SIM_SIDES; side++)
            if (w->apps[side][i].sc == core && is_due(&w->apps[side][i]))
                close_half(&w->apps[side][i]);
}
