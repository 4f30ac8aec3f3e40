/* The flows that the observer has seen begin, and their mappings. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "observe.h"

void observer_free(struct observer *o)
{
    for (unsigned i = 0; i < o->n_flows; i++)
        for (unsigned s = 0; s < SIM_SIDES; s++) {
            free(o->flows[i].half[s].maps);
            borders_free(&o->flows[i].half[s].borders);
        }
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

bool observer_add_map(struct half *h, uint64_t ssn, uint64_t dsn, uint32_t len)
{
    while (len > 0) {
        size_t i = h->n_maps;
        uint32_t n = len;

        while (i > 0 && h->maps[i - 1].ssn > ssn)
            i--;
        if (i > 0 && h->maps[i - 1].ssn + h->maps[i - 1].len > ssn) {
            const struct seen_map *m = &h->maps[i - 1];

            if (m->dsn - m->ssn != dsn - ssn)
                return false;
            n = (uint32_t)(m->ssn + m->len - ssn) < len ? (uint32_t)(m->ssn + m->len - ssn) : len;
        } else {
            if (i < h->n_maps && h->maps[i].ssn < ssn + n)
                n = (uint32_t)(h->maps[i].ssn - ssn);
            if (h->n_maps == h->cap_maps) {
                h->cap_maps = h->cap_maps ? 2 * h->cap_maps : 64;
                h->maps = realloc(h->maps, h->cap_maps * sizeof(*h->maps));
                if (!h->maps)
                    abort();
            }
            memmove(h->maps + i + 1, h->maps + i, (h->n_maps - i) * sizeof(*h->maps));
            h->maps[i] = (struct seen_map){ssn, dsn, n};
            h->n_maps++;
        }
        ssn += n;
        dsn += n;
        len -= n;
    }
    return true;
}
