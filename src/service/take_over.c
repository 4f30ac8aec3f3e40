/* See take_over.h. Whatever is wrong, the daemon before us goes on; so nothing here has to be undone. */
#include "service/take_over.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <braid/version.h>
#include "io/heap.h"
#include "io/heirlooms.h"
#include "role/node.h"
#include "role/node_handover.h"
#include "role/profile.h"
#include "service/state_file.h"
#include "service/upgrade_channel.h"

#define ROOM_CONN 3200 /* bytes of heap: of a connection of two subflows that is idle, at an edge */

struct reading;

/* The state of one old worker. */
struct arrival {
    struct reading *all;
    struct state_file file;
    struct node_state state;     /* whose bytes are within it */
    size_t n_fds;                /* that have come */
    struct node_thaw_part *part; /* from when all of it has come until it is read */
    pthread_t thread;            /* that waits for it and reads it, if apart; else the main thread does */
    bool apart;
};

struct reading {
    pthread_mutex_t lock; /* on what follows, which threads look at */
    pthread_cond_t news;
    unsigned warm; /* threads that have their memory */
    bool over;     /* nothing more comes */
    const struct taking *taking;
    struct workers *workers;
    struct node_thaw *thaw;
    struct arrival all[DAEMON_WORKERS_MAX];
    unsigned n; /* states that have come */
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
    t->conns = m.count;
    if (t->old_workers == 0 || t->old_workers > DAEMON_WORKERS_MAX)
        return service_fail(error, "the daemon before this one cannot have %u workers", t->old_workers);
    return 0;
}

/* ---- the state --------------------------------------------------------------------------------- */

static int begin_state(struct reading *r, const struct upgrade_message *m, int fd)
{
    struct arrival *a = &r->all[r->n];
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
    struct arrival *a = &r->all[r->n];
    if (n > a->state.n_fds - a->n_fds)
        return service_fail(r->error, "the daemon before this one sent more sockets than it has");
    memcpy(a->state.fds + a->n_fds, fds, n * sizeof(int));
    a->n_fds += n;
    return 0;
}

/* In a thread of its own, which has its memory before the state comes. */
static void *wait_and_read(void *arg)
{
    struct arrival *a = arg;
    struct reading *r = a->all;
    heap_touch((size_t)r->taking->conns * ROOM_CONN);
    pthread_mutex_lock(&r->lock);
    r->warm++;
    pthread_cond_broadcast(&r->news);
    while (!a->part && !r->over)
        pthread_cond_wait(&r->news, &r->lock);
    pthread_mutex_unlock(&r->lock);
    if (a->part)
        node_thaw_part_read(a->part);
    return NULL;
}

/* If each state is for a worker of its own, they are read while others are still on their way. */
static void prepare_to_read(struct reading *r)
{
    const struct taking *t = r->taking;
    unsigned threads = 0;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->news, NULL);
    heap_touch_begin();
    for (unsigned i = 0; i < t->old_workers; i++) {
        struct arrival *a = &r->all[i];
        a->all = r;
        a->apart = r->workers->n == t->old_workers && r->workers->n > 1 &&
                   pthread_create(&a->thread, NULL, wait_and_read, a) == 0;
        threads += a->apart;
    }
    if (threads == 0)
        heap_touch((size_t)t->old_workers * t->conns * ROOM_CONN);
    pthread_mutex_lock(&r->lock);
    while (r->warm < threads)
        pthread_cond_wait(&r->news, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

/* Of more workers than we have, what was counted goes to the last. */
static int read_state(struct reading *r)
{
    struct arrival *a = &r->all[r->n];
    unsigned last = r->workers->n - 1;
    worker_count(r->workers->all[r->n < last ? r->n : last], &a->file.counters);
    struct node_thaw_part *part = node_thaw_part_new(r->thaw, &a->state, r->taking->old_workers);
    if (!part)
        return service_fail(r->error, "out of memory");
    r->n++;
    pthread_mutex_lock(&r->lock);
    a->part = part;
    pthread_cond_broadcast(&r->news);
    pthread_mutex_unlock(&r->lock);
    if (!a->apart)
        node_thaw_part_core(part);
    return 0;
}

/* Those that no thread of their own has read: their connections, when all cores are there. */
static void read_the_rest(struct reading *r)
{
    for (unsigned i = 0; i < r->n; i++)
        if (!r->all[i].apart)
            node_thaw_part_read(r->all[i].part);
}

static void end_threads(struct reading *r)
{
    pthread_mutex_lock(&r->lock);
    r->over = true;
    pthread_cond_broadcast(&r->news);
    pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < r->taking->old_workers; i++)
        if (r->all[i].apart)
            pthread_join(r->all[i].thread, NULL);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->news);
}

/* All are, whatever is wrong with one. */
static int end_states(struct reading *r)
{
    int result = 0;
    end_threads(r);
    for (unsigned i = 0; i < r->n; i++) {
        struct arrival *a = &r->all[i];
        const char *why;
        if (node_thaw_part_end(a->part, &why) < 0 && result == 0)
            result = service_fail(r->error, "the state cannot be read: %s", why);
        free(a->state.fds);
        state_file_close(&a->file);
    }
    return result;
}

static int read_states(struct reading *r)
{
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    while (r->n < r->taking->old_workers) {
        if (hear(r->taking, &m, fds, &n, r->error) < 0)
            return -1;
        const struct arrival *a = &r->all[r->n];
        bool begins = m.kind == UPGRADE_STATE && !a->state.fds;
        if (!begins && (m.kind != UPGRADE_SOCKETS || !a->state.fds))
            return service_fail(r->error, "the daemon before this one is out of turn");
        if ((begins ? begin_state(r, &m, fds[0]) : take_sockets(r, fds, n)) < 0)
            return -1;
        if (a->n_fds == a->state.n_fds && read_state(r) < 0)
            return -1;
    }
    read_the_rest(r);
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

static int take_states(struct reading *r)
{
    int result = -1;
    if (upgrade_say(r->taking->channel, UPGRADE_PREPARED, 0, "") < 0)
        service_fail(r->error, "the daemon before this one has ended");
    else
        result = read_states(r);
    if (end_states(r) < 0 || result < 0 || hear_only(r, UPGRADE_WHOLE) < 0)
        return -1;
    return 0;
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
    if (!r.thaw)
        return service_fail(error, "out of memory");
    prepare_to_read(&r);
    if (take_states(&r) < 0)
        return -1;
    heap_touch_end();
    if (upgrade_say(t->channel, UPGRADE_READY, 0, "") < 0)
        return service_fail(error, "the daemon before this one %s", upgrade_trouble(errno));
    if (hear_only(&r, UPGRADE_GO) < 0)
        return -1;
    go_on(&r);
    return 0;
}
