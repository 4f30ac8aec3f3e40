/* See probes.h. */
#include <stdlib.h>
#include "base/addr.h"
#include "base/list.h"
#include "io/clock.h"
#include "role/cpe.h"
#include "role/node.h"
#include "role/probes.h"

/* One way: an uplink in one family. */
struct probe {
    struct probes *all;
    struct probe_news news;
    struct braid_addr local, targets[PROBE_TARGETS_MAX];
    unsigned n_targets; /* 0: nobody is asked */
    bool usable;
    struct braid_conn *conn; /* that is being opened; NULL: none */
    braid_time asked_at;
    braid_time due; /* the next is to be begun, or the one under way given up */
};

struct probes {
    struct role role;
    const struct uplink_params *params;
    unsigned n;
    void (*report)(void *arg, const struct probe_news *news);
    void *arg;
    bool stopped;
    struct probe ways[UPLINKS_MAX][UPLINK_FAMILIES];
};

#define each_probe(p, ps)                                                                                    \
    for (struct probe *p = (ps)->ways[0]; p < (ps)->ways[0] + UPLINKS_MAX * UPLINK_FAMILIES; p++)

static bool is_asked(const struct probe *p)
{
    return p->usable && p->n_targets > 0 && !p->all->stopped;
}

static void wait_until(struct probe *p, braid_time due)
{
    p->due = due;
    role_expire_at(&p->all->role, due);
}

static void finish(struct probe *p, bool answered)
{
    struct probe_record *r = &p->news.record;
    braid_time now = clock_now();
    p->conn = NULL;
    if (answered)
        probe_answered(r, now - p->asked_at);
    else
        probe_lost(r);
    p->all->report(p->all->arg, &p->news);
    wait_until(p, now + probe_pause(r));
}

/* ---- what the connection tells ---------------------------------------------------------------- */

/* The SYN is answered, and that was all: whoever listens sees a connection that is reset before any data. */
static void on_established(struct braid_conn *c, void *user)
{
    finish(user, true);
    braid_conn_set_user(c, NULL);
    braid_conn_abort(c);
}

/* A refusal has come all the way, too. */
static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    if (user)
        finish(user, why == BRAID_CLOSE_REFUSED);
}

static const struct braid_conn_ops ops = {.established = on_established, .closed = on_closed};

/* ---- asking ----------------------------------------------------------------------------------- */

static void give_up(struct probe *p)
{
    struct braid_conn *c = p->conn;
    p->conn = NULL;
    if (!c)
        return;
    braid_conn_set_user(c, NULL);
    braid_conn_abort(c);
}

static void ask(struct probe *p, braid_time now)
{
    const struct braid_connect_params params = {.local = p->local,
                                                .remote = p->targets[p->news.record.failures % p->n_targets],
                                                .cc = cc_algorithms[0], /* they matter only to data */
                                                .sched = sched_algorithms[0],
                                                .plain = true,
                                                .ops = &ops,
                                                .user = p};
    p->asked_at = now;
    p->conn = braid_connect(p->all->role.node->core, &params, now);
    /* Without a port or memory nothing is known of the way. */
    wait_until(p, now + (p->conn ? probe_patience(&p->news.record) : PROBE_INTERVAL));
}

static void serve(struct probe *p, braid_time now)
{
    if (p->conn) {
        give_up(p);
        finish(p, false);
    }
    if (p->due <= now)
        ask(p, now);
}

static struct probes *probes_of_role(struct role *r)
{
    return list_entry(r, struct probes, role);
}

static void probes_expire(struct role *r, braid_time now)
{
    struct probes *ps = probes_of_role(r);
    each_probe(p, ps)
    {
        if (!is_asked(p))
            continue;
        if (p->due <= now)
            serve(p, now);
        role_expire_at(r, p->due);
    }
}

/* ---- life ------------------------------------------------------------------------------------- */

