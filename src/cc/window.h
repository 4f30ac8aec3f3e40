/* What the loss-based algorithms share: the bookkeeping of a congestion episode, and growing a window by
 * parts of a byte. */
#ifndef CC_WINDOW_H
#define CC_WINDOW_H

#include <braid/cc.h>

/* No window grows beyond this (1 TiB), so that sums of windows and their doubles stay exact. */
#define CC_CWND_MAX (UINT64_C(1) << 40)

/* An episode is from the detection of a loss to the end of its recovery: not to take one loss for several,
 * and to put the window back if the loss proves spurious. A byte, since each idle subflow has one. */
enum __attribute__((packed)) episode { EPISODE_OVER, EPISODE_LOSS, EPISODE_TIMEOUT };

/* What is put back: first in what these algorithms save (cc.saved). */
struct before_episode {
    uint64_t cwnd, ssthresh; /* as they were; cwnd 0: nothing to put back */
};

/* What they have in the tables of their state: of an episode, and of what is put back. `in`: where in the
 * struct it is, with a full stop, or empty. */
#define EPISODE_FIELD(tag, type, member) BRAID_NUMBER(tag, type, member, EPISODE_TIMEOUT)
#define BEFORE_FIELDS(type, in)          BRAID_NUMBER(1, type, in cwnd, CC_CWND_MAX), BRAID_ANY(2, type, in ssthresh)
extern const struct braid_field before_episode_state[];

/* For on_loss. Returns the window to reduce from. 0: the same data timed out again, ssthresh stays (RFC 5681
 * section 3.1). A timeout during fast recovery means a lost retransmission and reduces a second time
 * (section 4.3), but what can be put back remains the state before the first. */
uint64_t episode_begin(enum episode *e, const struct cc *cc, const struct cc_loss *loss);

/* For on_undo. Puts cwnd and ssthresh back, and the episode is over; false: there was nothing to put back. */
bool episode_undo(enum episode *e, struct cc *cc);

/* ssthresh = the larger of window * factor and two segments. */
void cc_set_ssthresh(struct cc *cc, uint64_t window, double factor);

/* Slow start towards ssthresh, RFC 5681 section 3.1. Returns the acknowledged bytes that it did not use. */
uint64_t cc_slow_start(struct cc *cc, uint64_t acked);

/* Adds bytes to cwnd and carries what is less than a byte in *fraction. */
void cc_grow(struct cc *cc, double bytes, double *fraction);

#endif
