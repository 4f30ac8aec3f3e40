/* Local ports of what we open: random steps through the range (RFC 6056 section 3.3.5). Nobody can guess the
 * next port, and none comes again soon, while the peer may still remember who had it. Workers
 * open connections from the same addresses and do not know each other's 4-tuples: each has its own ports. */
#include "mptcp/ports.h"

#include "base/port_range.h"
#include "mptcp/conn.h"
#include "tcp/tap_hook.h"

#define PORT_STEP  500 /* two draws are at most so far apart */
#define PORT_DRAWS 16  /* before all that is left is tried in its order */
#define NEW_DRAWS  4   /* before one that an earlier subflow had is as good as a new one */

void ports_default(struct braid_core_params *params)
{
    if (params->port_first == 0 || params->port_first > params->port_last) {
        params->port_first = BRAID_PORT_FIRST;
        params->port_last = BRAID_PORT_LAST;
    }
}

/* The ports of a range that this worker may take: each n-th, from its own number on. */
struct share {
    struct port_range range;
    uint32_t from, every, count;
};

/* However narrow the range is: who finds no port fails alone, and says so, but of two workers that take the
 * same 4-tuple both lose their connections. Only a range with fewer ports than workers is left whole. */
static struct share share_of(const struct mptcp_env *env)
{
    const struct braid_core_params *p = &env->params;
    struct share s = {.range = {p->port_first, p->port_last}, .every = 1};
    s.count = port_range_count(s.range);
    if (p->n_workers > 1 && s.count >= p->n_workers) {
        s.from = p->worker;
        s.every = p->n_workers;
        s.count /= p->n_workers;
    }
    return s;
}

/* In ports, 1 at least. The first draw may end anywhere in the range, later ones are near the last, so that
 * it takes long until one comes again. */
static uint32_t draw_step(struct mptcp_env *env, const struct port_walk *walk, uint32_t count)
{
    uint16_t r;
    tap_random(&env->tcp, &r, sizeof(r));
    return 1 + r % (walk->begun && count > PORT_STEP ? PORT_STEP : count);
}

enum braid_error ports_find(struct mptcp_env *env, struct port_walk *walk, struct braid_addr *local,
                            const struct braid_addr *remote, braid_time now)
{
    if (local->port)
        return env->ops->flow_free(env, local, remote) ? BRAID_ERROR_NONE : BRAID_ERROR_TAKEN;
    const struct share share = share_of(env);
    for (uint32_t i = 0; i < PORT_DRAWS + share.count; i++) {
        uint32_t step = i < PORT_DRAWS ? draw_step(env, walk, share.count) : 1;
        walk->at = (uint16_t)((walk->at + step) % share.count);
        walk->begun = true;
        local->port = port_range_at(share.range, share.from + walk->at * share.every);
        /* What is in TIME_WAIT is second choice, as the peer, or a middlebox, may know it as well. But it
         * lasts for a minute, in which a thousand connections a second would use up any range. */
        enum flow_port known = env->ops->flow_port(env, local, remote, now);
        if (known == FLOW_PORT_NEW || (known == FLOW_PORT_BYGONE && i >= NEW_DRAWS))
            return BRAID_ERROR_NONE;
    }
    return BRAID_ERROR_PORTS;
}
