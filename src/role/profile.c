/* See profile.h. */
#include "role/profile.h"

void profile_apply(const struct profile *p, struct braid_conn *c, const struct pm_ops *pm, braid_time now)
{
    braid_conn_set_sched(c, p->sched);
    braid_conn_set_cc(c, p->cc, now);
    braid_conn_set_pm(c, p->pm ? p->pm : pm);
}

const struct profile *profile_of_port(const struct port_profile *ports, unsigned n, uint16_t port)
{
    for (unsigned i = 0; i < n; i++)
        if (ports[i].first <= port && port <= ports[i].last)
            return ports[i].profile;
    return NULL;
}

void profile_choose(struct profile_use *u, const struct profile *p)
{
    *u = (struct profile_use){.profile = p};
}

const struct profile *profile_in_force(const struct profile_use *u)
{
    const struct profile *p = u->profile;
    if (!p || !p->bulk)
        return p;
    return u->pattern.interactive ? p->interactive : p->bulk;
}

/* True if everything that was written before these n bytes has arrived at the peer. */
static bool was_idle(const struct braid_conn *c, size_t n)
{
    int64_t unacked = 0;
    braid_conn_get_option(c, BRAID_OPT_UNACKED, &unacked);
    return unacked == (int64_t)n;
}

void profile_writes_at_once(struct profile_use *u)
{
    pattern_at_once(&u->pattern);
}

bool profile_knows_writer(const struct profile_use *u)
{
    return !u->profile || !u->profile->interactive || u->pattern.at_once;
}

bool profile_watch(struct profile_use *u, struct braid_conn *c, const struct pm_ops *pm, size_t n,
                   braid_time now)
{
    bool changes = u->profile && u->profile->interactive && pattern_note(&u->pattern, n, was_idle(c, n));
    if (changes)
        profile_apply(profile_in_force(u), c, pm, now);
    return changes;
}
