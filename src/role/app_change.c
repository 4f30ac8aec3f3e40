/* See app_change.h. */
#include "role/app_change.h"
#include <errno.h>
#include "base/addr.h"
#include "io/clock.h"

static uint32_t change_addresses(const struct uplinks *us, struct braid_conn *c, unsigned endpoints,
                                 int (*change)(struct braid_conn *c, const struct braid_ip *ip))
{
    for (unsigned i = 0; i < us->n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            if ((endpoints & UPLINK_ENDPOINT(i, f)) && change(c, &us->all[i].inner[f]) < 0)
                return ENOBUFS;
    return 0;
}

/* ---- single subflows (REQ7 and REQ11 of RFC 6897) ------------------------------------------------------ */

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
    const struct braid_ip *inner = inner_of(us, q->endpoints);
    struct braid_addr ours, first, local = {.port = q->pair.local.port}, remote = q->pair.remote;
    braid_conn_addrs(c, &ours, &first);
    if (!inner)
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
        return change_addresses(us, c, q->endpoints, braid_conn_allow);
    case APP_REMOVE:
        return change_addresses(us, c, q->endpoints, braid_conn_forbid);
    case APP_OPEN:
        return open_subflow(us, c, q);
    case APP_CLOSE:
        return braid_conn_reset_subflow(c, q->value) < 0 ? ENOENT : 0;
    case APP_SPARE:
    case APP_USE:
        return braid_conn_set_backup(c, q->value, q->option == APP_SPARE) < 0 ? ENOENT : 0;
    default:
        return ENOPROTOOPT;
    }
}
