/* See demand.h. Path managers decide what follows from it (path_manager.c shows it to them); and the last of
 * the data is known by it before the user shuts down (rescue.c). */
#include "mptcp/demand.h"

#include <stdlib.h>

#include "mptcp/conn.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"

struct conn_demand conn_demand_of(const struct braid_conn *c)
{
    const struct conn_known *m = c->pm.known;
    return m && m->demand ? *m->demand : (struct conn_demand){.subflows = 0};
}

struct conn_demand *conn_demand_place(struct braid_conn *c)
{
    struct conn_known *m = conn_know(c);
    if (!m || m->demand)
        return m ? m->demand : NULL;
    m->demand = calloc(1, sizeof(*m->demand));
    if (m->demand)
        mem_take(&c->env->mem, mem_cost(sizeof(*m->demand)));
    return m->demand;
}

int conn_demand(struct braid_conn *c, enum braid_option option, int64_t value)
{
    int64_t most = option == BRAID_OPT_WANTED_SUBFLOWS ? c->env->params.max_subflows : INT64_MAX;
    if (value < 0 || value > most)
        return -1;
    if (value == conn_demanded(c, option))
        return 0;
    struct conn_demand *d = conn_demand_place(c);
    if (!d)
        return -1;
    switch (option) {
    case BRAID_OPT_EXPECTED_BYTES:
        d->expected.bytes = (uint64_t)value;
        break;
    case BRAID_OPT_EXPECTED_TIME:
        d->expected.time = value;
        break;
    case BRAID_OPT_EXPECTED_RATE:
        d->expected.rate = (uint64_t)value;
        break;
    default:
        d->subflows = (uint64_t)value;
    }
    conn_pm_changed(c);
    return 0;
}

int64_t conn_demanded(const struct braid_conn *c, enum braid_option option)
{
    const struct conn_demand d = conn_demand_of(c);
    switch (option) {
    case BRAID_OPT_EXPECTED_BYTES:
        return (int64_t)d.expected.bytes;
    case BRAID_OPT_EXPECTED_TIME:
        return d.expected.time;
    case BRAID_OPT_EXPECTED_RATE:
        return (int64_t)d.expected.rate;
    default:
        return (int64_t)d.subflows;
    }
}

/* More than was said shows that it was wrong, and says nothing of the end. */
bool conn_is_all(const struct braid_conn *c)
{
    uint64_t all = conn_demand_of(c).expected.bytes;
    return all > 0 && c->send.end + c->syn_data.out - DATA_FIRST == all;
}
