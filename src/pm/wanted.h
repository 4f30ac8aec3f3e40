/* What path managers have in common: bringing about what they want. */
#ifndef PM_WANTED_H
#define PM_WANTED_H

#include <braid/pm.h>

/* Wants n subflows from locals[local] to remotes[remote]: plans to open what is missing, as far as the limits
 * and earlier failures admit, or a call when it may be tried again. Subflows that the peer opened count;
 * stale ones do, since they may recover, but not those that are lost: it may be that they alone do not work,
 * since an address translator on the way has forgotten them. */
void pm_want_subflows(const struct pm_view *v, struct pm_plan *plan, unsigned local, unsigned remote,
                      unsigned n);
/* Wants n subflows from each of our addresses to each of the peer's. */
void pm_want_mesh(const struct pm_view *v, struct pm_plan *plan, unsigned n);
/* Plans to close the subflow with this id. */
void pm_close(struct pm_plan *plan, uint32_t id);
/* True if some subflow is up, its path answers as far as its timer knows, and its address stays. */
bool pm_have_sound(const struct pm_view *v);
/* Gives up our subflows whose handshake takes too long, and of those between two addresses, of which the
 * caller wants n at most, the lost ones that were replaced, and replacements that are not needed any more. To
 * be called by whoever opens some. */
void pm_give_up(const struct pm_view *v, struct pm_plan *plan, unsigned n);
/* Announces the addresses that are to be and have not been yet; again: all of them. */
void pm_want_announced(const struct pm_view *v, struct pm_plan *plan, bool again);

#endif
