/* The explicit edge: clients connect to an address of its own, and it to the server that is configured. */
#include "base/addr.h"
#include "io/clock.h"
#include "role/edge_mode.h"
#include "role/edge_state.h"
#include "role/opening.h"

static unsigned addresses(const struct edge_params *p, struct braid_addr out[EDGE_LISTENERS])
{
    out[0] = p->listen[0];
    return 1;
}

static void listen_text(const struct edge_params *p, char text[EDGE_TEXT])
{
    addr_text(&p->listen[0], text);
}

/* Whoever has configured the server wants it to be reached. */
static bool reaches(struct edge *e, const struct braid_ip *server)
{
    (void)e;
    (void)server;
    return true;
}

static struct targets of_pool(struct edge *e, const struct braid_ip *client, const struct braid_addr *meant)
{
    (void)meant;
    return pool_choose(&e->pool, client, clock_now());
}

const struct edge_mode edge_explicit = {.name = "explicit",
                                        .ops = &opening_conn_ops,
                                        .expire = opening_expire,
                                        .resume = opening_resume,
                                        .addresses = addresses,
                                        .listen_text = listen_text,
                                        .reaches = reaches,
                                        .targets = of_pool};
