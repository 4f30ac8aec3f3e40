/* What a connection knows of joins to it (RFC 8684 section 3.2). */
#ifndef BRAID_MPTCP_JOINS_H
#define BRAID_MPTCP_JOINS_H

#include <braid/core.h>
#include "base/rate.h"

struct braid_conn;
struct mp_subflow;
struct mptcp_env;
struct wire_packet;

/* About joins of both ends. A flag C forbids them to the address and port of the initial subflow only;
 * announced addresses stay open to them. */
struct conn_join {
    bool refused;   /* our C flag: no joins to the initial address (section 3.1) ... */
    bool unwanted;  /* ... and the peer's */
    bool believing; /* addresses that the peer announces without a proof (version 0) are taken for its own */
    uint8_t tries;  /* third ACKs of our joins so far */
    struct rate rate; /* of the peer's */
};

/* Opens a subflow; local port 0: from a free one. remote_id: the peer's address ID, 0 if unknown. */
enum braid_error conn_join_active(struct braid_conn *c, const struct braid_addr *local,
                                  const struct braid_addr *remote, uint8_t remote_id, bool backup,
                                  braid_time now);
/* A SYN with MP_JOIN whose token is c's. Answers it or refuses it. */
void conn_join_passive(struct braid_conn *c, const struct wire_packet *syn, braid_time now);
/* Refuses an MP_JOIN, within the limit. reason: of MP_TCPRST; -1: none. */
void join_refuse(struct mptcp_env *env, const struct wire_packet *syn, int reason, braid_time now);

#endif
