/* When something was last heard of the peer, and when to take the path for silent. */
#ifndef BRAID_TCP_SILENCE_H
#define BRAID_TCP_SILENCE_H

#include <braid/types.h>

struct tcp_activity {
    braid_time last_recv, last_send;
    braid_time progress_at; /* when the peer last acknowledged something new, or, since then, data left with
                             * nothing in flight before it */
};

#endif
