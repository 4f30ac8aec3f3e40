/* Congestion control as state. Private to src/tcp. */
#ifndef BRAID_TCP_CC_FREEZE_H
#define BRAID_TCP_CC_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct subflow;

/* The algorithm, by its name, and its state. */
void tcp_freeze_cc(const struct subflow *sf, struct freezer *f, unsigned tag);
void tcp_thaw_cc(struct subflow *sf, const struct thaw_item *i);
/* What can take the last recovery back; nothing if there is none. Read after tcp_thaw_cc. */
void tcp_freeze_undo(const struct subflow *sf, struct freezer *f, unsigned tag);
void tcp_thaw_undo(struct subflow *sf, const struct thaw_item *i);

#endif
