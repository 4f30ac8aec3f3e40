/* One direction of a simulated path: a queue with a rate, then a wire with a delay, and the things that go
 * wrong. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "frame.h"
#include "rng.h"
#include "vtime.h"

struct link_params {
    uint64_t rate;                 /* bytes of IP packets per second; 0: infinite */
    braid_time delay;              /* propagation */
    uint64_t queue;                /* bytes that may wait for the wire, drop-tail; 0: no limit */
    double loss;                   /* of each packet */
    double burst_begin, burst_end; /* Gilbert: chance per packet to enter and to leave the bad state */
    double burst_loss;             /* loss in the bad state */
    double reorder;                /* chance of a packet to be late by up to reorder_by */
    braid_time reorder_by;
    double duplicate;
    double corrupt;   /* chance of a flipped bit behind the addresses */
    uint32_t mtu;     /* 0: none */
    bool black_hole;  /* too big packets vanish without an ICMP error */
    bool whole;       /* super-packets pass in one piece, else they are cut into segments */
    double resegment; /* chance of a segment to be cut again at a random place, by a middlebox */
};

struct link_count {
    uint64_t sent, delivered, lost, overflowed, too_big; /* packets */
    uint64_t bytes;                                      /* delivered */
};

struct link {
    struct link_params p;
    struct link_count count;
    struct vtime *time;
    struct rng rng;
    bool down; /* drops what enters and what arrives */
    bool bad;  /* Gilbert state */
    braid_time last_sent;
    int64_t busy_until;  /* nanoseconds: when the wire has sent all that waits */
    struct frame flying; /* ring head */
    void *ctx;
    /* Takes the frame. */
    void (*deliver)(void *ctx, struct frame *f);
    /* An ICMP error for the sender; takes the frame. */
    void (*refuse)(void *ctx, struct frame *icmp);
};

void link_init(struct link *l, const struct link_params *p, struct vtime *time, struct rng rng);
/* Frees what is flying. */
void link_free(struct link *l);
/* Takes the frame. */
void link_send(struct link *l, struct frame *f);

#endif
