/* MPTCP options of outgoing segments. */
#ifndef BRAID_MPTCP_OPTIONS_OUT_H
#define BRAID_MPTCP_OPTIONS_OUT_H

#include "tcp/subflow.h"

/* As ops.options_out (struct subflow_ops). */
void flow_options_out(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                      unsigned space, struct wire_tcp *t);

#endif
