/* Keeping payload beyond the batch it came in. */
#ifndef BRAID_BASE_SLICE_H
#define BRAID_BASE_SLICE_H

#include "base/buf.h"

/* Makes s fit to be kept: if its buffer is charged to somebody already, nothing; if s fills at least half of
 * the buffer, the buffer is charged to account; otherwise the bytes move to a new buffer of the right size,
 * charged to account. 0, or -1 if memory is short: then s is unchanged. Limits are the caller's to check. */
int slice_keep(struct slice *s, struct mem_account *account);

/* What slice_keep would charge. */
size_t slice_keep_cost(const struct slice *s);

#endif
