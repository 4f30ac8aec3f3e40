/* The last segments of an MP_JOIN handshake. */
#ifndef BRAID_MPTCP_JOIN_HANDSHAKE_H
#define BRAID_MPTCP_JOIN_HANDSHAKE_H

#include "tcp/subflow.h"

struct braid_conn;
struct mp_subflow;
struct wire_packet;

/* The segment that completes a join's handshake, from flow_handshake. */
enum subflow_verdict join_segment(struct mp_subflow *s, const struct wire_packet *p, braid_time now);
/* If it is a join of ours whose third ACK has just left: says when to repeat that. */
void flow_await_fourth_ack(struct mp_subflow *s, braid_time now);
/* The fourth ACKs of the peer's joins, before data is placed; those that may ride on data wait for it. */
void conn_fourth_acks(struct braid_conn *c, braid_time now);
/* Repeats the third ACKs of our joins until their fourth comes. */
void conn_repeat_join_acks(struct braid_conn *c, braid_time now);

#endif
