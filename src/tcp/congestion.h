/* What congestion control lets go, and whether it was made use of. */
#ifndef BRAID_TCP_CONGESTION_H
#define BRAID_TCP_CONGESTION_H

#include <braid/types.h>

struct cwnd_use {
    uint64_t round_end; /* offset that ends the current RTT round */
    bool limited;       /* in this round; and was it in the last one? */
    bool limited_before;
    bool idle_handled; /* the window was restarted since the last transmission */
};

#endif
