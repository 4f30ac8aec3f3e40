/* How much new data may leave: the least of what several bounds admit. */
#ifndef BRAID_TCP_SPACE_H
#define BRAID_TCP_SPACE_H

#include <braid/types.h>

struct subflow;

/* The owner has sent what it had, or wanted to: was it that which limits the rate? */
void tcp_note_app_limited(struct subflow *sf, braid_time now);

#endif
