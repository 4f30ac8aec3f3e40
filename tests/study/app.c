/* The application: one end writes as much as goes, or a small message every STUDY_MESSAGE_EVERY; the other
 * compares every byte that it reads. */
#include <stdlib.h>
#include "study.h"

#define MESSAGE_MIN 100
#define MESSAGE_MAX 1200

/* ---- writing ----------------------------------------------------------------------- */

static void pump(struct end *e)
{
    study_write(e);
    if (e->conn && e->written == e->study->cell->bytes && !e->shut) {
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

static void begin_sending(struct study *s)
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

/* ---- callbacks --------------------------------------------------------------------- */

static void on_incoming(void *ctx, struct braid_conn *c)
{
    study_accept(&((struct study *)ctx)->ends[SIM_SERVER], c);
}

static void on_established(struct braid_conn *c, void *user)
{
    struct end *e = user;

    if (!e)
        return;
    study_established(e, c);
    if (e == &e->study->ends[e->study->cell->from])
        begin_sending(e->study);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)c;
    if (user)
        read_all(user);
}

static void on_writable(struct braid_conn *c, void *user)
{
    (void)c;
    if (user)
        pump(user);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    if (user)
        study_closed(user, why);
}

const struct braid_conn_ops study_ops = {on_incoming, on_established, on_readable, on_writable, on_closed};
