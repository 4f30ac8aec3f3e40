/* What runs on a worker, whose user pointer it is: its roles, each of which decides where certain connections
 * go, and what their splices share. All of it belongs to the thread that drives core and base.
 *
 * A role listens on the core, with struct braid_conn_ops of its own, and gives each connection that it takes
 * a splice: the user pointer of every connection of the core is an end of one (relay/end_conn.h), or NULL. */
#ifndef BRAID_ROLE_NODE_H
#define BRAID_ROLE_NODE_H

#include <event2/event_struct.h>
#include <braid/core.h>

#define NODE_ROLES_MAX 4

struct event_base;
struct poller;
struct role;
struct splicer;

struct role_ops {
    /* No new connections; those that wait for their answer are refused. */
    void (*stop)(struct role *r);
    /* The time that role_expire_at has named is here; it may name another. */
    void (*expire)(struct role *r, braid_time now);
    /* Aborts what is left, and frees. */
    void (*free)(struct role *r);
};

/* Embedded in what stands for the role. */
struct role {
    const struct role_ops *ops;
    struct node *node;
    struct event timer;
    braid_time expires; /* when it runs out; BRAID_NEVER: it does not run */
};

struct node {
    struct braid_core *core;
    struct event_base *base;
    struct splicer *splicer; /* of all roles' splices ... */
    struct poller *sockets;  /* ... and their sockets */
    struct role *roles[NODE_ROLES_MAX];
    unsigned n_roles;
    unsigned n_conns;           /* that the roles have, together */
    void (*drained)(void *arg); /* NULL: not draining */
    void *drained_arg;
};

/* Both must outlive it. NULL: memory or descriptors are short. */
struct node *node_new(struct braid_core *core, struct event_base *base);
/* Ends and frees its roles, too: sockets are reset; the core's connections are left without callbacks. NULL
 * is allowed. */
void node_free(struct node *n);

/* The role is the node's from now on. */
void node_add(struct node *n, struct role *r, const struct role_ops *ops);
/* NULL: the node has none with these. */
struct role *node_role(const struct node *n, const struct role_ops *ops);
/* Sees to it that expire is called at this time, or earlier. */
void role_expire_at(struct role *r, braid_time deadline);

/* A role has taken a connection; it has one less. */
void node_enter(struct node *n);
void node_leave(struct node *n);

/* Stops every role; calls done(arg) once no connection is left, perhaps at once. */
void node_drain(struct node *n, void (*done)(void *arg), void *arg);

#endif
