/* Which profile a client's connection has: that of its port or its edge, another one that an operator gave
 * it, and what an automatic one has made of its pattern. */
#include "io/clock.h"
#include "role/edge_client.h"

static void begin_with(struct client *cl, const struct profile *p)
{
    cl->profile = p;
    cl->pattern = (struct pattern){0};
}

void client_profile_begin(struct client *cl)
{
    const struct edge_params *params = client_edge(cl)->params;
    struct braid_addr meant, client;
    braid_conn_addrs(client_conn(cl), &meant, &client);
    const struct profile *p = profile_of_port(params->port_profiles, params->n_port_profiles, meant.port);
    begin_with(cl, p ? p : params->profile);
    if (p)
        profile_apply(p, client_conn(cl), clock_now());
}

/* An automatic profile is the one that the pattern makes of it. */
static const struct profile *in_force(const struct client *cl)
{
    const struct profile *p = cl->profile;
    if (!p || !p->bulk)
        return p;
    return cl->pattern.interactive ? p->interactive : p->bulk;
}

/* True if everything that the server sent before these n bytes has arrived at the client. */
static bool was_idle(const struct client *cl, size_t n)
{
    int64_t unacked = 0;
    braid_conn_get_option(client_conn(cl), BRAID_OPT_UNACKED, &unacked);
    return unacked == (int64_t)n;
}

void client_profile_watch(struct client *cl, size_t n)
{
    if (!cl->profile || !cl->profile->interactive)
        return;
    if (pattern_note(&cl->pattern, n, was_idle(cl, n)))
        profile_apply(in_force(cl), client_conn(cl), clock_now());
}

const struct profile *edges_profile(const struct edges *es, const struct braid_conn *c,
                                    const struct profile **now)
{
    const struct client *cl = client_of(es, c);
    *now = cl ? in_force(cl) : NULL;
    return cl ? cl->profile : NULL;
}

void edges_set_profile(struct edges *es, struct braid_conn *c, const struct profile *p)
{
    struct client *cl = client_of(es, c);
    if (cl)
        begin_with(cl, p);
    profile_apply(p, c, clock_now());
}

void edges_drop_profile(struct edges *es, struct braid_conn *c)
{
    struct client *cl = client_of(es, c);
    if (cl)
        cl->profile = NULL;
}
