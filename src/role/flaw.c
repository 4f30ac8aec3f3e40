/* See flaw.h. */
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "role/edge_mode.h"
#include "role/flaw.h"

const char *flaw_of(const struct edge_params *edges, unsigned n, const struct braid_ip *ip,
                    char text[FLAW_TEXT])
{
    for (unsigned i = 0; i < n; i++) {
        const struct edge_params *e = &edges[i];
        struct braid_addr own[EDGE_LISTENERS];
        bool listens = false, signals = false;
        for (unsigned j = edge_mode(e)->addresses(e, own); j-- > 0;)
            listens |= !ip_is_unspecified(&own[j].ip) && ip_equal(&own[j].ip, ip);
        for (unsigned j = 0; j < e->n_signal; j++)
            signals |= ip_equal(&e->signal[j], ip);
        if (!listens && !signals)
            continue;
        snprintf(text, FLAW_TEXT, "%s [edge %s], so that connections to it come back to Braid",
                 listens ? "is the listen address of" : "is a signal address of", e->name);
        return text;
    }
    return NULL;
}

const char *flaw_sift(struct targets *t, const struct edge_params *edges, unsigned n, struct braid_addr *addr,
                      char text[FLAW_TEXT])
{
    for (unsigned i = 0; i < t->n; i++) {
        if (!flaw_of(edges, n, &t->addr[i].ip, text))
            continue;
        *addr = t->addr[i];
        t->n--;
        memmove(&t->addr[i], &t->addr[i + 1], (t->n - i) * sizeof(*addr));
        return text;
    }
    return NULL;
}
