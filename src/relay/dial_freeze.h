/* A dial under way, as state: its sockets are handed over as they are, most of them still connecting. */
#ifndef BRAID_RELAY_DIAL_FREEZE_H
#define BRAID_RELAY_DIAL_FREEZE_H

#include "relay/dial.h"
#include "relay/refs.h"

void dial_freeze(const struct dial *d, struct freezer *f, unsigned tag, struct refs_out *out);
/* params as of dial_resume. NULL, and noted as a flaw: something is wrong. */
struct dial *dial_thaw(const struct thaw_item *i, struct event_base *base, const struct dial_params *params,
                       struct refs *refs);

#endif
