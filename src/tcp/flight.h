/* What a subflow keeps while something that it sent is not acknowledged: the scoreboard, what loss detection
 * and recovery know of it, a probe of the MTU. An idle subflow needs none of it, so it is made when something
 * is to be sent and goes when all has arrived, but for the cases in tcp_flight_rest. In between,
 * every subflow points to one that is empty and cannot be written to: whoever only reads need not ask. */
#ifndef BRAID_TCP_FLIGHT_H
#define BRAID_TCP_FLIGHT_H

#include "tcp/delivery.h"
#include "tcp/mtu_search.h"
#include "tcp/rack.h"
#include "tcp/recovery.h"
#include "tcp/sent.h"

struct tcp_flight {
    struct scoreboard board;
    struct list maps; /* tcp_map, by offset */
    struct rack rack;
    struct tcp_recovery recovery;
    uint64_t tlp_end; /* 0: no tail loss probe outstanding */
    struct mtu_probe mtu;
    struct delivery_pace pace;
    braid_time stuck_since; /* first RTO without progress; valid if tries.stuck_rtos > 0 */
};

/* The subflow is new: nothing is in flight. */
void tcp_flight_init(struct subflow *sf);
/* Is there one that can be written to? */
bool tcp_flight_is_made(const struct subflow *sf);
/* Makes one that can be written to, with memory for one more run: sent_add will succeed. False: memory is
 * short. */
bool tcp_flight_reserve(struct subflow *sf);
/* End of a batch: gives back what nobody needs while nothing is in flight. */
void tcp_flight_rest(struct subflow *sf);
/* The subflow ends: forgets it, and what was allocated ahead for it. Its runs and maps are gone. */
void tcp_flight_free(struct subflow *sf);

#endif
