/* Pacing of a subflow: the rate that its window comes to, and the timer that waits for the next burst. */
#ifndef BRAID_TCP_PACING_H
#define BRAID_TCP_PACING_H

#include <braid/types.h>

struct subflow;

/* After cwnd, or the round trip, has changed. */
void tcp_update_pacing(struct subflow *sf);
/* True if a burst may leave; otherwise the pacing timer runs. */
bool tcp_pacing_admits(struct subflow *sf, braid_time now);

#endif
