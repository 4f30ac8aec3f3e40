/* One relayed connection: a connection of the core, a kernel socket to the server, and what is pending
 * between them. Belongs to one edge instance (edge.c makes and counts them). */
#ifndef BRAID_ROLE_RELAY_H
#define BRAID_ROLE_RELAY_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include "base/list.h"
#include "role/complaint.h"
#include "relay/dial.h"
#include "role/edge.h"
#include "role/pattern.h"
#include "relay/source.h"
#include "role/unproven.h"

#define RELAY_READ_MIN (16 * 1024) /* bytes of room for a read from the server */

/* One edge on one worker. */
struct edge {
    struct edges *owner;
    const struct edge_params *params;
    struct targets targets;              /* of an explicit edge */
    struct braid_addr preferred;         /* of them, one that answered when others did not ... */
    braid_time preferred_until;          /* ... and is asked first until then */
    struct braid_listener *listeners[2]; /* a transparent edge has one per family; NULL once it drains */
    struct list connecting; /* relays whose client waits for the server's answer, the longest waiting first */
    struct list late;       /* relays whose client was answered, and whose server has not answered */
    struct list open;       /* relays with a connected server */
    struct event patience_timer; /* for the first of connecting */
    struct complaint complaint;  /* that the server does not come */
    struct edge_counters counters;
};

struct edges {
    struct braid_core *core;
    struct event_base *base;
    struct list again;        /* relays that spent their budget and have more to read */
    struct event again_event; /* a timeout of zero: the next turn of the loop */
    struct bypass *bypass;    /* NULL: no edge wants it */
    struct unproven unproven; /* relays whose server was asked for a client that may not exist */
    struct netlink *netlink;  /* io/rtnetlink.h; NULL: not possible, or not needed yet */
    struct source source;     /* of connections from clients' addresses */
    void (*learned)(void *arg, unsigned i, const struct braid_addr *server,
                    braid_time until); /* NULL: there is nobody to tell */
    void *learned_arg;
    unsigned n_relays;
    void (*drained)(void *arg); /* NULL: not draining */
    void *drained_arg;
    unsigned n;
    struct edge edges[];
};

struct relay {
    struct event
        event; /* both directions of the server's socket, edge-triggered; not initialized: no socket */
    struct edge *edge;
    struct braid_conn *conn;
    struct list link;  /* in edge->connecting, edge->late or edge->open */
    struct list again; /* in edges->again */
    struct dial *dial; /* the server is being asked; NULL: not yet, or not any more */
    struct unproven_client unproven;
    braid_time patience;                         /* when the client is answered without the server */
    struct braid_addr server;                    /* that answered, or the first that is asked */
    const struct profile *profile, *profile_now; /* see edges_profile */
    struct pattern pattern;                      /* of an automatic profile */
    uint32_t want;                               /* bytes of room to ask the core for per read */
    bool connecting;                             /* the server has not answered */
    bool probing;                                /* the server is asked for MPTCP */
    bool accepted;                               /* the client was answered */
    bool established;                            /* the client completed its handshake */
    bool reset;                                  /* the server takes and sends nothing more */
    bool broken;                                 /* the client is being aborted; closed() is due */
    bool tx_blocked;                             /* the server's socket is full */
    bool tx_shut;                                /* our FIN to the server is sent */
    bool rx_ready;                               /* the server's socket may have something to read */
    bool rx_eof;                                 /* the end of what the server sends was read */
    bool rx_waiting;                             /* the client's send buffer is full; writable() is due */
};

extern const struct braid_conn_ops relay_ops;

/* Reads on from servers whose relays are in es->again. */
void relay_run_again(struct edges *es);
/* Resets both sides and frees; for the end of the worker. */
void relay_drop(struct relay *r);
/* What came before the server was there goes to it; what it sends is read from now on. */
void relay_pump(struct relay *r);
/* Takes the socket of the server, which is connected. -1: memory is short, and it is closed. */
int relay_attach(struct relay *r, int fd);
/* Frees; the connection may outlive it, which has its own farewell to finish. */
void relay_free(struct relay *r);

/* Opening (opening.c): two callbacks of relay_ops. */
void relay_incoming(void *ctx, struct braid_conn *c);
void relay_established(struct braid_conn *c, void *user);
/* Answers clients that have waited long enough for their server. */
void relay_expire(struct edge *e, braid_time now);
/* Refuses a client that was not answered, and frees. */
void relay_refuse(struct relay *r, enum braid_refusal how);

/* Profiles (profile.c): gives a new connection the one of its port; looks at the pattern of an automatic one
 * when the server has sent n bytes (idle: see pattern_note). */
void relay_profile_begin(struct relay *r);
void relay_profile_watch(struct relay *r, size_t n, bool idle);

/* What the relay asks of its edge (edge.c). */
/* Sees to it that relay_expire is called at this time. */
void edge_expire_at(struct edge *e, braid_time deadline);
/* Sees to it that relay_run_again is called in the next turn. */
void edge_run_again(struct edges *es);

/* Servers that speak MPTCP themselves (learn.c). */
static inline bool edge_bypasses(const struct edge_params *p)
{
    return p->transparent && p->bypass > 0;
}
/* Makes es->bypass if any of the n edges wants it. 0, or -1: memory is short. */
int edges_bypass_new(struct edges *es, const struct edge_params *params, unsigned n);
/* Whether the next connection to the server is to find out. */
bool edge_probes(const struct edge *e, const struct braid_addr *server);
/* A connection to the server found out. */
void edge_found(struct edge *e, const struct braid_addr *server, bool mptcp);
/* wants() of struct braid_listen_params; ctx is the edge. */
bool edge_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *server);

/* One relay less. */
void edge_relay_gone(struct edge *e);

#endif
