/* The user of a connection that is played afresh (afresh.h): he calls what he called, as far as there are
 * bytes and room for it now, and does the rest later. */
#ifndef BRAID_REPLAY_PLAYED_USER_H
#define BRAID_REPLAY_PLAYED_USER_H

#include <braid/tap.h>

struct played_user {
    uint64_t most;   /* bytes: of all that he writes */
    uint64_t unread; /* bytes that he would have consumed */
    bool shut;       /* he shuts down when all is written */
};

/* Bytes that were written so far. */
static inline uint64_t played_written(const struct braid_conn_stats *st)
{
    return st->bytes_out + st->send_queued;
}

/* Something that was done to the connection, of the user's or not. What cannot be any more is left out. */
void played_user_redo(struct played_user *u, struct braid_core *core, struct braid_conn *c,
                      const struct braid_tap_event *e);
/* What he could not read or write yet. last: he has made all the calls that he made. */
void played_user_catch_up(struct played_user *u, struct braid_conn *c, bool last);

#endif
