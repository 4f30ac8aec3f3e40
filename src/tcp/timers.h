/* What was tried in vain, and so how long to go on. */
#ifndef BRAID_TCP_TIMERS_H
#define BRAID_TCP_TIMERS_H

#include <braid/types.h>

struct subflow;

struct tcp_tries {
    braid_time keepalive_idle; /* before the first probe; 0: off */
    braid_time stuck_since;    /* first RTO without progress; valid if stuck_rtos > 0 */
    uint16_t stuck_rtos;       /* RTOs since snd.una advanced; a minute apart in the end */
    uint16_t probes;           /* zero-window probes since the window closed ... */
    uint16_t probes_unanswered;
    uint8_t keepalives;
    bool tlp_sampled; /* an RTT sample came since the last tail loss probe */
};

/* The subflow is new: nothing is due. */
void tcp_timers_init(struct subflow *sf);

#endif
