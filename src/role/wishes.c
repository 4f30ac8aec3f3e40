/* See wishes.h. A ring in the order of time, and a walk over those that are left: programs connect at once
 * after their word, so that hardly any are. */
#include "role/wishes.h"
#include <stdlib.h>
#include "base/addr.h"
#include "base/list.h"

struct entry {
    struct list link;
    struct wish_news news;
    braid_time until;
};

struct wishes {
    struct list all; /* the oldest first */
    unsigned n;
};

struct wishes *wishes_new(void)
{
    struct wishes *ws = calloc(1, sizeof(*ws));
    if (ws)
        list_init(&ws->all);
    return ws;
}

bool wishes_wait(const struct wishes *ws)
{
    return ws && ws->n > 0;
}

static void forget(struct wishes *ws, struct entry *e)
{
    list_remove(&e->link);
    free(e);
    ws->n--;
}

void wishes_free(struct wishes *ws)
{
    if (!ws)
        return;
    list_each (at, next, &ws->all)
        forget(ws, list_entry(at, struct entry, link));
    free(ws);
}

static struct entry *oldest_of(struct wishes *ws, uint32_t user, unsigned *n)
{
    struct entry *oldest = NULL;
    *n = 0;
    list_each (at, next, &ws->all) {
        struct entry *e = list_entry(at, struct entry, link);
        if (e->news.user != user)
            continue;
        if (!oldest)
            oldest = e;
        ++*n;
    }
    return oldest;
}

/* Who says much loses only what is his own. */
static void make_room(struct wishes *ws, uint32_t user, braid_time now)
{
    unsigned n;
    struct entry *own = oldest_of(ws, user, &n);
    if (n >= WISHES_USER)
        forget(ws, own);
    while (ws->n > 0) {
        struct entry *oldest = list_entry(ws->all.next, struct entry, link);
        if (oldest->until > now && ws->n < WISHES_MAX)
            return;
        forget(ws, oldest);
    }
}

static void forget_late(struct wishes *ws, braid_time now)
{
    list_each (at, next, &ws->all) {
        struct entry *e = list_entry(at, struct entry, link);
        if (e->news.late && e->until <= now)
            forget(ws, e);
    }
}

static struct entry *find(struct wishes *ws, const struct braid_addr *client, const struct braid_addr *meant)
{
    list_each (at, next, &ws->all) {
        struct entry *e = list_entry(at, struct entry, link);
        if (addr_equal(&e->news.client, client) && addr_equal(&e->news.meant, meant))
            return e;
    }
    return NULL;
}

void wishes_add(struct wishes *ws, const struct wish_news *news, braid_time now)
{
    struct entry *e = find(ws, &news->client, &news->meant);
    if (e && e->until > now && e->news.user != news->user)
        return;
    if (e)
        forget(ws, e);
    make_room(ws, news->user, now);
    e = malloc(sizeof(*e));
    if (!e)
        return;
    *e = (struct entry){.news = *news, .until = now + (news->late ? WISHES_LATE : WISHES_LIFE)};
    list_append(&ws->all, &e->link);
    ws->n++;
}

/* The unspecified address of the same family. */
static struct braid_addr any_address(const struct braid_addr *client)
{
    struct braid_addr any = {.port = client->port};
    if (ip_is_v4(&client->ip))
        any.ip = ip_from_v4((const uint8_t[4]){0});
    return any;
}

bool wishes_take(struct wishes *ws, const struct braid_addr *client, const struct braid_addr *meant, bool own,
                 struct wish *out, braid_time now)
{
    if (!wishes_wait(ws))
        return false;
    forget_late(ws, now); /* nobody may come for them: another worker has had the SYN */
    struct braid_addr any = any_address(client);
    struct entry *e = find(ws, client, meant);
    if (!e && own)
        e = find(ws, &any, meant);
    if (!e)
        return false;
    bool in_time = e->until > now;
    *out = e->news.wish;
    forget(ws, e);
    return in_time;
}
