/* Keys, tokens and HMACs (src/mptcp/crypto.c) against vectors computed independently. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "mptcp/crypto.h"
#include "property.h"
#include "suite.h"

#define KEY_A 0x0102030405060708u
#define KEY_B 0x1112131415161718u

START_TEST(token_and_idsn_follow_from_the_key)
{
    uint32_t token;
    uint64_t idsn;
    mptcp_key_derive(KEY_A, &token, &idsn);
    ck_assert_uint_eq(token, 0x66840dda);
    ck_assert(idsn == 0xf5a101d3d29d6f72u);
    mptcp_key_derive(KEY_B, &token, &idsn);
    ck_assert_uint_eq(token, 0xccad45ac);
    ck_assert(idsn == 0x535beea38e087c8eu);
}
END_TEST

START_TEST(join_hmacs_match_the_vectors)
{
    static const uint8_t synack[8] = {0x72, 0xbe, 0xa4, 0x3c, 0x69, 0xc0, 0xc2, 0x06};
    static const uint8_t ack[20] = {0xc2, 0x98, 0x6b, 0x9f, 0xfe, 0x33, 0xde, 0xdc, 0x10, 0x95,
                                    0x5f, 0xc5, 0xc9, 0xc3, 0x15, 0x44, 0xe3, 0xac, 0x05, 0xc0};
    uint8_t mac[MPTCP_HMAC_LEN];
    mptcp_join_hmac(KEY_B, KEY_A, 0x11223344, 0xaabbccdd, mac);
    ck_assert(mptcp_hmac_equal(mac, synack, sizeof(synack)));
    mptcp_join_hmac(KEY_A, KEY_B, 0xaabbccdd, 0x11223344, mac);
    ck_assert(mptcp_hmac_equal(mac, ack, sizeof(ack)));
}
END_TEST

/* Of RFC 6824 sections 3.1 and 3.2, by `openssl dgst -sha1`, with -mac HMAC. */
START_TEST(version_0_has_sha1)
{
    static const uint8_t synack[8] = {0x16, 0x28, 0xa8, 0xed, 0x90, 0x03, 0xb9, 0xac};
    static const uint8_t ack[MPTCP_HMAC_LEN] = {0x30, 0x78, 0xff, 0xd3, 0x6d, 0x64, 0x9a, 0x00, 0xbf, 0x56,
                                                0x1d, 0xb7, 0x8f, 0xc1, 0x76, 0x82, 0x31, 0x7b, 0x54, 0x50};
    uint8_t mac[MPTCP_HMAC_LEN];
    uint32_t token;
    uint64_t idsn;
    mptcp_key_derive_sha1(KEY_A, &token, &idsn);
    ck_assert_uint_eq(token, 0xdd5783bc);
    ck_assert(idsn == 0x3a95ed6e4ebb4ad5u);
    mptcp_key_derive_sha1(KEY_B, &token, &idsn);
    ck_assert_uint_eq(token, 0x3383d918);
    ck_assert(idsn == 0x9e1ae42f702627a9u);
    memset(mac, 0xff, sizeof(mac));
    mptcp_join_hmac_sha1(KEY_B, KEY_A, 0x11223344, 0xaabbccdd, mac);
    ck_assert_mem_eq(mac, synack, sizeof(synack));
    mptcp_join_hmac_sha1(KEY_A, KEY_B, 0xaabbccdd, 0x11223344, mac);
    ck_assert_mem_eq(mac, ack, sizeof(ack));
}
END_TEST

