/* What a path did to the segments of all its subflows together, those that have ended included. */
#ifndef BRAID_TCP_BOOKS_H
#define BRAID_TCP_BOOKS_H

#include <braid/stats.h>

struct tcp_books {
    uint64_t sent;  /* segments with payload, each once ... */
    uint64_t again; /* ... and segments that had to be sent again, SYNs too */
    struct braid_rtt_histogram rtt;
};

/* One sample of the round trip, in microseconds; clamped as rtt_sample does. */
void books_take_rtt(struct tcp_books *b, int64_t rtt_us);

#endif
