/* See quota_keeper.h. Each look has every worker add its bytes to a tally, which is written with the next
 * look if all of them have done so by then: nobody waits for anybody. */
#include "service/quota_keeper.h"
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <event2/event.h>
#include "io/log.h"
#include "role/node.h"
#include "service/quota_file.h"

struct quota_keeper {
    const struct workers *workers;
    const struct service_params *params;
    struct event *timer;
    char path[PATH_MAX];
    struct quota_entry *written; /* n_written of them */
    size_t n_written;
    bool complained; /* that it cannot be written */
    /* The tally, of the generation that it was begun in. */
    unsigned generation;
    bool begun;
    atomic_uint pending;     /* workers that have not added theirs */
    _Atomic uint64_t *bytes; /* by path */
};

/* ---- what an earlier daemon has written ---------------------------------------------------------- */

static void restore(const struct quota_keeper *k, const struct quota_entry *v, int n)
{
    const struct service_params *p = k->params;
    struct braid_core *first = worker_core(k->workers->all[0]);
    unsigned found = 0;
    for (unsigned i = 0; i < p->limits->n_paths; i++) {
        for (int e = 0; e < n; e++) {
            if (strcmp(p->path_names[i], v[e].name) != 0)
                continue;
            braid_core_path_set(first, i, v[e].bytes, 0);
            found++;
            break;
        }
    }
    if (found > 0)
        log_info("state: %u path%s on from what %s carried before (%s)", found, found == 1 ? " goes" : "s go",
                 found == 1 ? "it had" : "they had", k->path);
}

static void set_aside(const char *path, const char *why)
{
    char aside[PATH_MAX + 8];
    snprintf(aside, sizeof(aside), "%s.bad", path);
    if (rename(path, aside) == 0)
        log_warn("state: %s; it is now %s, and paths count from 0", why, aside);
    else
        log_warn("state: %s; it cannot be set aside (%s), and paths count from 0", why, strerror(errno));
}

static void load(const struct quota_keeper *k)
{
    char error[QUOTA_FILE_ERROR];
    struct quota_entry *v;
    int n = quota_file_read(k->path, &v, error);
    if (n < 0)
        set_aside(k->path, error);
    else
        restore(k, v, n);
    free(v);
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* Takes over v. */
static void write_if_changed(struct quota_keeper *k, struct quota_entry *v, size_t n)
{
    char error[QUOTA_FILE_ERROR];
    bool same = k->written && n == k->n_written && memcmp(v, k->written, n * sizeof(*v)) == 0;
    if (same || quota_file_write(k->path, v, n, error) == 0) {
        free(k->written);
        k->written = v;
        k->n_written = n;
        k->complained &= same;
        return;
    }
    if (!k->complained)
        log_warn("state: %s; what paths have carried is forgotten when this daemon ends, unless that changes",
                 error);
    k->complained = true;
    free(v);
}

/* With bytes by path. */
static void note(struct quota_keeper *k)
{
    unsigned n = k->params->limits->n_paths;
    struct quota_entry *v = calloc(n + 1, sizeof(*v));
    for (unsigned i = 0; v && i < n; i++) {
        snprintf(v[i].name, sizeof(v[i].name), "%s", k->params->path_names[i]);
        v[i].bytes = atomic_load(&k->bytes[i]);
    }
    if (v)
        write_if_changed(k, v, n);
}

static void add(struct quota_keeper *k, const struct worker *w)
{
    for (unsigned i = 0; i < k->params->limits->n_paths; i++)
        atomic_fetch_add(&k->bytes[i], braid_core_path_usage(worker_core((struct worker *)w), i));
}

/* On the worker's thread. Another configuration has other paths: this tally is given up. */
static void add_own(struct worker *w, void *arg)
{
    struct quota_keeper *k = arg;
    const struct node *node = worker_user(w);
    if (node && node->generation == k->generation)
        add(k, w);
    atomic_fetch_sub(&k->pending, 1);
}

static void begin(struct quota_keeper *k)
{
    for (unsigned i = 0; i < k->params->limits->n_paths; i++)
        atomic_store(&k->bytes[i], 0);
    k->begun = true;
    k->generation = k->params->generation;
    atomic_store(&k->pending, k->workers->n);
    workers_tell(k->workers, add_own, k);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct quota_keeper *k = arg;
    if (atomic_load(&k->pending) > 0)
        return; /* some worker is busy: next time */
    if (k->begun && k->generation == k->params->generation)
        note(k);
    begin(k);
}

/* ---- life --------------------------------------------------------------------------------------- */

static int make_room(struct quota_keeper *k)
{
    free(k->bytes);
    k->bytes = calloc(k->params->limits->n_paths + 1, sizeof(k->bytes[0]));
    return k->bytes ? 0 : -1;
}

static void release(struct quota_keeper *k)
{
    if (k->timer)
        event_free(k->timer);
    free(k->written);
    free(k->bytes);
    free(k);
}

static struct quota_keeper *refuse(struct quota_keeper *k, const char *dir, const char *why)
{
    log_warn("state: %s: %s; what paths have carried will not outlive this daemon", dir, why);
    if (k)
        release(k);
    return NULL;
}

/* systemd separates several by colons, and makes them. NULL: there is none. */
static char *directory(const struct daemon_params *p)
{
    const char *named = p->state_dir ? p->state_dir : getenv("STATE_DIRECTORY");
    return named && named[0] == '/' ? strndup(named, p->state_dir ? strlen(named) : strcspn(named, ":"))
                                    : NULL;
}

static struct quota_keeper *keeper_new(struct event_base *base, const char *dir,
                                       const struct workers *workers, const struct service_params *params)
{
    static const struct timeval period = {.tv_sec = QUOTA_KEEPER_SECONDS};
    struct quota_keeper *k = calloc(1, sizeof(*k));
    if (!k)
        return refuse(k, dir, "memory is short");
    k->workers = workers;
    k->params = params;
    if (snprintf(k->path, sizeof(k->path), "%s/quotas", dir) >= (int)sizeof(k->path) - 8)
        return refuse(k, dir, "the path is too long");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return refuse(k, dir, strerror(errno));
    k->timer = event_new(base, -1, EV_PERSIST, on_timer, k);
    if (!k->timer || make_room(k) < 0 || event_add(k->timer, &period) < 0)
        return refuse(k, dir, "memory is short");
    load(k);
    return k;
}

struct quota_keeper *quota_keeper_new(struct event_base *base, const struct workers *workers,
                                      const struct service_params *params)
{
    char *dir = directory(params->daemon);
    struct quota_keeper *k = dir ? keeper_new(base, dir, workers, params) : NULL;
    free(dir);
    return k;
}

void quota_keeper_change(struct quota_keeper *k)
{
    if (k && make_room(k) < 0) {
        log_warn("state: memory is short; what paths have carried is not written any more");
        event_del(k->timer);
    }
}

void quota_keeper_free(struct quota_keeper *k)
{
    if (!k)
        return;
    for (unsigned i = 0; k->bytes && i < k->params->limits->n_paths; i++)
        atomic_store(&k->bytes[i], 0);
    for (unsigned i = 0; k->bytes && i < k->workers->n; i++)
        add(k, k->workers->all[i]);
    if (k->bytes)
        note(k);
    release(k);
}
