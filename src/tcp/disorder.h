/* What a subflow keeps while something came out of order or twice: the queue, and the SACK blocks that report
 * it. Made when that happens, gone when it is over and reported; in between every subflow points to one that
 * is empty and cannot be written to. */
#ifndef BRAID_TCP_DISORDER_H
#define BRAID_TCP_DISORDER_H

#include "base/list.h"
#include "base/ranges.h"
#include "wire/tcp.h"

struct subflow;

struct tcp_disorder {
    struct list pieces; /* tcp_piece (ooo.h), by offset */
    uint32_t bytes, n;
    unsigned n_sacks;
    struct range sacks[TCP_SACK_MAX]; /* blocks to report, the most recent first */
    struct range dsack;               /* to report next; empty: start == end */
};

/* The subflow is new: all is in order. */
void tcp_disorder_init(struct subflow *sf);
/* Is there one that can be written to? */
bool tcp_disorder_is_made(const struct subflow *sf);
/* Makes one that can be written to, if there is none yet. False: memory is short. */
bool tcp_disorder_reserve(struct subflow *sf);
/* End of a batch, or of the subflow: gives it back if there is nothing in it. */
void tcp_disorder_rest(struct subflow *sf);

#endif
