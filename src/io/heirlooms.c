/* See heirlooms.h. A process has one list of them, as it has one table of descriptors. */
#include "io/heirlooms.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct heirloom {
    char name[HEIRLOOM_NAME];
    int fd;
    bool taken; /* or opened by ourselves */
};

static struct {
    pthread_mutex_t lock;
    struct heirloom *all; /* in the order in which they came */
    unsigned n;
    bool incomplete; /* one could not be noted */
    bool others;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock. -1: memory is short. */
static int add(const char *name, int fd, bool taken)
{
    struct heirloom *grown = realloc(own.all, (own.n + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    own.all = grown;
    struct heirloom *h = &own.all[own.n++];
    *h = (struct heirloom){.fd = fd, .taken = taken};
    snprintf(h->name, sizeof(h->name), "%s", name);
    return 0;
}

/* With the lock. */
static void forget(unsigned i)
{
    own.n--;
    memmove(&own.all[i], &own.all[i + 1], (own.n - i) * sizeof(own.all[0]));
    if (own.n > 0)
        return;
    free(own.all);
    own.all = NULL;
}

/* With the lock. NULL: there is none. */
static struct heirloom *find_waiting(const char *name)
{
    for (unsigned i = 0; i < own.n; i++)
        if (!own.all[i].taken && strcmp(own.all[i].name, name) == 0)
            return &own.all[i];
    return NULL;
}

int heirloom_take(const char *name)
{
    pthread_mutex_lock(&own.lock);
    struct heirloom *h = find_waiting(name);
    if (h)
        h->taken = true;
    int fd = h ? h->fd : -1;
    pthread_mutex_unlock(&own.lock);
    return fd;
}

bool heirloom_waits(const char *name)
{
    pthread_mutex_lock(&own.lock);
    bool waits = find_waiting(name) != NULL;
    pthread_mutex_unlock(&own.lock);
    return waits;
}

void heirloom_keep(const char *name, int fd)
{
    pthread_mutex_lock(&own.lock);
    if (strlen(name) >= HEIRLOOM_NAME || add(name, fd, true) < 0)
        own.incomplete = true;
    pthread_mutex_unlock(&own.lock);
}

void heirloom_drop(int fd)
{
    pthread_mutex_lock(&own.lock);
    for (unsigned i = own.n; i-- > 0;)
        if (own.all[i].fd == fd)
            forget(i);
    pthread_mutex_unlock(&own.lock);
}

void heirlooms_begin(void)
{
    own.others = true;
}

int heirlooms_inherit(const char *name, int fd)
{
    pthread_mutex_lock(&own.lock);
    int result = add(name, fd, false);
    pthread_mutex_unlock(&own.lock);
    return result;
}

/* A socket of a path that is not in the configuration any more. */
static void remove_file(const char *name)
{
    static const char prefix[] = "unix:";
    struct stat st;
    const char *path = name + strlen(prefix);
    if (strncmp(name, prefix, strlen(prefix)) == 0 && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
}

void heirlooms_settle(void)
{
    pthread_mutex_lock(&own.lock);
    own.others = false;
    for (unsigned i = own.n; i-- > 0;) {
        if (own.all[i].taken)
            continue;
        remove_file(own.all[i].name);
        close(own.all[i].fd);
        forget(i);
    }
    pthread_mutex_unlock(&own.lock);
}

bool heirlooms_are_others(void)
{
    return own.others;
}

int heirlooms_each(int (*fn)(void *arg, const char *name, int fd), void *arg)
{
    int result = 0;
    pthread_mutex_lock(&own.lock);
    for (unsigned i = 0; i < own.n && result == 0; i++)
        result = fn(arg, own.all[i].name, own.all[i].fd);
    if (result == 0 && own.incomplete) {
        errno = ENOMEM;
        result = -1;
    }
    pthread_mutex_unlock(&own.lock);
    return result;
}
