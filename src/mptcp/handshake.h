/* How a connection began: its keys, and what the user is asked and told (RFC 8684 section 3.1). */
#ifndef BRAID_MPTCP_HANDSHAKE_H
#define BRAID_MPTCP_HANDSHAKE_H

#include <braid/core.h>
#include "base/hash.h"
#include "base/list.h"

/* Keys, and what follows from them. Numbers of data inside are offsets from the initial data sequence number:
 * the first byte has 1, and none of them wraps. Only options_out.c, options_in.c and the checksum know what
 * they are on the wire. What a peer says may be absurd, so compare with seq64_before. */
struct conn_keys {
    uint64_t local, remote;
    uint64_t local_idsn, remote_idsn;
    uint32_t local_token, remote_token;
    struct hnode token_node; /* env->tokens, by local_token */
    bool token_hashed;
};

struct conn_handshake {
    bool passive;
    bool half_open;       /* counted in env->n_half_open */
    bool stateless;       /* made of the third ACK: the user is asked after the client was answered */
    bool incoming_told;   /* passive: the user was asked ... */
    bool accept_due;      /* ... and has accepted, or ... */
    bool refuse_due;      /* ... has refused, this way: */
    bool established_due; /* to be told to the user */
    enum braid_refusal refusal : 8;
    void *incoming_ctx;              /* of the listener's incoming() */
    struct braid_listener *listener; /* NULL if opened by us or the listener has gone */
    struct list listener_node;
};

#endif
