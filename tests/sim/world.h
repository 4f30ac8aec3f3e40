/* A running simulation: cores, links, applications and the observer, driven by one queue of events. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdio.h>
#include "app.h"
#include "base/list.h"
#include "observe.h"
#include "scenario.h"

#define SIM_STEERING 1024

/* One core and its driver: what a worker thread is in the daemon. */
struct sim_core {
    struct world *world;
    unsigned side, worker;
    bool outer; /* an end of a chain, in world.outer; else one of the paths' ends */
    struct braid_core *core;
    struct heard_conn *heard;  /* heard.c */
    struct recorder *recorder; /* recorded.c; NULL: nothing is recorded */
    struct buf_pool *pool;
    bool flush_planned;
    bool handover_due;           /* to another core, as soon as it can be */
    braid_time wake_at;          /* when an event for the deadline is planned; BRAID_NEVER: none */
    struct rng random;           /* braid_host.random */
    uint64_t runs, runs_at_once; /* timer runs; of them since time last advanced */
    braid_time last_run;
    braid_time second;                          /* start of the current second of virtual time ... */
    uint64_t runs_in_second, packets_in_second; /* ... and what happened in it */
};

/* The packets that have arrived at one side and wait to be handed to its cores. */
struct sim_nic {
    struct world *world;
    unsigned side;
    struct sim_core *core; /* NULL: one of those of the side */
    struct frame *first, **last;
    bool planned;
    struct rng rng;
};

/* One direction of a path, as the context of its link. */
struct sim_dir {
    struct world *world;
    unsigned path, to;     /* to: the side it leads to */
    braid_time payload_at; /* when payload last arrived; 0: never */
    struct link link;
};

struct sim_moved; /* handover.h */

struct world {
    struct scenario s;
    struct vtime time;
    struct sim_core cores[SIM_SIDES][SIM_WORKERS];
    struct sim_core outer[SIM_SIDES];               /* of a chain, where the applications are */
    struct chain *chain;                            /* NULL: there is none */
    uint32_t fragment_id;                           /* the next identification of IPv6 */
    struct braid_directory *directories[SIM_SIDES]; /* of the cores of a side, in every other seed */
    struct sim_nic nics[SIM_SIDES];
    struct sim_dir dirs[SIM_PATHS][SIM_SIDES]; /* by path and the side it leads to */
    struct box boxes[SIM_PATHS][SIM_BOXES];    /* in the order in which the client's packets meet them */
    unsigned n_boxes[SIM_PATHS];
    struct app apps[SIM_SIDES][SIM_CONNS];
    const struct app *racing; /* whose SYNs leave at the moment; NULL: nobody's that races */
    struct learned *learned;  /* by races; NULL: they do not */
    struct list guests;       /* connections of the server's that have not won yet (contest.c) */
    struct braid_listener *listeners[SIM_WORKERS];
    struct observer observer;
    uint8_t steering[SIM_SIDES]
                    [SIM_STEERING]; /* by hash of the flow: 1 + the worker that last sent for it; 0: none */
    struct rng rng;
    uint16_t next_port;         /* of the client */
    uint8_t renewed[SIM_PATHS]; /* how often the client's address on that path has changed */
    bool usable[SIM_PATHS];     /* it is an endpoint of the client's */
    /* Sees each packet that a core sends. */
    void (*on_sent)(struct world *w, unsigned side, const struct frame *f);
    bool unchecked; /* what must hold inside the cores is not checked after each step, which takes long */
    bool failed;
    char failure[256]; /* the first one */
    FILE *trace;       /* NULL: off */
    uint64_t packets, events;
    uint64_t digest;                     /* of all packets so far, and of when each left */
    uint64_t recorded, recorded_packets; /* connections that were done again, and what they sent */
    braid_time told;                     /* when the trace last had the state of all connections */
};

/* What stands between the ends of a chain (run/chain.h). A table, since it needs more than the core. */
struct sim_middle {
    void (*begin)(struct world *w);
    void (*end)(struct world *w);
    /* A core of any machine sends f; takes it. */
    void (*send)(struct sim_core *from, struct frame *f);
    /* f has come over a path to this side. True: it goes on from there, and was taken. */
    bool (*passes)(struct world *w, unsigned side, struct frame *f);
    /* Whom the device's connection is from and to. */
    void (*opens)(const struct app *a, struct braid_addr *local, struct braid_addr *remote);
    /* The device's end is established, by which it is known which of the server's connections is the other.
     */
    void (*established)(const struct app *a);
    /* The server has got a connection. */
    void (*incoming)(struct sim_core *sc, struct braid_conn *c);
    /* Something was done to a core: what stands on it may wait for something else now. */
    void (*touched)(struct sim_core *sc);
    /* The client's addresses have changed. */
    void (*renewed)(struct world *w);
    /* ACT_RELAY_...; false: it is too early. */
    bool (*act)(struct world *w, const struct action *a);
    /* A core of any machine but the CPE is a new one: it listens as that before. The name of its listener;
     * NULL: it has none. */
    const char *(*listens)(struct sim_core *sc);
    /* It has the connections of that before. */
    void (*moved)(struct sim_core *sc, const struct sim_moved *m);
    /* Does a node of the daemon's stand on this core? Can it be handed over now? It is. */
    bool (*has_node)(const struct sim_core *sc);
    bool (*is_ready)(const struct sim_core *sc);
    void (*hand_over)(struct sim_core *sc);
    /* NULL, or what is left though all connections have ended. */
    const char *(*left)(const struct world *w);
};

