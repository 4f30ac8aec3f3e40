/* A hash table of destinations, and a list of each kind in the order of learning, whose first goes when there
 * are too many. Each kind has its own share: plain servers, of which there are many, do not drive out the
 * others. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "base/list.h"
#include "role/bypass.h"

struct known {
    struct hnode node;
    struct list link; /* in the list of its kind */
    struct braid_addr addr;
    unsigned edge;
    enum bypass_kind kind;
    braid_time until;
    uint64_t passed;
};

struct kind {
    struct list list;
    size_t count;
};

struct bypass {
    struct siphash_key key;
    struct htable table;
    size_t max;
    struct kind kinds[BYPASS_MPTCP + 1];
};

struct bypass *bypass_new(const struct siphash_key *key, size_t max)
{
    struct bypass *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->key = *key;
    b->max = max;
    for (unsigned i = 0; i <= BYPASS_MPTCP; i++)
        list_init(&b->kinds[i].list);
    if (htable_init(&b->table) < 0) {
        free(b);
        return NULL;
    }
    return b;
}

void bypass_free(struct bypass *b)
{
    if (!b)
        return;
    bypass_clear(b);
    htable_free(&b->table);
    free(b);
}

static uint64_t hash_of(const struct bypass *b, unsigned edge, const struct braid_addr *addr)
{
    uint8_t key[sizeof(edge) + sizeof(addr->ip.b) + sizeof(addr->port)];
    memcpy(key, &edge, sizeof(edge));
    memcpy(key + sizeof(edge), addr->ip.b, sizeof(addr->ip.b));
    memcpy(key + sizeof(edge) + sizeof(addr->ip.b), &addr->port, sizeof(addr->port));
    return siphash(&b->key, key, sizeof(key));
}

static struct known *find(const struct bypass *b, unsigned edge, const struct braid_addr *addr, uint64_t hash)
{
    for (struct hnode *n = htable_first(&b->table, hash); n; n = htable_next(n)) {
        struct known *k = list_entry(n, struct known, node);
        if (k->edge == edge && addr_equal(&k->addr, addr))
            return k;
    }
    return NULL;
}

static void enlist(struct bypass *b, struct known *k, enum bypass_kind kind)
{
    k->kind = kind;
    list_append(&b->kinds[kind].list, &k->link);
    b->kinds[kind].count++;
}

static void delist(struct bypass *b, struct known *k)
{
    list_remove(&k->link);
    b->kinds[k->kind].count--;
}

static void forget(struct bypass *b, struct known *k)
{
    delist(b, k);
    htable_remove(&b->table, &k->node);
    free(k);
}

enum bypass_kind bypass_find(const struct bypass *b, unsigned edge, const struct braid_addr *addr,
                             braid_time now)
{
    const struct known *k = find(b, edge, addr, hash_of(b, edge, addr));
    return k && k->until > now ? k->kind : BYPASS_UNKNOWN;
}

void bypass_learn(struct bypass *b, unsigned edge, const struct braid_addr *addr, enum bypass_kind kind,
                  braid_time until, braid_time now)
{
    assert(kind != BYPASS_UNKNOWN);
    uint64_t hash = hash_of(b, edge, addr);
    struct known *k = find(b, edge, addr, hash);
    if (k && k->kind == BYPASS_MPTCP && kind == BYPASS_PLAIN && k->until > now)
        return;
    if (k) {
        delist(b, k);
    } else {
        k = calloc(1, sizeof(*k));
        if (!k)
            return;
        k->edge = edge;
        k->addr = *addr;
        htable_insert(&b->table, &k->node, hash);
    }
    k->until = until;
    enlist(b, k, kind);
    if (b->kinds[kind].count > b->max)
        forget(b, list_entry(b->kinds[kind].list.next, struct known, link));
}

bool bypass_pass(struct bypass *b, unsigned edge, const struct braid_addr *addr, braid_time now)
{
    struct known *k = find(b, edge, addr, hash_of(b, edge, addr));
    if (!k || k->kind != BYPASS_MPTCP || k->until <= now)
        return false;
    k->passed++;
    return true;
}

void bypass_clear(struct bypass *b)
{
    for (unsigned i = 0; i <= BYPASS_MPTCP; i++)
        list_each (pos, next, &b->kinds[i].list)
            forget(b, list_entry(pos, struct known, link));
}

size_t bypass_list(const struct bypass *b, braid_time now, struct bypass_entry *out, size_t max)
{
    const struct list *head = &b->kinds[BYPASS_MPTCP].list;
    size_t n = 0;
    for (const struct list *pos = head->prev; pos != head && n < max; pos = pos->prev) {
        const struct known *k = list_entry(pos, struct known, link);
        if (k->until > now)
            out[n++] = (struct bypass_entry){
                .edge = k->edge, .addr = k->addr, .left = k->until - now, .passed = k->passed};
    }
    return n;
}

size_t bypass_count(const struct bypass *b)
{
    return b->kinds[BYPASS_MPTCP].count;
}
