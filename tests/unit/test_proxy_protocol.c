/* The PROXY protocol's headers (src/wire/proxy_protocol.c, src/wire/crc32c.c): both versions read and
 * written, everything that is cut short, what the specification forbids, and random bytes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "property.h"
#include "suite.h"
#include "wire/crc32c.h"
#include "wire/proxy_protocol.h"

static struct proxy_header h;

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* From memory that ends where the bytes do. */
static enum proxy_status parse(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 1, bytes, len);
    enum proxy_status s = proxy_parse(copy + 1, len, &h);
    free(copy);
    return s;
}

static enum proxy_status parse_text(const char *line)
{
    return parse(line, strlen(line));
}

/* Every beginning asks for more, and user data behind it does not matter. */
static void expect_patience(const uint8_t *bytes, size_t n)
{
    uint8_t with[PROXY_READ_MAX + 4];
    for (size_t len = 0; len < n; len++)
        ck_assert_int_eq(parse(bytes, len), PROXY_MORE);
    memcpy(with, bytes, n);
    memcpy(with + n, "\r\nU", 3);
    for (size_t more = 0; more <= 3; more++) {
        ck_assert_int_eq(parse(with, n + more), PROXY_COMPLETE);
        ck_assert_uint_eq(h.len, n);
    }
}

static void expect_ends(const char *source, const char *destination)
{
    const struct braid_addr from = address(source), to = address(destination);
    ck_assert(h.has_addresses);
    ck_assert(addr_equal(&h.source, &from) && addr_equal(&h.destination, &to));
}

/* ---- version 1 ----------------------------------------------------------------------------------------- */

static const struct {
    const char *line, *source, *destination;
} lines[] = {
    {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324", "192.168.0.11:443"},
    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535",
     "255.255.255.255:65535"},
    {"PROXY TCP4 0.0.0.0 10.0.0.1 0 1\r\n", "0.0.0.0:0", "10.0.0.1:1"},
    {"PROXY TCP6 2001:db8::1 2001:db8::2 4711 80\r\n", "[2001:db8::1]:4711", "[2001:db8::2]:80"},
    {"PROXY TCP6 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:ffff:ffff:ffff:ffff:ffff:fffe 65535 "
     "65534\r\n",
     "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[2001:db8:ffff:ffff:ffff:ffff:ffff:fffe]:65534"},
};
#define N_LINES (sizeof(lines) / sizeof(lines[0]))

START_TEST(a_line_is_read_and_written)
{
    uint8_t out[PROXY_V1_MAX];
    const char *line = lines[_i].line;
    const struct braid_addr from = address(lines[_i].source), to = address(lines[_i].destination);
    expect_patience((const uint8_t *)line, strlen(line));
    ck_assert_int_eq(h.version, PROXY_V1);
    expect_ends(lines[_i].source, lines[_i].destination);
    ck_assert_uint_eq(proxy_write_v1(out, sizeof(out), &from, &to), strlen(line));
    ck_assert_mem_eq(out, line, strlen(line));
    ck_assert_uint_eq(proxy_write_v1(out, strlen(line) - 1, &from, &to), 0);
}
END_TEST

START_TEST(a_line_that_knows_nobody_leaves_the_connections_own_addresses)
{
    static const char *const unknown[] = {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN whatever  it says\r\n",
                                          ("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
                                           "65535\r\n")};
    const struct braid_addr v4 = address("10.0.0.1:1"), v6 = address("[2001:db8::1]:2");
    uint8_t out[PROXY_V1_MAX];
    for (unsigned i = 0; i < 3; i++) {
        expect_patience((const uint8_t *)unknown[i], strlen(unknown[i]));
        ck_assert(!h.has_addresses && h.version == PROXY_V1);
    }
    ck_assert_uint_eq(proxy_write_v1(out, sizeof(out), &v4, &v6), strlen(unknown[0]));
    ck_assert_mem_eq(out, unknown[0], strlen(unknown[0]));
}
END_TEST

static const char *const bad_lines[] = {
    "GET / HTTP/1.1\r\n",
    "PROXX",
    "proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY  TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1 2 \r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2\r\n",
    "PROXY TCP4\r\n",
    "PROXY TCP4 \r\n",
    "PROXY \r\n",
    "PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\r\n",
    "PROXY TCP4 10.0.0.1\r10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0.01 10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0 10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 01 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 +1 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 65536 2\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 100000 2\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP4 10.0.0.1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY TCP6 2001:db8::1::2 2001:db8::2 1 2\r\n",
    "PROXY TCP6 2001:db8::1%eth0 2001:db8::2 1 2\r\n",
    "PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n",
};
#define N_BAD_LINES (sizeof(bad_lines) / sizeof(bad_lines[0]))

