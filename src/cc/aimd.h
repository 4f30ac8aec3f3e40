/* What Reno and the coupled algorithms have in common: slow start, and the reaction to loss, of RFC 5681.
 * They differ in how they grow in congestion avoidance. */
#ifndef CC_AIMD_H
#define CC_AIMD_H

#include "cc/window.h"

/* First in the private state of each of these algorithms, so that the functions below find it there. */
struct aimd {
    double fraction; /* of a byte, to be added to cwnd */
    braid_time last_ack;
    enum episode episode;
    bool uses_window; /* at the last ACK, data was waiting for cwnd */
};

/* Its part of the tables of their state; `in`: where in the struct it is. */
#define AIMD_FIELDS(type, in)                                                                                \
    BRAID_REAL(1, type, in fraction, 1), BRAID_TIME(2, type, in last_ack),                                   \
        EPISODE_FIELD(3, type, in episode), BRAID_BOOL(4, type, in uses_window)
/* The table of those that have no other private state. */
extern const struct braid_field aimd_state[];

/* cc's private state. */
struct aimd *aimd(struct cc *cc);

/* For the tables of algorithms that have no other private state. */
void aimd_init(struct cc *cc, braid_time now);

/* For on_ack: the bookkeeping alone. */
void aimd_note_ack(struct cc *cc, const struct cc_ack *ack);
/* For on_ack: that, and slow start of RFC 5681. Returns the acknowledged bytes (at most cwnd) with which to
 * grow in congestion avoidance, 0: not now. */
uint64_t aimd_on_ack(struct cc *cc, const struct cc_ack *ack);

/* Adds bytes to cwnd in congestion avoidance. Where they are negative cwnd stays at two segments or more, and
 * ssthresh follows it down, or slow start would follow. */
void aimd_change(struct cc *cc, double bytes);

/* For the tables of the algorithms. aimd_on_loss halves. */
void aimd_on_loss(struct cc *cc, const struct cc_loss *loss);
void aimd_on_undo(struct cc *cc, braid_time now);
void aimd_on_recovered(struct cc *cc, braid_time now);
/* Halves the window without taking it for a loss: the path has shown no sign of congestion. */
void aimd_on_penalty(struct cc *cc, braid_time now);

#endif
