/* Where a connection stands between MPTCP and plain TCP (RFC 8684 sections 3.3.1 and 3.7). */
#ifndef BRAID_MPTCP_FALLBACK_H
#define BRAID_MPTCP_FALLBACK_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;
struct rx_mapping;

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

/* True if the connection may still become plain TCP: one subflow, the first one, ever. */
bool conn_may_fall_back(const struct braid_conn *c);
/* It may, and the peer's segments carry no MPTCP options any more. */
bool conn_peer_is_bare(const struct braid_conn *c);
/* Becomes plain TCP from here on: sending at once, receiving where mappings end. announce: send an infinite
 * mapping with the next data. */
void conn_fall_back(struct braid_conn *c, bool announce);
/* The DSS checksum of m was wrong. True: its payload is to be held until the peer has fallen back; false: the
 * subflow is given up. */
bool conn_checksum_failed(struct mp_subflow *s, const struct rx_mapping *m);
/* The peer sent MP_FAIL. */
void conn_mp_fail(struct mp_subflow *s, uint64_t dsn);
/* An infinite mapping: from subflow offset off on, data is [dsn, ...). */
void conn_infinite_mapping(struct mp_subflow *s, uint64_t off, uint64_t dsn);
/* Not MPTCP (any more), and the peer's FIN is in order: the end of its data. */
void conn_plain_fin(struct braid_conn *c);

#endif
