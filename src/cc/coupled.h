/* What the coupled algorithms share: how they see the subflows of their connection, which of them count, and
 * with which window; and growing by it. */
#ifndef CC_COUPLED_H
#define CC_COUPLED_H

#include "cc/aimd.h"

/* The window with which a subflow counts for cc, in bytes (RFC 6356 section 3): in fast recovery what it will
 * be afterwards, after a timeout the small one that is left, and not more than the application makes use of.
 * 0: it does not count, being not established, idle, or without a round-trip time. The state of a sibling
 * under another algorithm is not known: it is taken to use its window while it has something in flight. */
double coupled_window(const struct cc *cc, const struct cc *sibling, braid_time now);

/* Of all subflows of the connection that count. Rates are window / RTT in bytes per microsecond. */
struct coupled_sum {
    unsigned n;
    double rate;      /* their sum */
    double best_rate; /* the largest of them */
    double best_gain; /* the largest window / RTT^2 */
    double own;       /* the window of the subflow that asks, in bytes; 0: it does not count itself */
};
struct coupled_sum coupled_sum(const struct cc *cc, braid_time now);

/* What an algorithm adds to cwnd in congestion avoidance, in segments per byte acknowledged; negative: it
 * takes away. reno: what Reno would add, one segment per window. */
typedef double coupled_gain(const struct cc *cc, const struct coupled_sum *sum, double reno, braid_time now);
/* For on_ack: aimd_on_ack, and then the change of the window that gain tells. */
void coupled_on_ack(struct cc *cc, const struct cc_ack *ack, coupled_gain *gain);

#endif
