/* What a subflow tells its connection. */
#ifndef BRAID_MPTCP_FLOW_EVENTS_H
#define BRAID_MPTCP_FLOW_EVENTS_H

#include "tcp/subflow.h"

/* Of every subflow of MPTCP and of plain TCP (flow_new). */
extern const struct subflow_ops flow_ops;

#endif
