/* The application of the fuzzed core: echoes, or does what the script says, within the rules of core.h. */
#include "core_fuzz.h"

#include <string.h>
#include "base/addr.h"

static struct app *free_app(struct fuzz *z)
{
    for (unsigned i = 0; i < CONNS; i++)
        if (!z->apps[i].conn)
            return &z->apps[i];
    return NULL;
}

static void app_accept(struct app *a)
{
    static const uint8_t bytes[3000];
    struct fuzz *z = a->fuzz;

    if (z->answer)
        braid_conn_accept_with(a->conn, bytes, next16(z) % sizeof(bytes));
    else
        braid_conn_accept(a->conn);
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct fuzz *z = ctx;
    struct app *a = free_app(z);

    if (!a) {
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    *a = (struct app){.fuzz = z, .conn = c, .pending = z->hold};
    braid_conn_set_user(c, a);
    if (!z->hold)
        app_accept(a);
}

static void on_ready(struct braid_conn *c, void *user)
{
    struct app *a = user;
    struct iovec iov[4];

    MUST(a->conn == c);
    if (!a->fuzz->echo || a->shut)
        return;
    while (braid_conn_peek(c, iov, 4) > 0) {
        ssize_t took = braid_conn_write(c, iov[0].iov_base, iov[0].iov_len);

        MUST(took == BRAID_SHUT || (took >= 0 && (size_t)took <= iov[0].iov_len));
        if (took <= 0)
            return;
        braid_conn_consume(c, (size_t)took);
    }
    if (braid_conn_eof(c)) {
        a->shut = true;
        braid_conn_shutdown(c);
    }
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct app *a = user;

    MUST(a->conn == c && braid_close_text(why) != NULL);
    a->conn = NULL;
}

const struct braid_conn_ops app_ops = {on_incoming, on_ready, on_ready, on_ready, on_closed};

struct braid_addr any_addr(struct fuzz *z, bool ours, bool v6)
{
    uint8_t host = next8(z) % 3;
    uint8_t v4[4] = {10, ours ? 1 : 9, 0, (uint8_t)(1 + host)};
    struct braid_addr a = {.ip = ip_from_v4(v4), .port = PORT};

    if (v6) {
        memset(a.ip.b, 0, 16);
        a.ip.b[0] = 0xfd;
        a.ip.b[1] = ours ? 1 : 9;
        a.ip.b[15] = (uint8_t)(1 + host);
    }
    return a;
}

static uint32_t a_subflow(struct fuzz *z, const struct braid_conn *c)
{
    struct braid_conn_stats st;

    braid_conn_stats(c, &st);
    MUST(st.n_subflows <= BRAID_STATS_SUBFLOWS);
    return st.n_subflows ? st.subflows[next8(z) % st.n_subflows].id : next8(z);
}

static void app_write(struct fuzz *z, struct app *a)
{
    static const uint8_t bytes[PAYLOAD];
    struct iovec iov[3];
    size_t want = next16(z) % PAYLOAD, got = 0;

    if (a->pending)
        return;
    if (next8(z) & 1) {
        ssize_t took = braid_conn_write(a->conn, bytes, want);

        MUST(took == BRAID_SHUT || (took >= 0 && (size_t)took <= want));
        MUST(took == BRAID_SHUT || !a->shut);
        return;
    }
    for (unsigned i = 0, n = braid_conn_reserve(a->conn, want, iov, 3); i < n; i++) {
        memset(iov[i].iov_base, 'x', iov[i].iov_len);
        got += iov[i].iov_len;
    }
    MUST(got <= want);
    if (got > 0)
        braid_conn_commit(a->conn, next8(z) & 1 ? got : got / 2);
}

static void app_read(struct fuzz *z, struct app *a)
{
    struct iovec iov[2];
    unsigned n = braid_conn_peek(a->conn, iov, 2);
    size_t total = n > 1 ? iov[0].iov_len + iov[1].iov_len : n ? iov[0].iov_len : 0;

    if (total > 0)
        braid_conn_consume(a->conn, 1 + next16(z) % total);
}

static void app_answer(struct fuzz *z, struct app *a)
{
    uint8_t how = next8(z) % 4;
    struct braid_conn *c = a->conn;

    if (!a->pending)
        return;
    a->pending = false;
    if (how < 2) {
        app_accept(a);
        return;
    }
    a->conn = NULL;
    braid_conn_refuse(c, how == 2 ? BRAID_REFUSE_RESET : BRAID_REFUSE_UNREACHABLE);
}

static void app_release(struct app *a)
{
    struct braid_conn *c = a->conn;

    if (a->pending)
        return;
    a->conn = NULL;
    braid_conn_release(c);
}

static void app_addresses(struct fuzz *z, struct app *a)
{
    uint8_t what = next8(z) % 3;
    bool v6 = next8(z) & 1;
    struct braid_addr core = any_addr(z, false, v6), us = any_addr(z, true, v6);

    if (a->pending)
        return;
    if (what == 0)
        braid_conn_announce(a->conn, &core);
    if (what == 1)
        braid_conn_withdraw(a->conn, &core.ip);
    core.port = z->next_port++;
    if (what == 2)
        braid_conn_join(a->conn, &core, &us, next8(z) & 1, z->now);
}

void app_act(struct fuzz *z)
{
    uint8_t what = next8(z) % 13, index = next8(z) % CONNS;
    struct app *a = &z->apps[index];

    for (unsigned i = 0; i < CONNS && !a->conn; i++)
        a = &z->apps[(index + i) % CONNS];
    if (what == 0)
        z->echo = !z->echo;
    if (what == 1)
        z->hold = !z->hold;
    if (what == 12)
        z->answer = !z->answer;
    if (!a->conn)
        return;
    if (what == 2) {
        app_answer(z, a);
    } else if (what == 3 || what == 4) {
        app_write(z, a);
    } else if (what == 5) {
        app_read(z, a);
    } else if (what == 6 && !a->pending) {
        a->shut = true;
        braid_conn_shutdown(a->conn);
    } else if (what == 7) {
        braid_conn_abort(a->conn);
    } else if (what == 8) {
        app_release(a);
    } else if (what == 9) {
        braid_conn_set_backup(a->conn, a_subflow(z, a->conn), next8(z) & 1);
    } else if (what == 10) {
        braid_conn_reset_subflow(a->conn, a_subflow(z, a->conn));
    } else if (what == 11) {
        app_addresses(z, a);
    }
}

void app_connect(struct fuzz *z)
{
    static const uint8_t bytes[3000];
    uint8_t how = next8(z);
    struct app *a = free_app(z);
    struct braid_connect_params p = {.cc = z->cc, .sched = z->sched, .pm = z->pm, .ops = &app_ops};

    if (!a)
        return;
    p.local = any_addr(z, false, how & 1);
    p.local.port = z->next_port++;
    p.remote = any_addr(z, true, how & 1);
    p.checksum = how & 2;
    p.plain = how & 4;
    p.version_0 = how & 32;
    p.believe_addresses = how & 64;
    if (z->more && (how & 8))
        p.local.port = 0;
    if (z->more && (how & 16)) {
        p.syn_data = bytes;
        p.syn_len = next16(z) % sizeof(bytes);
    }
    p.user = a;
    *a = (struct app){.fuzz = z};
    a->conn = braid_connect(z->core, &p, z->now);
    MUST((a->conn == NULL) == (braid_core_error(z->core) != BRAID_ERROR_NONE));
}
