/* Connections that begin. */
#ifndef BRAID_MPTCP_OPEN_H
#define BRAID_MPTCP_OPEN_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;
struct mptcp_env;
struct buf;
struct wire_packet;
struct braid_addr;
struct braid_connect_params;
struct braid_listen_params;

/* A SYN that is no join, for listener l: a connection in CONN_PENDING; NULL if memory is short. b: the buffer
 * that its payload lies in. */
struct braid_conn *conn_open_passive(struct mptcp_env *env, const struct wire_packet *syn, struct buf *b,
                                     const struct braid_listen_params *l, braid_time now);
/* A connection that we open, with its SYN sent; NULL if memory is short, or the 4-tuple is taken. */
struct braid_conn *conn_open_active(struct mptcp_env *env, const struct braid_connect_params *p,
                                    braid_time now);
/* The subflow that opens a connection whose mode is decided. NULL if there can be none: then c is freed. */
struct mp_subflow *conn_first_flow(struct braid_conn *c, const struct braid_addr *local,
                                   const struct braid_addr *remote);

#endif
