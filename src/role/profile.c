/* Profiles of connections: which one a new connection gets, and going over to another. */
#include "io/clock.h"
#include "role/profile.h"
#include "role/relay.h"

void profile_apply(const struct profile *p, struct braid_conn *c, braid_time now)
{
    braid_conn_set_sched(c, p->sched);
    braid_conn_set_cc(c, p->cc, now);
    braid_conn_set_pm(c, p->pm);
}

/* NULL: the edge's own algorithms, which its listener has. */
static const struct profile *of_port(const struct edge_params *p, uint16_t port)
{
    for (unsigned i = 0; i < p->n_port_profiles; i++)
        if (p->port_profiles[i].first <= port && port <= p->port_profiles[i].last)
            return p->port_profiles[i].profile;
    return NULL;
}

static void begin_with(struct relay *r, const struct profile *p)
{
    r->profile = p;
    r->profile_now = p && p->bulk ? p->bulk : p;
    r->pattern = (struct pattern){0};
}

void relay_profile_begin(struct relay *r)
{
    const struct edge_params *params = r->edge->params;
    struct braid_addr meant, client;
    braid_conn_addrs(r->conn, &meant, &client);
    const struct profile *p = of_port(params, meant.port);
    begin_with(r, p ? p : params->profile);
    if (p)
        profile_apply(p, r->conn, clock_now());
}

void relay_profile_watch(struct relay *r, size_t n, bool idle)
{
    if (!pattern_note(&r->pattern, n, idle))
        return;
    r->profile_now = r->pattern.interactive ? r->profile->interactive : r->profile->bulk;
    profile_apply(r->profile_now, r->conn, clock_now());
}

/* NULL: it has none (any more). */
static struct relay *relay_of(const struct edges *es, const struct braid_conn *c)
{
    struct relay *r = braid_conn_user(c);
    return r && r->edge->owner == es ? r : NULL;
}

const struct profile *edges_profile(const struct edges *es, const struct braid_conn *c,
                                    const struct profile **now)
{
    const struct relay *r = relay_of(es, c);
    *now = r ? r->profile_now : NULL;
    return r ? r->profile : NULL;
}

void edges_set_profile(struct edges *es, struct braid_conn *c, const struct profile *p)
{
    struct relay *r = relay_of(es, c);
    if (r)
        begin_with(r, p);
    profile_apply(p, c, clock_now());
}

void edges_drop_profile(struct edges *es, struct braid_conn *c)
{
    struct relay *r = relay_of(es, c);
    if (r)
        r->profile = r->profile_now = NULL;
}
