/* Which acknowledgements the peer is owed, and when. */
#ifndef BRAID_TCP_ACK_DUE_H
#define BRAID_TCP_ACK_DUE_H

#include <braid/types.h>

struct tcp_ack_due {
    uint64_t last;       /* RCV.NXT of the last ACK that we sent */
    uint32_t bytes;      /* received since then */
    uint32_t quick;      /* segments still to be acknowledged at once after start or idleness */
    braid_time stray_at; /* when an unacceptable empty segment was last answered */
    bool now, delayed;
    bool forced;  /* subflow_ack_soon: data segments do not count as this ACK */
    bool patient; /* set by the owner: short requests are mostly answered soon */
};

#endif
