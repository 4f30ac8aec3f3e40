/* What a path does to packets because of what is in them; for the simulator's links and for linkem. */
#ifndef SIM_INSPECT_H
#define SIM_INSPECT_H

#include "frame.h"

/* Whether f is a whole TCP segment with a sound header: what the other functions, and those of segment.h, ask
 * for. Packets of a simulated core are; what a kernel sends may be anything. */
bool inspect_is_tcp(const struct frame *f);
/* A SYN or SYN/ACK with MP_JOIN. */
bool inspect_is_join(struct frame *f);
/* Turns MPTCP options into NOPs. */
void inspect_strip(struct frame *f, enum link_strip what);

#endif
