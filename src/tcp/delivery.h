/* Delivery rate estimation, draft-cheng-iccrg-delivery-rate-estimation: how fast the network delivered what
 * was sent between two moments. Each run of sent data carries a mark of the state at its transmission; an
 * ACK compares the mark of the most recently sent run that it delivers with the present. Counts are payload
 * bytes. A super-packet has one mark, and the sample is right all the same: what counts is only how much was
 * delivered between the two ACKs that the mark and the sample stand for. */
#ifndef TCP_DELIVERY_H
#define TCP_DELIVERY_H

#include <stdbool.h>

#include <braid/types.h>

/* Of a subflow, as long as it lives. */
struct delivery {
    uint64_t delivered;     /* ever; never counts a byte twice */
    uint64_t limited_until; /* while that is below, the application (not the path) was the limit; 0: no */
};

/* Of a subflow, while something is in flight. */
struct delivery_pace {
    braid_time delivered_at; /* when `delivered` last grew, or data was sent with nothing in flight before */
    braid_time first_sent;   /* when the data left that was delivered last: the send interval begins here */
};

/* At the transmission of a run. */
struct delivery_mark {
    uint64_t delivered;
    braid_time delivered_at;
    uint32_t send_us; /* from first_sent to the transmission: the rate of sending bounds that of delivery */
    bool app_limited;
};

/* What one ACK tells. Begins as {.sent_at = DELIVERY_NOTHING}. */
struct delivery_sample {
    braid_time sent_at; /* of the most recently sent run that it delivered ... */
    uint64_t end;       /* ... and that run's end: runs may leave in the same microsecond */
    struct delivery_mark mark;
};
#define DELIVERY_NOTHING INT64_MIN

/* The result: bytes delivered over interval_us; interval_us 0: nothing can be said. */
struct delivery_result {
    uint64_t delivered, prior_delivered; /* prior: the total at transmission */
    int64_t interval_us;
    bool app_limited;
};

/* A run is sent, or sent again; idle: nothing is in flight, and what p holds does not matter. */
void delivery_on_sent(const struct delivery *r, struct delivery_pace *p, struct delivery_mark *m, bool idle,
                      braid_time now);
/* `bytes` that end at offset `end` and left at sent_at with mark m were delivered for the first time. */
void delivery_on_arrival(struct delivery *r, struct delivery_pace *p, struct delivery_sample *s,
                         const struct delivery_mark *m, braid_time sent_at, uint64_t end, uint64_t bytes,
                         braid_time now);
/* After all that an ACK delivers was told. An interval below min_rtt_us is no sample: an acknowledgement
 * cannot be faster, so the data was a spurious retransmission. */
struct delivery_result delivery_finish(struct delivery *r, const struct delivery_sample *s,
                                       int64_t min_rtt_us, braid_time now);
/* There was room to send and nothing to be sent: what is sent until all that is now in flight was delivered
 * does not measure the path. */
void delivery_app_limited(struct delivery *r, uint64_t in_flight);

#endif
