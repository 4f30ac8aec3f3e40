/* Applications: the write side, the read side, and the callbacks of a core. */
#include "app.h"

#include <string.h>
#include "world.h"

/* ---- streams ----------------------------------------------------------------------- */

uint8_t app_byte(uint64_t key, uint64_t pos)
{
    return (uint8_t)(rng_mix(key + pos / 8) >> 8 * (pos % 8));
}

void app_fill(uint64_t key, uint64_t pos, uint8_t *out, size_t len)
{
    for (; len > 0 && pos % 8; len--)
        *out++ = app_byte(key, pos++);
    for (; len >= 8; len -= 8, pos += 8, out += 8) {
        uint64_t x = htole64(rng_mix(key + pos / 8));

        memcpy(out, &x, 8);
    }
    for (; len > 0; len--)
        *out++ = app_byte(key, pos++);
}

size_t app_compare(uint64_t key, uint64_t pos, const uint8_t *data, size_t len)
{
    uint8_t want[4096];

    for (size_t done = 0; done < len;) {
        size_t n = len - done < sizeof(want) ? len - done : sizeof(want);

        app_fill(key, pos + done, want, n);
        if (memcmp(want, data + done, n) != 0) {
            while (data[done] == want[0] && app_byte(key, pos + done) == data[done])
                done++;
            for (; app_byte(key, pos + done) == data[done]; done++)
                ;
            return done;
        }
        done += n;
    }
    return len;
}

/* ---- writing ----------------------------------------------------------------------- */

/* A server waits for the third ACK, unless some of it may leave before. */
static bool may_write(const struct app *a)
{
    return a->established || a->side == SIM_CLIENT || a->p.early > 0;
}

static void app_write(struct app *a);

static void write_event(void *ctx, uint64_t arg)
{
    struct app *a = ctx;

    (void)arg;
    a->write_planned = false;
    if (!a->conn)
        return;
    app_write(a);
    if (a->conn)
        sim_core_touch(a->sc);
}

static void plan_write(struct app *a, braid_time in)
{
    if (a->write_planned)
        return;
    a->write_planned = true;
    vtime_at(&a->world->time, a->world->time.now + in, write_event, a, 0);
}

static size_t write_reserved(struct app *a, size_t want)
{
    struct iovec iov[3];
    unsigned n = braid_conn_reserve(a->conn, want, iov, 3);
    size_t done = 0, use;

    if (n == 0)
        return 0;
    for (unsigned i = 0; i < n; i++)
        done += iov[i].iov_len;
    if (done > want)
        sim_fail(a->world, "reserve gave %zu bytes where %zu were wanted", done, want);
    /* Now and then less is written than was reserved. */
    use = rng_chance(&a->rng, 0.1) ? (size_t)rng_range(&a->rng, 0, (int64_t)done) : done;
    done = 0;
    for (unsigned i = 0; i < n && done < use; i++) {
        size_t len = iov[i].iov_len < use - done ? iov[i].iov_len : use - done;

        app_fill(a->tx_key, a->written + done, iov[i].iov_base, len);
        done += len;
    }
    braid_conn_commit(a->conn, use);
    a->written += use;
    /* The caller takes an unused reservation for a full buffer otherwise. */
    return use > 0 ? use : 1;
}

static size_t write_copied(struct app *a, size_t want)
{
    uint8_t bytes[65536];
    ssize_t took;

    app_fill(a->tx_key, a->written, bytes, want);
    took = braid_conn_write(a->conn, bytes, want);
    if (took > (ssize_t)want)
        sim_fail(a->world, "write took %zd of %zu bytes", took, want);
    if (took <= 0) /* full, or failed: closed() will tell */
        return 0;
    a->written += (uint64_t)took;
    return (size_t)took;
}

static void finish_writing(struct app *a)
{
    if (a->shut || (a->p.eof_first && !a->eof))
        return;
    a->shut = true;
    sim_trace(a->world, "%s %u shuts down after %llu bytes", a->side ? "server" : "client", a->index,
              (unsigned long long)a->written);
    braid_conn_shutdown(a->conn);
}

static void shutdown_event(void *ctx, uint64_t arg)
{
    struct app *a = ctx;

    (void)arg;
    if (!a->conn)
        return;
    finish_writing(a);
    sim_core_touch(a->sc);
}

