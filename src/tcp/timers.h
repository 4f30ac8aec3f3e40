/* What was tried in vain, and so how long to go on. */
#ifndef BRAID_TCP_TIMERS_H
#define BRAID_TCP_TIMERS_H

#include <braid/types.h>

struct subflow;

struct tcp_tries {
    braid_time stuck_since; /* first RTO without progress; valid if stuck_rtos > 0 */
    unsigned stuck_rtos;    /* RTOs since snd.una advanced */
    unsigned probes;
    unsigned probes_unanswered; /* zero-window probes */
    unsigned keepalives;
    braid_time keepalive_idle; /* before the first probe; 0: off */
};

void tcp_timers_init(struct subflow *sf);

#endif
