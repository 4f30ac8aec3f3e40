/* SipHash-2-4 (Aumasson and Bernstein), the intrusive hash table, and a sum. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#define FIRST_BUCKETS 16

static inline uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline void sip_absorb(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len)
{
    uint64_t v[4] = {
        key->k0 ^ 0x736f6d6570736575ULL,
        key->k1 ^ 0x646f72616e646f6dULL,
        key->k0 ^ 0x6c7967656e657261ULL,
        key->k1 ^ 0x7465646279746573ULL,
    };
    const uint8_t *p = data;
    uint64_t last = (uint64_t)len << 56;

    for (size_t left = len / 8; left > 0; left--, p += 8)
        sip_absorb(v, get64le(p));
    for (size_t i = 0; i < len % 8; i++)
        last |= (uint64_t)p[i] << (8 * i);
    sip_absorb(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* An odd factor and a rotation: whatever it is applied to, nothing becomes the same. */
static inline uint64_t sum_absorb(uint64_t sum, uint64_t word)
{
    return rotl((sum ^ word) * 0x9e3779b97f4a7c15u, 29);
}

/* In four lanes, since each word has to wait for the one before it in its lane. */
uint64_t quick_sum(const void *data, size_t len)
{
    uint64_t lanes[4] = {1, 2, 3, 4}, last = 0, sum = len;
    const uint8_t *p = data;
    size_t words = len / 8;

    for (; words >= 4; words -= 4, p += 32)
        for (unsigned i = 0; i < 4; i++)
            lanes[i] = sum_absorb(lanes[i], get64le(p + 8 * i));
    for (unsigned i = 0; i < words; i++, p += 8)
        lanes[i] = sum_absorb(lanes[i], get64le(p));
    for (size_t i = 0; i < len % 8; i++)
        last |= (uint64_t)p[i] << (8 * i);
    lanes[3] = sum_absorb(lanes[3], last);
    for (unsigned i = 0; i < 4; i++)
        sum = sum_absorb(sum, lanes[i]);
    return sum;
}

int htable_init(struct htable *t)
{
    t->buckets = calloc(FIRST_BUCKETS, sizeof(struct hnode *));
    t->mask = FIRST_BUCKETS - 1;
    t->count = 0;
    return t->buckets ? 0 : -1;
}

void htable_free(struct htable *t)
{
    free(t->buckets);
    t->buckets = NULL;
    t->count = 0;
}

static void htable_grow(struct htable *t)
{
    size_t mask = t->mask * 2 + 1;
    struct hnode **buckets = calloc(mask + 1, sizeof(struct hnode *));

    if (!buckets)
        return;
    for (size_t i = 0; i <= t->mask; i++) {
        struct hnode *next;

        for (struct hnode *n = t->buckets[i]; n; n = next) {
            next = n->next;
            n->next = buckets[n->hash & mask];
            buckets[n->hash & mask] = n;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->mask = mask;
}

void htable_insert(struct htable *t, struct hnode *n, uint64_t hash)
{
    if (t->count > t->mask)
        htable_grow(t);
    n->hash = hash;
    n->next = t->buckets[hash & t->mask];
    t->buckets[hash & t->mask] = n;
    t->count++;
}

void htable_remove(struct htable *t, struct hnode *n)
{
    struct hnode **at = &t->buckets[n->hash & t->mask];

    while (*at && *at != n)
        at = &(*at)->next;
    assert(*at == n);
    *at = n->next;
    n->next = NULL;
    t->count--;
}

static struct hnode *with_hash(struct hnode *n, uint64_t hash)
{
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

struct hnode *htable_take_all(struct htable *t)
{
    struct hnode *all = NULL;

    for (size_t i = 0; i <= t->mask; i++) {
        while (t->buckets[i]) {
            struct hnode *n = t->buckets[i];

            htable_remove(t, n);
            n->next = all;
            all = n;
        }
    }
    return all;
}

struct hnode *htable_first(const struct htable *t, uint64_t hash)
{
    return with_hash(t->buckets[hash & t->mask], hash);
}

struct hnode *htable_next(const struct hnode *n)
{
    return with_hash(n->next, n->hash);
}
