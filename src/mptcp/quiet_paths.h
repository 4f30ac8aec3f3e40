/* Paths over which the peer has gone quiet while it goes on over others. */
#ifndef BRAID_MPTCP_QUIET_PATHS_H
#define BRAID_MPTCP_QUIET_PATHS_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* Of one subflow. Times are in milliseconds, their low bits: there are many idle subflows, and once in seven
 * weeks a wrong guess costs a probe. */
struct flow_quiet {
    uint32_t data_ms; /* when payload last came over it */
    /* Not asked: since when others bring data and this one nothing, if that is later than what it last
     * brought. Asked: when the first probe left that nothing has answered. */
    uint32_t since_ms;
    uint32_t bytes; /* the low bits of what had come over it when it last answered a probe */
    uint8_t asked;  /* probes since it last answered */
    /* trickle.c: how often the peer was asked to spare it, and the low bits of the second when it last was */
    uint8_t aside_times;
    uint16_t aside_s;
};

/* A segment came over s, with payload or without. */
void flow_heard(struct mp_subflow *s, uint32_t payload_len, braid_time now);
/* Probes the subflows that were active and are quiet now. At each flush. */
void conn_watch_peers(struct braid_conn *c, braid_time now);

#endif
