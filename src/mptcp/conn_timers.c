/* The deadlines of a connection, all on one timer of the wheel, and what is done when they come. */
#include "mptcp/conn_timers.h"

#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/data_timeout.h"
#include "mptcp/first_answer.h"
#include "mptcp/join_handshake.h"
#include "mptcp/marks.h"
#include "mptcp/retire.h"
#include "mptcp/stall.h"
#include "mptcp/tapped.h"

/* One timer for all deadlines: connections are many, and most have none that is near. */
void conn_rearm(struct braid_conn *c)
{
    braid_time at = c->deadlines.data_rtx;
    const braid_time others[] = {c->deadlines.addr,  c->deadlines.gone,  c->deadlines.join, c->deadlines.room,
                                 c->deadlines.stall, c->deadlines.watch, c->deadlines.pm};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        no_later(&at, others[i]);
    if (at == c->deadlines.timer.at)
        return;
    if (at == BRAID_NEVER)
        wheel_cancel(&c->env->tcp.wheel, &c->deadlines.timer);
    else
        wheel_arm(&c->env->tcp.wheel, &c->deadlines.timer, at);
}

/* The deadlines that are not put back to BRAID_NEVER here are set anew by who is called. A timer only does
 * what waits for time; the rest is done by the flush that follows. */
void conn_fire(struct timer *t, braid_time now)
{
    struct braid_conn *c = list_entry(t, struct braid_conn, deadlines.timer);
    conn_tap(c, BRAID_TAP_TIMER, now, 0);
    if (c->deadlines.data_rtx <= now)
        conn_data_timeout(c, now);
    if (c->deadlines.addr <= now) {
        c->deadlines.addr = BRAID_NEVER;
        /* one deadline for all of these: each sets it again for what it still waits for */
        conn_announce_timeout(c, now);
        conn_retire_timeout(c, now);
        first_answer_timeout(c, now);
    }
    if (c->deadlines.join <= now)
        conn_repeat_join_acks(c, now);
    if (c->deadlines.stall <= now)
        conn_stall_timeout(c, now);
    if (c->deadlines.pm <= now) {
        c->deadlines.pm = BRAID_NEVER;
        c->pm.changed = true;
    }
    if (c->deadlines.watch <= now)
        c->deadlines.watch = BRAID_NEVER; /* the flush looks, and says when again */
    if (c->deadlines.room <= now)
        c->deadlines.room = BRAID_NEVER; /* the flush looks whether there is memory now */
    /* No subflow, no end of data or no FIN came in time. The user of one that drains has been told already.
     */
    if (c->deadlines.gone <= now) {
        c->deadlines.gone = BRAID_NEVER;
        if (c->phase == CONN_ESTABLISHED)
            conn_count(c, MP_CONN_TIMEOUT);
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
    }
    conn_dirty(c);
    conn_rearm(c);
}
