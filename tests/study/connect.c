/* What all connections of a study have in common: how they begin, join paths, write, and may not end. */
#include "study.h"

#define WRITE_MAX  (256 * 1024)
#define JOIN_AGAIN (1 * BRAID_MS)

static struct braid_addr address_of(const struct study *s, unsigned service)
{
    return (struct braid_addr){sim_server_ip(&s->w.s, 0), (uint16_t)(SIM_PORT + service)};
}

void study_listen(struct study *s, unsigned service, const struct sched_ops *sched,
                  const struct braid_conn_ops *ops)
{
    struct braid_listen_params l = {.addr = address_of(s, service),
                                    .name = "study",
                                    .cc = s->cell->cc,
                                    .sched = sched,
                                    .ops = ops,
                                    .ctx = s};

    if (!braid_listen(s->w.cores[SIM_SERVER][0].core, &l))
        sim_fail(&s->w, "braid_listen failed");
}

void study_connect(struct end *e, unsigned service, const struct sched_ops *sched,
                   const struct braid_conn_ops *ops)
{
    struct study *s = e->study;
    struct sim_core *core = &s->w.cores[SIM_CLIENT][0];
    unsigned first = study_first(s->cell);
    struct braid_connect_params c = {.local = {sim_client_ip(&s->w.s, first), s->next_port++},
                                     .remote = address_of(s, service),
                                     .cc = s->cell->cc,
                                     .sched = sched,
                                     .ops = ops,
                                     .user = e};

    e->service = service;
    e->joined[first] = true;
    e->conn = braid_connect(core->core, &c, s->w.time.now);
    if (!e->conn)
        sim_fail(&s->w, "braid_connect failed");
    sim_core_touch(core);
}

void study_accept(struct end *e, struct braid_conn *c)
{
    /* Another one is a join that a path has stripped; who asked for it will reset it. */
    braid_conn_set_user(c, e->conn ? NULL : e);
    if (!e->conn)
        e->conn = c;
    braid_conn_accept(c);
}

static bool join_path(struct end *e, unsigned path)
{
    struct study *s = e->study;
    struct braid_addr local = {sim_client_ip(&s->w.s, path), s->next_port};
    struct braid_addr remote = address_of(s, e->service);

    if (braid_conn_join(e->conn, &local, &remote, false, s->w.time.now) != 0)
        return false;
    s->next_port++;
    sim_core_touch(&s->w.cores[SIM_CLIENT][0]);
    return true;
}

/* Again in a moment if one is left. */
static void join_all(void *ctx, uint64_t arg)
{
    struct end *e = ctx;
    struct study *s = e->study;
    bool all = true;

    (void)arg;
    for (unsigned i = 0; i < s->cell->n_paths && e->conn; i++) {
        if (!e->joined[i])
            e->joined[i] = join_path(e, i);
        all = all && e->joined[i];
    }
    if (!all)
        vtime_at(&s->w.time, s->w.time.now + JOIN_AGAIN, join_all, e, 0);
}

/* The path of the first subflow lets no MPTCP through: the connection is a plain one. */
static bool strips_first(const struct study *s)
{
    return s->cell->up[study_first(s->cell)].strip != STRIP_NONE;
}

void study_established(struct end *e, struct braid_conn *c)
{
    struct study *s = e->study;
    bool client = e->joined[study_first(s->cell)];

    e->established = true;
    if (!braid_conn_is_mptcp(c) && !strips_first(s))
        sim_fail(&s->w, "the connection is not MPTCP");
    if (client && s->cell->alone == STUDY_NOBODY)
        join_all(e, 0);
}

void study_closed(struct end *e, enum braid_close why)
{
    e->conn = NULL;
    e->closed = true;
    sim_fail(&e->study->w, "the connection ended: %s", braid_close_text(why));
}

void study_write(struct end *e)
{
    while (e->conn && e->written < e->produced) {
        uint64_t left = e->produced - e->written;
        struct iovec iov[8];
        unsigned n = braid_conn_reserve(e->conn, left < WRITE_MAX ? (size_t)left : WRITE_MAX, iov, 8);
        size_t done = 0;

        for (unsigned i = 0; i < n; i++) {
            app_fill(e->study->cell->seed, e->written + done, iov[i].iov_base, iov[i].iov_len);
            done += iov[i].iov_len;
        }
        braid_conn_commit(e->conn, done);
        e->written += done;
        if (done == 0)
            return;
    }
}

void study_on_writable(struct braid_conn *c, void *user)
{
    (void)c;
    if (user)
        study_write(user);
}

void study_on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    if (user)
        study_closed(user, why);
}
