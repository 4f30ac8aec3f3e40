/* One direction of a simulated path: the lab's model of it, and what needs a look into the packets. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "../lab/model.h"
#include "frame.h"
#include "rng.h"
#include "vtime.h"

struct link {
    struct model model; /* time in nanoseconds, 1,000 times that of vtime */
    uint64_t too_big;   /* packets */
    struct vtime *time;
    braid_time wake_at; /* when an event for the model is planned; BRAID_NEVER: none */
    void *ctx;
    /* Takes the frame. */
    void (*deliver)(void *ctx, struct frame *f);
    /* An ICMP error for the sender; takes the frame. */
    void (*refuse)(void *ctx, struct frame *icmp);
};

void link_init(struct link *l, const struct link_params *p, struct vtime *time, struct rng rng);
/* Frees what is on its way. */
void link_free(struct link *l);
/* Takes the frame. */
void link_send(struct link *l, struct frame *f);

#endif
