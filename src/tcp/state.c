/* The states of a subflow: see state.h. */
#include "tcp/internal.h"

static const char *const state_names[TCP_STATES] = {
    [TCP_STATE_CLOSED] = "CLOSED",
    [TCP_STATE_SYN_SENT] = "SYN-SENT",
    [TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
    [TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_STATE_CLOSING] = "CLOSING",
    [TCP_STATE_LAST_ACK] = "LAST-ACK",
    [TCP_STATE_TIME_WAIT] = "TIME-WAIT",
};

const char *tcp_state_text(enum tcp_state s)
{
    return s < TCP_STATES ? state_names[s] : "?";
}

/* `usable` follows from the state, and the sums of coupled algorithms from that. */
void tcp_set_state(struct subflow *sf, enum tcp_state state)
{
    sf->state = state;
    sf->cc.usable = subflow_can_carry_data(sf);
}

/* The counters are those of RFC 4022 (tcpAttemptFails, tcpEstabResets). */
void tcp_finish(struct subflow *sf, enum tcp_state state, enum subflow_closed why, braid_time now)
{
    if (sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED)
        tcp_count(sf, COUNT_TCP_ATTEMPT_FAILS, 1);
    else if (why == SUBFLOW_CLOSED_RST)
        tcp_count(sf, COUNT_TCP_ESTAB_RESETS, 1);
    else if (why == SUBFLOW_CLOSED_TIMEOUT)
        tcp_count(sf, COUNT_TCP_ABORT_ON_TIMEOUT, 1);
    tcp_deadlines_stop(sf);
    tcp_set_state(sf, state);
    sf->env->ops->closed(sf, why, now);
}
