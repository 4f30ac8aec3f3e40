/* Kept by the socket's cookie (SO_COOKIE), which is the same for all descriptors of a socket, in children,
 * too, and which no other socket ever has: so nobody need know of close, dup or fork. What belongs to sockets
 * that are gone is thrown away when there is much of it. */
#include "socket/intent.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/addr.h"
#include "socket/real.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

struct entry {
    uint64_t cookie;
    int fd; /* by which it was set last */
    struct intent intent;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static size_t n_entries, room;
static atomic_bool any;

/* ---- fork --------------------------------------------------------------------------------------------- */

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void let_go(void)
{
    pthread_mutex_unlock(&lock);
}

/* A child of a program with threads gets the table as it is between two changes. */
__attribute__((constructor)) static void prepare_for_fork(void)
{
    pthread_atfork(hold, let_go, let_go);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

/* 0: it is no socket. */
static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);
    return real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static struct entry *find(uint64_t cookie)
{
    for (size_t i = 0; i < n_entries; i++)
        if (entries[i].cookie == cookie)
            return &entries[i];
    return NULL;
}

static void forget_closed(void)
{
    size_t n = 0;
    for (size_t i = 0; i < n_entries; i++)
        if (cookie_of(entries[i].fd) == entries[i].cookie)
            entries[n++] = entries[i];
    n_entries = n;
}

/* NULL with errno. */
static struct entry *new_entry(void)
{
    if (n_entries == room) {
        forget_closed();
        if (n_entries > room / 2 || room == 0) {
            size_t more = room ? 2 * room : 16;
            struct entry *grown = reallocarray(entries, more, sizeof(*entries));
            if (!grown)
                return NULL;
            entries = grown;
            room = more;
        }
    }
    return &entries[n_entries++];
}

bool intent_any(void)
{
    return atomic_load_explicit(&any, memory_order_relaxed);
}

bool intent_get(int fd, struct intent *out)
{
    int saved = errno;
    uint64_t cookie = intent_any() ? cookie_of(fd) : 0;
    struct entry *e = NULL;
    if (cookie) {
        pthread_mutex_lock(&lock);
        e = find(cookie);
        if (e)
            *out = e->intent;
        pthread_mutex_unlock(&lock);
    }
    if (!e && !intent_for_all(out))
        *out = (struct intent){0};
    errno = saved;
    return e;
}

int intent_put(int fd, const struct intent *in)
{
    uint64_t cookie = cookie_of(fd);
    if (cookie == 0)
        return -1;
    pthread_mutex_lock(&lock);
    struct entry *e = find(cookie);
    if (!e)
        e = new_entry();
    if (e)
        *e = (struct entry){.cookie = cookie, .fd = fd, .intent = *in};
    pthread_mutex_unlock(&lock);
    atomic_store(&any, true);
    return e ? 0 : -1;
}

/* ---- for all ------------------------------------------------------------------------------------------ */

static struct intent for_all;
static bool for_all_set;

/* Addresses that commas separate. False: one is none, or there are too many. */
static bool read_addresses(const char *text, struct intent *in)
{
    char copy[APP_ADDRS_MAX * ADDR_TEXT], *state, *item;
    if (strlen(text) >= sizeof(copy))
        return false;
    strcpy(copy, text);
    for (item = strtok_r(copy, ",", &state); item; item = strtok_r(NULL, ",", &state)) {
        struct braid_addr a = {.port = 0};
        if (ip_parse(item, &a.ip) < 0 || intent_add(in, &a) < 0)
            return false;
    }
    return true;
}

static void read_environment(void)
{
    const char *mptcp = secure_getenv("BRAID_MPTCP"), *local = secure_getenv("BRAID_LOCAL"),
               *profile = secure_getenv("BRAID_PROFILE");
    for_all.says_enable = mptcp;
    for_all.enable = mptcp && strcmp(mptcp, "0") != 0;
    for_all.is_bad =
        (local && !read_addresses(local, &for_all)) || (profile && strlen(profile) > APP_NAME_MAX);
    if (profile)
        strncpy(for_all.profile, profile, APP_NAME_MAX);
    for_all_set = mptcp || local || profile;
}

bool intent_for_all(struct intent *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    if (for_all_set)
        *out = for_all;
    return for_all_set;
}

/* ---- addresses ---------------------------------------------------------------------------------------- */

static void drop(struct app_addrs *list, const struct braid_ip *ip)
{
    unsigned n = 0;
    for (unsigned i = 0; i < list->n; i++)
        if (!ip_equal(&list->addr[i].ip, ip))
            list->addr[n++] = list->addr[i];
    list->n = n;
}

static int append(struct app_addrs *list, const struct braid_addr *addr)
{
    drop(list, &addr->ip);
    if (list->n == APP_ADDRS_MAX)
        return -1;
    list->addr[list->n++] = *addr;
    return 0;
}

int intent_add(struct intent *in, const struct braid_addr *addr)
{
    drop(&in->remove, &addr->ip);
    return append(&in->add, addr);
}

int intent_remove(struct intent *in, const struct braid_addr *addr)
{
    drop(&in->add, &addr->ip);
    return append(&in->remove, addr);
}
