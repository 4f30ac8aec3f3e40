/* What a core knows besides its connections, as state. Private to src/core. */
#ifndef BRAID_CORE_CORE_FREEZE_H
#define BRAID_CORE_CORE_FREEZE_H

#include <braid/handover.h>
#include "base/freeze.h"
#include "base/thaw.h"
#include "core/inside.h"

void core_freeze(const struct braid_core *core, struct freezer *f, unsigned tag);
/* The same without keys, and without what it knows of other connections: for one that goes on by itself. */
void core_freeze_alone(const struct braid_core *core, struct freezer *f, unsigned tag);
/* Into a core that has no connections. */
void core_thaw(struct braid_core *core, const struct thaw_item *i);
/* An entry of the TIME_WAIT table. */
void core_freeze_past(const struct timewait_entry *e, struct freezer *f, unsigned tag);
void core_thaw_past(struct braid_core *core, const struct thaw_item *i);
/* Its ends, if that is all that is to be known. */
void core_peek_past(const struct thaw_item *i, struct braid_addr *local, struct braid_addr *remote);
/* A connection, with the core in that form, complete as braid_core_freeze writes it. -1: memory is short. */
int core_freeze_conn(const struct braid_conn *c, bool payload, uint8_t **out, size_t *len);
/* As braid_thaw_conn, which is for one that is owned. Else its user may still hear of its beginning, or has
 * heard of its end. */
struct braid_conn *core_thaw_conn(struct braid_thaw *t, struct braid_core *core,
                                  const struct braid_conn_ops *ops, void *user, const char *listener,
                                  bool owned);
/* Incomplete packets; nothing if there are none. */
void core_freeze_fragments(const struct reassembly *r, struct freezer *f, unsigned tag);
void core_thaw_fragments(struct reassembly *r, const struct thaw_item *i);

#endif
