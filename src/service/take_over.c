/* See take_over.h. Whatever is wrong, the daemon before us goes on; so nothing here has to be undone. */
#include "service/take_over.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <braid/version.h>
#include "io/heirlooms.h"
#include "role/node.h"
#include "role/node_handover.h"
#include "role/profile.h"
#include "service/state_file.h"
#include "service/upgrade_channel.h"

/* The state of one old worker, while it comes in. */
struct arrival {
    struct state_file file;
    struct node_state state; /* whose bytes are within it */
    size_t n_fds;            /* that have come */
};

struct reading {
    const struct taking *taking;
    struct workers *workers;
    struct node_thaw *thaw;
    struct arrival now;
    unsigned n; /* states that were read */
    char *error;
};

/* However long it takes: it is the daemon before us who gives up, or ends. */
static int hear(const struct taking *t, struct upgrade_message *m, int fds[UPGRADE_FDS], unsigned *n,
                char *error)
{
    if (upgrade_receive(t->channel, -1, m, fds, n) == 0)
        return 0;
    return service_fail(error, "the daemon before this one %s", upgrade_trouble(errno));
}

void take_nothing(const struct taking *t, const char *why)
{
    upgrade_say(t->channel, UPGRADE_REFUSED, 0, why);
}

int take_heirlooms(struct taking *t, char error[SERVICE_ERROR])
{
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    heirlooms_begin();
    if (upgrade_say(t->channel, UPGRADE_HELLO, UPGRADE_PROTOCOL, BRAID_VERSION) < 0)
        return service_fail(error, "the daemon before this one %s", upgrade_trouble(errno));
    for (;;) {
        if (hear(t, &m, fds, &n, error) < 0)
            return -1;
        if (m.kind == UPGRADE_PREPARE)
            break;
        if (m.kind != UPGRADE_HEIRLOOM)
            return service_fail(error, "the daemon before this one is out of turn");
        if (heirlooms_inherit(m.text, fds[0]) < 0)
            return service_fail(error, "out of memory");
    }
    t->old_workers = m.number;
    if (t->old_workers == 0 || t->old_workers > DAEMON_WORKERS_MAX)
        return service_fail(error, "the daemon before this one cannot have %u workers", t->old_workers);
    return 0;
}

/* ---- the state --------------------------------------------------------------------------------- */

static int begin_state(struct reading *r, const struct upgrade_message *m, int fd)
{
    struct arrival *a = &r->now;
    int opened = state_file_open(fd, &a->file);
    int why = errno;
    close(fd);
    if (opened < 0)
        return service_fail(r->error, "the state of worker %u cannot be read: %s", m->number, strerror(why));
    a->n_fds = 0;
    a->state = (struct node_state){.bytes = a->file.node,
                                   .len = a->file.len,
                                   .fds = calloc((size_t)m->count + 1, sizeof(int)),
                                   .n_fds = m->count};
    return a->state.fds ? 0 : service_fail(r->error, "out of memory");
}

static int take_sockets(struct reading *r, const int *fds, unsigned n)
{
    struct arrival *a = &r->now;
    if (n > a->state.n_fds - a->n_fds)
        return service_fail(r->error, "the daemon before this one sent more sockets than it has");
    memcpy(a->state.fds + a->n_fds, fds, n * sizeof(int));
    a->n_fds += n;
    return 0;
}

/* Of more workers than we have, what was counted goes to the last. */
static int end_state(struct reading *r)
{
    const char *why;
    unsigned last = r->workers->n - 1;
    worker_count(r->workers->all[r->n < last ? r->n : last], &r->now.file.counters);
    r->n++;
    if (node_thaw_add(r->thaw, &r->now.state, r->taking->old_workers, &why) < 0)
        return service_fail(r->error, "the state cannot be read: %s", why);
    free(r->now.state.fds);
    state_file_close(&r->now.file);
    r->now = (struct arrival){.n_fds = 0};
    return 0;
}

static int read_states(struct reading *r)
{
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    while (r->n < r->taking->old_workers) {
        if (hear(r->taking, &m, fds, &n, r->error) < 0)
            return -1;
        bool begins = m.kind == UPGRADE_STATE && !r->now.state.fds;
        if (!begins && (m.kind != UPGRADE_SOCKETS || !r->now.state.fds))
            return service_fail(r->error, "the daemon before this one is out of turn");
        if ((begins ? begin_state(r, &m, fds[0]) : take_sockets(r, fds, n)) < 0)
            return -1;
        if (r->now.n_fds == r->now.state.n_fds && end_state(r) < 0)
            return -1;
    }
    return 0;
}

/* The next message is of this kind. */
static int hear_only(const struct reading *r, enum upgrade_kind kind)
{
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    if (hear(r->taking, &m, fds, &n, r->error) < 0)
        return -1;
    return m.kind == kind ? 0 : service_fail(r->error, "the daemon before this one is out of turn");
}

static const struct profile *find_profile(void *arg, const char *name)
{
    const struct service_params *p = arg;
    for (unsigned i = 0; i < p->n_profiles; i++)
        if (strcmp(p->profiles[i]->name, name) == 0)
            return p->profiles[i];
    return NULL;
}

static unsigned find_uplink(void *arg, const char *name)
{
    const struct service_params *p = arg;
    for (unsigned i = 0; i < p->n_uplinks; i++)
        if (!p->uplinks[i].gone && strcmp(p->uplinks[i].name, name) == 0)
            return i;
    return UPLINKS_MAX;
}

static void go_on(struct reading *r)
{
    braid_time lost[DAEMON_WORKERS_MAX];
    node_thaw_commit(r->thaw, lost);
    for (unsigned i = 0; i < r->workers->n; i++)
        worker_resume(r->workers->all[i], lost[i]);
    heirlooms_settle();
    close(r->taking->channel);
}

int take_over(const struct taking *t, const struct service_params *params, struct workers *ws,
              char error[SERVICE_ERROR])
{
    struct node *nodes[DAEMON_WORKERS_MAX];
    const struct node_thaw_params thaw = {
        .nodes = nodes, .n = ws->n, .profile = find_profile, .uplink = find_uplink, .arg = (void *)params};
    struct reading r = {.taking = t, .workers = ws, .error = error};
    for (unsigned i = 0; i < ws->n; i++)
        nodes[i] = worker_user(ws->all[i]);
    r.thaw = node_thaw_begin(&thaw);
    if (!r.thaw || upgrade_say(t->channel, UPGRADE_PREPARED, 0, "") < 0)
        return service_fail(error, "out of memory, or the daemon before this one has ended");
    if (read_states(&r) < 0 || hear_only(&r, UPGRADE_WHOLE) < 0)
        return -1;
    if (upgrade_say(t->channel, UPGRADE_READY, 0, "") < 0)
        return service_fail(error, "the daemon before this one %s", upgrade_trouble(errno));
    if (hear_only(&r, UPGRADE_GO) < 0)
        return -1;
    go_on(&r);
    return 0;
}