START_TEST(a_line_that_is_not_exactly_one_is_none)
{
    ck_assert_msg(parse_text(bad_lines[_i]) == PROXY_BAD, "%s", bad_lines[_i]);
}
END_TEST

START_TEST(a_line_has_no_zeros_and_an_end)
{
    static const char zero[] = "PROXY UNKNOWN\0\r\n";
    char endless[PROXY_V1_MAX + 2];
    ck_assert_int_eq(parse(zero, sizeof(zero) - 1), PROXY_BAD);
    memset(endless, 'x', sizeof(endless));
    memcpy(endless, "PROXY UNKNOWN ", 14);
    ck_assert_int_eq(parse(endless, PROXY_V1_MAX - 1), PROXY_MORE);
    ck_assert_int_eq(parse(endless, PROXY_V1_MAX), PROXY_BAD);
    memcpy(endless + PROXY_V1_MAX - 2, "\r\n", 2);
    ck_assert_int_eq(parse(endless, PROXY_V1_MAX), PROXY_COMPLETE);
    memcpy(endless + PROXY_V1_MAX - 2, "x\r\n", 3);
    ck_assert_int_eq(parse(endless, PROXY_V1_MAX + 1), PROXY_BAD);
}
END_TEST

/* ---- version 2 ----------------------------------------------------------------------------------------- */

#define SIGNATURE 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
#define V4_BLOCK  192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 0, 80

static void expect_bad(const uint8_t *bytes, size_t n)
{
    ck_assert_int_eq(parse(bytes, n), PROXY_BAD);
}

START_TEST(a_binary_header_has_addresses)
{
    static const uint8_t v4[] = {SIGNATURE, 0x21, 0x11, 0, 12, V4_BLOCK};
    static const uint8_t v6[] = {SIGNATURE, 0x21, 0x21, 0, 36, 0x20, 0x01, 0x0d, 0xb8, 0,    0,    0, 0, 0,
                                 0,         0,    0,    0, 0,  0,    1,    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,
                                 0,         0,    0,    0, 0,  0,    0,    0,    2,    1,    2,    3, 4};
    expect_patience(v4, sizeof(v4));
    ck_assert(h.version == PROXY_V2 && h.n_tlvs == 0);
    expect_ends("192.0.2.1:4711", "198.51.100.2:80");
    expect_patience(v6, sizeof(v6));
    expect_ends("[2001:db8::1]:258", "[2001:db8::2]:772");
}
END_TEST

START_TEST(what_has_no_such_addresses_leaves_the_connections_own)
{
    static const uint8_t local[] = {SIGNATURE, 0x20, 0, 0, 0};
    static const uint8_t local_with_more[] = {SIGNATURE, 0x20, 0xff, 0, 5, 1, 0xff, 0xff, 4, 5};
    static const uint8_t unspec[] = {SIGNATURE, 0x21, 0, 0, 3, 1, 2, 3};
    static const uint8_t datagrams[] = {SIGNATURE, 0x21, 0x12, 0, 12, V4_BLOCK};
    uint8_t files[PROXY_V2_MIN + 216] = {SIGNATURE, 0x21, 0x31, 0, 216, 'x'};
    expect_patience(local, sizeof(local));
    ck_assert(!h.has_addresses);
    expect_patience(local_with_more, sizeof(local_with_more));
    ck_assert(!h.has_addresses && h.n_tlvs == 0);
    expect_patience(unspec, sizeof(unspec));
    ck_assert(!h.has_addresses);
    expect_patience(datagrams, sizeof(datagrams));
    ck_assert(!h.has_addresses);
    expect_patience(files, sizeof(files));
    ck_assert(!h.has_addresses);
    files[15] = 215;
    expect_bad(files, sizeof(files));
}
END_TEST

START_TEST(who_asks_for_himself_says_so)
{
    uint8_t out[PROXY_V2_MIN];
    ck_assert_uint_eq(proxy_write_local(out, sizeof(out)), PROXY_V2_MIN);
    expect_patience(out, sizeof(out));
    ck_assert(!h.has_addresses && h.version == PROXY_V2);
    ck_assert_uint_eq(proxy_write_local(out, sizeof(out) - 1), 0);
}
END_TEST

