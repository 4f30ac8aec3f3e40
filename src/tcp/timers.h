/* What was tried in vain, and so how long to go on. */
#ifndef BRAID_TCP_TIMERS_H
#define BRAID_TCP_TIMERS_H

#include "tcp/deadlines.h"

struct subflow;

struct tcp_tries {
    uint16_t stuck_rtos; /* RTOs since snd.una advanced; a minute apart in the end */
    uint16_t probes;     /* zero-window probes since the window closed ... */
    uint16_t probes_unanswered;
    uint8_t keepalives;
    enum tcp_rexmit_timer kind : 8; /* what due.rexmit is for */
    bool tlp_sampled : 1;           /* an RTT sample came since the last tail loss probe */
    bool probed : 1;                /* with data in flight, and nothing new was acknowledged since */
    bool sent_once : 1;             /* what the peer acknowledged last had been sent once only */
};

/* Keepalive (RFC 9293 section 3.8.4), as the owner wants it. */
struct tcp_keepalive {
    braid_time idle; /* before the first probe; 0: none is sent */
    braid_time step; /* before the next one; 0: as long as the idle time, but 75 s at most */
    unsigned most;   /* probes without an answer, after which the subflow is given up; 0: nine */
};

/* The subflow is new: nothing is due. */
void tcp_timers_init(struct subflow *sf);

#endif
