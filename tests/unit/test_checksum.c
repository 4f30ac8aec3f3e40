/* The Internet checksum against RFC 1071's example and a byte-wise sum, and the DSS checksum. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "property.h"
#include "wire/checksum.h"
#include "suite.h"

static uint16_t naive(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint64_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

START_TEST(the_example_of_rfc_1071_comes_out)
{
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    ck_assert_uint_eq(checksum_fold(checksum_add(0, example, 8)), 0xddf2);
    ck_assert_uint_eq(checksum_fold(checksum_add(0, example, 0)), 0);
    ck_assert_uint_eq(checksum_fold(checksum_add(0, example + 2, 1)), 0xf200);
}
END_TEST

START_TEST(every_length_and_alignment_agrees_with_a_bytewise_sum)
{
    uint8_t raw[256];
    uint64_t seed = 5;

    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < sizeof(raw); i++)
            raw[i] = round == 0 ? 0xff : (uint8_t)rng_next(&seed);
        for (unsigned at = 0; at < 9; at++) {
            for (unsigned len = 0; len + at <= sizeof(raw); len++)
                must(checksum_fold(checksum_add(0, raw + at, len)) == naive(raw + at, len));
        }
    }
}
END_TEST

START_TEST(large_blocks_carry_correctly)
{
    enum { LEN = 1 << 20 };
    uint8_t *raw = malloc(LEN);
    uint64_t sum = 0;

    memset(raw, 0xff, LEN);
    raw[LEN - 1] = 0xfe;
    ck_assert_uint_eq(checksum_fold(checksum_add(0, raw, LEN)), naive(raw, LEN));
    for (unsigned i = 0; i < 1000; i++)
        sum = checksum_add(sum, raw, 65536);
    ck_assert_uint_eq(checksum_fold(sum), 0xffff);
    ck_assert_uint_eq(checksum_fold(checksum_add(UINT64_MAX, raw + LEN - 2, 2)), 0xfffe);
    free(raw);
}
END_TEST

START_TEST(pieces_at_any_offset_add_up_to_the_whole)
{
    uint8_t raw[600];
    uint64_t seed = 6;

    for (unsigned i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)rng_next(&seed);
    for (unsigned round = 0; round < 2000; round++) {
        size_t len = rng_below(&seed, sizeof(raw) + 1), at = 0;
        uint64_t sum = 0, apart = 0;

        while (at < len) {
            size_t piece = 1 + rng_below(&seed, len - at);

            sum = checksum_add_at(sum, raw + at, piece, at);
            apart += checksum_add_at(0, raw + at, piece, at);
            at += piece;
        }
        ck_assert_uint_eq(checksum_fold(sum), naive(raw, len));
        ck_assert_uint_eq(checksum_fold(apart), naive(raw, len));
    }
}
END_TEST

START_TEST(pseudo_headers_of_both_families_are_right)
{
    static const uint8_t v4[] = {192, 0, 2, 1, 198, 51, 100, 7, 0, 6, 0x12, 0x34};
    struct braid_ip src = ip_from_v4(v4), dst = ip_from_v4(v4 + 4);
    uint8_t v6[40] = {0};

    ck_assert_uint_eq(checksum_fold(checksum_pseudo(&src, &dst, 6, 0x1234)), naive(v4, sizeof(v4)));
    ck_assert_int_eq(ip_parse("2001:db8::1", &src), 0);
    ck_assert_int_eq(ip_parse("fe80::abcd:ef01", &dst), 0);
    memcpy(v6, src.b, 16);
    memcpy(v6 + 16, dst.b, 16);
    put32(v6 + 32, 0x12345);
    v6[39] = 58;
    ck_assert_uint_eq(checksum_fold(checksum_pseudo(&src, &dst, 58, 0x12345)), naive(v6, sizeof(v6)));
}
END_TEST

/* Against a byte-wise sum; the captures test recomputes those of Linux. */
START_TEST(dss_checksum_covers_data_and_pseudo_header)
{
    static const uint8_t data[] = {'h', 'e', 'l', 'l', 'o'};
    const uint64_t dsn = 0x0123456789abcdefULL;
    uint8_t whole[21] = {'h', 'e', 'l', 'l', 'o', 0};
    uint16_t csum = checksum_dss(checksum_add(0, data, 5), dsn, 7, 5);

    put64(whole + 6, dsn);
    put32(whole + 14, 7);
    put16(whole + 18, 5);
    ck_assert_uint_eq(csum, (uint16_t)~naive(whole, sizeof(whole)));
    ck_assert_uint_ne(csum, checksum_dss(checksum_add(0, data, 5), dsn + 1, 7, 5));
    ck_assert_uint_eq(checksum_dss(0, 0xffff, 0, 0), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checksum");
    TCase *t = tcase_create("checksum");

    tcase_add_test(t, the_example_of_rfc_1071_comes_out);
    tcase_add_test(t, every_length_and_alignment_agrees_with_a_bytewise_sum);
    tcase_add_test(t, large_blocks_carry_correctly);
    tcase_add_test(t, pieces_at_any_offset_add_up_to_the_whole);
    tcase_add_test(t, pseudo_headers_of_both_families_are_right);
    tcase_add_test(t, dss_checksum_covers_data_and_pseudo_header);
    suite_add_tcase(s, t);
    return run_suite(s);
}
