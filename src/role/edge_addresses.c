/* See edge_addresses.h. What is sent to an address of an edge's comes here whatever its port, and a join is
 * found by its token: so every connection may have any of them. */
#include "role/edge_addresses.h"
#include <errno.h>
#include "base/addr.h"
#include "role/edge_here.h"

static bool is_first(const struct braid_conn *c, const struct braid_ip *ip)
{
    struct braid_addr first, client;
    braid_conn_addrs(c, &first, &client);
    return ip_equal(ip, &first.ip);
}

static uint32_t announce(struct braid_conn *c, const struct braid_addr *addr)
{
    const struct braid_addr any_port = {.ip = addr->ip}; /* none is bound here */
    if (braid_conn_allow(c, &any_port) != BRAID_ERROR_NONE)
        return ENOBUFS;
    /* the client knows the first address */
    return is_first(c, &addr->ip) || braid_conn_announce(c, addr) == 0 ? 0 : ENOBUFS;
}

uint32_t edge_addresses_change(const struct edges *es, struct braid_conn *c, bool add,
                               const struct app_addrs *addrs)
{
    uint32_t error = 0;
    for (unsigned i = 0; i < addrs->n; i++)
        if (!is_first(c, &addrs->addr[i].ip) && !(es && edges_have(es, &addrs->addr[i].ip)))
            return EADDRNOTAVAIL;
    for (unsigned i = 0; i < addrs->n && !error; i++) {
        const struct braid_addr *a = &addrs->addr[i];
        error = add ? announce(c, a) : braid_conn_forbid(c, &a->ip) < 0 ? ENOBUFS : 0;
    }
    return error;
}
