/* See pool_freeze.h. Members are known by their addresses, targets by how the configuration names them. Times
 * are those of the thread that the pool belongs to, which go on in the other process. */
#include "role/pool_freeze.h"
#include <string.h>

enum { POOL_MEMBER = 1, POOL_TARGET, POOL_PREFERRED, POOL_PREFERRED_UNTIL, POOL_HEALTH };
enum { TARGET_HOST = 1, TARGET_PORT, TARGET_COUNTS };

static const struct braid_field member_fields[] = {
    BRAID_NUMBERS(1, struct pool_member, addr.ip.b, 1, UINT8_MAX),
    BRAID_ANY(2, struct pool_member, addr.port),
    BRAID_BOOL(3, struct pool_member, doubted),
    BRAID_ANY(4, struct pool_member, row),
    BRAID_TIME(5, struct pool_member, ejected_until),
    BRAID_TIME(6, struct pool_member, since),
    BRAID_ANY(7, struct pool_member, counters.connections),
    BRAID_ANY(8, struct pool_member, counters.failures),
    BRAID_ANY(9, struct pool_member, counters.ejections),
    {0}};
static const struct braid_field health_fields[] = {
    BRAID_NUMBERS(1, struct pool_member, addr.ip.b, 1, UINT8_MAX),
    BRAID_ANY(2, struct pool_member, addr.port),
    BRAID_BOOL(3, struct pool_member, down),
    {0}};
static const struct braid_field counter_fields[] = {BRAID_ANY(1, struct pool_counters, connections),
                                                    BRAID_ANY(2, struct pool_counters, failures),
                                                    BRAID_ANY(3, struct pool_counters, ejections),
                                                    {0}};

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_target(const struct pool *p, unsigned target, struct freezer *f)
{
    size_t g = freeze_begin(f, POOL_TARGET);
    freeze_text(f, TARGET_HOST, p->params->targets[target].host);
    freeze_number(f, TARGET_PORT, p->params->targets[target].port);
    freeze_struct(f, TARGET_COUNTS, counter_fields, &p->totals[target]);
    freeze_end(f, g);
}

/* Of those who are asked: what has been heard of them last. */
static void freeze_health(const struct pool *p, struct freezer *f)
{
    for (unsigned i = 0; i < p->n && p->params->health.kind != HEALTH_NONE; i++)
        freeze_struct(f, FREEZE_OPTIONAL + POOL_HEALTH, health_fields, &p->members[p->order[i]]);
}

void pool_freeze(const struct pool *p, struct freezer *f, unsigned tag)
{
    size_t g = freeze_begin(f, tag);
    for (unsigned i = 0; i < p->n; i++)
        freeze_struct(f, POOL_MEMBER, member_fields, &p->members[p->order[i]]);
    freeze_health(p, f);
    for (unsigned i = 0; i < p->params->n; i++)
        freeze_target(p, i, f);
    freeze_addr(f, POOL_PREFERRED, &p->preferred);
    freeze_number(f, POOL_PREFERRED_UNTIL, (uint64_t)p->preferred_until);
    freeze_end(f, g);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static void add(struct pool_counters *to, const struct pool_counters *from)
{
    to->connections += from->connections;
    to->failures += from->failures;
    to->ejections += from->ejections;
}

static braid_time later(braid_time a, braid_time b)
{
    return a > b ? a : b;
}

/* Two workers whose clients come together here may not agree: the worse is believed. */
static void take_member(struct pool *p, const struct thaw_item *i)
{
    struct pool_member was = {.conns = 0};
    thaw_struct(i, member_fields, &was);
    struct pool_member *m = thaw_fine(i->all) ? pool_find(p, &was.addr) : NULL;
    if (!m)
        return;
    add(&m->counters, &was.counters);
    m->since = later(m->since, was.since);
    if (p->params->eject == 0)
        return; /* nobody is, by the configuration that is in force now */
    m->doubted |= was.doubted;
    m->row = m->row > was.row ? m->row : was.row;
    m->ejected_until = later(m->ejected_until, was.ejected_until);
}

/* Nobody is down, by a configuration that does not ask any more. */
static void take_health(struct pool *p, const struct thaw_item *i)
{
    struct pool_member was = {.down = false};
    thaw_struct(i, health_fields, &was);
    struct pool_member *m = thaw_fine(i->all) ? pool_find(p, &was.addr) : NULL;
    if (!m || p->params->health.kind == HEALTH_NONE)
        return;
    m->checked = true;
    m->down |= was.down;
}

static void take_target(struct pool *p, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i, host = {.tag = 0};
    struct pool_counters was = {0};
    unsigned port = 0;
    while (thaw_next(&in, &i)) {
        if (i.tag == TARGET_HOST)
            host = i;
        else if (i.tag == TARGET_PORT)
            port = (unsigned)thaw_number(&i, UINT16_MAX);
        else if (i.tag == TARGET_COUNTS)
            thaw_struct(&i, counter_fields, &was);
        else
            thaw_unknown(&i);
    }
    for (unsigned t = 0; host.tag && t < p->params->n; t++)
        if (p->params->targets[t].port == port && thaw_is_text(&host, p->params->targets[t].host))
            add(&p->totals[t], &was);
}

void pool_thaw(struct pool *p, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        if (i.tag == POOL_MEMBER)
            take_member(p, &i);
        else if (i.tag == POOL_TARGET)
            take_target(p, &i);
        else if (i.tag == POOL_HEALTH)
            take_health(p, &i);
        else if (i.tag == POOL_PREFERRED)
            thaw_struct(&i, addr_fields, &p->preferred);
        else if (i.tag == POOL_PREFERRED_UNTIL)
            p->preferred_until = (braid_time)thaw_number(&i, BRAID_MUCH);
        else
            thaw_unknown(&i);
    }
}
