/* Announces our addresses to the peer and leaves opening subflows to it: for the end that the peer can reach
 * and that often cannot reach the peer, which may be behind a NAT. */
#include "pm/wanted.h"

#define WAS_ALONE 0 /* index in priv: there was no subflow when it was last asked */

static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    /* The first subflow after a time without any: the peer may try the addresses anew (RFC 8684 section
     * 3.4.1). */
    bool again = pm->priv[WAS_ALONE] && !v->alone;

    pm->priv[WAS_ALONE] = v->alone;
    if (!v->alone)
        pm_want_announced(v, plan, again);
}

const struct pm_ops pm_signal = {
    .name = "signal",
    .about = "announces the addresses that are to be signalled, and opens no subflows",
    .update = update,
};
