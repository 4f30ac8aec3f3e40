/* How large a segment may be: the MSS that the peer offered and the MTU of the path, less what options take.
 */
#ifndef BRAID_TCP_MSS_H
#define BRAID_TCP_MSS_H

#include <braid/types.h>

struct tcp_size {
    uint32_t mss;      /* payload of a full segment, options taken off; same as cc.mss */
    uint16_t path_mtu; /* never above env->mtu; as found by ICMP and by probes */
    uint16_t head;     /* bytes of headers and options in the last packet with payload; 0: none yet */
    unsigned reserve;  /* bytes of options the owner may use on data segments: set by the owner, 28 for MPTCP,
                        * 0  for plain TCP; then call subflow_update_mss */
};

#endif
