/* See profile.h. */
#include "role/profile.h"

const struct profile *profile_of_port(const struct port_profile *ports, unsigned n, uint16_t port)
{
    for (unsigned i = 0; i < n; i++)
        if (ports[i].first <= port && port <= ports[i].last)
            return ports[i].profile;
    return NULL;
}

void profile_choose(struct profile_use *u, const struct profile *p)
{
    *u = (struct profile_use){
        .profile = p, .own_pm = p ? u->own_pm : 0, .own_redundancy = p ? u->own_redundancy : 0};
}

const struct profile *profile_in_force(const struct profile_use *u)
{
    const struct profile *p = u->profile;
    if (!p || !p->bulk)
        return p;
    return u->pattern.interactive ? p->interactive : p->bulk;
}

/* ---- what a connection has ---------------------------------------------------------------------------- */

/* Instead of one that does not fit what is the connection's own. */
static const struct sched_ops *scheduler(const struct profile_own *own, const struct sched_ops *wanted)
{
    bool copies = own->redundancy == REDUNDANCY_ALL;
    if (own->redundancy == REDUNDANCY_UNSAID || wanted->duplicate == copies)
        return wanted;
    for (unsigned i = 0; sched_algorithms[i]; i++)
        if (sched_algorithms[i]->duplicate == copies)
            return sched_algorithms[i];
    return wanted;
}

static void apply_own(const struct profile_own *own, struct braid_conn *c)
{
    if (own->pm)
        braid_conn_set_pm(c, own->pm);
    if (own->redundancy != REDUNDANCY_UNSAID)
        braid_conn_set_option(c, BRAID_OPT_REPEAT, own->redundancy != REDUNDANCY_NONE);
}

static struct profile_own own_of(const struct profile_use *u)
{
    return (struct profile_own){.pm = u->own_pm ? pm_algorithms[u->own_pm - 1] : NULL,
                                .redundancy = u->own_redundancy};
}

void profile_apply(const struct profile_use *u, struct braid_conn *c, const struct pm_ops *pm, braid_time now)
{
    const struct profile *p = profile_in_force(u);
    if (!p)
        return;
    const struct profile_own own = own_of(u);
    braid_conn_set_sched(c, scheduler(&own, p->sched));
    braid_conn_set_cc(c, p->cc, now);
    if (!own.pm)
        braid_conn_set_pm(c, p->pm ? p->pm : pm);
    apply_own(&own, c);
}

/* A scheduler that was set by itself stays, unless it is one for redundancy. */
void profile_set_own(struct profile_use *u, struct braid_conn *c, const struct profile_own *own)
{
    const struct profile *p = profile_in_force(u);
    const struct sched_ops *now = braid_conn_sched(c);
    for (unsigned i = 0; own->pm && pm_algorithms[i]; i++)
        if (pm_algorithms[i] == own->pm)
            u->own_pm = (uint8_t)(i + 1);
    if (own->redundancy != REDUNDANCY_UNSAID)
        u->own_redundancy = (uint8_t)own->redundancy;
    const struct profile_own all = own_of(u);
    if (own->redundancy != REDUNDANCY_UNSAID)
        braid_conn_set_sched(c, scheduler(&all, now->duplicate && p ? p->sched : now));
    apply_own(&all, c);
}

enum profile_redundancy profile_redundancy_of(const struct braid_conn *c)
{
    int64_t repeats = 0;
    braid_conn_get_option(c, BRAID_OPT_REPEAT, &repeats);
    return braid_conn_sched(c)->duplicate ? REDUNDANCY_ALL : repeats ? REDUNDANCY_SOME : REDUNDANCY_NONE;
}

/* ---- automatic profiles ------------------------------------------------------------------------------- */

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
        profile_apply(u, c, pm, now);
    return changes;
}