/* What is on its way is in somebody's buffers. */
static void check_held(struct app *a)
{
    size_t most = a->world->s.chain.most_held;

    if (most > 0 && a->written - a->peer->read > most)
        sim_fail(a->world, "%s %u has %llu bytes under way, more than %zu", a->side ? "server" : "client",
                 a->index, (unsigned long long)(a->written - a->peer->read), most);
}

static void app_write(struct app *a)
{
    if (a->shut || !may_write(a))
        return;
    while (a->written < a->p.total) {
        uint64_t left = a->p.total - a->written;
        size_t want = (size_t)rng_range(&a->rng, 1, a->p.write_max);

        want = want < left ? want : (size_t)left;
        if ((a->p.reserve ? write_reserved(a, want) : write_copied(a, want)) == 0) {
            a->want_room = true;
            return;
        }
        check_held(a);
        if (rng_chance(&a->rng, a->p.pause)) {
            plan_write(a, rng_range(&a->rng, 1, a->p.pause_max));
            return;
        }
    }
    if (a->p.shutdown_delay > 0 && !a->p.eof_first)
        vtime_at(&a->world->time, a->world->time.now + a->p.shutdown_delay, shutdown_event, a, 0);
    else
        finish_writing(a);
}

/* ---- reading ----------------------------------------------------------------------- */

static void app_read(struct app *a);

static void read_event(void *ctx, uint64_t arg)
{
    struct app *a = ctx;

    (void)arg;
    a->read_planned = false;
    if (!a->conn)
        return;
    app_read(a);
    if (a->conn)
        sim_core_touch(a->sc);
}

static void plan_read(struct app *a, braid_time in)
{
    a->read_planned = true;
    vtime_at(&a->world->time, a->world->time.now + in, read_event, a, 0);
}

static void note_progress(struct app *a)
{
    braid_time now = a->world->time.now;

    if (a->read == 0)
        a->first_at = now;
    else if (now - a->last_at > a->stall)
        a->stall = now - a->last_at;
    a->last_at = now;
}

/* Whether a change of payload can only be passed on: MPTCP without checksums does not see it, and plain TCP
 * has nothing to see it with. */
static bool is_blind(const struct app *a)
{
    const struct scenario *s = &a->world->s;

    if (!s->alters)
        return false;
    return !a->mptcp || !(s->checksum[0] || s->checksum[1]) || (a->conn && !braid_conn_is_mptcp(a->conn));
}

/* Compares what was read; true if that is as it has to be. */
static bool is_right(struct app *a, uint64_t pos, const uint8_t *data, size_t len)
{
    size_t same;

    if (a->altered)
        return true; /* the positions may have moved */
    same = app_compare(a->rx_key, pos, data, len);
    if (same < len && is_blind(a)) {
        sim_trace(a->world, "%s %u read an altered byte at %llu", a->side ? "server" : "client", a->index,
                  (unsigned long long)(pos + same));
        a->altered = true;
        return true;
    }
    if (same < len)
        sim_fail(a->world, "%s %u read a wrong byte at %llu", a->side ? "server" : "client", a->index,
                 (unsigned long long)(pos + same));
    return same == len;
}

/* True if the length of the stream may be another one than was written. */
static bool may_differ(const struct app *a)
{
    return a->world->s.alters_length && is_blind(a);
}

/* Reads at most read_max bytes; returns how many. */
static size_t read_some(struct app *a)
{
    struct iovec iov[8];
    unsigned n = braid_conn_peek(a->conn, iov, (unsigned)rng_range(&a->rng, 1, 8));
    size_t room = (size_t)rng_range(&a->rng, 1, a->p.read_max), done = 0;

    for (unsigned i = 0; i < n && done < room; i++) {
        size_t len = iov[i].iov_len < room - done ? iov[i].iov_len : room - done;

        if (iov[i].iov_len == 0)
            sim_fail(a->world, "peek gave an empty piece");
        if (!is_right(a, a->read + done, iov[i].iov_base, len))
            break;
        done += len;
    }
    if (a->read + done > a->peer->written && !may_differ(a))
        sim_fail(a->world, "%s %u read more than was written", a->side ? "server" : "client", a->index);
    if (done > 0) {
        note_progress(a);
        if (a->read < a->peer->p.total / 2)
            a->half_at = a->last_at;
        if (a->read < a->peer->p.total / 10 * 9)
            a->most_at = a->last_at;
        a->read += done;
        braid_conn_consume(a->conn, done);
    } else if (braid_conn_readable(a->conn) > 0) {
        sim_fail(a->world, "%zu bytes are readable but peek gave none", braid_conn_readable(a->conn));
    }
    return done;
}

