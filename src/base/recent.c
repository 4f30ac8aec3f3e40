/* See recent.h: a hash table, and a list in the order of learning. */
#include "base/recent.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct recent_key) == 24, "no bytes between the members");

int recent_init(struct recent *r, const struct siphash_key *key, size_t max)
{
    r->key = *key;
    r->max = max;
    list_init(&r->order);
    return htable_init(&r->table);
}

static struct recent_entry *with_key(const struct recent *r, const struct recent_key *key, uint64_t hash)
{
    for (struct hnode *n = htable_first(&r->table, hash); n; n = htable_next(n)) {
        struct recent_entry *e = list_entry(n, struct recent_entry, node);
        if (memcmp(&e->key, key, sizeof(*key)) == 0)
            return e;
    }
    return NULL;
}

struct recent_entry *recent_find(const struct recent *r, const struct recent_key *key)
{
    return with_key(r, key, siphash(&r->key, key, sizeof(*key)));
}

struct recent_entry *recent_put(struct recent *r, const struct recent_key *key, size_t size)
{
    uint64_t hash = siphash(&r->key, key, sizeof(*key));
    struct recent_entry *e = with_key(r, key, hash);
    if (e) {
        list_remove(&e->link);
    } else {
        e = calloc(1, size);
        if (!e)
            return NULL;
        e->key = *key;
        htable_insert(&r->table, &e->node, hash);
    }
    list_append(&r->order, &e->link);
    if (r->table.count > r->max)
        recent_drop(r, recent_entry(r->order.next));
    return e;
}

void recent_drop(struct recent *r, struct recent_entry *e)
{
    list_remove(&e->link);
    htable_remove(&r->table, &e->node);
    free(e);
}

void recent_clear(struct recent *r)
{
    while (!list_empty(&r->order))
        recent_drop(r, recent_entry(r->order.next));
}

void recent_free(struct recent *r)
{
    if (!r->table.buckets)
        return;
    recent_clear(r);
    htable_free(&r->table);
}
