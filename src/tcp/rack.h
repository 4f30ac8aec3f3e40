/* RACK (RFC 8985): loss detection by time. */
#ifndef BRAID_TCP_RACK_H
#define BRAID_TCP_RACK_H

#include <braid/types.h>

struct ack_info;
struct subflow;
struct tcp_sent;

struct rack {
    braid_time xmit_ts;   /* of the most recently sent delivered segment */
    uint64_t end_seq;     /* its end, an offset */
    uint64_t dsack_round; /* offset: DSACK adaptation once per round */
    uint64_t fack;        /* highest offset delivered */
    int64_t rtt_us;       /* of the last one that was delivered, ambiguous ones left out */
    braid_time
        reorder_at; /* when the segments that are late, but not lost yet, will be; BRAID_NEVER: none are */
};
/* Before anything was delivered. */
#define RACK_NEW                                                                                             \
    {                                                                                                        \
        .xmit_ts = INT64_MIN, .reorder_at = BRAID_NEVER                                                      \
    }
/* What it knows of the path, which outlives what is in flight. */
struct reo_wnd {
    uint16_t mult;   /* of min_rtt / 4: RACK.reo_wnd_mult, 1 at first, one more for each round with a DSACK */
    uint8_t persist; /* recoveries left before the multiplier falls back */
    bool reordering_seen;
};

/* [.., end) of s was delivered for the first time. */
void rack_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t end, const struct ack_info *a);
/* A DSACK came (RFC 8985 section 6.2 step 4). */
void rack_on_dsack(struct subflow *sf);
/* A recovery has ended: it counts towards the end of a wider reordering window. */
void rack_on_recovered(struct subflow *sf);
/* Marks losses and sets reorder_at. Returns the bytes newly marked. */
uint64_t rack_detect_loss(struct subflow *sf, braid_time now);

#endif
