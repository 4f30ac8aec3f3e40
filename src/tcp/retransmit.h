/* What was lost leaves again. */
#ifndef BRAID_TCP_RETRANSMIT_H
#define BRAID_TCP_RETRANSMIT_H

#include <braid/types.h>

struct subflow;
struct tcp_sent;

/* The run leaves again, bookkeeping included. */
void tcp_retransmit(struct subflow *sf, struct tcp_sent *s, braid_time now);
/* As much of what is marked lost as may leave now. */
void tcp_retransmit_lost(struct subflow *sf, braid_time now);

#endif
