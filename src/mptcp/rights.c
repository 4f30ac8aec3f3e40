/* See rights.h. What was said of an address is kept, whether the core has such an endpoint at the moment or
 * not: uplinks come and go, and the user's word holds for the connection's whole life. */
#include "mptcp/rights.h"

#include <stdlib.h>

#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/known.h"

static struct right *find(struct conn_rights *r, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < r->n; i++)
        if (ip_equal(&r->list[i].ip, ip))
            return &r->list[i];
    return NULL;
}

struct conn_rights *conn_rights_of(struct braid_conn *c)
{
    struct conn_known *m = conn_know(c);
    if (!m || m->rights)
        return m ? m->rights : NULL;
    m->rights = calloc(1, sizeof(*m->rights));
    if (m->rights)
        mem_take(&c->env->mem, mem_cost(sizeof(*m->rights)));
    return m->rights;
}

int conn_rights_note(struct braid_conn *c, const struct braid_addr *addr, bool may_use)
{
    struct conn_rights *r = conn_rights_of(c);
    if (!r)
        return -1;
    struct right *known = find(r, &addr->ip);
    if (!known && r->n == RIGHTS_MAX)
        return -1;
    if (!known)
        known = &r->list[r->n++];
    *known = (struct right){.ip = addr->ip, .port = addr->port, .may_use = may_use};
    return 0;
}

bool conn_rights_begin(struct braid_conn *c, const struct braid_addr *only, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (conn_rights_note(c, &only[i], true) < 0)
            return false;
    if (n > 0)
        c->pm.known->rights->listed_only = true;
    return true;
}

uint16_t conn_bound_port(const struct braid_conn *c, const struct braid_ip *ip)
{
    struct conn_rights *r = c->pm.known ? c->pm.known->rights : NULL;
    const struct right *said = r ? find(r, ip) : NULL;
    return said ? said->port : 0;
}

bool conn_may_use(const struct braid_conn *c, const struct braid_ip *ip)
{
    struct conn_rights *r = c->pm.known ? c->pm.known->rights : NULL;
    if (!r)
        return true;
    const struct right *said = find(r, ip);
    return said ? said->may_use : !r->listed_only;
}
