/* One measured transfer between two cores over simulated paths, in virtual time. The simulator's network,
 * driver and clock do the work; here are the application that is measured and the meters. */
#ifndef STUDY_STUDY_H
#define STUDY_STUDY_H

#include "../sim/world.h"

#define STUDY_NOBODY        SIM_PATHS /* no path */
#define STUDY_FLOWING       (64 * 1024)
#define STUDY_MESSAGE_EVERY (20 * BRAID_MS)
#define STUDY_SETTLE        (5 * BRAID_SECOND) /* messages before that time do not count */
#define STUDY_AFTERMATH     (2 * BRAID_SECOND) /* a stall that begins so soon is one of the outage */

/* What is measured. The client (side SIM_CLIENT) connects over one path and joins the others. */
struct cell {
    unsigned n_paths;
    struct link_params up[SIM_PATHS], down[SIM_PATHS]; /* from the client, and to it */
    const struct sched_ops *sched;                     /* of both ends */
    const struct cc_ops *cc;
    unsigned from; /* the side that sends */
    uint64_t seed;
    unsigned first;   /* the path that the client connects over, if it uses all */
    unsigned alone;   /* the only path that is used; STUDY_NOBODY: all */
    uint64_t bytes;   /* that are sent; UINT64_MAX: as many as go in the span */
    braid_time span;  /* ends the measurement; 0: when all bytes have arrived */
    braid_time limit; /* gives up; since the beginning */
    bool messages;    /* small ones at regular intervals, instead of bulk */
    /* Another connection's scheduler, which carries as much as goes the same way over the same paths
     * meanwhile; NULL: there is no such connection. */
    const struct sched_ops *beside;
    bool page;       /* the client gets the objects of a page over several connections, instead of bulk */
    unsigned silent; /* a path that drops everything between these times; STUDY_NOBODY: none does */
    braid_time silent_from, silent_until; /* since the beginning */
    braid_time step;                      /* of the curve of delivery; 0: no curve */
};

/* The path that the client connects over. */
static inline unsigned study_first(const struct cell *c)
{
    return c->alone == STUDY_NOBODY ? c->first : c->alone;
}

/* A message on its way: its last byte is at end - 1. */
struct message {
    uint64_t end;
    braid_time written;
};

/* One end of a connection. */
struct end {
    struct study *study;
    struct braid_conn *conn;
    bool established, shut, closed;
    uint64_t produced, written, read;
    /* of the client's: the service that it has connected to, and the paths that are in use */
    unsigned service;
    bool joined[SIM_PATHS];
};

/* A point of the curve: payload that arrived over each path, and bytes that the reader has, in order. */
struct point {
    uint64_t path[SIM_PATHS], read;
};

struct meters {
    braid_time first, last; /* when the reader got its first and its last bytes; 0: never */
    braid_time stall;       /* longest time between two reads; with an outage, from its beginning on */
    braid_time carried;     /* first payload over the silent path after its return; 0: none */
    braid_time flowing;     /* ... and when it had carried STUDY_FLOWING bytes since */
    uint64_t carried_bytes;
    int64_t srtt[SIM_PATHS];  /* of the sender when the outage began, or at the end; 0: no subflow */
    uint64_t sent;            /* payload bytes that the sender put on the wire, of all subflows */
    uint64_t path[SIM_PATHS]; /* payload bytes that arrived over each path */
    uint64_t reorder_peak;    /* bytes the receiver held behind a gap of the data sequence */
    size_t memory_peak[SIM_SIDES];
    uint32_t mss;
    braid_time *delays; /* of the messages that arrived, in order of writing */
    size_t n_delays;
    struct point *curve;
    size_t n_curve;
};

struct study {
    struct world w; /* first: a world in hooks is a study */
    const struct cell *cell;
    braid_time begin;
    struct end ends[SIM_SIDES]; /* what is measured; of a page, its first connection */
    struct end beside[SIM_SIDES];
    struct page *page;
    struct message *messages; /* those not delivered are [delivered, n_messages) */
    size_t n_messages, delivered;
    struct rng rng;
    uint16_t next_port;
    braid_time sampled;
    bool complete; /* all bytes arrived, or the span is over */
    struct meters m;
};

/* Measures one cell. NULL: complete; else why the simulation failed, valid until the next call. A transfer
 * that does not end within its limit is no failure: s->complete is false. Free with study_free. */
const char *study_run(struct study *s, const struct cell *cell);
void study_free(struct study *s);

/* ---- connect.c ---- */
/* Services of the server: a port each, that of its number above SIM_PORT. */
enum { STUDY_MEASURED, STUDY_BESIDE };
void study_listen(struct study *s, unsigned service, const struct sched_ops *sched,
                  const struct braid_conn_ops *ops);
/* The client's end connects to the service, over the first path. It is the user of the callbacks. */
void study_connect(struct end *e, unsigned service, const struct sched_ops *sched,
                   const struct braid_conn_ops *ops);
/* The server's end takes an incoming connection; none if it has one. */
void study_accept(struct end *e, struct braid_conn *c);
/* The connection is established: it has to be MPTCP, and the client's end opens the subflows that are missing
 * as soon as they can be opened. */
void study_established(struct end *e, struct braid_conn *c);
/* The connection has ended, which is a failure. */
void study_closed(struct end *e, enum braid_close why);
/* Writes what has been produced, as far as there is room. */
void study_write(struct end *e);
/* The same as callbacks of a connection whose user is its end, or NULL. */
void study_on_writable(struct braid_conn *c, void *user);
void study_on_closed(struct braid_conn *c, void *user, enum braid_close why);

/* ---- app.c ---- */
extern const struct braid_conn_ops study_ops;

/* ---- beside.c ---- */
/* Opens the other connection, which begins to send at once. */
void beside_begin(struct study *s);

/* ---- page.c ---- */
/* Payload of all objects of the page that this seed makes. */
uint64_t page_bytes(uint64_t seed);
void page_begin(struct study *s);
void page_free(struct study *s);

/* ---- meter.c ---- */
void meters_init(struct study *s);
void meters_free(struct study *s);
/* The reader has taken more bytes. */
void meter_read(struct study *s);
/* A message arrives, or is found missing at the end. */
void meter_message(struct study *s, const struct message *message);
/* Between two events: peaks and points of the curve. */
void meter_sample(struct study *s);
/* Takes down what the sender thinks of its subflows now. */
void meter_subflows(struct study *s);

/* ---- print.c ---- */
/* The result as one line of JSON. cdf: with quantiles of the delays. */
void study_print(struct study *s, bool cdf);

#endif
