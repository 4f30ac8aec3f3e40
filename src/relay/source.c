/* The ports of connections to servers that come from the clients' addresses. The client's own port will not
 * do: connection tracking would take the connection to the server for the client's own, which has the same
 * addresses and ports. Nor will any other that the client uses towards this server, now or soon: whatever of
 * its connections has that port, one of ours or one that the kernel forwards, would be mixed up with ours. So
 * the port is from the half of them that clients do not draw theirs from (RFC 6335 section 6 has them above
 * 49151, Linux above 32767), and neither connection tracking nor the core may know it. */
#include <errno.h>
#include "base/addr.h"
#include "base/port_range.h"
#include "io/conntrack.h"
#include "relay/source.h"

#define STEP  7919 /* has no factor in common with the number of ports, so that every port has its turn */
#define TRIES 64

static const struct port_range ports = {1024, 32767};

/* Clients' ports that differ only in the last bits do not share their first ones. */
static uint16_t candidate(uint16_t client, uint32_t i)
{
    uint32_t opposite = (client ^ 0x8000u) + 0x10000u - ports.first;
    return port_range_at(ports, opposite % 0x10000u + i * STEP);
}

void source_init(struct source *s, const struct braid_core *core)
{
    *s = (struct source){.core = core};
}

void source_close(struct source *s)
{
    netlink_close(s->conntrack);
    s->conntrack = NULL;
}

static bool is_taken(struct source *s, const struct braid_addr *source, const struct braid_addr *server)
{
    uint32_t mark;
    if (braid_core_knows(s->core, server, source))
        return true;
    if (!s->conntrack)
        s->conntrack = conntrack_open();
    return s->conntrack && conntrack_find(s->conntrack, source, server, &mark) == 0;
}

int source_connect(struct source *s, source_connector *connect_from, const struct braid_addr *server,
                   const struct braid_addr *client, bool *connected)
{
    struct braid_addr source = *client;
    for (uint32_t i = 0; i < TRIES; i++) {
        source.port = candidate(client->port, i);
        if (source.port == client->port || is_taken(s, &source, server))
            continue;
        int fd = connect_from(server, &source, connected);
        if (fd >= 0 || (errno != EADDRNOTAVAIL && errno != EADDRINUSE && errno != EACCES))
            return fd;
    }
    source.port = 0;
    return connect_from(server, &source, connected);
}
