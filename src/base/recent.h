/* What was found out lately about so many things at most, each with a key; what is oldest makes room. Keys
 * are chosen by peers, so the hash is keyed. */
#ifndef BRAID_BASE_RECENT_H
#define BRAID_BASE_RECENT_H

#include <braid/types.h>
#include "base/hash.h"
#include "base/list.h"

/* Compared and hashed as bytes: there are none between its members. */
struct recent_key {
    struct braid_ip ip;
    uint32_t owner;
    uint16_t port, kind;
};

/* The first member of what is known of a thing. */
struct recent_entry {
    struct hnode node;
    struct list link;
    struct recent_key key;
};

struct recent {
    struct siphash_key key;
    struct htable table;
    struct list order; /* of struct recent_entry, the oldest first */
    size_t max;
};

/* 0, or -1: memory is short. */
int recent_init(struct recent *r, const struct siphash_key *key, size_t max);
/* Frees what is in it, too. One that could not be made, or zeros, are nothing. */
void recent_free(struct recent *r);
/* NULL: there is none. */
struct recent_entry *recent_find(const struct recent *r, const struct recent_key *key);
/* The one of this key is the newest from now on; if there was none, it is made, of `size` bytes, zeroed
 * behind the entry. NULL: memory is short. */
struct recent_entry *recent_put(struct recent *r, const struct recent_key *key, size_t size);
/* Takes it out and frees it. */
void recent_drop(struct recent *r, struct recent_entry *e);
/* Frees all of them. */
void recent_clear(struct recent *r);

static inline size_t recent_count(const struct recent *r)
{
    return r->table.count;
}

static inline struct recent_entry *recent_entry(const struct list *link)
{
    return list_entry(link, struct recent_entry, link);
}

#endif