static void check_eof(struct app *a)
{
    if (a->eof || !braid_conn_eof(a->conn))
        return;
    a->eof = true;
    sim_trace(a->world, "%s %u sees the end after %llu bytes", a->side ? "server" : "client", a->index,
              (unsigned long long)a->read);
    if (a->read != a->peer->written && may_differ(a))
        a->altered = true;
    else if (!a->peer->shut || a->read != a->peer->written)
        sim_fail(a->world, "%s %u saw the end at %llu, the peer wrote %llu%s", a->side ? "server" : "client",
                 a->index, (unsigned long long)a->read, (unsigned long long)a->peer->written,
                 a->peer->shut ? "" : " and has not shut down");
    if (a->p.eof_first && a->written == a->p.total)
        finish_writing(a);
}

static void app_read(struct app *a)
{
    while (braid_conn_readable(a->conn) > 0) {
        if (a->p.stall_for > 0 && !a->stalled && a->read >= a->p.stall_at) {
            a->stalled = true;
            plan_read(a, a->p.stall_for);
            return;
        }
        if (read_some(a) == 0)
            return;
        if (a->p.read_every > 0) {
            plan_read(a, a->p.read_every);
            return;
        }
    }
    check_eof(a);
    if (a->eof && a->shut && a->p.release)
        app_release(a);
}

/* ---- callbacks --------------------------------------------------------------------- */

static void app_accept(struct app *a)
{
    uint8_t bytes[UINT16_MAX];
    uint64_t n = a->p.answer < a->p.total ? a->p.answer : a->p.total;

    if (a->p.read_pending)
        app_read(a);
    if (a->p.early > 0) {
        braid_conn_accept_early(a->conn, a->p.early);
        app_write(a);
        return;
    }
    if (a->p.answer == 0) {
        braid_conn_accept(a->conn);
        return;
    }
    app_fill(a->tx_key, 0, bytes, n);
    a->written = n;
    braid_conn_accept_with(a->conn, bytes, n);
}

static void accept_event(void *ctx, uint64_t arg)
{
    struct app *a = ctx;

    (void)arg;
    if (!a->conn)
        return;
    app_accept(a);
    sim_core_touch(a->sc);
}

/* The server's end of the connection that comes from this port of the client. */
static struct app *find_server(struct sim_core *sc, uint32_t port)
{
    for (unsigned i = 0; i < sc->world->s.n_conns; i++)
        if (sc->world->apps[SIM_CLIENT][i].port == port)
            return &sc->world->apps[SIM_SERVER][i];
    return NULL;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct sim_core *sc = ctx;
    struct braid_addr local, remote;
    struct app *a;

