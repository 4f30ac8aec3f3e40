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

/* The address that has answered lately when others did not comes first. */
static struct targets in_order(const struct edge *e, const struct braid_addr *meant)
{
    (void)meant;
    struct targets out = e->targets;
    if (clock_now() < e->preferred_until)
        targets_prefer(&out, &e->preferred);
    return out;
}

static void remember_answer(struct edge *e, const struct braid_addr *first, const struct braid_addr *server)
{
    if (addr_equal(first, server))
        return;
    e->preferred = *server;
    e->preferred_until = clock_now() + EDGE_PREFERENCE;
}

const struct edge_mode edge_explicit = {.name = "explicit",
                                        .ops = &opening_conn_ops,
                                        .expire = opening_expire,
                                        .addresses = addresses,
                                        .listen_text = listen_text,
                                        .reaches = reaches,
                                        .targets = in_order,
                                        .answered = remember_answer};
