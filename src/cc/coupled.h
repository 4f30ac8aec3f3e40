/* How a coupled algorithm sees the subflows of its connection: which of them count, and with which window. */
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
};
struct coupled_sum coupled_sum(const struct cc *cc, braid_time now);

#endif
