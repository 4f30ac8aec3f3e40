/* Why a subflow ended, in the words of the user's interface. */
#ifndef BRAID_MPTCP_CLOSE_REASON_H
#define BRAID_MPTCP_CLOSE_REASON_H

#include "mptcp/conn.h"

/* ours: what it is called if this end did it. */
static inline enum braid_close close_reason(const struct mp_subflow *s, enum braid_close ours)
{
    switch (s->closing.why) {
    case SUBFLOW_CLOSED_DONE:
        return BRAID_CLOSE_DONE;
    case SUBFLOW_CLOSED_RST:
        return BRAID_CLOSE_RESET;
    case SUBFLOW_CLOSED_REFUSED:
        return BRAID_CLOSE_REFUSED;
    case SUBFLOW_CLOSED_TIMEOUT:
        return BRAID_CLOSE_TIMEOUT;
    case SUBFLOW_CLOSED_UNREACHABLE:
        return BRAID_CLOSE_UNREACHABLE;
    case SUBFLOW_CLOSED_LOCAL:
        break;
    }
    return ours;
}

#endif
