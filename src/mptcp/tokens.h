/* Tokens: who has which, and the keys that they follow from (RFC 8684 section 3.1). */
#ifndef BRAID_MPTCP_TOKENS_H
#define BRAID_MPTCP_TOKENS_H

#include <braid/types.h>
#include "base/hash.h"

struct braid_conn;
struct mptcp_env;

/* Keys, and what follows from them. Numbers of data inside are offsets from the initial data sequence number:
 * the first byte has 1, and none of them wraps. Only options_out.c, options_in.c and the checksum know what
 * they are on the wire. What a peer says may be absurd, so compare with seq64_before. */
struct conn_keys {
    uint64_t local, remote;
    uint64_t local_idsn, remote_idsn;
    struct hnode token_node; /* env->tokens, by local_token */
    uint32_t local_token;
    bool token_hashed;
    uint8_t version; /* of MPTCP, by which numbers and tokens follow from keys: conn_version() */
};

/* The number of the worker whose connection has this token: each draws its keys until that is so. */
unsigned token_owner(const struct mptcp_env *env, uint32_t token);
/* Whether that is this one. */
bool token_is_own(const struct mptcp_env *env, uint32_t token);
/* Whether a new connection may have this token: it says whose it is, among workers and among machines. */
bool token_is_fit(const struct mptcp_env *env, uint32_t token);
/* How many keys are drawn in search of such a token before there is none: 16 times as many as it takes on
 * average. */
unsigned token_draws(const struct mptcp_env *env);
/* The connection with this token, or NULL. */
struct braid_conn *conn_by_token(struct mptcp_env *env, uint32_t token);
/* The connection can be found by its local_token, which nobody else has, or no longer. */
void conn_token_enter(struct braid_conn *c);
void conn_token_forget(struct braid_conn *c);
/* Draws our key, by the connection's version, until its token is free and carries our worker's number, and
 * our machine's; who gets an MP_JOIN can then tell whose it is. Enters the token. False: no luck. */
bool conn_draw_key(struct braid_conn *c);

#endif
