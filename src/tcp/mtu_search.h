/* The search for the path MTU. */
#ifndef BRAID_TCP_MTU_SEARCH_H
#define BRAID_TCP_MTU_SEARCH_H

#include <braid/types.h>

struct mtu_search {
    uint64_t probe;      /* offset of the probe in flight; 0: none */
    uint64_t head;       /* the first segment that was retransmitted lately ... */
    uint8_t lost;        /* ... and how often */
    uint8_t failures;    /* probes of the same size lost in a row */
    bool silent;         /* big packets vanished, and no router said why */
    bool first;          /* of the sizes that may pass the largest is to be tried first */
    uint16_t size;       /* of the probe in flight */
    uint16_t high;       /* no larger packet passes */
    braid_time raise_at; /* when to begin a search again; BRAID_NEVER: one is under way */
};

#endif
