/* See cookies.h. One lock for all tables: they are small, and what is done under it is short. */
#include "socket/cookies.h"
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "socket/real.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define FEW 64 /* entries that nobody minds */

struct entry {
    struct hnode node; /* its hash is the cookie: counted by the kernel, nobody's to choose */
    int fd;            /* by which it was asked for last */
    bool missed;       /* was not found at the last look */
    _Alignas(max_align_t) unsigned char value[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* No signal comes in between: its handler may connect (POSIX: async-signal-safe), and would wait for itself.
 */
static sigset_t enter(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_mutex_lock(&lock);
    return before;
}

static void leave(sigset_t before)
{
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- fork --------------------------------------------------------------------------------------------- */

static sigset_t before_fork; /* of who has the lock */

static void hold(void)
{
    sigset_t before = enter();
    before_fork = before;
}

static void let_go(void)
{
    leave(before_fork);
}

/* A child of a program with threads gets the tables as they are between two changes. */
__attribute__((constructor)) static void prepare_for_fork(void)
{
    pthread_atfork(hold, let_go, let_go);
}

/* ---- a table ------------------------------------------------------------------------------------------ */

static struct entry *entry_of(struct hnode *n)
{
    return (struct entry *)n; /* the first member */
}

/* 0: it is no socket. */
static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);
    return real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static struct entry *find(const struct cookies *t, uint64_t cookie)
{
    struct hnode *n = t->all.buckets ? htable_first(&t->all, cookie) : NULL;
    return n ? entry_of(n) : NULL;
}

/* A socket may live on by another descriptor than the one by which it was asked for last: looks through all
 * that are open. Returns how many there are; -1: they are not to be seen. */
static long find_others(struct cookies *t)
{
    DIR *all = opendir("/proc/self/fd");
    long n = 0;
    if (!all)
        return -1;
    for (const struct dirent *d; (d = readdir(all)); n++) {
        int fd = (int)strtol(d->d_name, NULL, 10);
        struct entry *e = find(t, cookie_of(fd));
        if (e)
            e->fd = fd;
    }
    closedir(all);
    return n;
}

/* What is not found twice in a row: while one looks, another thread may make a copy of a descriptor, below
 * where the look has come to, and close the first one. The next time is when there are twice as many of those
 * that live, and later the more descriptors had to be looked at. */
static void forget_closed(struct cookies *t)
{
    long open = find_others(t);
    size_t more = open > 4 * FEW ? (size_t)open / 4 : FEW, living = 0;
    t->most = t->all.count + more; /* better too many than one too few */
    if (open < 0)
        return;
    for (size_t i = 0; i <= t->all.mask; i++)
        for (struct hnode *n = t->all.buckets[i], *next; n; n = next) {
            next = n->next;
            struct entry *e = entry_of(n);
            bool again = e->missed;
            e->missed = cookie_of(e->fd) != n->hash;
            living += !e->missed;
            if (!e->missed || !again)
                continue;
            htable_remove(&t->all, n);
            free(e);
        }
    t->most = t->all.count + (more > living ? more : living);
}

/* NULL with errno. */
static struct entry *new_entry(struct cookies *t, uint64_t cookie)
{
    if (!t->all.buckets && htable_init(&t->all) < 0)
        return NULL;
    if (t->all.count >= t->most)
        forget_closed(t);
    struct entry *e = malloc(sizeof(*e) + t->size);
    if (e)
        htable_insert(&t->all, &e->node, cookie);
    return e;
}

bool cookies_any(const struct cookies *t)
{
    return atomic_load_explicit(&t->any, memory_order_relaxed);
}

bool cookies_get(struct cookies *t, int fd, void *out)
{
    int saved = errno;
    uint64_t cookie = cookies_any(t) ? cookie_of(fd) : 0;
    struct entry *e = NULL;
    if (cookie) {
        sigset_t before = enter();
        e = find(t, cookie);
        if (e) {
            e->fd = fd;
            e->missed = false;
            memcpy(out, e->value, t->size);
        }
        leave(before);
    }
    errno = saved;
    return e;
}

int cookies_put(struct cookies *t, int fd, const void *value)
{
    uint64_t cookie = cookie_of(fd);
    if (cookie == 0)
        return -1;
    sigset_t before = enter();
    struct entry *e = find(t, cookie);
    if (!e)
        e = new_entry(t, cookie);
    if (e) {
        e->fd = fd;
        e->missed = false;
        memcpy(e->value, value, t->size);
    }
    leave(before);
    atomic_store(&t->any, true);
    return e ? 0 : -1;
}
