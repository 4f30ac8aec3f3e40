/* What is in flight, as state. Private to src/tcp. */
#ifndef BRAID_TCP_FLIGHT_FREEZE_H
#define BRAID_TCP_FLIGHT_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct subflow;

/* Nothing if nothing is in flight. */
void tcp_freeze_flight(const struct subflow *sf, struct freezer *f, unsigned tag);
/* Read after the send sequence variables. */
void tcp_thaw_flight(struct subflow *sf, const struct thaw_item *i);

#endif
