/* SipHash-2-4, an intrusive hash table that grows by doubling, whose keys come from peers, so that the hash
 * is keyed, and a sum for what does not. */
#ifndef BRAID_BASE_HASH_H
#define BRAID_BASE_HASH_H

#include <stdint.h>
#include <stddef.h>

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

/* A sum over bytes that nobody has chosen, which tells whether they are still the same, at the pace of
 * memory. Of two states that differ in one word it is never the same. */
uint64_t quick_sum(const void *data, size_t len);

struct hnode {
    struct hnode *next;
    uint64_t hash;
};

/* Owns its array of buckets, not the nodes. A table whose growth fails for lack of memory goes on, slower. */
struct htable {
    struct hnode **buckets;
    size_t mask;  /* number of buckets - 1 */
    size_t count; /* nodes */
};

/* Returns 0, or -1 if memory is short. */
int htable_init(struct htable *t);
/* Frees the buckets; the nodes must have been removed or be forgotten by their owner. */
void htable_free(struct htable *t);
void htable_insert(struct htable *t, struct hnode *n, uint64_t hash);
/* The node must be in the table. */
void htable_remove(struct htable *t, struct hnode *n);
/* Takes all nodes out, chained by `next`; NULL: there were none. */
struct hnode *htable_take_all(struct htable *t);
/* First node with this hash, or NULL; the caller compares keys and goes on with htable_next. */
struct hnode *htable_first(const struct htable *t, uint64_t hash);
/* Next node after n with the same hash, or NULL. */
struct hnode *htable_next(const struct hnode *n);

#endif
