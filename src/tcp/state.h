/* The states of a subflow (RFC 9293 section 3.3.2), and its end. */
#ifndef BRAID_TCP_STATE_H
#define BRAID_TCP_STATE_H

#include <braid/types.h>

struct subflow;

enum tcp_state {
    TCP_STATE_CLOSED,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RECEIVED,
    TCP_STATE_ESTABLISHED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_CLOSING,
    TCP_STATE_LAST_ACK,
    TCP_STATE_TIME_WAIT,
    TCP_STATES
};

/* RFC 9293 name, a static string. */
const char *tcp_state_text(enum tcp_state s);

enum subflow_closed {
    SUBFLOW_CLOSED_DONE,        /* LAST_ACK acknowledged, or entered TIME_WAIT (see subflow_in_time_wait) */
    SUBFLOW_CLOSED_RST,         /* the peer's RST; ops->reset was called before */
    SUBFLOW_CLOSED_REFUSED,     /* RST in SYN_SENT or SYN_RECEIVED, or the handshake timed out */
    SUBFLOW_CLOSED_TIMEOUT,     /* gave up retransmitting, probing or keepalive */
    SUBFLOW_CLOSED_UNREACHABLE, /* ICMP in SYN_SENT */
    SUBFLOW_CLOSED_LOCAL        /* a verdict of SUBFLOW_RESET */
};

/* The only function that changes the state. */
void tcp_set_state(struct subflow *sf, enum tcp_state state);
/* Ends the subflow (CLOSED, or TIME_WAIT if state says so), stops its timer and tells the owner, who may free
 * what it has of it later, but not from within. */
void tcp_finish(struct subflow *sf, enum tcp_state state, enum subflow_closed why, braid_time now);

#endif
