/* The edges of one worker, as the files that make them up see them. */
#ifndef BRAID_ROLE_EDGE_STATE_H
#define BRAID_ROLE_EDGE_STATE_H

#include "base/hold.h"
#include "base/list.h"
#include "base/rate.h"
#include "base/recent.h"
#include "base/targets.h"
#include "relay/source.h"
#include "relay/splice.h"
#include "role/complaint.h"
#include "role/edge.h"
#include "role/node.h"
#include "role/pool.h"
#include "role/unproven.h"

struct client_ports;
struct edge_mode;

/* One edge on one worker. */
struct edge {
    struct splice_owner splices; /* of its clients; their group is the edges */
    struct edges *owner;
    const struct edge_params *params;
    const struct edge_mode *mode;
    struct pool pool;                                 /* of an explicit edge; else without members */
    struct braid_listener *listeners[EDGE_LISTENERS]; /* NULL once it has stopped */
    bool drained;                                     /* by hand: they rest */
    struct list connecting;     /* clients that wait for the server's answer, the longest waiting first */
    struct list late;           /* clients that were answered, and whose server has not answered */
    struct list limited;        /* clients with a deadline, in its order: a converter's, or balancers */
    struct list open;           /* clients with a connected server */
    struct unproven pending;    /* a converter's clients whose server has not answered, by client */
    struct rate errors;         /* Error TLVs */
    struct recent early;        /* SYNs whose data went to the server at once (converter_early.c) */
    struct complaint complaint; /* that the server does not come */
    struct complaint headless;  /* that balancers do not say whose connections are */
    struct edge_counters counters;
    unsigned number; /* the same on all workers, and never another's */
    /* Of one that a change has taken away: it lives until its clients are gone. */
    bool leaving;
    struct list link;  /* in edges->leaving */
    struct hold *hold; /* on its params */
};

struct edges {
    struct role role;
    struct bypass *bypass;    /* NULL: no edge wants it */
    struct unproven unproven; /* clients that may not exist, although their server was asked */
    struct netlink *netlink;  /* io/rtnetlink.h; NULL: not possible, or not needed yet */
    struct source source;     /* of connections from clients' addresses */
    void (*learned)(void *arg, unsigned number, const struct braid_addr *server,
                    braid_time until); /* NULL: there is nobody to tell */
    void *learned_arg;
    struct client_ports *by_port; /* UINT16_MAX + 1 (edge_client.c); NULL: nobody has asked yet */
    struct hold *hold;            /* on the params of those that are not leaving; theirs who makes changes */
    unsigned next_number;
    struct edge **edges; /* n, in the order of the configuration */
    unsigned n;
    struct list leaving;
};

/* edge.c, for edge_change.c: a new edge, which does not listen; targets: the addresses of its own. NULL:
 * memory is short. */
struct edge *edge_new(struct edges *es, const struct edge_params *params, const struct targets *targets);
/* Its clients are gone, or are dropped. */
void edge_free(struct edge *e);
/* What params say of conversion. -1: memory is short. */
int edge_prepare(struct edge *e);
/* At all of its addresses, where it does not listen yet; what new connections begin with is as params say.
 * -1: memory is short, or an address is taken. */
int edge_listen(struct edge *e);
/* Its listeners rest, or take connections again, as e->drained says. -1: somebody else listens there. */
int edge_rest(struct edge *e);
/* No new connections, and those that wait for their answer are refused. */
void edge_stop(struct edge *e);
/* Nobody is a client of it. */
static inline bool edge_is_empty(const struct edge *e)
{
    return list_empty(&e->connecting) && list_empty(&e->late) && list_empty(&e->limited) &&
           list_empty(&e->open);
}
/* The one with this name that is not leaving; NULL: there is none. */
struct edge *edges_find(const struct edges *es, const char *name);
/* What has left counts for the one that has its name now; frees it if it is empty. */
void edges_sweep(struct edges *es);

#endif
