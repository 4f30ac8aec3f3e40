/* RACK (RFC 8985): loss detection by time. */
#ifndef BRAID_TCP_RACK_H
#define BRAID_TCP_RACK_H

#include <braid/types.h>

struct rack {
    braid_time xmit_ts; /* of the most recently sent delivered segment */
    uint64_t end_seq;
    int64_t rtt_us;
    uint32_t reo_wnd_mult;
    int32_t reo_wnd_persist; /* recoveries left before the multiplier falls back */
    bool reordering_seen;
    uint64_t dsack_round; /* offset: DSACK adaptation once per round */
    uint64_t fack;        /* highest offset delivered */
};

#endif
