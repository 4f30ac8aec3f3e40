/* See services.h. A descriptor that we kept would have the socket listen for ever; so its number is kept, and
 * the kernel is asked whether it still listens when a client comes. */
#include "role/services.h"
#include <errno.h>
#include <stdlib.h>
#include "base/addr.h"
#include "base/list.h"
#include "io/listening.h"
#include "io/netlink.h"

struct entry {
    struct list link;
    struct service_news news;
    braid_time seen; /* when it listened */
};

struct services {
    struct list all; /* the last word first */
    unsigned n;
    struct netlink *netlink;
};

struct services *services_new(void)
{
    struct services *ss = calloc(1, sizeof(*ss));
    if (!ss)
        return NULL;
    list_init(&ss->all);
    ss->netlink = listening_open();
    if (!ss->netlink) {
        free(ss);
        return NULL;
    }
    return ss;
}

static void forget(struct services *ss, struct entry *e)
{
    list_remove(&e->link);
    free(e);
    ss->n--;
}

void services_free(struct services *ss)
{
    if (!ss)
        return;
    list_each (at, next, &ss->all)
        forget(ss, list_entry(at, struct entry, link));
    netlink_close(ss->netlink);
    free(ss);
}

/* One that the kernel cannot tell of stays. False: it is forgotten. */
static bool listens(struct services *ss, struct entry *e, braid_time now)
{
    if (now - e->seen < SERVICES_SURE)
        return true;
    if (listening_has(ss->netlink, e->news.at.port, e->news.cookie) == 0) {
        forget(ss, e);
        return false;
    }
    e->seen = now;
    return true;
}

static bool has_room(const struct services *ss, uint32_t user)
{
    unsigned own = 0;
    list_each (at, next, &ss->all)
        own += list_entry(at, struct entry, link)->news.user == user;
    return ss->n < SERVICES_MAX && own < SERVICES_USER;
}

static struct entry *find(const struct services *ss, uint64_t cookie)
{
    list_each (at, next, &ss->all) {
        struct entry *e = list_entry(at, struct entry, link);
        if (e->news.cookie == cookie)
            return e;
    }
    return NULL;
}

uint32_t services_add(struct services *ss, const struct service_news *news, braid_time now)
{
    struct entry *e = find(ss, news->cookie);
    int there = listening_has(ss->netlink, news->at.port, news->cookie);
    if (there <= 0)
        return there < 0 ? EOPNOTSUPP : EINVAL;
    if (e)
        forget(ss, e);
    if (!has_room(ss, news->user)) {
        list_each (at, next, &ss->all)
            listens(ss, list_entry(at, struct entry, link), now);
        if (!has_room(ss, news->user))
            return ENOBUFS;
    }
    e = malloc(sizeof(*e));
    if (!e)
        return ENOBUFS;
    *e = (struct entry){.news = *news, .seen = now};
    list_prepend(&ss->all, &e->link);
    ss->n++;
    return 0;
}

static bool takes_any(const struct service_news *n, const struct braid_ip *ip)
{
    if (!ip_is_unspecified(&n->at.ip))
        return false;
    return ip_is_v4(&n->at.ip) ? ip_is_v4(ip) : !ip_is_v4(ip) || !n->v6_only;
}

const struct service_wish *services_find(struct services *ss, const struct braid_addr *server,
                                         bool (*is_local)(void *arg, const struct braid_ip *ip), void *arg,
                                         braid_time now)
{
    if (!ss || ss->n == 0)
        return NULL;
    list_each (at, next, &ss->all) {
        struct entry *e = list_entry(at, struct entry, link);
        const struct service_news *n = &e->news;
        if (n->at.port != server->port || !(ip_equal(&n->at.ip, &server->ip) || takes_any(n, &server->ip)) ||
            !is_local(arg, &server->ip))
            continue;
        if (listens(ss, e, now))
            return &e->news.wish;
    }
    return NULL;
}
