/* The device's first bytes behind the message to a converter: see cpe_first.h. */
#include "role/cpe_first.h"
#include <sys/socket.h>
#include "base/addr.h"
#include "io/clock.h"
#include "relay/end_conn.h"

#define TRUST (600 * BRAID_SECOND)

/* ---- the way ---------------------------------------------------------------------------------------- */

static struct cpe_trusted *trusted(struct cpe *cpe, const struct braid_ip *local,
                                   const struct braid_addr *remote)
{
    for (unsigned i = 0; i < CPE_TRUSTED; i++) {
        struct cpe_trusted *t = &cpe->trusted[i];
        if (t->until > 0 && ip_equal(&t->local, local) && addr_equal(&t->remote, remote))
            return t;
    }
    return NULL;
}

void cpe_first_trust(struct carried *cd, const struct braid_conn *c)
{
    struct cpe *cpe = carried_cpe(cd);
    struct braid_addr local, remote;
    braid_conn_addrs(c, &local, &remote);
    struct cpe_trusted *t = trusted(cpe, &local.ip, &remote);
    for (unsigned i = 0; !t && i < CPE_TRUSTED; i++)
        if (cpe->trusted[i].until <= clock_now())
            t = &cpe->trusted[i];
    if (t)
        *t = (struct cpe_trusted){.local = local.ip, .remote = remote, .until = clock_now() + TRUST};
}

void cpe_first_distrust(struct carried *cd)
{
    struct cpe_trusted *t = trusted(carried_cpe(cd), &cd->asking->local, &cd->far);
    if (t)
        t->until = 0;
}

static size_t available(const struct carried *cd)
{
    char byte;
    if (!cd->socket)
        return cd->splice.ends[LAN_END].gone ? 0 : braid_conn_readable(carried_conn(cd, LAN_END));
    return recv(cd->socket->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ? 1 : 0;
}

bool cpe_first_goes_alone(const struct carried *cd, const struct race_lane *lane)
{
    const struct cpe_trusted *t = trusted(carried_cpe(cd), &lane->local.ip, &lane->remote);
    return cd->answered && t && t->until > clock_now() && !lane->plain && !lane->bare && available(cd) > 0;
}

/* ---- the bytes -------------------------------------------------------------------------------------- */

size_t cpe_first_copy(struct carried *cd, uint8_t *out, size_t room)
{
    if (cd->socket) {
        ssize_t got = recv(cd->socket->fd, out, room, MSG_PEEK | MSG_DONTWAIT);
        return got > 0 ? (size_t)got : 0;
    }
    return end_conn_copy(carried_conn(cd, LAN_END), out, room);
}

void cpe_first_took(struct carried *cd, size_t n)
{
    struct end *lan = &cd->splice.ends[LAN_END];
    if (n == 0 || lan->gone)
        return;
    carried_cpe(cd)->counters.v[CPE_FIRST]++;
    lan->ops->consume(lan, n);
    carried_events.moved(&cd->splice, LAN_END, n);
}
