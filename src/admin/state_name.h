/* A connection's state as operators know it: what is pending waits for its server. */
#ifndef BRAID_ADMIN_STATE_NAME_H
#define BRAID_ADMIN_STATE_NAME_H

#include <braid/core.h>

/* A static string. */
static inline const char *state_name(enum braid_conn_state state)
{
    return state == BRAID_CONN_PENDING ? "CONNECTING_SERVER" : braid_conn_state_text(state);
}

#endif
