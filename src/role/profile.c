/* See profile.h. */
#include "role/profile.h"

void profile_apply(const struct profile *p, struct braid_conn *c, braid_time now)
{
    braid_conn_set_sched(c, p->sched);
    braid_conn_set_cc(c, p->cc, now);
    braid_conn_set_pm(c, p->pm);
}

const struct profile *profile_of_port(const struct port_profile *ports, unsigned n, uint16_t port)
{
    for (unsigned i = 0; i < n; i++)
        if (ports[i].first <= port && port <= ports[i].last)
            return ports[i].profile;
    return NULL;
}
