/* The opening of a connection that a CPE carries: which ones it takes, and which are the kernel's. */
#include "base/addr.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "relay/end_conn.h"
#include "role/cpe_asking.h"
#include "role/cpe_here.h"
#include "role/cpe_await.h"
#include "role/cpe_lanes.h"
#include "role/cpe_opening.h"
#include "role/flaw.h"

static bool is_excepted(const struct cpe_params *p, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < p->n_except; i++)
        if (ip_in_prefix(ip, &p->except[i].prefix, p->except[i].bits))
            return !p->except[i].allow;
    return false;
}

/* What a converter's own machine serves would be asked for by way of itself, which it refuses. */
static bool is_converter(const struct cpe *cpe, const struct braid_ip *ip)
{
    for (unsigned i = 0; cpe->params->kind == CPE_CONVERT && i < cpe->params->n_peers; i++)
        for (unsigned j = 0; j < cpe->peers[i].n; j++)
            if (ip_equal(&cpe->peers[i].addr[j].ip, ip))
                return true;
    return false;
}

/* What is nobody else's for everybody, this machine's and Braid's own addresses, those of converters, and
 * what the operator has excepted, is the kernel's; so is everything while no uplink of the family can be
 * used. */
static bool takes(struct cpe *cpe, const struct braid_addr *meant)
{
    struct cpes *cs = cpe->owner;
    char flaw[FLAW_TEXT];
    struct race_lane lanes[RACE_LANES];
    const struct cpe_wish wish = {.meant = meant, .now = clock_now()};
    return !is_excepted(cpe->params, &meant->ip) &&
           reach_allows(NULL, 0, &meant->ip, cpe_is_here(cs, &meant->ip)) &&
           !flaw_of(cs->neighbours.edges, cs->neighbours.n_edges, &meant->ip, flaw) &&
           !is_converter(cpe, &meant->ip) && cpe_lanes(cpe, &wish, lanes) > 0;
}

bool cpe_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *meant)
{
    struct cpe *cpe = ctx;
    bool of_hip = reach_is_identity(&client->ip) || reach_is_identity(&meant->ip);
    if (!of_hip && takes(cpe, meant))
        return true;
    cpe->counters.v[CPE_KEPT_OFF] += of_hip;
    cpe->counters.v[CPE_PASSED]++;
    return false;
}

static int carry(struct cpe *cpe, struct braid_conn *c, const struct device_socket *socket)
{
    cpe->counters.v[CPE_INCOMING]++;
    struct carried *cd = carried_new(cpe, c, socket);
    if (!cd) {
        cpe->counters.v[CPE_FAILED]++;
        return -1;
    }
    cpe_heed_syn(cd);
    if (cpe->params->early)
        cpe_await(cd);
    else
        cpe_ask(cd);
    return 0;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    if (carry(ctx, c, NULL) < 0)
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
}

void cpe_take_socket(struct cpe *cpe, const struct device_socket *socket)
{
    const struct cpe_params *p = cpe->params;
    bool wanted = socket->meant.port >= p->port_first && socket->meant.port <= p->port_last &&
                  cpe_wants(cpe, &socket->device, &socket->meant);
    if (!wanted || carry(cpe, NULL, socket) < 0)
        upstream_reset(socket->fd);
}

static void on_established(struct braid_conn *c, void *user)
{
    if (user)
        cpe_await_established(carried_of_user(user));
    end_conn_established(c, user);
}

static void on_readable(struct braid_conn *c, void *user)
{
    if (!user || !cpe_await_readable(carried_of_user(user)))
        end_conn_readable(c, user);
}

const struct braid_conn_ops cpe_lan_ops = {.incoming = on_incoming,
                                           .established = on_established,
                                           .readable = on_readable,
                                           .writable = end_conn_writable,
                                           .closed = end_conn_closed};
