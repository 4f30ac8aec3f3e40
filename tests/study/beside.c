/* Another connection between the same two machines, over the same paths, that carries as much as goes in the
 * direction of what is measured. Nobody looks at its bytes. */
#include "study.h"

static void on_incoming(void *ctx, struct braid_conn *c)
{
    study_accept(&((struct study *)ctx)->beside[SIM_SERVER], c);
}

static void on_established(struct braid_conn *c, void *user)
{
    struct end *e = user;

    if (!e)
        return;
    study_established(e, c);
    if (e != &e->study->beside[e->study->cell->from])
        return;
    e->produced = UINT64_MAX;
    study_write(e);
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct iovec iov[16];
    unsigned n;

    (void)user;
    while ((n = braid_conn_peek(c, iov, 16)) > 0) {
        size_t all = 0;

        for (unsigned i = 0; i < n; i++)
            all += iov[i].iov_len;
        braid_conn_consume(c, all);
    }
}

static const struct braid_conn_ops ops = {on_incoming, on_established, on_readable, study_on_writable,
                                          study_on_closed};

void beside_begin(struct study *s)
{
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->beside[side].study = s;
    study_listen(s, STUDY_BESIDE, s->cell->beside, &ops);
    study_connect(&s->beside[SIM_CLIENT], STUDY_BESIDE, s->cell->beside, &ops);
}