/* The same by OpenSSL's own interfaces, for keys and nonces of chance. */
START_TEST(both_versions_are_those_of_openssl)
{
    uint64_t seed = 5;
    for (unsigned i = 0; i < 2000; i++) {
        const EVP_MD *md = i % 2 ? EVP_sha256() : EVP_sha1();
        uint64_t k[2] = {rng_next(&seed), rng_next(&seed)}, idsn;
        uint32_t n[2] = {(uint32_t)rng_next(&seed), (uint32_t)rng_next(&seed)}, token;
        uint8_t key[16], msg[8], want[EVP_MAX_MD_SIZE], got[MPTCP_HMAC_LEN];
        unsigned len = 0;
        put64(key, k[0]);
        put64(key + 8, k[1]);
        put32(msg, n[0]);
        put32(msg + 4, n[1]);
        ck_assert_ptr_nonnull(HMAC(md, key, sizeof(key), msg, sizeof(msg), want, &len));
        (i % 2 ? mptcp_join_hmac : mptcp_join_hmac_sha1)(k[0], k[1], n[0], n[1], got);
        ck_assert_mem_eq(got, want, len);
        ck_assert_int_eq(EVP_Digest(key, 8, want, &len, md, NULL), 1);
        (i % 2 ? mptcp_key_derive : mptcp_key_derive_sha1)(k[0], &token, &idsn);
        ck_assert_uint_eq(token, get32(want));
        ck_assert(idsn == get64(want + len - 8));
    }
}
END_TEST

START_TEST(add_addr_hmac_counts_a_missing_port_as_zero)
{
    static const uint8_t without[8] = {0x7a, 0x89, 0xd0, 0xb1, 0xfb, 0x7e, 0xa0, 0x24};
    static const uint8_t with[8] = {0x88, 0xbc, 0xea, 0xa7, 0x99, 0x17, 0xcf, 0xbb};
    struct braid_addr addr = {.port = 0};
    uint8_t mac[8];
    ck_assert_int_eq(ip_parse("192.0.2.1", &addr.ip), 0);
    mptcp_add_addr_hmac(KEY_B, KEY_A, 2, &addr, mac);
    ck_assert_mem_eq(mac, without, 8);
    addr.port = 8443;
    mptcp_add_addr_hmac(KEY_B, KEY_A, 2, &addr, mac);
    ck_assert_mem_eq(mac, with, 8);
}
END_TEST

static void *no_memory(size_t n, const char *file, int line)
{
    (void)n, (void)file, (void)line;
    return NULL;
}

static void *no_more_memory(void *p, size_t n, const char *file, int line)
{
    (void)p, (void)n, (void)file, (void)line;
    return NULL;
}

static void nothing_to_free(void *p, const char *file, int line)
{
    (void)p, (void)file, (void)line;
}

/* A join that comes when memory is short must not end the process, nor a key have a token of chance. */
START_TEST(hashes_need_no_memory)
{
    static const uint8_t synack[8] = {0x72, 0xbe, 0xa4, 0x3c, 0x69, 0xc0, 0xc2, 0x06};
    uint8_t mac[MPTCP_HMAC_LEN];
    uint32_t token;
    uint64_t idsn;
    ck_assert_int_eq(CRYPTO_set_mem_functions(no_memory, no_more_memory, nothing_to_free), 1);
    mptcp_key_derive(KEY_A, &token, &idsn);
    ck_assert_uint_eq(token, 0x66840dda);
    mptcp_join_hmac(KEY_B, KEY_A, 0x11223344, 0xaabbccdd, mac);
    ck_assert(mptcp_hmac_equal(mac, synack, sizeof(synack)));
}
END_TEST

START_TEST(the_kernels_own_hmac_vector_matches)
{
    /* key "0b0b0b0b0b0b0b0b" and message "48692054", both as ASCII */
    static const uint8_t start[4] = {0x83, 0x85, 0xe2, 0x4f};
    uint8_t mac[MPTCP_HMAC_LEN];
    mptcp_hmac(0x3062306230623062u, 0x3062306230623062u, "48692054", 8, mac);
    ck_assert_mem_eq(mac, start, 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mptcp crypto");
    TCase *t = tcase_create("vectors");
    tcase_add_test(t, token_and_idsn_follow_from_the_key);
    tcase_add_test(t, join_hmacs_match_the_vectors);
    tcase_add_test(t, version_0_has_sha1);
    tcase_add_test(t, both_versions_are_those_of_openssl);
    tcase_add_test(t, add_addr_hmac_counts_a_missing_port_as_zero);
    tcase_add_test(t, the_kernels_own_hmac_vector_matches);
    tcase_add_test(t, hashes_need_no_memory);
    suite_add_tcase(s, t);
    return run_suite(s);
}