START_TEST(what_is_not_assigned_is_refused)
{
    static const uint8_t good[] = {SIGNATURE, 0x21, 0x11, 0, 12, V4_BLOCK};
    static const struct {
        unsigned at;
        uint8_t value;
    } flaws[] = {{0, 0x0e},  {4, 1},     {11, 0},    {12, 0x11}, {12, 0x31}, {12, 0x22},
                 {12, 0x2f}, {13, 0x41}, {13, 0xf1}, {13, 0x13}, {13, 0x1f}, {15, 11}};
    for (unsigned i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
        uint8_t bytes[sizeof(good)];
        memcpy(bytes, good, sizeof(good));
        bytes[flaws[i].at] = flaws[i].value;
        expect_bad(bytes, sizeof(bytes));
    }
}
END_TEST

START_TEST(another_version_is_told_by_its_byte)
{
    static const uint8_t bytes[] = {SIGNATURE, 0x31};
    expect_bad(bytes, sizeof(bytes));
    ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1), PROXY_MORE);
}
END_TEST

START_TEST(a_length_has_a_limit)
{
    uint8_t bytes[PROXY_READ_MAX] = {SIGNATURE, 0x20, 0};
    put16(bytes + 14, PROXY_READ_MAX - PROXY_V2_MIN);
    expect_patience(bytes, sizeof(bytes));
    put16(bytes + 14, PROXY_READ_MAX - PROXY_V2_MIN + 1);
    expect_bad(bytes, PROXY_V2_MIN);
}
END_TEST

/* ---- TLVs ---------------------------------------------------------------------------------------------- */