    if (sc->world->s.race) {
        contest_incoming(sc, c);
        return;
    }
    if (sc->world->chain) {
        sc->world->s.chain.middle->incoming(sc, c);
        return;
    }
    braid_conn_addrs(c, &local, &remote);
    boxes_unmap(sc->world, &remote);
    a = find_server(sc, remote.port);
    if (!a || a->opened) {
        /* An old duplicate of a SYN, after its connection has ended or beside it. */
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    sim_trace(sc->world, "server %u: incoming connection %llu", a->index,
              (unsigned long long)braid_conn_id(c));
    a->sc = sc;
    a->conn = c;
    a->id = braid_conn_id(c);
    a->opened = true;
    a->opened_at = sc->world->time.now;
    braid_conn_set_user(c, a);
    if (a->p.accept_delay > 0)
        vtime_at(&sc->world->time, sc->world->time.now + a->p.accept_delay, accept_event, a, 0);
    else
        app_accept(a);
    if (a->p.accept_delay > 0 && a->p.read_pending)
        app_read(a);
}

static void on_established(struct braid_conn *c, void *user)
{
    struct app *a = user;

    if (a->established || c != a->conn)
        sim_fail(a->world, "established() was called twice, or for a wrong connection");
    a->established = true;
    a->mptcp = braid_conn_is_mptcp(c);
    sim_trace(a->world, "%s %u is established%s", a->side ? "server" : "client", a->index,
              braid_conn_is_mptcp(c) ? " as MPTCP" : " as plain TCP");
    if (a->world->chain && a->side == SIM_CLIENT)
        a->world->s.chain.middle->established(a);
    if (a->side == SIM_CLIENT || a->p.early == 0) /* else it writes already */
        app_write(a);
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct app *a = user;

    if (c != a->conn)
        sim_fail(a->world, "readable() was called for a wrong connection");
    else if (!a->read_planned)
        app_read(a);
}

static void on_writable(struct braid_conn *c, void *user)
{
    struct app *a = user;

    if (c != a->conn)
        sim_fail(a->world, "writable() was called for a wrong connection");
    else if (a->want_room && !a->write_planned) {
        a->want_room = false;
        app_write(a);
    }
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct app *a = user;

    if (c != a->conn || a->closed)
        sim_fail(a->world, "closed() was called twice, after release, or for a wrong connection");
    sim_trace(a->world, "%s %u is closed: %s", a->side ? "server" : "client", a->index,
              braid_close_text(why));
    /* A slow reader learns of the end by this call. */
    if (why == BRAID_CLOSE_DONE && a->peer->shut && (a->read == a->peer->written || may_differ(a))) {
        a->eof = true;
        a->altered = a->altered || a->read != a->peer->written;
    }
    a->mptcp = a->mptcp && braid_conn_is_mptcp(c);
    a->conn = NULL;
    a->closed = true;
    a->why = why;
    a->closed_at = a->world->time.now;
}

const struct braid_conn_ops app_ops = {on_incoming, on_established, on_readable, on_writable, on_closed};

/* ---- life -------------------------------------------------------------------------- */

void app_init(struct app *a, struct world *w, unsigned side, unsigned index)
{
    uint64_t key = rng_mix(w->s.seed * 64 + index);

    *a = (struct app){.world = w, .side = side, .index = index, .p = w->s.app[side]};
    a->rng = rng_make(w->s.seed, 1000 + side * 100 + index);
    a->tx_key = rng_mix(key + side);
    a->rx_key = rng_mix(key + !side);
    a->peer = &w->apps[!side][index];
    a->sc = w->s.chain.middle ? &w->outer[side] : &w->cores[side][index % w->s.workers[side]];
}

void app_open(void *ctx, uint64_t arg)
{
    struct app *a = ctx;
    struct world *w = a->world;
    uint8_t bytes[UINT16_MAX];
    struct braid_connect_params p = {
        .cc = w->s.cc[SIM_CLIENT],
        .sched = w->s.sched[SIM_CLIENT],
        .pm = w->s.pm[SIM_CLIENT],
        .checksum = w->s.checksum[SIM_CLIENT],
        .fate_sharing = w->s.fate_sharing[SIM_CLIENT],
        .version_0 = w->s.version_0[SIM_CLIENT],
        .believe_addresses = true,
        .plain = w->s.plain || w->chain,
        .ops = &app_ops,
        .user = a,
    };

    (void)arg;
    a->written = a->p.syn_data < a->p.total ? a->p.syn_data : a->p.total;
    app_fill(a->tx_key, 0, bytes, a->written);
    p.syn_data = bytes;
    p.syn_len = (uint16_t)a->written;
    a->port = w->next_port++;
    p.local = (struct braid_addr){sim_client_now(w, a->index % w->s.n_paths), (uint16_t)a->port};
    p.remote = (struct braid_addr){sim_server_ip(&w->s, 0), SIM_PORT};
    if (w->chain)
        w->s.chain.middle->opens(a, &p.local, &p.remote);
    a->opened = true;
    a->opened_at = w->time.now;
    a->conn = braid_connect(a->sc->core, &p, w->time.now);
    if (!a->conn) {
        sim_fail(w, "braid_connect failed");
        return;
    }
    a->id = braid_conn_id(a->conn);
    sim_core_touch(a->sc);
}

void app_abort(struct app *a)
{
    if (!a->conn)
        return;
    a->aborted = true;
    sim_trace(a->world, "%s %u aborts", a->side ? "server" : "client", a->index);
    braid_conn_abort(a->conn);
    sim_core_touch(a->sc);
}

void app_release(struct app *a)
{
    struct braid_conn *c = a->conn;

    if (!c)
        return;
    sim_trace(a->world, "%s %u releases", a->side ? "server" : "client", a->index);
    a->mptcp = a->mptcp && braid_conn_is_mptcp(c);
    a->conn = NULL;
    a->released = true;
    a->closed_at = a->world->time.now;
    braid_conn_release(c);
    sim_core_touch(a->sc);
}

bool app_over(const struct app *a)
{
    return a->opened ? !a->conn && (a->closed || a->released) : a->peer->opened && app_over(a->peer);
}
