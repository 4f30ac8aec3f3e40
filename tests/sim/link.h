/* One direction of a simulated path: a queue with a rate, then a wire with a delay, and the things that go
 * wrong. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "../lab/params.h"
#include "frame.h"
#include "rng.h"
#include "vtime.h"

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
