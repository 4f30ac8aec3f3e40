/* Which profile a client's connection has: that of its port or its edge, another one that an operator gave
 * it, and what an automatic one has made of its pattern. */
#include "io/clock.h"
#include "role/edge_client.h"

void client_profile_begin(struct client *cl, uint16_t port)
{
    const struct edge_params *params = client_edge(cl)->params;
    const struct profile *p = profile_of_port(params->port_profiles, params->n_port_profiles, port);
    profile_choose(&cl->profile, p ? p : params->profile);
    if (p)
        profile_apply(&cl->profile, client_conn(cl), NULL, clock_now());
}

void client_profile_watch(struct client *cl, size_t n)
{
    profile_watch(&cl->profile, client_conn(cl), NULL, n, clock_now());
}

void client_profile_set(struct client *cl, const struct profile *p)
{
    profile_choose(&cl->profile, p);
    if (p)
        profile_apply(&cl->profile, client_conn(cl), NULL, clock_now());
}

void client_profile_set_own(struct client *cl, const struct profile_own *own)
{
    profile_set_own(&cl->profile, client_conn(cl), own);
}
