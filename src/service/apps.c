/* See apps.h. A program comes for each of its questions, and may ask several; it is answered before the next
 * is read. When all places are taken, the others wait in the kernel's queue; of one user only a part of the
 * places can be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "app/channel.h"
#include "base/list.h"
#include "io/closer.h"
#include "io/descriptors.h"
#include "io/log.h"
#include "io/unix_socket.h"
#include "service/apps.h"
#include "service/watchers.h"

#define PROGRAMS  256 /* at the same time, ... */
#define USER_PART 4   /* ... of which one user has at most this fraction */
#define BACKLOG   1024
#define IDLE_S    10    /* without a question */
#define PAUSE_S   1     /* after accept has failed */
#define REST_US   20000 /* while too much waits to be closed */

struct apps {
    struct app_scene scene;
    struct event_base *base;
    struct unix_file file;
    int fd;
    struct event *readable, *pause;
    struct closer *closer; /* of all that programs have a hand in: their sockets, too, may have descriptors in
                              their queues */
    uint64_t home;         /* the network namespace that we serve */
    struct list programs;
    unsigned n, most;
    struct watchers *watchers;
};

/* A program, as long as it is connected. */
struct program {
    struct list link;
    struct apps *apps;
    int fd;
    uint32_t user;
    uint32_t number;         /* of the question under way */
    struct app_job *job;     /* NULL: none is */
    struct watcher *watcher; /* that it is about to become; NULL: none */
    struct event *readable;
};

/* ---- one program -------------------------------------------------------------------------------------- */

static void wait_for_programs(struct apps *a)
{
    if (a->n < a->most && a->readable)
        event_add(a->readable, NULL);
}

static void program_free(struct program *p)
{
    struct apps *a = p->apps;
    if (p->job)
        app_job_forget(p->job);
    watcher_free(p->watcher);
    if (p->readable)
        event_free(p->readable);
    if (p->fd >= 0)
        closer_put(a->closer, p->fd);
    list_remove(&p->link);
    a->n--;
    free(p);
    wait_for_programs(a);
}

static void wait_for_question(struct program *p)
{
    static const struct timeval idle = {.tv_sec = IDLE_S};
    if (event_add(p->readable, &idle) < 0)
        program_free(p);
}

/* Its place is free for others, and the channel is the watcher's. */
static void become_watcher(struct program *p)
{
    watcher_begin(p->watcher, p->fd, p->number);
    p->watcher = NULL;
    p->fd = -1;
    program_free(p);
}

/* May free it. One that does not read its answers is of no use. */
static void answer(struct program *p, const struct app_message *m)
{
    struct app_message numbered = *m;
    numbered.number = p->number;
    if (channel_send(p->fd, &numbered, -1) != CHANNEL_DONE) {
        program_free(p);
        return;
    }
    if (p->watcher && m->error == 0) {
        become_watcher(p);
        return;
    }
    watcher_free(p->watcher);
    p->watcher = NULL;
    wait_for_question(p);
}

static void on_answered(void *arg, const struct app_message *m)
{
    struct program *p = arg;
    p->job = NULL;
    answer(p, m);
}

/* May free it. */
static void take(struct program *p, const struct app_message *m, int descriptor)
{
    struct app_socket socket;
    struct app_message at_once = {.kind = APP_ANSWER, .error = EBADF};
    p->number = m->number;
    if (descriptor >= 0)
        at_once.error = app_socket_look(descriptor, p->apps->home, &socket);
    if (at_once.error == 0 && m->kind == APP_WATCH)
        at_once.error = watcher_new(p->apps->watchers, p->user, p->fd, &p->watcher);
    if (at_once.error == 0)
        p->job = app_job_begin(&p->apps->scene, m, &socket, p->user, watcher_watch(p->watcher), on_answered,
                               p, &at_once);
    if (!p->job)
        answer(p, &at_once);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct program *p = arg;
    struct closer *closer = p->apps->closer;
    struct app_message m;
    struct channel_descriptors came = {.n = 0};
    bool heard = !(what & EV_TIMEOUT) && !closer_is_full(closer);
    enum channel got = heard ? channel_receive(fd, &m, &came) : CHANNEL_OVER;
    if (got == CHANNEL_AGAIN)
        wait_for_question(p);
    else if (got == CHANNEL_OVER || m.kind == APP_ANSWER || m.kind == APP_EVENT)
        program_free(p);
    else
        take(p, &m, came.n == 1 ? came.fd[0] : -1);
    while (came.n > 0)
        closer_put(closer, came.fd[--came.n]);
}

