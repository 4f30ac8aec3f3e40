/* SYNs answered without keeping state. */
#ifndef BRAID_MPTCP_STATELESS_H
#define BRAID_MPTCP_STATELESS_H

#include <braid/types.h>

struct braid_conn;
struct mptcp_env;
struct wire_packet;
struct braid_listen_params;

/* Answers a SYN that is no join, for listener l, with a cookie. */
void conn_answer_stateless(struct mptcp_env *env, const struct wire_packet *syn,
                           const struct braid_listen_params *l, braid_time now);
/* True if an ACK of a cookie might come. */
bool conn_cookies_out(const struct mptcp_env *env, braid_time now);
/* An ACK of an unknown flow. If it carries a right cookie: a connection with `stateless` set, whose subflow
 * waits for this very segment (subflow_input). NULL: it does not, or memory is short. */
struct braid_conn *conn_open_stateless(struct mptcp_env *env, const struct wire_packet *ack,
                                       const struct braid_listen_params *l, braid_time now);

#endif
