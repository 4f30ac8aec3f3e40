/* Connecting to servers from the clients' addresses: which port of the client's to use. */
#ifndef BRAID_RELAY_SOURCE_H
#define BRAID_RELAY_SOURCE_H

#include <braid/core.h>
#include "io/netlink.h"

/* What is asked whether the client uses a port itself. */
struct source {
    const struct braid_core *core;
    struct netlink *conntrack; /* io/conntrack.h; NULL: not possible, or not needed yet */
};

void source_init(struct source *s, const struct braid_core *core);
void source_close(struct source *s);

/* upstream_connect or upstream_probe. */
typedef int source_connector(const struct braid_addr *server, const struct braid_addr *source,
                             bool *connected);
/* connect_from the client's address and a port that is nobody's: what it returned, with its errno. */
int source_connect(struct source *s, source_connector *connect_from, const struct braid_addr *server,
                   const struct braid_addr *client, bool *connected);

#endif