struct world_result {
    bool ok;
    char failure[256];
    braid_time duration; /* until the last connection closed */
    uint64_t packets, events;
    uint64_t digest; /* world.digest at the end */
    uint64_t recorded, recorded_packets;
    unsigned outcomes[SIM_OUTCOMES]; /* connections, by how they ended */
    unsigned altered;                /* of them, with a wrong byte that nobody could detect */
    double goodput; /* bytes per second of both directions, from the first byte to the last */
    double share;   /* that over the sum of the rates of the paths, 0 if one is infinite */
};

/* Runs one scenario to its end. trace: where to print what happens, or NULL. */
void world_run(const struct scenario *s, FILE *trace, struct world_result *out);

#define SIM_LISTENER "sim" /* its name */
/* The server's cores listen. */
void sim_listen(struct world *w, struct sim_core *c);

/* Ends the simulation as failed; the first call's text counts. */
void sim_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of the trace, with the time in front. */
void sim_trace(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The state of a connection's subflows in the trace. */
void trace_stats(struct world *w, const struct app *a);

/* Call after anything was done to a core: plans its flush and its timer. */
void sim_core_touch(struct sim_core *c);
/* Hands a packet to a core in fragments, if this network splits it. */
bool sim_fragments(struct sim_core *c, const struct frame *whole, struct rng *r);
/* Hands a packet to a core. */
void sim_core_input(struct sim_core *c, const struct frame *f, const struct braid_input *in);
/* The worker of this side that a packet arrives at. */
struct sim_core *sim_core_for(struct world *w, unsigned side, const struct frame *f, struct rng *r);
/* Remembers which worker sent a packet. */
void sim_core_steer(struct sim_core *c, const struct frame *f);
bool sim_core_init(struct sim_core *c, struct world *w, unsigned side, unsigned worker);
/* One of world.outer. */
bool sim_core_init_outer(struct sim_core *c, struct world *w, unsigned side);
/* All that it knew is gone, and nobody was told. False: memory is short. */
bool sim_core_restart(struct sim_core *c);
/* Another one in its place, which knows nothing yet; what watches it stays. */
bool sim_core_replace(struct sim_core *c);
void sim_core_free(struct sim_core *c);
/* All cores there are: the i-th, or NULL. */
struct sim_core *sim_core_at(struct world *w, unsigned i);

/* Ends the world: drops what is on its way from one worker to another. */
void sim_handed_free(struct world *w);
void sim_sha256(const void *data, size_t len, uint8_t hash[32]);
void sim_sha1(const void *data, size_t len, uint8_t hash[20]);

/* The network (net.c): plugs paths and interface cards together. */
void net_init(struct world *w);
void net_free(struct world *w);
/* Takes the frame, which side sent. */
void net_send(struct world *w, unsigned side, struct frame *f);
/* An interface card takes what has arrived. */
void net_arrive(struct sim_nic *nic, struct frame *f);
/* A frame has left the boxes of a path towards side `to`; takes it. */
void net_past_boxes(struct world *w, unsigned path, unsigned to, struct frame *f);

/* The client's present address on a path, and whether a packet is from or to one that it has had before. */
struct braid_ip sim_client_now(const struct world *w, unsigned path);
/* The client gets another one. */
void sim_client_renew(struct world *w, unsigned path);
/* Gives an address of a side to its cores as an endpoint, or takes it away (endpoints.c). */
void sim_endpoint_add(struct world *w, unsigned side, unsigned n);
void sim_endpoint_remove(struct world *w, unsigned side, unsigned n);
/* How many established subflows its connection has. */
unsigned sim_established(const struct app *a);
/* ACT_EXPECT_SUBFLOWS, ACT_EXPECT_USED. */
void sim_expect_subflows(struct world *w, const struct action *a);
void sim_expect_used(struct world *w, const struct action *a);
/* The plan of the scenario (actions.c). */
void actions_plan(struct world *w);

#endif
