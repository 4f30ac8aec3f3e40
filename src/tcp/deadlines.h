/* The deadlines of a subflow: one wheel timer for the earliest. */
#ifndef BRAID_TCP_DEADLINES_H
#define BRAID_TCP_DEADLINES_H

#include <braid/types.h>
#include "base/wheel.h"

struct subflow;

/* Exclusive uses of the retransmission timer (RFC 8985 section 8). */
enum tcp_rexmit_timer { REXMIT_OFF, REXMIT_RTO, REXMIT_TLP, REXMIT_REORDER, REXMIT_PERSIST };

/* BRAID_NEVER: nothing is due. */
struct tcp_deadlines {
    struct timer timer;
    braid_time rexmit, delack, keepalive, pace;
    braid_time rto_base; /* the RTO counts from here */
};

/* Recomputes what the retransmission timer is used for, then arms the wheel for the earliest deadline. */
void tcp_deadlines_update(struct subflow *sf);
/* The first half of that: the retransmission timer. */
void tcp_rexmit_choose(struct subflow *sf);
/* The second half: the wheel. */
void tcp_deadlines_arm(struct subflow *sf);
/* Nothing is due any more. */
void tcp_deadlines_stop(struct subflow *sf);

#endif
