/* The edges of one worker, as the files that make them up see them. */
#ifndef BRAID_ROLE_EDGE_STATE_H
#define BRAID_ROLE_EDGE_STATE_H

#include "base/list.h"
#include "base/rate.h"
#include "base/recent.h"
#include "base/targets.h"
#include "relay/source.h"
#include "relay/splice.h"
#include "role/complaint.h"
#include "role/edge.h"
#include "role/node.h"
#include "role/unproven.h"

struct client_ports;
struct edge_mode;

/* One edge on one worker. */
struct edge {
    struct splice_owner splices; /* of its clients; their group is the edges */
    struct edges *owner;
    const struct edge_params *params;
    const struct edge_mode *mode;
    struct targets targets;                           /* of an explicit edge */
    struct braid_addr preferred;                      /* of them, one that answered when others did not ... */
    braid_time preferred_until;                       /* ... and is asked first until then */
    struct braid_listener *listeners[EDGE_LISTENERS]; /* NULL once it drains */
    struct list connecting;     /* clients that wait for the server's answer, the longest waiting first */
    struct list late;           /* clients that were answered, and whose server has not answered */
    struct list limited;        /* a converter's clients with a deadline, in its order (converter.c) */
    struct list open;           /* clients with a connected server */
    struct unproven pending;    /* a converter's clients whose server has not answered, by client */
    struct rate errors;         /* Error TLVs */
    struct recent early;        /* SYNs whose data went to the server at once (converter_early.c) */
    struct complaint complaint; /* that the server does not come */
    struct edge_counters counters;
};

struct edges {
    struct role role;
    struct bypass *bypass;    /* NULL: no edge wants it */
    struct unproven unproven; /* clients that may not exist, although their server was asked */
    struct netlink *netlink;  /* io/rtnetlink.h; NULL: not possible, or not needed yet */
    struct source source;     /* of connections from clients' addresses */
    void (*learned)(void *arg, unsigned i, const struct braid_addr *server,
                    braid_time until); /* NULL: there is nobody to tell */
    void *learned_arg;
    struct client_ports *by_port; /* UINT16_MAX + 1 (edge_client.c); NULL: nobody has asked yet */
    unsigned n;
    struct edge edges[];
};

#endif
