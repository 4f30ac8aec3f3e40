/* What one direction of a path is like: the parameters that the simulator and linkem share. A scenario file
 * fills them in (scenario.h), the model acts on them (model.h). */
#ifndef LAB_PARAMS_H
#define LAB_PARAMS_H

#include <braid/types.h>

#define LINK_CHANGES 32

/* Opportunities to send, as in mahimahi's trace files: at each time the link carries LINK_OPPORTUNITY bytes.
 * After the last one the trace begins again, so the last one's time is the length of the trace. */
#define LINK_OPPORTUNITY 1500
struct link_trace {
    uint32_t n;
    uint32_t *ms; /* n times in milliseconds, in order; the last one is above 0 */
};

/* The path changes, so long after the beginning. */
struct link_change {
    braid_time at;
    enum link_what { LINK_DOWN, LINK_UP, LINK_RATE, LINK_DELAY } what;
    uint64_t value; /* the new rate in bytes per second, or delay in microseconds */
};

/* Which MPTCP options a path turns into NOPs. */
enum link_strip { STRIP_NONE, STRIP_ALL, STRIP_SYN, STRIP_DATA /* all but SYN */, STRIP_JOIN };

struct link_params {
    uint64_t rate;                  /* bytes of IP packets per second; 0: infinite */
    const struct link_trace *trace; /* in place of the rate, NULL: none; borrowed */
    braid_time delay;               /* propagation */
    braid_time jitter; /* the delay varies by up to so much in both directions; keeps the order */
    uint64_t queue;    /* bytes that may wait for the wire, drop-tail; 0: no limit */
    bool codel;        /* RFC 8289 besides: */
    braid_time codel_target, codel_interval; /* 0: the RFC's 5 ms and 100 ms */
    double loss;                             /* of each packet */
    double burst_begin, burst_end; /* Gilbert: chance per packet to enter and to leave the bad state */
    double burst_loss;             /* loss in the bad state */
    double reorder;                /* chance of a packet to be late by up to reorder_by */
    braid_time reorder_by;
    double duplicate;
    double corrupt;                            /* chance of a flipped bit behind the addresses */
    struct link_change schedule[LINK_CHANGES]; /* in order of time */
    unsigned n_changes;
    braid_time repeat;      /* the schedule begins again after so long; 0: never */
    uint64_t policer_rate;  /* bytes per second that pass, beyond policer_burst bytes; 0: no policer */
    uint64_t policer_burst; /* ... of a bucket that is full at first */
    double join_loss;       /* of SYN and SYN/ACK with MP_JOIN, besides `loss` */
    unsigned shares;        /* 1 + the path whose queue and wire this one uses; 0: it has its own */
    /* What needs a look into the packet, and is the owner's to do. */
    uint32_t mtu;    /* 0: none */
    bool black_hole; /* too big packets vanish without an ICMP error */
    enum link_strip strip;
    /* What only the simulator does. */
    bool whole;       /* super-packets pass in one piece, else they are cut into segments */
    double resegment; /* chance of a segment to be cut again at a random place, by a middlebox */
};

/* Bytes per second of the wire at the beginning, of a trace in the mean; 0: infinite. */
uint64_t link_rate(const struct link_params *p);
/* Bytes per second that pass in the long run, the policer and a schedule that repeats considered; 0:
 * infinite, or those of the path that it shares. */
uint64_t link_mean_rate(const struct link_params *p);

/* Reads a trace file. Returns NULL with a text in error: "file:line: what is wrong". */
struct link_trace *link_trace_load(const char *file, char *error, size_t size);
void link_trace_free(struct link_trace *t);

#endif
