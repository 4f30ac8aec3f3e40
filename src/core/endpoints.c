/* Endpoints: the addresses of ours that all connections of a core may use, those that exist and those to
 * come. An address that is taken away stays known as our own: what is still sent to it gets a RST, and is not
 * passed back. */
#include "base/addr.h"
#include "core/passing.h"
#include "core/tapping.h"
#include "mptcp/own_addrs.h"
#include "mptcp/rights.h"

static struct braid_endpoint *find(struct mptcp_env *env, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < env->n_endpoints; i++)
        if (ip_equal(&env->endpoints[i].addr.ip, ip))
            return &env->endpoints[i];
    return NULL;
}

int braid_core_endpoint_add(struct braid_core *core, const struct braid_endpoint *e)
{
    struct mptcp_env *env = &core->env;
    struct braid_endpoint *known = find(env, &e->addr.ip);
    if (!known && env->n_endpoints == sizeof(env->endpoints) / sizeof(env->endpoints[0]))
        return -1;
    if (core_own_add(core, &e->addr.ip) < 0)
        return -1;
    core_tap_bytes(core, BRAID_TAP_CORE_ENDPOINT_ADD, e, sizeof(*e));
    if (!known)
        known = &env->endpoints[env->n_endpoints++];
    *known = *e;
    each_conn (c, env) {
        if (conn_may_use(c, &e->addr.ip))
            conn_endpoint_add(c, e); /* one that has its eight goes without */
    }
    return 0;
}

int braid_core_endpoint_remove(struct braid_core *core, const struct braid_ip *ip)
{
    struct mptcp_env *env = &core->env;
    struct braid_endpoint *known = find(env, ip);
    bool found = known;
    core_tap_bytes(core, BRAID_TAP_CORE_ENDPOINT_REMOVE, ip, sizeof(*ip));
    if (known)
        /* their order means nothing */
        *known = env->endpoints[--env->n_endpoints];
    each_conn (c, env) {
        if (conn_endpoint_remove(c, ip) == 0)
            found = true;
    }
    return found ? 0 : -1;
}

/* The probe has an old sequence number and no payload, which RFC 9293 section 3.10.7.4 has every peer answer
 * with an ACK, and section 3.10.7.1 with a RST if it knows of no such connection. */
void braid_core_ask(struct braid_core *core, const struct braid_ip *ip, braid_time now)
{
    each_conn (c, &core->env) {
        if (conn_tapped(c))
            conn_tap_event(c, BRAID_TAP_ASK, now, 0, NULL, ip, sizeof(*ip));
        each_flow (s, c) {
            if (!s->closing.dead && s->tcp.state == TCP_STATE_ESTABLISHED && ip_equal(ip, &s->tcp.local.ip))
                subflow_probe(&s->tcp, now);
        }
    }
}
