/* Timestamps (RFC 7323): what the peer's said last, and where ours begin. */
#ifndef BRAID_TCP_TIMESTAMPS_H
#define BRAID_TCP_TIMESTAMPS_H

#include <braid/types.h>

struct tcp_timestamps {
    uint32_t recent;
    uint32_t offset; /* random; our TSval = now in ms + this */
    braid_time recent_at;
};

#endif
