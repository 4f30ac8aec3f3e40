/* A balancer in front of an explicit edge: whose a connection is, is said by a header of the PROXY protocol
 * that it begins with. */
#ifndef BRAID_ROLE_PRESENTED_H
#define BRAID_ROLE_PRESENTED_H

#include "role/edge_client.h"

enum presentation {
    PRESENTED,          /* the header was taken off the stream; client_addrs is what it says */
    PRESENTED_MORE,     /* it has not come whole */
    PRESENTED_NOTHING,  /* the balancer has ended without a word, as it does to see who listens */
    PRESENTED_BADLY,    /* there is no header, or one that is wrong; the log has it */
    PRESENTED_NO_MEMORY /* for what it says */
};

/* Whether connections from there have to begin with one. */
bool presented_by(const struct edge_params *p, const struct braid_ip *peer);
enum presentation presented_read(struct client *cl);
/* A warning, once in a while: the balancer has sent no header `how`. */
void presented_complain(struct client *cl, const char *how);

#endif
