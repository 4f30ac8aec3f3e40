/* The application: one end writes as much as goes, or a small message every STUDY_MESSAGE_EVERY; the other
 * compares every byte that it reads. */
#include <stdlib.h>
#include "study.h"

#define WRITE_MAX   (256 * 1024)
#define JOIN_AGAIN  (1 * BRAID_MS)
#define MESSAGE_MIN 100
#define MESSAGE_MAX 1200

/* ---- writing ----------------------------------------------------------------------- */

static size_t write_some(struct end *e, size_t want)
{
    struct iovec iov[8];
    unsigned n = braid_conn_reserve(e->conn, want, iov, 8);
    size_t done = 0;

    for (unsigned i = 0; i < n; i++) {
        app_fill(e->study->cell->seed, e->written + done, iov[i].iov_base, iov[i].iov_len);
        done += iov[i].iov_len;
    }
    braid_conn_commit(e->conn, done);
    e->written += done;
    return done;
}

static void pump(struct end *e)
{
    uint64_t all = e->study->cell->bytes;

    while (e->conn && e->written < e->produced) {
        uint64_t left = e->produced - e->written;

        if (write_some(e, left < WRITE_MAX ? (size_t)left : WRITE_MAX) == 0) {
            e->want_room = true;
            return;
        }
    }
    if (e->conn && e->written == all && !e->shut) {
        e->shut = true;
        braid_conn_shutdown(e->conn);
    }
}

static void add_message(struct study *s, uint64_t end)
{
    if (s->n_messages % 1024 == 0) {
        s->messages = realloc(s->messages, (s->n_messages + 1024) * sizeof(*s->messages));
        if (!s->messages)
            abort();
    }
    s->messages[s->n_messages++] = (struct message){end, s->w.time.now};
}

static void produce_message(void *ctx, uint64_t arg)
{
    struct study *s = ctx;
    struct end *e = &s->ends[s->cell->from];

    (void)arg;
    if (!e->conn)
        return;
    e->produced += (uint64_t)rng_range(&s->rng, MESSAGE_MIN, MESSAGE_MAX);
    add_message(s, e->produced);
    pump(e);
    sim_core_touch(&s->w.cores[s->cell->from][0]);
    vtime_at(&s->w.time, s->w.time.now + STUDY_MESSAGE_EVERY, produce_message, s, 0);
}

void study_begin_sending(struct study *s)
{
    struct end *e = &s->ends[s->cell->from];

    if (s->cell->messages) {
        vtime_at(&s->w.time, s->w.time.now, produce_message, s, 0);
        return;
    }
    e->produced = s->cell->bytes;
    pump(e);
}

/* ---- reading ----------------------------------------------------------------------- */

static void read_all(struct end *e)
{
    struct study *s = e->study;
    struct iovec iov[16];
    unsigned n;

    while ((n = braid_conn_peek(e->conn, iov, 16)) > 0) {
        size_t done = 0;

        for (unsigned i = 0; i < n; i++) {
            if (app_compare(s->cell->seed, e->read + done, iov[i].iov_base, iov[i].iov_len) < iov[i].iov_len)
                sim_fail(&s->w, "a wrong byte arrived behind byte %llu", (unsigned long long)e->read + done);
            done += iov[i].iov_len;
        }
        braid_conn_consume(e->conn, done);
        e->read += done;
        meter_read(s);
    }
    if (e->read == s->cell->bytes)
        s->complete = true;
}

/* ---- subflows ---------------------------------------------------------------------- */

static bool join_path(struct study *s, unsigned path)
{
    struct braid_addr local = {sim_client_ip(&s->w.s, path), s->next_port};
    struct braid_addr remote = {sim_server_ip(&s->w.s, 0), SIM_PORT};

    if (braid_conn_join(s->ends[SIM_CLIENT].conn, &local, &remote, false, s->w.time.now) != 0)
        return false;
    s->next_port++;
    sim_core_touch(&s->w.cores[SIM_CLIENT][0]);
    return true;
}

void study_join(void *ctx, uint64_t arg)
{
    struct study *s = ctx;
    bool all = true;

    (void)arg;
    for (unsigned i = 0; i < s->cell->n_paths && s->ends[SIM_CLIENT].conn; i++) {
        if (!s->joined[i])
            s->joined[i] = join_path(s, i);
        all = all && s->joined[i];
    }
    if (!all)
        vtime_at(&s->w.time, s->w.time.now + JOIN_AGAIN, study_join, s, 0);
}

/* ---- callbacks --------------------------------------------------------------------- */

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct study *s = ctx;
    struct end *e = &s->ends[SIM_SERVER];

    /* Another one is a join that a path has stripped; who asked for it will reset it. */
    braid_conn_set_user(c, e->conn ? NULL : e);
    if (!e->conn)
        e->conn = c;
    braid_conn_accept(c);
}

/* The path of the first subflow lets no MPTCP through: the connection is a plain one. */
static bool strips_first(const struct study *s)
{
    return s->cell->up[study_first(s->cell)].strip != STRIP_NONE;
}

static void on_established(struct braid_conn *c, void *user)
{
    struct end *e = user;
    struct study *s = e ? e->study : NULL;

    if (!e)
        return;
    e->established = true;
    if (!braid_conn_is_mptcp(c) && !strips_first(s))
        sim_fail(&s->w, "the connection is not MPTCP");
    if (e == &s->ends[s->cell->from])
        study_begin_sending(s);
    if (e == &s->ends[SIM_CLIENT] && s->cell->alone == STUDY_NOBODY)
        study_join(s, 0);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)c;
    if (user)
        read_all(user);
}

static void on_writable(struct braid_conn *c, void *user)
{
    struct end *e = user;

    (void)c;
    if (!e)
        return;
    e->want_room = false;
    pump(e);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct end *e = user;

    (void)c;
    if (!e)
        return;
    e->conn = NULL;
    e->closed = true;
    sim_fail(&e->study->w, "the connection ended: %s", braid_close_text(why));
}

const struct braid_conn_ops study_ops = {on_incoming, on_established, on_readable, on_writable, on_closed};