START_TEST(tlvs_are_found_and_stay_within_the_header)
{
    static const uint8_t bytes[] = {SIGNATURE, 0x21, 0x11, 0,    25, V4_BLOCK, 4,   0,   0,  0xe0,
                                    0,         1,    '2',  0xe1, 0,  3,        'a', 'b', 'c'};
    size_t n;
    ck_assert_int_eq(proxy_parse(bytes, sizeof(bytes), &h), PROXY_COMPLETE);
    const uint8_t *value = proxy_tlv(&h, 0xe1, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(value, "abc", 3);
    ck_assert_ptr_nonnull(proxy_tlv(&h, 4, &n));
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_null(proxy_tlv(&h, 5, &n));
    for (uint8_t len = 13; len < 25; len++) { /* cut anywhere but between two TLVs */
        uint8_t cut[sizeof(bytes)];
        memcpy(cut, bytes, sizeof(bytes));
        cut[15] = len;
        ck_assert_int_eq(parse(cut, sizeof(cut)), len == 15 || len == 19 ? PROXY_COMPLETE : PROXY_BAD);
    }
}
END_TEST

static size_t write_some(uint8_t *out, size_t room)
{
    const struct braid_addr from = address("192.0.2.1:4711"), to = address("198.51.100.2:80");
    struct proxy_writer w;
    proxy_begin(&w, out, room, &from, &to);
    proxy_put(&w, 0xe0, "2", 1);
    proxy_put(&w, 0xe1, "", 0);
    return proxy_end(&w);
}

START_TEST(what_is_written_is_read_again)
{
    uint8_t out[PROXY_WRITE_MAX];
    size_t len = write_some(out, sizeof(out)), n;
    ck_assert_uint_eq(len, PROXY_V2_MIN + 12 + 4 + 3 + PROXY_CRC32C_TLV);
    expect_patience(out, len);
    expect_ends("192.0.2.1:4711", "198.51.100.2:80");
    ck_assert_int_eq(proxy_parse(out, len, &h), PROXY_COMPLETE);
    ck_assert_mem_eq(proxy_tlv(&h, 0xe0, &n), "2", 1);
    ck_assert_ptr_nonnull(proxy_tlv(&h, PROXY_TLV_CRC32C, &n));
    ck_assert_uint_eq(n, 4);
    for (size_t room = 0; room < len; room++)
        ck_assert_uint_eq(write_some(out, room), 0);
}
END_TEST

START_TEST(addresses_of_two_families_are_written_as_ipv6)
{
    uint8_t out[PROXY_WRITE_MAX];
    const struct braid_addr from = address("192.0.2.1:4711"), to = address("[2001:db8::2]:80");
    struct proxy_writer w;
    proxy_begin(&w, out, sizeof(out), &from, &to);
    size_t len = proxy_end(&w);
    ck_assert_uint_eq(len, PROXY_V2_MIN + 36 + PROXY_CRC32C_TLV);
    ck_assert_int_eq(parse(out, len), PROXY_COMPLETE);
    expect_ends("192.0.2.1:4711", "[2001:db8::2]:80");
}
END_TEST

START_TEST(a_checksum_that_is_wrong_is_refused)
{
    uint8_t out[PROXY_WRITE_MAX];
    size_t len = write_some(out, sizeof(out));
    for (size_t at = 16; at < 28; at++) { /* the addresses */
        out[at] ^= 0x10;
        expect_bad(out, len);
        out[at] ^= 0x10;
    }
    out[len - 1] ^= 1;
    expect_bad(out, len);
}
END_TEST

START_TEST(a_checksum_is_there_once_and_of_four_bytes)
{
    static const uint8_t shorter[] = {SIGNATURE, 0x21, 0x11, 0, 18, V4_BLOCK, 3, 0, 3, 1, 2, 3};
    uint8_t twice[PROXY_WRITE_MAX];
    size_t len = write_some(twice, sizeof(twice));
    expect_bad(shorter, sizeof(shorter));
    memcpy(twice + len, (const uint8_t[]){3, 0, 4, 0, 0, 0, 0}, 7);
    twice[15] = (uint8_t)(twice[15] + 7);
    expect_bad(twice, len + 7);
}
END_TEST

START_TEST(the_checksum_is_that_of_sctp)
{
    static const uint8_t zeros[32];
    ck_assert_uint_eq(~crc32c(CRC32C_BEGIN, (const uint8_t *)"123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(~crc32c(CRC32C_BEGIN, zeros, 32), 0x8a9136aau); /* RFC 3720 appendix B.4 */
    ck_assert_uint_eq(crc32c(crc32c(CRC32C_BEGIN, zeros, 5), zeros, 27), crc32c(CRC32C_BEGIN, zeros, 32));
}
END_TEST

START_TEST(random_bytes_end_somehow)
{
    uint64_t seed = 1967 + (uint64_t)_i;
    static const uint8_t begin[] = {SIGNATURE, 0x21};
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[96];
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(rng_below(&seed, 3) ? rng_below(&seed, 6) : rng_next(&seed));
        memcpy(bytes, begin, sizeof(begin));
        bytes[13] = (uint8_t)(rng_below(&seed, 4) << 4 | rng_below(&seed, 3));
        put16(bytes + 14, (uint16_t)rng_below(&seed, sizeof(bytes)));
        enum proxy_status s = proxy_parse(bytes, sizeof(bytes), &h);
        if (s != PROXY_COMPLETE)
            continue;
        size_t n;
        must(h.len <= sizeof(bytes));
        const uint8_t *value = proxy_tlv(&h, 0, &n);
        must(!value || (value >= bytes + PROXY_V2_MIN && value + n <= bytes + h.len));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy_protocol");
    TCase *t = tcase_create("proxy_protocol");
    tcase_add_loop_test(t, a_line_is_read_and_written, 0, N_LINES);
    tcase_add_test(t, a_line_that_knows_nobody_leaves_the_connections_own_addresses);
    tcase_add_loop_test(t, a_line_that_is_not_exactly_one_is_none, 0, N_BAD_LINES);
    tcase_add_test(t, a_line_has_no_zeros_and_an_end);
    tcase_add_test(t, a_binary_header_has_addresses);
    tcase_add_test(t, what_has_no_such_addresses_leaves_the_connections_own);
    tcase_add_test(t, who_asks_for_himself_says_so);
    tcase_add_test(t, what_is_not_assigned_is_refused);
    tcase_add_test(t, another_version_is_told_by_its_byte);
    tcase_add_test(t, a_length_has_a_limit);
    tcase_add_test(t, tlvs_are_found_and_stay_within_the_header);
    tcase_add_test(t, what_is_written_is_read_again);
    tcase_add_test(t, addresses_of_two_families_are_written_as_ipv6);
    tcase_add_test(t, a_checksum_that_is_wrong_is_refused);
    tcase_add_test(t, a_checksum_is_there_once_and_of_four_bytes);
    tcase_add_test(t, the_checksum_is_that_of_sctp);
    tcase_add_loop_test(t, random_bytes_end_somehow, 0, 4);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
