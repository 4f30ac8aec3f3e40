/* What came out of order, as state. Private to src/tcp. */
#ifndef BRAID_TCP_DISORDER_FREEZE_H
#define BRAID_TCP_DISORDER_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct subflow;

/* Nothing if all is in order. */
void tcp_freeze_disorder(const struct subflow *sf, struct freezer *f, unsigned tag);
/* Read after the receive sequence variables. */
void tcp_thaw_disorder(struct subflow *sf, const struct thaw_item *i);

#endif
