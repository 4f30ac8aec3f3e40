/* See census.h. Ids are the daemon's own numbers, so that no key is needed to spread them. */
#include <stdlib.h>
#include "admin/census.h"
#include "admin/per_second.h"
#include "base/hash.h"
#include "base/list.h"

#define LOOK_AGAIN (250 * BRAID_MS)    /* the least time that a rate is measured over */
#define REMEMBERED (10 * BRAID_SECOND) /* without a look */

struct citizen {
    struct hnode node;
    struct list link; /* of those last looked at, the oldest first */
    uint64_t id, from_client, to_client;
    braid_time measured_at, seen_at;
    struct census_rate rate;
};

struct census {
    struct htable table;
    struct list seen;
};

struct census *census_new(void)
{
    struct census *c = calloc(1, sizeof(*c));
    if (!c || htable_init(&c->table) < 0) {
        free(c);
        return NULL;
    }
    list_init(&c->seen);
    return c;
}

static void forget(struct census *c, struct citizen *one)
{
    htable_remove(&c->table, &one->node);
    list_remove(&one->link);
    free(one);
}

void census_free(struct census *c)
{
    if (!c)
        return;
    list_each (pos, next, &c->seen)
        forget(c, list_entry(pos, struct citizen, link));
    htable_free(&c->table);
    free(c);
}

/* Multiplied, so that ids that count up do not all share the low bits of a worker's number. */
static uint64_t hash_of(uint64_t id)
{
    return id * 0x9e3779b97f4a7c15u >> 16;
}

static struct citizen *find(const struct census *c, uint64_t id)
{
    struct hnode *n = htable_first(&c->table, hash_of(id));
    while (n && ((struct citizen *)n)->id != id)
        n = htable_next(n);
    return (struct citizen *)n;
}

static struct citizen *enter(struct census *c, uint64_t id)
{
    struct citizen *one = calloc(1, sizeof(*one));
    if (!one)
        return NULL;
    one->id = id;
    htable_insert(&c->table, &one->node, hash_of(id));
    list_append(&c->seen, &one->link);
    return one;
}

struct census_rate census_look(struct census *c, uint64_t id, uint64_t from_client, uint64_t to_client,
                               braid_time now)
{
    struct citizen *one = find(c, id);
    bool known = one != NULL;
    if (!known && !(one = enter(c, id)))
        return (struct census_rate){0};
    list_remove(&one->link);
    list_append(&c->seen, &one->link);
    one->seen_at = now;
    braid_time us = now - one->measured_at;
    if (known && us < LOOK_AGAIN)
        return one->rate;
    if (known) {
        one->rate.from_client = per_second(from_client, one->from_client, us);
        one->rate.to_client = per_second(to_client, one->to_client, us);
    }
    one->from_client = from_client;
    one->to_client = to_client;
    one->measured_at = now;
    return one->rate;
}

void census_forget(struct census *c, braid_time now)
{
    list_each (pos, next, &c->seen) {
        struct citizen *one = list_entry(pos, struct citizen, link);
        if (now - one->seen_at < REMEMBERED)
            break;
        forget(c, one);
    }
}

size_t census_count(const struct census *c)
{
    return c->table.count;
}
