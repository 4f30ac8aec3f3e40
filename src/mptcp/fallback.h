/* Where a connection stands between MPTCP and plain TCP (RFC 8684 sections 3.3.4 and 3.7). */
#ifndef BRAID_MPTCP_FALLBACK_H
#define BRAID_MPTCP_FALLBACK_H

#include <braid/types.h>

#define LINEAR_UNKNOWN UINT64_MAX

struct conn_fallback {
    uint64_t delta;       /* not MPTCP (any more): DSN = subflow offset + delta ... */
    uint64_t linear_from; /* ... from this subflow offset on; LINEAR_UNKNOWN: not known yet */
    bool was_mptcp;       /* MP_CAPABLE was negotiated */
    bool barred;          /* a second subflow was ever established: no fallback any more */
    bool rx_failed;       /* a checksum was wrong: payload is held back until the peer agrees to fall back */
    bool infinite_due;    /* the next map must be an infinite one */
    bool fail_answered;   /* fallen back because of the peer's MP_FAIL */
};

#endif
