/* See edge_targets.h. */
#include "role/edge_targets.h"
#include "role/edge_state.h"

const char *target_state_name(enum target_state state)
{
    static const char *const names[] = {
        [TARGET_UP] = "up", [TARGET_EJECTED] = "ejected", [TARGET_DOWN] = "down", [TARGET_GONE] = "gone"};
    return names[state];
}

static enum target_state state_of(const struct pool_member *m, braid_time now)
{
    if (!m->listed)
        return TARGET_GONE;
    if (m->down)
        return TARGET_DOWN;
    return pool_is_ejected(m, now) ? TARGET_EJECTED : TARGET_UP;
}

size_t edges_targets_count(const struct edges *es)
{
    size_t n = 0;
    for (unsigned i = 0; i < es->n; i++)
        n += es->edges[i]->pool.n_members;
    return n;
}

static struct target_entry entry_of(unsigned edge, unsigned place, const struct pool_member *m,
                                    braid_time now)
{
    return (struct target_entry){.edge = edge,
                                 .target = m->listed ? m->target : 0,
                                 .place = place,
                                 .addr = m->addr,
                                 .state = state_of(m, now),
                                 .left = pool_is_ejected(m, now) ? m->ejected_until - now : 0,
                                 .conns = m->conns,
                                 .counters = m->counters};
}

static size_t list_pool(const struct pool *p, unsigned edge, braid_time now, struct target_entry *out,
                        size_t max)
{
    size_t n = 0;
    for (unsigned i = 0; i < p->n && n < max; i++)
        out[n++] = entry_of(edge, i, &p->members[p->order[i]], now);
    for (unsigned i = 0; i < p->n_members && n < max; i++)
        if (!p->members[i].listed && p->members[i].conns > 0)
            out[n++] = entry_of(edge, p->n, &p->members[i], now);
    return n;
}

size_t edges_targets_list(const struct edges *es, braid_time now, struct target_entry *out, size_t max)
{
    size_t n = 0;
    for (unsigned i = 0; i < es->n; i++)
        n += list_pool(&es->edges[i]->pool, i, now, out + n, max - n);
    return n;
}

struct target_sum edges_target_sum(const struct edges *es, unsigned i, unsigned target, braid_time now)
{
    const struct pool *p = &es->edges[i]->pool;
    struct target_sum sum = {.counters = p->totals[target]};
    for (unsigned j = 0; j < p->n; j++) {
        const struct pool_member *m = &p->members[p->order[j]];
        if (m->target != target)
            continue;
        sum.addresses++;
        sum.up += state_of(m, now) == TARGET_UP;
        sum.conns += m->conns;
    }
    return sum;
}

void edges_health_before(const struct edges *es,
                         void (*tell)(void *arg, unsigned edge, const struct braid_addr *addr, bool up),
                         void *arg)
{
    for (unsigned e = 0; e < es->n; e++) {
        const struct pool *p = &es->edges[e]->pool;
        for (unsigned i = 0; i < p->n; i++)
            if (p->members[p->order[i]].checked)
                tell(arg, e, &p->members[p->order[i]].addr, !p->members[p->order[i]].down);
    }
}
