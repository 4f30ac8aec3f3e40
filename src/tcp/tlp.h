/* Tail loss probes (RFC 8985 section 7). */
#ifndef BRAID_TCP_TLP_H
#define BRAID_TCP_TLP_H

#include <braid/types.h>

struct tlp {
    uint64_t end; /* 0: no probe outstanding */
    bool sampled; /* an RTT sample came since the last probe */
};

#endif
