/* How large a segment may be: the MSS that the peer offered and the MTU of the path, less what options take.
 */
#ifndef BRAID_TCP_MSS_H
#define BRAID_TCP_MSS_H

#include <braid/types.h>

struct subflow;
struct tcp_env;

#define TCP_TS_OPTION 12u /* bytes of a timestamp option with its two NOPs */

struct tcp_size {
    uint32_t mss;      /* payload of a full segment, options taken off; same as cc.mss */
    uint16_t path_mtu; /* never above env->mtu; as found by ICMP and by probes */
    uint16_t head;     /* bytes of headers and options in the last packet with payload; 0: none yet */
    uint16_t most;     /* set by the owner before it opens: neither end is to send segments of more, options
                        * counted as in an MSS option; 0: no such limit */
    uint8_t reserve;   /* bytes of options the owner may use on data segments: set by the owner, 28 for MPTCP,
                        * 0  for plain TCP; then call subflow_update_mss */
    uint8_t traffic_class; /* of what we send: set by the owner, the two bits of ECN are 0 */
};

/* What a peer without an MSS option takes, RFC 9293 section 3.7.1. */
static inline uint16_t tcp_default_mss(bool v4)
{
    return v4 ? 536 : 1220;
}
/* As many of so many bytes as fill segments. */
static inline uint64_t tcp_whole_segments(uint64_t bytes, uint32_t mss)
{
    return bytes - bytes % mss;
}
/* The MSS that we offer to a peer: what our link takes, or, if it is known to be less, the way to it. */
uint16_t tcp_own_mss(struct tcp_env *env, const struct braid_way *way, braid_time now);

#endif
