/* Data that stands still. */
#ifndef BRAID_MPTCP_STALL_H
#define BRAID_MPTCP_STALL_H

#include <braid/types.h>

/* Where one direction of the data stands. */
struct standstill {
    uint64_t at;      /* the next byte that has to move */
    braid_time since; /* BRAID_NEVER: nothing has to */
};

struct conn_stall {
    struct standstill sending; /* what the peer has to DATA_ACK */
    struct standstill reading; /* what the user has to read */
};

#endif
