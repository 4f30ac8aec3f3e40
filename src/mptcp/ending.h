/* The end of a connection, and of its subflows. */
#ifndef BRAID_MPTCP_ENDING_H
#define BRAID_MPTCP_ENDING_H

#include <braid/core.h>

struct braid_conn;

/* Notes for the flush (marks.c), and what the user and the peer are told. */
struct conn_closing {
    enum braid_close why : 8;
    bool told;            /* closed() was or must not be called */
    bool ended;           /* the only subflow ended in order: over once the user has read everything */
    bool abort_due;       /* the user aborts it once everything is delivered */
    bool fail_due;        /* conn_fail: carried out by the flush */
    bool fastclose;       /* resets, or an ACK before them, carry MP_FASTCLOSE ... */
    uint8_t reset_reason; /* ... and this reason, which is also that of the user's resets of subflows */
    bool fate_shared;     /* it ends with its first subflow (fate.h) */
};

/* Takes away subflows that ended, or that are to be reset. */
void conn_reap(struct braid_conn *c, braid_time now);
/* Both directions have ended at the data level: the user is done, the subflows follow. A join whose handshake
 * is under way has carried nothing, and its peer may have forgotten it. */
void conn_start_draining(struct braid_conn *c, braid_time now);
/* conn_fail was called: resets what subflows there are, tells the user, and is CONN_DEAD. */
void conn_carry_out_failure(struct braid_conn *c, braid_time now);

#endif
