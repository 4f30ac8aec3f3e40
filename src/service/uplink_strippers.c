/* See uplink_strippers.h. */
#include "io/log.h"
#include "io/worker.h"
#include "role/learned.h"
#include "role/node.h"
#include "service/uplink_strippers.h"

void uplink_strippers_look(struct worker *w, void *arg)
{
    struct uplink_strippers *s = arg;
    const struct node *node = worker_user(w);
    for (unsigned i = 0; node && node->learned && i < s->params->n_uplinks; i++) {
        const struct uplink_params *u = &s->params->uplinks[i];
        bool strips = learned_strips(node->learned, i, worker_now(w)), did = s->found & 1u << i;
        if (strips && !did)
            log_warn("uplink %s: takes away TCP option 30, MPTCP's, so that it carries only plain TCP (%s)",
                     u->name, u->interface);
        else if (did && !strips)
            log_notice("uplink %s: no longer takes away TCP option 30 (%s)", u->name, u->interface);
        s->found = strips ? s->found | 1u << i : s->found & ~(1u << i);
    }
}
