/* The flows that the observer has seen begin. */
#include <stdlib.h>
#include "base/addr.h"
#include "observe.h"

void observer_free(struct observer *o)
{
    for (unsigned i = 0; i < o->n_flows; i++)
        for (unsigned s = 0; s < SIM_SIDES; s++)
            free(o->flows[i].half[s].maps);
}

struct flow *observer_flow(struct observer *o, const struct braid_addr *src, const struct braid_addr *dst,
                           unsigned *side)
{
    for (unsigned i = o->n_flows; i-- > 0;)
        for (unsigned s = 0; s < SIM_SIDES; s++)
            if (addr_equal(&o->flows[i].addr[s], src) && addr_equal(&o->flows[i].addr[!s], dst)) {
                *side = s;
                return &o->flows[i];
            }
    return NULL;
}