static void probes_stop(struct role *r)
{
    struct probes *ps = probes_of_role(r);
    each_probe(p, ps) give_up(p);
    ps->stopped = true;
}

static void probes_free(struct role *r)
{
    probes_stop(r);
    free(probes_of_role(r));
}

static bool probes_tell(const struct role *r, const struct braid_conn *c, struct relayed *out)
{
    (void)r;
    (void)c;
    (void)out;
    return false;
}

static void probes_set_profile(struct role *r, struct braid_conn *c, const struct profile *p)
{
    (void)r;
    (void)c;
    (void)p;
}

static const struct role_ops probes_role = {.stop = probes_stop,
                                            .expire = probes_expire,
                                            .free = probes_free,
                                            .tell = probes_tell,
                                            .set_profile = probes_set_profile};

struct probes *probes_new(struct node *node, const struct uplink_params *params, unsigned n,
                          void (*report)(void *arg, const struct probe_news *news), void *arg)
{
    struct probes *ps = calloc(1, sizeof(*ps));
    if (!ps)
        return NULL;
    *ps = (struct probes){.params = params, .n = n, .report = report, .arg = arg};
    for (unsigned i = 0; i < UPLINKS_MAX; i++) {
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
            struct probe *p = &ps->ways[i][f];
            *p = (struct probe){.all = ps, .news = {.uplink = i, .family = f}};
            if (i < n && params[i].probe == UPLINK_PROBE_ADDR && params[i].probe_addr[f].port != 0)
                p->targets[p->n_targets++] = params[i].probe_addr[f];
        }
    }
    node_add(node, &ps->role, &probes_role);
    return ps;
}

struct probes *probes_of(const struct node *node)
{
    struct role *r = node_role(node, &probes_role);
    return r ? probes_of_role(r) : NULL;
}

/* ---- what is asked ---------------------------------------------------------------------------- */

static void begin_afresh(struct probe *p)
{
    give_up(p);
    p->news.record = (struct probe_record){0};
    if (is_asked(p))
        wait_until(p, clock_now());
}

static void set_targets(struct probe *p, const struct braid_addr *targets, unsigned n)
{
    bool same = n == p->n_targets;
    for (unsigned i = 0; i < n && same; i++)
        same = addr_equal(&targets[i], &p->targets[i]);
    if (same)
        return;
    p->n_targets = n;
    for (unsigned i = 0; i < n; i++)
        p->targets[i] = targets[i];
    begin_afresh(p);
}

void probes_change(struct probes *ps, const struct uplink_params *params, unsigned n)
{
    ps->params = params;
    ps->n = n;
    for (unsigned i = 0; i < n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
            bool has = params[i].probe == UPLINK_PROBE_ADDR && params[i].probe_addr[f].port != 0;
            if (has || params[i].probe != UPLINK_PROBE_AUTO)
                set_targets(&ps->ways[i][f], &params[i].probe_addr[f], has);
        }
}

void probes_follow_peers(struct probes *ps)
{
    const struct cpes *cs = cpes_of(ps->role.node);
    for (unsigned f = 0; cs && f < UPLINK_FAMILIES; f++) {
        struct braid_addr peers[PROBE_TARGETS_MAX];
        unsigned n = cpes_peers(cs, f, peers, PROBE_TARGETS_MAX);
        for (unsigned i = 0; i < ps->n; i++)
            if (ps->params[i].probe == UPLINK_PROBE_AUTO)
                set_targets(&ps->ways[i][f], peers, n);
    }
}

void probes_set_uplinks(struct probes *ps, const struct uplinks *us,
                        const bool again[UPLINKS_MAX][UPLINK_FAMILIES])
{
    for (unsigned i = 0; i < us->n; i++) {
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
            struct probe *p = &ps->ways[i][f];
            bool was = p->usable;
            p->usable = us->all[i].usable[f];
            p->local = (struct braid_addr){.ip = us->all[i].inner[f]};
            if (p->usable != was || again[i][f])
                begin_afresh(p);
        }
    }
}
