/* What the two ends know of each other's data sequence signals (RFC 8684 section 3.3). */
#ifndef BRAID_MPTCP_DSS_H
#define BRAID_MPTCP_DSS_H

#include <braid/types.h>

struct conn_dss {
    uint32_t first_ts; /* TSval of our first DSS, valid if sent */
    bool checksum;     /* required by us, and after the handshake: in use */
    bool peer_dsn64;   /* the peer's DSNs have 64 bits, so our DATA_ACKs have to have them, too */
    bool seen;         /* the peer has sent a DSS: it knows that MPTCP works */
    bool keyed;        /* ... one that shows that it has our key (section 3.1): joins may follow */
    bool sent;         /* our first DSS went out */
    /* From here on payload without a mapping is no sign that options never passed: it may be repeated data in
     * a new place, so that falling back would deliver it twice (data_in.c). */
    bool proven;         /* the peer goes on with DSS after it had that one: options pass both ways */
    bool keep_data_acks; /* fallen back, but the peer may not know: go on with DATA_ACKs */
};

#endif
