/* Members of a pool: who is one, and what they have done. See pool.h; pool_choose.c chooses among them. */
#include "role/pool.h"
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"

#define PLACES_MAX UINT16_MAX /* place 0 is nobody's */

/* ---- members ----------------------------------------------------------------------------------------- */

struct pool_member *pool_at(const struct pool *p, uint16_t place)
{
    return place > 0 && place <= p->n_members ? &p->members[place - 1] : NULL;
}

struct pool_member *pool_find(const struct pool *p, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < p->n_members; i++)
        if (p->members[i].listed && addr_equal(&p->members[i].addr, addr))
            return &p->members[i];
    return NULL;
}

static uint16_t place_of(const struct pool *p, const struct pool_member *m)
{
    return (uint16_t)(m - p->members + 1);
}

/* One that has the address, as a member or as one that was; else a free place. NULL: memory is short. */
static struct pool_member *place_for(struct pool *p, const struct braid_addr *addr)
{
    struct pool_member *free_place = NULL;
    for (unsigned i = 0; i < p->n_members; i++) {
        struct pool_member *m = &p->members[i];
        if (addr_equal(&m->addr, addr))
            return m;
        if (!m->listed && m->conns == 0)
            free_place = m;
    }
    if (!free_place && p->n_members < PLACES_MAX) {
        struct pool_member *grown = reallocarray(p->members, p->n_members + 1, sizeof(*grown));
        if (!grown)
            return NULL;
        p->members = grown;
        free_place = &grown[p->n_members++];
    }
    if (free_place)
        *free_place = (struct pool_member){.addr = *addr};
    return free_place;
}

/* Those that are there from the beginning need no slow start. */
static int enlist(struct pool *p, unsigned target, const struct braid_addr *addr, bool first, braid_time now)
{
    struct pool_member *m = place_for(p, addr);
    if (!m)
        return -1;
    if (!m->listed)
        *m = (struct pool_member){
            .addr = *addr, .conns = m->conns, .counters = m->counters, .since = first ? 0 : now};
    m->listed = true;
    m->target = (uint8_t)target;
    p->order[p->n++] = (uint16_t)(place_of(p, m) - 1);
    return 0;
}

static bool is_in_order(const struct pool *p, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < p->n; i++)
        if (addr_equal(&p->members[p->order[i]].addr, addr))
            return true;
    return false;
}

/* Two targets with one address have it once: it is the first one's. */
static int list_all(struct pool *p, braid_time now)
{
    bool first = p->n == 0;
    int result = 0;
    p->n = 0;
    for (unsigned t = 0; t < p->params->n; t++)
        for (unsigned i = 0; i < p->known[t].n; i++)
            if (!is_in_order(p, &p->known[t].addr[i]) && enlist(p, t, &p->known[t].addr[i], first, now) < 0)
                result = -1;
    for (unsigned i = 0; i < p->n_members; i++)
        p->members[i].listed = is_in_order(p, &p->members[i].addr);
    return result;
}

/* ---- life -------------------------------------------------------------------------------------------- */

static bool is_same(const struct target_params *a, const struct target_params *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Each target goes on with what the one of its name has counted. */
static void inherit_totals(struct pool *p, const struct pool_params *params)
{
    struct pool_counters totals[POOL_TARGETS_MAX] = {{0}};
    for (unsigned i = 0; i < params->n; i++)
        for (unsigned j = 0; j < p->params->n; j++)
            if (is_same(&params->targets[i], &p->params->targets[j]))
                totals[i] = p->totals[j];
    memcpy(p->totals, totals, sizeof(totals));
}

int pool_change(struct pool *p, const struct pool_params *params, const struct targets *targets,
                braid_time now)
{
    inherit_totals(p, params);
    p->params = params;
    for (unsigned i = 0; params->health.kind == HEALTH_NONE && i < p->n_members; i++)
        p->members[i].down = false;
    memcpy(p->known, targets, params->n * sizeof(*targets));
    p->preferred_until = 0;
    return list_all(p, now);
}

void pool_set_health(struct pool *p, const struct braid_addr *addr, bool up, braid_time now)
{
    struct pool_member *m = pool_find(p, addr);
    if (!m || m->down == !up)
        return;
    m->down = !up;
    m->since = up ? now : m->since;
}

bool pool_is_down(const struct pool *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->members[p->order[i]].down)
            return true;
    return false;
}

int pool_set_target(struct pool *p, unsigned target, const struct targets *addrs, braid_time now)
{
    p->known[target] = *addrs;
    p->preferred_until = 0;
    return list_all(p, now);
}

int pool_init(struct pool *p, const struct pool_params *params, const struct targets *targets)
{
    *p = (struct pool){.params = params};
    return pool_change(p, params, targets, 0);
}

void pool_free(struct pool *p)
{
    free(p->members);
    p->members = NULL;
    p->n = p->n_members = 0;
}

/* ---- what they do ------------------------------------------------------------------------------------ */

uint16_t pool_enter(struct pool *p, const struct braid_addr *addr)
{
    struct pool_member *m = pool_find(p, addr);
    if (!m)
        return 0;
    m->conns++;
    return place_of(p, m);
}

void pool_leave(struct pool *p, uint16_t place)
{
    struct pool_member *m = pool_at(p, place);
    if (m)
        m->conns--;
}

bool pool_answered(struct pool *p, const struct braid_addr *first, const struct braid_addr *addr,
                   braid_time now)
{
    struct pool_member *m = pool_find(p, addr);
    if (!addr_equal(first, addr)) {
        p->preferred = *addr;
        p->preferred_until = now + POOL_PREFERENCE;
    }
    if (!m)
        return false;
    bool doubted = m->doubted;
    m->doubted = false;
    m->row = 0;
    m->counters.connections++;
    p->totals[m->target].connections++;
    return doubted;
}

bool pool_failed(struct pool *p, const struct braid_addr *addr, braid_time now)
{
    struct pool_member *m = pool_find(p, addr);
    if (!m)
        return false;
    m->row++;
    m->counters.failures++;
    p->totals[m->target].failures++;
    if (p->params->eject == 0 || m->row < p->params->eject || p->n < 2 || pool_is_ejected(m, now))
        return false;
    m->row = p->params->eject - 1; /* one that is still broken when its time is over needs no more proof */
    m->doubted = true;
    m->ejected_until = m->since = now + p->params->eject_time;
    m->counters.ejections++;
    p->totals[m->target].ejections++;
    return true;
}
