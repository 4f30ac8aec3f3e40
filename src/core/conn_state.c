/* How far a connection is (enum braid_conn_state). */
#include "core/inside.h"

/* Of a handshake. A simultaneous open has made the initial subflow, the only one, SYN-RECEIVED, too. */
static enum braid_conn_state opening_state(const struct braid_conn *c)
{
    bool received = c->handshake.passive;
    each_flow (s, c)
        received |= s->tcp.state == TCP_STATE_SYN_RECEIVED;
    return received ? BRAID_CONN_SYN_RECEIVED : BRAID_CONN_SYN_SENT;
}

enum braid_conn_state braid_conn_state(const struct braid_conn *c)
{
    switch (c->phase) {
    case CONN_PENDING:
        return BRAID_CONN_PENDING;
    case CONN_HANDSHAKE:
        return opening_state(c);
    case CONN_ESTABLISHED:
        if (c->n_subflows == 0)
            return BRAID_CONN_NO_SUBFLOW;
        if (c->recv.fin_received)
            return c->send.shutdown ? BRAID_CONN_LAST_ACK : BRAID_CONN_CLOSE_WAIT;
        return c->send.shutdown ? BRAID_CONN_FIN_WAIT : BRAID_CONN_ESTABLISHED;
    case CONN_DRAINING:
    case CONN_DEAD:
        break;
    }
    return BRAID_CONN_CLOSING;
}

const char *braid_conn_state_text(enum braid_conn_state state)
{
    static const char *const texts[] = {
        [BRAID_CONN_PENDING] = "PENDING",           [BRAID_CONN_SYN_SENT] = "SYN_SENT",
        [BRAID_CONN_SYN_RECEIVED] = "SYN_RECEIVED", [BRAID_CONN_ESTABLISHED] = "ESTABLISHED",
        [BRAID_CONN_NO_SUBFLOW] = "NO_SUBFLOW",     [BRAID_CONN_FIN_WAIT] = "FIN_WAIT",
        [BRAID_CONN_CLOSE_WAIT] = "CLOSE_WAIT",     [BRAID_CONN_LAST_ACK] = "LAST_ACK",
        [BRAID_CONN_CLOSING] = "CLOSING",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_CONN_CLOSING + 1, "a text for each state");
    return texts[state];
}
