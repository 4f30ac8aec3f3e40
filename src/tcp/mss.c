/* The size of segments: see mss.h. */
#include "tcp/internal.h"

#include "base/addr.h"
#include "tcp/tap_hook.h"

#define IP4_HEADER 20u
#define IP6_HEADER 40u
/* The lowest that min_mss can be set to: below it options take no more payload away. */
#define MSS_LEAST 64u

static uint32_t ip_header(const struct braid_ip *peer)
{
    return ip_is_v4(peer) ? IP4_HEADER : IP6_HEADER;
}

/* RFC 6691: the peer's MSS counts no options, so what is on every segment comes off here. peer_mss and
 * path_mtu are what they are; only their lesser counts. */
void subflow_update_mss(struct subflow *sf)
{
    uint32_t ip = ip_header(&sf->local.ip);
    uint32_t options = (sf->syn.ts_ok ? TCP_TS_OPTION : 0) + sf->size.reserve;
    uint32_t path = sf->size.path_mtu - ip - TCP_HEADER_MIN;
    uint32_t least = sf->syn.peer_mss < path ? sf->syn.peer_mss : path;

    sf->size.mss = least > options + MSS_LEAST ? least - options : MSS_LEAST;
    sf->cc.mss = sf->size.mss;
}

uint16_t tcp_own_mss(struct tcp_env *env, const struct braid_way *way, braid_time now)
{
    uint16_t mtu = tcp_mtu_known(env, way, now);

    tap_value(env, BRAID_VALUE_MTU, &mtu, sizeof(mtu));
    return (uint16_t)(mtu - ip_header(&way->peer) - TCP_HEADER_MIN);
}
