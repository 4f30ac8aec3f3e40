/* Recovery from losses, and what can take it back. */
#ifndef BRAID_TCP_RECOVERY_H
#define BRAID_TCP_RECOVERY_H

#include <braid/types.h>
#include "tcp/prr.h"

struct tcp_recovery {
    struct prr prr;
    uint64_t point;  /* snd.nxt when recovery began */
    uint64_t budget; /* bytes that may leave in fast recovery */
    bool by_rto;
    bool undo_armed;      /* something was retransmitted since undo_marker was set ... */
    uint32_t undo_tsval;  /* ... at first with this TSval (Eifel, RFC 3522) */
    uint64_t undo_marker; /* snd.una when recovery began; 0: nothing to undo */
    int64_t undo_retrans; /* retransmitted bytes not yet reported by DSACK */
    uint32_t dupacks;     /* only without SACK */
};

#endif
