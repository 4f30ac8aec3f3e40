/* See cpe_convert.h. */
#include "role/cpe_convert.h"
#include <time.h>
#include "base/addr.h"
#include "io/clock.h"
#include "role/convert_cookie.h"
#include "role/cpe_cookies.h"

unsigned cpe_peer_at(const struct cpe *cpe, const struct braid_addr *addr)
{
    unsigned i = 0;
    while (i < cpe->params->n_peers && !targets_have(&cpe->peers[i], addr))
        i++;
    return i;
}

size_t cpe_convert_message(struct carried *cd, const struct race_lane *lane, uint8_t out[CONVERT_MESSAGE_MAX])
{
    const struct cpe *cpe = carried_cpe(cd);
    struct braid_addr device;
    struct convert_wish wish = {.ask_mptcp = false};
    uint8_t code[CONVERT_PSK_COOKIE];
    carried_addrs(cd, &wish.server, &device);
    if (cpe->params->cookie == CONVERT_COOKIE_PSK) {
        convert_psk_cookie(cpe->params->psk, &wish.server, time(NULL), code);
        wish.cookie = code;
        wish.n_cookie = sizeof(code);
    } else {
        wish.n_cookie = cpe_cookie_find(cpe->owner->cookies, &lane->remote, lane->uplink, &wish.cookie);
    }
    return convert_client_message(out, &wish);
}

bool cpe_convert_again(struct cpe *cpe, const struct braid_conn *c, const struct convert_answer *a,
                       braid_time begun)
{
    struct braid_addr local, converter;
    braid_conn_addrs(c, &local, &converter);
    int uplink = uplinks_find(&cpe->owner->uplinks, &local.ip);
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
