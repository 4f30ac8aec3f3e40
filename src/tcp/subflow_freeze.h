/* The state of a subflow, written down and read back (docs/handover.md). */
#ifndef BRAID_TCP_SUBFLOW_FREEZE_H
#define BRAID_TCP_SUBFLOW_FREEZE_H

#include "base/buf_table.h"

struct subflow;

/* As a group. Changes nothing. */
void subflow_freeze(const struct subflow *sf, struct freezer *f, unsigned tag);
/* Makes a subflow that is all zeros but for env, account, local, remote and size.reserve fit for
 * subflow_thaw, and for subflow_destroy. */
void subflow_thaw_begin(struct subflow *sf);
/* Reads its state, once. Whatever is wrong, it can be destroyed afterwards. Its ring of siblings is itself.
 */
void subflow_thaw(struct subflow *sf, const struct thaw_item *i);

#endif
