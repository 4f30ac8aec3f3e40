/* Pacing of a subflow: the rate that its window comes to, and the timer that waits for the next burst. An
 * initial window may leave ahead of the schedule, at the beginning, after idleness, and when the ACKs of a
 * round begin to come: any path takes that (RFC 6928), others do not pace it either, and spread over half a
 * round trip short answers would be complete so much later. */
#ifndef BRAID_TCP_PACING_H
#define BRAID_TCP_PACING_H

#include <braid/types.h>

struct subflow;

/* After cwnd, or the round trip, has changed. */
void tcp_update_pacing(struct subflow *sf);
/* True if a burst may leave; otherwise the pacing timer runs. */
bool tcp_pacing_admits(struct subflow *sf, braid_time now);
/* Books a burst that left. */
void tcp_pacing_sent(struct subflow *sf, uint64_t bytes, braid_time now);

#endif
