/* See cpe_convert.h. */
#include "role/cpe_convert.h"
#include <time.h>
#include "base/addr.h"
#include "io/clock.h"
#include "role/convert_cookie.h"
#include "role/cpe_cookies.h"
#include "role/learned.h"

/* A converter that does not know the option is not asked for it for so long. */
#define UNASKED_FOR (3600 * BRAID_SECOND)

unsigned cpe_peer_at(const struct cpe *cpe, const struct braid_addr *addr)
{
    unsigned i = 0;
    while (i < cpe->params->n_peers && !targets_have(&cpe->peers[i], addr))
        i++;
    return i;
}

/* ---- what is known of the server ---------------------------------------------------------------------- */

/* LEARNED_KINDS if nothing is. */
static enum learned_kind kind_of(const struct carried *cd)
{
    const struct learned *l = carried_cpe(cd)->owner->role.node->learned;
    struct braid_addr meant, device;
    carried_addrs(cd, &meant, &device);
    return l ? learned_of_server(l, &meant, clock_now()) : LEARNED_KINDS;
}

bool cpe_may_bypass(const struct carried *cd)
{
    const struct cpe_params *p = carried_cpe(cd)->params;
    return p->kind == CPE_CONVERT && p->bypass && kind_of(cd) == LEARNED_STRAIGHT;
}

void cpe_bypass_learn(const struct carried *cd, bool works)
{
    struct learned *l = carried_cpe(cd)->owner->role.node->learned;
    struct braid_addr meant, device;
    carried_addrs(cd, &meant, &device);
    if (l)
        learned_see_server(l, &meant, works, clock_now());
}

void cpe_convert_learn(const struct carried *cd, const struct convert_answer *a)
{
    bool known = cd->socket || !cd->splice.ends[LAN_END].gone; /* whom the device meant */
    if (carried_cpe(cd)->params->bypass && a->server_told && known)
        cpe_bypass_learn(cd, a->server_mptcp);
}

/* ---- what a converter is asked ------------------------------------------------------------------------ */

/* The converter asks the server for MPTCP if it is to tell; so that is done for those that nothing is known
 * of. */
static bool asks_mptcp(const struct carried *cd, const struct braid_addr *converter)
{
    const struct cpe *cpe = carried_cpe(cd);
    unsigned peer = cpe_peer_at(cpe, converter);
    return cpe->params->bypass && cpe->owner->role.node->learned && kind_of(cd) == LEARNED_KINDS &&
           peer < cpe->params->n_peers && cpe->unasked_until[peer] <= clock_now();
}

size_t cpe_convert_message(struct carried *cd, const struct race_lane *lane, uint8_t out[CONVERT_MESSAGE_MAX])
{
    const struct cpe *cpe = carried_cpe(cd);
    struct braid_addr device;
    struct convert_wish wish = {.ask_mptcp = asks_mptcp(cd, &lane->remote)};
    uint8_t code[CONVERT_PSK_COOKIE];
    carried_addrs(cd, &wish.server, &device);
    cd->asked_mptcp = wish.ask_mptcp;
    if (cpe->params->cookie == CONVERT_COOKIE_PSK) {
        convert_psk_cookie(cpe->params->psk, &wish.server, time(NULL), code);
        wish.cookie = code;
        wish.n_cookie = sizeof(code);
    } else {
        wish.n_cookie = cpe_cookie_find(cpe->owner->cookies, &lane->remote, lane->uplink, &wish.cookie);
    }
    return convert_client_message(out, &wish);
}

/* ---- and what it answers ------------------------------------------------------------------------------ */

static bool ask_for_less(struct carried *cd, const struct braid_addr *converter)
{
    struct cpe *cpe = carried_cpe(cd);
    unsigned peer = cpe_peer_at(cpe, converter);
    if (!cd->asked_mptcp || peer == cpe->params->n_peers)
        return false;
    cpe->unasked_until[peer] = clock_now() + UNASKED_FOR;
    return true;
}

bool cpe_convert_again(struct carried *cd, const struct braid_conn *c, const struct convert_answer *a,
                       braid_time begun)
{
    struct cpe *cpe = carried_cpe(cd);
    struct braid_addr local, converter;
    braid_conn_addrs(c, &local, &converter);
    int uplink = uplinks_find(&cpe->owner->uplinks, &local.ip);
    if (a->verdict == CONVERT_OPTION_UNKNOWN)
        return ask_for_less(cd, &converter);
    if (uplink < 0 || cpe->params->cookie == CONVERT_COOKIE_PSK)
        return false;
    switch (a->verdict) {
    case CONVERT_COOKIE_GIVEN:
        return cpe_cookie_keep(cpe->owner->cookies, &converter, (unsigned)uplink, a->cookie, a->n_cookie,
                               clock_now());
    case CONVERT_UNAUTHORIZED:
        return cpe_cookie_drop(cpe->owner->cookies, &converter, (unsigned)uplink, begun);
    default:
        return false;
    }
}
