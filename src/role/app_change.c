/* See app_change.h. */
#include "role/app_change.h"
#include <errno.h>
#include "base/addr.h"
#include "io/clock.h"
#include "role/app_demands.h"
#include "role/edge_addresses.h"

static uint32_t errno_of(enum braid_error error)
{
    switch (error) {
    case BRAID_ERROR_NONE:
        return 0;
    case BRAID_ERROR_MEMORY:
    case BRAID_ERROR_LIMIT:
        return ENOBUFS;
    case BRAID_ERROR_ADDRESS:
        return EINVAL;
    case BRAID_ERROR_TAKEN:
        return EADDRINUSE;
    case BRAID_ERROR_PORTS:
        return EADDRNOTAVAIL;
    case BRAID_ERROR_NOT_YET:
        return EAGAIN;
    case BRAID_ERROR_PLAIN:
        return EOPNOTSUPP;
    case BRAID_ERROR_CLOSED:
        return ENOTCONN;
    case BRAID_ERROR_UNWANTED:
        return EACCES;
    }
    return EINVAL;
}

/* ---- addresses of uplinks ------------------------------------------------------------------------------ */

/* RFC 6897 section 7: only what can be a source of subflows here is taken, of a family that is for MPTCP. A
 * port beyond the range would bring no answer: what comes back is turned back to Braid by it. */
uint32_t app_choose(const struct uplinks *us, struct port_range ports, const struct app_addrs *list,
                    struct uplink_choice *out)
{
    *out = (struct uplink_choice){0};
    for (unsigned i = 0; i < list->n; i++) {
        const struct braid_addr *a = &list->addr[i];
        unsigned endpoint = uplinks_endpoint(us, &a->ip);
        if (endpoint == 0 || uplinks_keep_off(us, uplink_family(&a->ip)) ||
            (a->port > 0 && (a->port < ports.first || a->port > ports.last)))
            return EADDRNOTAVAIL;
        out->endpoints |= endpoint;
        for (unsigned u = 0; u < us->n; u++)
            if (endpoint == UPLINK_ENDPOINT(u, uplink_family(&a->ip)))
                out->port[u][uplink_family(&a->ip)] = a->port;
    }
    return 0;
}

static uint32_t allow(const struct uplinks *us, struct braid_conn *c, const struct uplink_choice *choice)
{
    uint32_t error = 0;
    for (unsigned i = 0; i < us->n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
            const struct braid_addr addr = {.ip = us->all[i].inner[f], .port = choice->port[i][f]};
            uint32_t one =
                choice->endpoints & UPLINK_ENDPOINT(i, f) ? errno_of(braid_conn_allow(c, &addr)) : 0;
            error = error ? error : one;
        }
    return error;
}

static uint32_t forbid(const struct uplinks *us, struct braid_conn *c, const struct uplink_choice *choice)
{
    for (unsigned i = 0; i < us->n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            if ((choice->endpoints & UPLINK_ENDPOINT(i, f)) && braid_conn_forbid(c, &us->all[i].inner[f]) < 0)
                return ENOBUFS;
    return 0;
}

static uint32_t change_addresses(const struct node *node, const struct uplinks *us, struct braid_conn *c,
                                 const struct app_question *q)
{
    struct uplink_choice choice;
    if (!us)
        return edge_addresses_change(edges_of(node), c, q->option == APP_ADD, &q->addrs);
    uint32_t error = app_choose(us, q->ports, &q->addrs, &choice);
    if (error)
        return error;
    return q->option == APP_ADD ? allow(us, c, &choice) : forbid(us, c, &choice);
}

/* ---- single subflows (REQ7 and REQ11 of RFC 6897) ------------------------------------------------------ */

/* The peer's addresses are those that it is known by: nobody has the daemon send SYNs to somebody else. */
static bool is_the_peers(const struct braid_conn *c, const struct braid_ip *ip)
{
    struct braid_addr local, remote;
    struct braid_pair pairs[APP_PAIRS_MAX];
    unsigned n = braid_conn_subflows(c, pairs, APP_PAIRS_MAX);
    braid_conn_addrs(c, &local, &remote);
    bool found = ip_equal(ip, &remote.ip);
    for (unsigned i = 0; i < n && i < APP_PAIRS_MAX; i++)
        found |= ip_equal(ip, &pairs[i].remote.ip);
    return found;
}

static const struct braid_ip *inner_of(const struct uplinks *us, unsigned endpoint)
{
    for (unsigned i = 0; i < us->n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            if (endpoint == UPLINK_ENDPOINT(i, f) && us->all[i].usable[f])
                return &us->all[i].inner[f];
    return NULL;
}

static uint32_t open_subflow(const struct uplinks *us, struct braid_conn *c, const struct app_question *q)
{
    const struct braid_ip *inner = inner_of(us, uplinks_endpoint(us, &q->pair.local.ip));
    struct braid_addr ours, first, local = {.port = q->pair.local.port}, remote = q->pair.remote;
    braid_conn_addrs(c, &ours, &first);
    if (!inner || uplinks_keep_off(us, uplink_family(inner)) ||
        (local.port > 0 && (local.port < q->ports.first || local.port > q->ports.last)))
        return EADDRNOTAVAIL;
    local.ip = *inner;
    if (ip_is_unspecified(&remote.ip))
        remote = first;
    if (!is_the_peers(c, &remote.ip))
        return EACCES;
    if (remote.port == 0)
        remote.port = first.port;
    return errno_of(braid_conn_join(c, &local, &remote, false, clock_now()));
}

uint32_t app_change(struct node *node, const struct uplinks *us, struct braid_conn *c,
                    const struct app_question *q)
{
    if (q->option == APP_PROFILE) {
        node_set_profile(node, c, q->profile);
        return 0;
    }
    if (q->option == APP_ENABLE)
        return EISCONN; /* section 5.3.1: before the connection is established */
    if (!braid_conn_is_mptcp(c))
        return EOPNOTSUPP;
    switch (q->option) {
    case APP_ADD:
    case APP_REMOVE:
        return change_addresses(node, us, c, q);
    case APP_OPEN:
        return us ? open_subflow(us, c, q) : EADDRNOTAVAIL;
    case APP_CLOSE:
        return braid_conn_reset_subflow(c, q->value) < 0 ? ENOENT : 0;
    case APP_PATH_MANAGER:
        return demands_make(node, c, &q->demands);
    case APP_SPARE:
    case APP_USE:
        return braid_conn_set_backup(c, q->value, q->option == APP_SPARE) < 0 ? ENOENT : 0;
    default:
        return q->option >= APP_FIRST_NUMBER ? demands_make(node, c, &q->demands) : ENOPROTOOPT;
    }
}
