/* See edge_services.h. A converter's clients name their server in the stream, and have MPTCP with the
 * converter whatever it says. */
#include "role/edge_services.h"
#include "base/addr.h"
#include "io/clock.h"
#include "role/edge_addresses.h"
#include "role/edge_here.h"
#include "role/edge_mode.h"

static bool is_local(void *arg, const struct braid_ip *ip)
{
    return edges_are_on(arg, ip);
}

/* Of several servers the first is the one that is asked first. NULL: nothing was said. */
static const struct service_wish *service_of(struct edge *e, const struct braid_addr *client,
                                             const struct braid_addr *meant)
{
    struct services *ss = e->owner->role.node->services;
    if (!ss || !e->mode->targets)
        return NULL;
    const struct targets t = e->mode->targets(e, &client->ip, meant);
    return t.n > 0 ? services_find(ss, &t.addr[0], is_local, e->owner, clock_now()) : NULL;
}

bool edge_wants_plain(void *ctx, const struct braid_addr *client, const struct braid_addr *server)
{
    const struct service_wish *w = service_of(ctx, client, server);
    return w && w->plain;
}

static bool is_named(const struct app_addrs *list, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < list->n; i++)
        if (ip_equal(&list->addr[i].ip, ip))
            return true;
    return false;
}

/* Only what was named is announced, if anything was. Whoever is short of memory has fewer addresses. */
static void choose_addresses(struct client *cl, const struct service_wish *w)
{
    const struct edge *e = client_edge(cl);
    struct braid_conn *c = client_conn(cl);
    for (unsigned i = 0; w->add.n > 0 && i < e->params->n_signal; i++)
        if (!is_named(&w->add, &e->params->signal[i]))
            braid_conn_forbid(c, &e->params->signal[i]);
    edge_addresses_change(e->owner, c, true, &w->add);
    edge_addresses_change(e->owner, c, false, &w->remove);
}

void edge_service_begin(struct client *cl, const struct braid_addr *client, const struct braid_addr *meant)
{
    const struct service_wish *w = service_of(client_edge(cl), client, meant);
    if (!w)
        return;
    if (w->profile)
        client_profile_set(cl, w->profile);
    if (!w->plain && (w->add.n > 0 || w->remove.n > 0))
        choose_addresses(cl, w);
}
