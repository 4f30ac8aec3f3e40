/* How a connection began: what the user is asked and told, and what proves the peer's key (RFC 8684
 * section 3.1). */
#ifndef BRAID_MPTCP_HANDSHAKE_H
#define BRAID_MPTCP_HANDSHAKE_H

#include <braid/core.h>
#include "base/list.h"
#include "tcp/subflow.h"

struct braid_conn;
struct mp_subflow;

struct conn_handshake {
    bool passive : 1;
    bool half_open : 1; /* counted in env->n_half_open, which decides when SYNs are answered with cookies */
    bool stateless : 1; /* made of the third ACK: the user is asked after the client was answered */
    bool incoming_told : 1;   /* passive: the user was asked ... */
    bool accept_due : 1;      /* ... and has accepted, or ... */
    bool refuse_due : 1;      /* ... has refused, this way: */
    bool established_due : 1; /* to be told to the user */
    bool complete : 1;        /* it was established, and who listens has heard so (news.c) */
    enum braid_refusal refusal : 8;
    uint16_t early;                  /* bytes that may leave before the third ACK */
    struct braid_listener *listener; /* whose it is to answer; NULL: nobody's, or it has been answered */
};

/* The peer's key is this one, by the connection's version. */
void conn_learn_key(struct braid_conn *c, uint64_t key);
/* It is plain TCP from the start. */
void conn_become_plain(struct braid_conn *c);
/* The same for one that has its first subflow already. */
void handshake_fallback(struct mp_subflow *s);
/* The third ACK has come, or never will. */
void conn_half_open_end(struct braid_conn *c);
/* As ops.syn_again (struct subflow_ops). */
void flow_syn_again(struct subflow *sf, const struct wire_packet *p);
/* As ops.handshake (struct subflow_ops), of first subflows and of joins. */
enum subflow_verdict flow_handshake(struct subflow *sf, const struct wire_packet *p, braid_time now);

#endif
