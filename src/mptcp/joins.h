/* What a connection knows of joins to it (RFC 8684 section 3.2). */
#ifndef BRAID_MPTCP_JOINS_H
#define BRAID_MPTCP_JOINS_H

#include "base/rate.h"

struct conn_join {
    bool refused;     /* our C flag: no joins to the initial address (section 3.1) ... */
    bool unwanted;    /* ... and the peer's */
    unsigned tries;   /* third ACKs of our joins so far */
    struct rate rate; /* of the peer's */
};

#endif
