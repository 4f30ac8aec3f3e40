/* MPTCP options of incoming segments. */
#ifndef BRAID_MPTCP_OPTIONS_IN_H
#define BRAID_MPTCP_OPTIONS_IN_H

#include "tcp/subflow.h"

/* As ops.segment and ops.reset (struct subflow_ops). */
enum subflow_verdict flow_segment(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                  braid_time now);
void flow_reset_in(struct subflow *sf, const struct wire_packet *p, braid_time now);

#endif
