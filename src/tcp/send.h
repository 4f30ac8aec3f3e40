/* Sending: the send sequence variables of RFC 9293 section 3.3.1, as offsets. */
#ifndef BRAID_TCP_SEND_H
#define BRAID_TCP_SEND_H

#include <braid/types.h>

struct tcp_snd {
    uint64_t una, nxt; /* offsets */
    uint64_t wl1;      /* segment that last updated the window */
    uint32_t wnd; /* last window advertised by the peer, scaled, bytes: less than 2^30 (RFC 7323 section 2.2)
                     ... */
    uint32_t wnd_max;     /* ... and the largest of all */
    uint32_t retransmits; /* segments */
    uint32_t packets; /* with payload, sent so far: their IPv4 identifications count up from the ISS, since
                       * that is random; segmentation by the kernel does the same */
};

#endif
