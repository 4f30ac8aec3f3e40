/* SipHash against its published vectors; the table against what was put in. */
#include <check.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"
#include "property.h"
#include "suite.h"

/* Key 00..0f, message 00..(i-1): some of the 64 vectors of the authors' reference code. */
START_TEST(siphash_matches_the_published_vectors)
{
    static const uint64_t expected[8] = {
        0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL, 0x85676696d7fb7e2dULL,
        0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL, 0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL,
    };
    const struct siphash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    uint8_t message[63];

    for (unsigned i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)i;
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(siphash(&key, message, i), expected[i]);
    ck_assert_uint_eq(siphash(&key, message, 8), 0x93f5f5799a932462ULL);
    ck_assert_uint_eq(siphash(&key, message, 15), 0xa129ca6149be45e5ULL);
    ck_assert_uint_eq(siphash(&key, message, 16), 0x3f2acc7f57c29bdbULL);
    ck_assert_uint_eq(siphash(&key, message, 63), 0x958a324ceb064572ULL);
}
END_TEST

START_TEST(siphash_reads_unaligned_data_and_depends_on_the_key)
{
    struct siphash_key key = {1, 2};
    uint8_t raw[40];
    uint64_t first;

    for (unsigned i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(i % 8);
    first = siphash(&key, raw, 19);
    ck_assert_uint_eq(siphash(&key, raw + 8, 19), first);
    for (unsigned shift = 1; shift < 8; shift++) {
        uint8_t moved[40];

        for (unsigned i = 0; i < 19; i++)
            moved[shift + i] = raw[i];
        ck_assert_uint_eq(siphash(&key, moved + shift, 19), first);
    }
    key.k1 ^= 1ULL << 63;
    ck_assert_uint_ne(siphash(&key, raw, 19), first);
}
END_TEST

struct item {
    struct hnode node;
    unsigned key;
    bool in;
};

/* Few hash values, so that nodes of different keys share one. */
static uint64_t hash_of(unsigned key)
{
    return (key / 3) * 0x9e3779b97f4a7c15ULL >> 7;
}

static struct item *find(const struct htable *t, unsigned key)
{
    for (struct hnode *n = htable_first(t, hash_of(key)); n; n = htable_next(n)) {
        must(n->hash == hash_of(key));
        if (list_entry(n, struct item, node)->key == key)
            return list_entry(n, struct item, node);
    }
    return NULL;
}

START_TEST(the_table_holds_exactly_what_was_put_in)
{
    enum { KEYS = 3000 };
    struct item *items = calloc(KEYS, sizeof(*items));
    struct htable t;
    uint64_t seed = 1;
    size_t in = 0;

    ck_assert_int_eq(htable_init(&t), 0);
    for (unsigned step = 0; step < 40000; step++) {
        unsigned key = (unsigned)rng_below(&seed, KEYS);
        struct item *item = &items[key];

        must(find(&t, key) == (item->in ? item : NULL));
        item->key = key;
        if (item->in)
            htable_remove(&t, &item->node);
        else
            htable_insert(&t, &item->node, hash_of(key));
        item->in = !item->in;
        in += item->in ? 1 : (size_t)-1;
        must(t.count == in);
    }
    ck_assert_uint_ge(t.mask + 1, KEYS / 4);
    ck_assert_uint_eq(t.mask & (t.mask + 1), 0);
    for (unsigned key = 0; key < KEYS; key++)
        ck_assert_ptr_eq(find(&t, key), items[key].in ? &items[key] : NULL);
    htable_free(&t);
    free(items);
}
END_TEST

START_TEST(equal_hashes_are_all_found)
{
    struct hnode n[5];
    struct htable t;
    unsigned found = 0;

    ck_assert_int_eq(htable_init(&t), 0);
    for (unsigned i = 0; i < 5; i++)
        htable_insert(&t, &n[i], i == 3 ? 17 : 1); /* 17: the same bucket, another hash */
    for (struct hnode *at = htable_first(&t, 1); at; at = htable_next(at))
        found++;
    ck_assert_uint_eq(found, 4);
    ck_assert_ptr_null(htable_first(&t, 33));
    htable_free(&t);
}
END_TEST

START_TEST(a_sum_tells_each_changed_byte_and_each_missing_one)
{
    uint8_t bytes[100];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        uint64_t sum = quick_sum(bytes, len);
        ck_assert(len == 0 || sum != quick_sum(bytes, len - 1));
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 0x10;
            ck_assert_uint_ne(sum, quick_sum(bytes, len));
            bytes[i] ^= 0x10;
        }
        ck_assert_uint_eq(sum, quick_sum(bytes, len));
    }
}
END_TEST

START_TEST(a_sum_tells_the_order_of_words)
{
    uint64_t words[16];
    for (unsigned i = 0; i < 16; i++)
        words[i] = i;
    uint64_t sum = quick_sum(words, sizeof(words));
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < i; k++) {
            words[i] = k;
            words[k] = i;
            ck_assert_uint_ne(sum, quick_sum(words, sizeof(words)));
            words[i] = i;
            words[k] = k;
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hash");
    TCase *t = tcase_create("hash");

    tcase_add_test(t, siphash_matches_the_published_vectors);
    tcase_add_test(t, siphash_reads_unaligned_data_and_depends_on_the_key);
    tcase_add_test(t, the_table_holds_exactly_what_was_put_in);
    tcase_add_test(t, equal_hashes_are_all_found);
    tcase_add_test(t, a_sum_tells_each_changed_byte_and_each_missing_one);
    tcase_add_test(t, a_sum_tells_the_order_of_words);
    suite_add_tcase(s, t);
    return run_suite(s);
}
