/* What came out of order, and the SACK blocks that report it. */
#ifndef BRAID_TCP_OOO_H
#define BRAID_TCP_OOO_H

#include <braid/types.h>
#include "base/list.h"
#include "base/ranges.h"
#include "wire/tcp.h"

struct tcp_ooo {
    struct list pieces; /* by offset; private to recv.c */
    uint32_t bytes, n;
    unsigned n_sacks;
    struct range sacks[TCP_SACK_MAX]; /* blocks to report, the most recent first */
    struct range dsack;               /* to report next; empty: start == end */
};

#endif
