/* What runs on a worker, whose user pointer it is: its roles, each of which decides where certain connections
 * go, and what their splices share. All of it belongs to the thread that drives core and base.
 *
 * A role listens on the core, with struct braid_conn_ops of its own, and gives each connection that it takes
 * a splice: the connection is an end of one then (end_conn_of tells). Those that a race has opened (race.h)
 * are nobody's end before they have won. */
#ifndef BRAID_ROLE_NODE_H
#define BRAID_ROLE_NODE_H

#include <stdbool.h>
#include <braid/core.h>

#define NODE_ROLES_MAX 4

struct alarm;
struct event_base;
struct farewells;
struct learned;
struct poller;
struct profile;
struct profile_own;
struct records;
struct role;
struct services;
struct splicer;
struct watches;
struct wishes;

/* What a role tells of a connection of the core's that it relays. Names live as long as the configuration. */
struct relayed {
    const char *cpe;                 /* whose it is; NULL: an edge's */
    bool wan;                        /* of a CPE: it is the one over the uplinks, not the one of the LAN */
    struct braid_addr client, meant; /* who has asked for a connection, and to where */
    struct braid_addr server;        /* whom the other side of the relay is connected to; port 0: not known */
    uint64_t other;                  /* the core's number of the connection that it is joined with; 0: none */
    const struct profile *profile;   /* that it was given; NULL: none */
    const char *policy;              /* that it has come under; NULL: none */
    const struct profile *now; /* the one whose algorithms it has if that one is automatic, else the same */
};

struct role_ops {
    /* No new connections; those that wait for their answer are refused. */
    void (*stop)(struct role *r);
    /* The time that role_expire_at has named is here; it may name another. */
    void (*expire)(struct role *r, braid_time now);
    /* Aborts what is left, and frees. */
    void (*free)(struct role *r);
    /* False: the connection is not, or no longer, one of this role's. */
    bool (*tell)(const struct role *r, const struct braid_conn *c, struct relayed *out);
    /* Gives one of its connections another profile, of a configuration that outlives the connection. NULL:
     * its algorithms are about to be set one by one, and it has none any more. */
    void (*set_profile)(struct role *r, struct braid_conn *c, const struct profile *p);
    /* What is asked for one of its connections by itself (profile.h). */
    void (*set_own)(struct role *r, struct braid_conn *c, const struct profile_own *own);
};

/* Embedded in what stands for the role. */
struct role {
    const struct role_ops *ops;
    struct node *node;
    braid_time expires; /* the time that it has named; BRAID_NEVER: none */
};

struct node {
    struct braid_core *core;
    struct event_base *base;
    struct splicer *splicer; /* of all roles' splices ... */
    struct poller *sockets;  /* ... and their sockets; the node's, unless it was given another one */
    bool shares_poller;
    struct alarm *alarm;     /* of the roles */
    braid_time rings;        /* when it rings; BRAID_NEVER: it does not */
    struct learned *learned; /* of uplinks (learned.h); the node's; NULL: there are none */
    struct wishes *wishes;   /* of programs (wishes.h); the node's; NULL: they are not asked */
    struct watches
        *watches; /* who is told of events (watches.h); whoever made it frees it; NULL: nobody can be */
    struct records
        *records; /* of its connections (records.h); whoever made them frees them; NULL: none can be */
    struct farewells *farewells; /* of the edges' connections (farewell.h); the node's; NULL: none is said */
    struct services *services;   /* that programs offer (services.h); the node's; NULL: there is no edge */
    unsigned generation;         /* of the configuration that its roles have */
    struct role *roles[NODE_ROLES_MAX];
    unsigned n_roles;
    unsigned n_conns;           /* that the roles have, together */
    void (*drained)(void *arg); /* NULL: not draining */
    void *drained_arg;
};

/* Both must outlive it. NULL: memory or descriptors are short. */
struct node *node_new(struct braid_core *core, struct event_base *base);
/* Has it wait in p, of the same base, which must outlive it. Before it has roles. -1: memory or descriptors
 * are short. */
int node_share_poller(struct node *n, struct poller *p);
/* Ends and frees its roles, too: sockets are reset; the core's connections are left without callbacks. NULL
 * is allowed. */
void node_free(struct node *n);

/* The role is the node's from now on. */
void node_add(struct node *n, struct role *r, const struct role_ops *ops);
/* NULL: the node has none with these. */
struct role *node_role(const struct node *n, const struct role_ops *ops);
/* Sees to it that expire is called at this time, or earlier. */
void role_expire_at(struct role *r, braid_time deadline);

/* What the node's roles tell of a connection of its core. False: it is nobody's, and *out is zeros. */
bool node_tell(const struct node *n, const struct braid_conn *c, struct relayed *out);
/* See role_ops; nothing happens to a connection that is nobody's. */
void node_set_profile(struct node *n, struct braid_conn *c, const struct profile *p);
void node_set_own(struct node *n, struct braid_conn *c, const struct profile_own *own);

/* A role has taken a connection; it has one less. */
void node_enter(struct node *n);
void node_leave(struct node *n);

/* Stops every role; calls done(arg) once no connection is left, perhaps at once. */
void node_drain(struct node *n, void (*done)(void *arg), void *arg);

#endif
