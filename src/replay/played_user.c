/* See played_user.h. */
#include "replay/played_user.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void consume(struct played_user *u, struct braid_core *core, struct braid_conn *c,
                    const struct braid_tap_event *e)
{
    struct braid_tap_event all = *e;
    struct braid_conn_stats st;
    braid_conn_stats(c, &st);
    if (st.recv_queued < e->n[0]) {
        u->unread += e->n[0] - st.recv_queued;
        all.n[0] = st.recv_queued;
    }
    braid_tap_redo(core, c, &all);
}

static void write_more(const struct played_user *u, struct braid_core *core, struct braid_conn *c,
                       const struct braid_tap_event *e)
{
    struct braid_tap_event all = *e;
    struct braid_conn_stats st;
    braid_conn_stats(c, &st);
    uint64_t room = u->most > played_written(&st) ? u->most - played_written(&st) : 0;
    if (all.kind == BRAID_TAP_WRITE)
        all.n[0] = least(all.n[0], room);
    if (!braid_tap_redo(core, c, &all) && all.kind == BRAID_TAP_COMMIT)
        braid_conn_commit(c, 0); /* played_user_catch_up writes it when there is room */
}

static void shut_down(struct played_user *u, struct braid_core *core, struct braid_conn *c,
                      const struct braid_tap_event *e)
{
    struct braid_conn_stats st;
    braid_conn_stats(c, &st);
    if (played_written(&st) < u->most)
        u->shut = true;
    else
        braid_tap_redo(core, c, e);
}

void played_user_redo(struct played_user *u, struct braid_core *core, struct braid_conn *c,
                      const struct braid_tap_event *e)
{
    switch (e->kind) {
    case BRAID_TAP_CONSUME:
        consume(u, core, c, e);
        break;
    case BRAID_TAP_WRITE:
    case BRAID_TAP_COMMIT:
        write_more(u, core, c, e);
        break;
    case BRAID_TAP_SHUTDOWN:
        shut_down(u, core, c, e);
        break;
    default:
        braid_tap_redo(core, c, e);
    }
}

/* ---- later ---- */

static void read_rest(struct played_user *u, struct braid_conn *c, const struct braid_conn_stats *st)
{
    uint64_t take = least(u->unread, st->recv_queued);
    if (take > 0)
        braid_conn_consume(c, take);
    u->unread -= take;
}

/* False: he may write no more. */
static bool write_rest(const struct played_user *u, struct braid_conn *c, struct braid_conn_stats *st)
{
    static const uint8_t zeros[65536];
    ssize_t n = 1;
    while (played_written(st) < u->most && n > 0) {
        n = braid_conn_write(c, zeros, least(u->most - played_written(st), sizeof(zeros)));
        braid_conn_stats(c, st);
    }
    return n != BRAID_SHUT;
}

void played_user_catch_up(struct played_user *u, struct braid_conn *c, bool last)
{
    struct braid_conn_stats st;
    braid_conn_stats(c, &st);
    read_rest(u, c, &st);
    bool may = !last || write_rest(u, c, &st);
    if (u->shut && (!may || played_written(&st) >= u->most)) {
        u->shut = false;
        braid_conn_shutdown(c);
    }
}
