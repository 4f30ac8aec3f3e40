/* The transparent edge: clients connect to their servers, and it answers for these. */
#include <stdio.h>
#include "base/addr.h"
#include "role/edge_here.h"
#include "role/edge_mode.h"
#include "role/edge_state.h"
#include "role/opening.h"

/* Any address of both families. */
static unsigned addresses(const struct edge_params *p, struct braid_addr out[EDGE_LISTENERS])
{
    (void)p;
    out[0] = (struct braid_addr){.ip = ip_from_v4((const uint8_t[4]){0})};
    out[1] = (struct braid_addr){.port = 0};
    return 2;
}

static void listen_text(const struct edge_params *p, char text[EDGE_TEXT])
{
    if (p->port_first == p->port_last)
        snprintf(text, EDGE_TEXT, "any:%u", p->port_first);
    else if (p->port_first > 1 || p->port_last < 65535)
        snprintf(text, EDGE_TEXT, "any:%u-%u", p->port_first, p->port_last);
    else
        snprintf(text, EDGE_TEXT, "any");
}

static bool reaches(struct edge *e, const struct braid_ip *server)
{
    return reach_allows(e->params->reach, e->params->n_reach, server, edges_are_on(e->owner, server));
}

static struct targets the_one_meant(struct edge *e, const struct braid_ip *client,
                                    const struct braid_addr *meant)
{
    (void)e;
    (void)client;
    return (struct targets){.addr = {*meant}, .n = 1};
}

const struct edge_mode edge_transparent = {.name = "transparent",
                                           .ops = &opening_conn_ops,
                                           .expire = opening_expire,
                                           .resume = opening_resume,
                                           .steered = true,
                                           .learns = true,
                                           .addresses = addresses,
                                           .listen_text = listen_text,
                                           .reaches = reaches,
                                           .targets = the_one_meant};
