/* The interface of a packet scheduler: which subflow carries the next bytes of a connection. src/mptcp calls
 * it; a scheduler is a const table of functions in one file of src/sched, and includes nothing but
 * include/braid. */
#ifndef BRAID_SCHED_H
#define BRAID_SCHED_H

#include <braid/field.h>
#include <braid/types.h>

#define SCHED_MAX_PATHS 16

/* One subflow as a scheduler sees it. */
struct sched_path {
    uint32_t id;    /* the subflow's number, stable and never reused within the connection */
    bool backup;    /* either side asked to use it only when no other is usable */
    bool usable;    /* established, not closing, and not silent */
    uint32_t mss;   /* bytes of payload in a full segment */
    uint64_t space; /* bytes it would take now: the least of cwnd, the peer's window and pacing; 0: none */
    uint64_t cwnd;  /* bytes */
    uint64_t in_flight;   /* bytes */
    uint64_t bytes_sent;  /* payload bytes since it was established */
    uint64_t retransmits; /* segments since then */
    int64_t srtt_us;      /* 0: unknown */
    int64_t rttvar_us;
    int64_t min_rtt_us; /* least sample of late; 0: unknown */
    /* Round trip behind what connections of the same core have in flight between the same addresses, as who
     * has much there has seen of late; 0: nobody has, or the scheduler does not look around. */
    int64_t busy_rtt_us;
    uint64_t pacing_rate; /* bytes per second, 0: not paced */
    bool slow_start;      /* cwnd is below ssthresh: it has not found its limit yet */
    uint64_t *mark;       /* a number of the scheduler's own, kept with the subflow; 0 at first */
    /* What the operator says of the path (struct braid_path_rule). */
    uint32_t cost;   /* 0: the cheapest, the default */
    uint32_t weight; /* share of the bytes that it should carry, relative to the others; 1: the default */
    bool over_quota; /* it has carried all the bytes that it may: counts as a backup */
};

struct sched_view {
    braid_time now;
    const struct sched_path *paths;
    unsigned n_paths;
    uint64_t unsent;      /* bytes waiting in the connection's send buffer */
    uint64_t data_window; /* bytes that the connection-level window still admits */
    uint64_t send_window; /* bytes that may be in flight in all: the least of the connection-level window and
                           * the send buffer, both counted from the first byte without a DATA_ACK */
    uint32_t blocks;      /* how often the send window was full while more was waiting; wraps */
    /* Bit i set: paths[i] carried these bytes already (reinjection), or had its turn (duplicate); else 0. */
    uint64_t tried;
};

/* A connection's scheduler state. */
struct sched {
    const struct sched_ops *ops;
    uint64_t *priv; /* the scheduler's own state, of sched_ops.priv_size; NULL if that is 0 */
};

/* "To wait" below means that nothing is sent until something happens: an ACK, a timeout, new data, a path
 * that comes or goes. A scheduler must not wait for what may never happen. */
struct sched_ops {
    const char *name;
    const char *about;  /* one line for whoever chooses */
    bool duplicate;     /* every byte goes over every path: pick gives them their turns, `tried` had theirs */
    bool opportunistic; /* what waits for a slow path may be repeated on a faster one that has nothing else to
                         * do, and the slow one be slowed down */
    bool impatient;     /* of messages, what is late on a path is repeated on another one */
    bool looks_around;  /* is told of other connections' traffic (sched_path.busy_rtt_us) */
    size_t priv_size;   /* bytes of private state: allocated by src/mptcp, zeroed, before init; freed by it in
                           the end */
    /* What private state consists of, for a core that is handed over (braid/field.h). NULL: the scheduler
     * begins afresh then. */
    const struct braid_field *state;
    /* Sets private state. May be NULL. */
    void (*init)(struct sched *s);
    /* Returns the index in v->paths of the subflow for the next segment, or -1 to wait: it is called again
     * when anything in the view changed. The answer must have space > 0 and be usable. Backup paths only when
     * no path without backup is usable (RFC 8684 section 3.3.8). */
    int (*pick)(struct sched *s, const struct sched_view *v);
    /* Bytes were put on paths[i] of the view. May be NULL. */
    void (*sent)(struct sched *s, const struct sched_view *v, int i, uint64_t bytes);
};

/* All schedulers of this build, NULL-terminated (src/plugins.c). */
extern const struct sched_ops *const sched_algorithms[];

#endif