/* ---- letting them in ---------------------------------------------------------------------------------- */

static unsigned places_of(const struct apps *a, uint32_t user)
{
    unsigned n = 0;
    list_each (at, next, &a->programs)
        n += list_entry(at, struct program, link)->user == user;
    return n;
}

static bool user_of(int fd, uint32_t *user)
{
    struct ucred who;
    socklen_t len = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return false;
    *user = who.uid;
    return true;
}

/* fd is its own, or given away. */
static void let_in(struct apps *a, int fd)
{
    uint32_t user;
    struct program *p = NULL;
    if (user_of(fd, &user) && places_of(a, user) < a->most / USER_PART)
        p = calloc(1, sizeof(*p));
    if (!p) {
        closer_put(a->closer, fd);
        return;
    }
    *p = (struct program){.apps = a, .fd = fd, .user = user};
    p->readable = event_new(a->base, fd, EV_READ, on_readable, p);
    list_append(&a->programs, &p->link);
    a->n++;
    if (p->readable)
        wait_for_question(p);
    else
        program_free(p);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    wait_for_programs(arg);
}

static void on_program(evutil_socket_t listener, short what, void *arg)
{
    static const struct timeval pause = {.tv_sec = PAUSE_S}, rest = {.tv_usec = REST_US};
    struct apps *a = arg;
    (void)what;
    if (closer_is_full(a->closer)) {
        event_add(a->pause, &rest);
        return;
    }
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        let_in(a, fd);
        if (a->n < a->most)
            event_add(a->readable, NULL);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_warn("programs cannot be let in (%s); it is tried again every second", strerror(errno));
        event_add(a->pause, &pause);
    } else {
        event_add(a->readable, NULL);
    }
}

/* ---- life --------------------------------------------------------------------------------------------- */

/* Any socket shows which network the daemon is in. */
static uint64_t own_namespace(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t home = fd >= 0 ? app_socket_namespace(fd) : 0;
    if (fd >= 0)
        close(fd);
    if (home == 0)
        log_warn("[daemon] app_socket: this kernel does not tell of which network namespace a socket is "
                 "(Linux 5.14 does): programs are refused");
    return home;
}

static int begin(struct apps *a, struct event_base *base)
{
    a->readable = event_new(base, a->fd, EV_READ, on_program, a);
    a->pause = evtimer_new(base, on_pause_over, a);
    return a->watchers && a->readable && a->pause && event_add(a->readable, NULL) == 0 ? 0 : -1;
}

struct apps *apps_open(struct event_base *base, const struct app_scene *scene, char error[SERVICE_ERROR])
{
    const struct daemon_params *d = scene->params->daemon;
    const struct unix_socket_params params = {.key = "[daemon] app_socket",
                                              .path = d->app_socket,
                                              .type = SOCK_SEQPACKET,
                                              .mode = d->app_mode,
                                              .group = d->app_group,
                                              .backlog = BACKLOG};
    struct apps *a = calloc(1, sizeof(*a));
    if (!a) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return NULL;
    }
    *a = (struct apps){.scene = *scene, .base = base, .most = descriptors_share(PROGRAMS)};
    list_init(&a->programs);
    a->closer = closer_new(base);
    if (!a->closer) {
        snprintf(error, SERVICE_ERROR, "out of memory or threads");
        free(a);
        return NULL;
    }
    a->watchers = watchers_new(base, &a->scene, a->closer);
    a->fd = unix_socket_open(&params, &a->file, error, SERVICE_ERROR);
    if (a->fd >= 0 && begin(a, base) < 0)
        snprintf(error, SERVICE_ERROR, "out of memory");
    else if (a->fd >= 0) {
        a->home = own_namespace();
        return a;
    }
    apps_close(a);
    return NULL;
}

void apps_set_uplinks(struct apps *a, const struct uplinks *uplinks)
{
    a->scene.uplinks = uplinks;
}

void apps_close(struct apps *a)
{
    if (!a)
        return;
    if (a->readable)
        event_free(a->readable);
    a->readable = NULL; /* nobody is let in when others go */
    list_each (at, next, &a->programs)
        program_free(list_entry(at, struct program, link));
    watchers_free(a->watchers);
    if (a->pause)
        event_free(a->pause);
    unix_file_remove(&a->file);
    if (a->fd >= 0)
        closer_put(a->closer, a->fd);
    closer_free(a->closer);
    free(a);
}
