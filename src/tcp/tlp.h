/* Tail loss probes (RFC 8985 section 7). */
#ifndef BRAID_TCP_TLP_H
#define BRAID_TCP_TLP_H

#include <braid/types.h>

struct ack_info;
struct subflow;
struct tcp_sent;

/* May a tail loss probe be scheduled? */
bool tlp_allowed(const struct subflow *sf);
/* How long after the last transmission. */
braid_time tlp_timeout(const struct subflow *sf);
/* It is time for a probe. Returns what is to be retransmitted as one, or NULL. */
struct tcp_sent *tlp_choose(struct subflow *sf, braid_time now);
/* True if the probe repaired a loss: congestion control has to hear of it (section 7.4.2). */
bool tlp_process_ack(struct subflow *sf, const struct ack_info *a);

#endif
