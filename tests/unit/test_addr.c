/* Addresses as text: RFC 5952 examples, refusals, and agreement with the C library in both directions. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "property.h"
#include "suite.h"

START_TEST(texts_are_those_of_rfc_5952)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::0001", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* section 4.2.2: not one group alone */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* section 4.2.3: the longest run */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* ... the first of two */
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
        {"::ffff:192.0.2.1", "192.0.2.1"}, /* one and the same here */
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"fe80:ABCD:EF00::0aF", "fe80:abcd:ef00::af"},
        {"1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    };

    for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct braid_ip ip;
        char text[ADDR_TEXT];

        ck_assert_msg(ip_parse(pairs[i][0], &ip) == 0, "%s", pairs[i][0]);
        ck_assert_str_eq(ip_text(&ip, text), pairs[i][1]);
    }
}
END_TEST

START_TEST(what_is_not_an_address_is_refused)
{
    static const char *const bad[] = {
        "",
        ":",
        ":::",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1..2.3",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1::2::3",
        "12345::",
        "g::",
        "::1%eth0",
        "[::1]",
        "1:2:3:4:5:6:7:8:",
        "1:2:3:4:5:6:7:8:9",
        "::1.2.3",
        "1.2.3.4::1",
        "::1.2.3.4:5",
        "1:::2",
        "-1.2.3.4",
        "+1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "0x1.2.3.4",
        "1:2:3:4:5:6:7:8::",
        "localhost",
        "1.2.3.4/8",
    };
    struct braid_ip ip;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(ip_parse(bad[i], &ip) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(addresses_with_ports_go_both_ways)
{
    static const char *const good[] = {"192.0.2.1:80", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:1"};
    static const char *const bad[] = {
        "192.0.2.1",     "192.0.2.1:",   "192.0.2.1:65536",
        "192.0.2.1:080", "192.0.2.1:-1", "[::1]",
        "[::1]:",        "::1:80",       "[192.0.2.1]:80",
        "[::1:80",       "::1]:80",      "",
        ":80",           "[]:80",        "192.0.2.1:80 ",
        "192.0.2.1 :80", "[::1] :80",    "192.0.2.1:99999999999999999999",
    };
    struct braid_addr a = {.port = 7};
    char text[ADDR_TEXT];

    for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_assert_msg(addr_parse(good[i], &a) == 0, "%s", good[i]);
        ck_assert_str_eq(addr_text(&a, text), good[i]);
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(addr_parse(bad[i], &a) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(the_longest_text_fits)
{
    struct braid_addr a = {.port = 65535};
    char text[ADDR_TEXT];

    memset(a.ip.b, 0xff, sizeof(a.ip.b));
    ck_assert_str_eq(addr_text(&a, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

/* Compares with inet_ntop, except where that prints embedded IPv4 (::/96, ::ffff/96), and with inet_pton. */
START_TEST(random_addresses_agree_with_the_c_library)
{
    uint64_t seed = 3;

    for (unsigned i = 0; i < 20000; i++) {
        struct braid_ip ip, back;
        char text[ADDR_TEXT], libc[INET6_ADDRSTRLEN];

        for (unsigned g = 0; g < 8; g++) {
            uint16_t v = rng_below(&seed, 2) ? 0 : (uint16_t)(rng_next(&seed) >> rng_below(&seed, 17));

            ip.b[2 * g] = (uint8_t)(v >> 8);
            ip.b[2 * g + 1] = (uint8_t)v;
        }
        ip.b[0] |= 0x20;
        inet_ntop(AF_INET6, ip.b, libc, sizeof(libc));
        ck_assert_str_eq(ip_text(&ip, text), libc);
        ck_assert_int_eq(ip_parse(text, &back), 0);
        ck_assert(ip_equal(&ip, &back));
    }
}
END_TEST

/* Texts made of the characters of addresses: the C library and we must take the same ones for addresses. */
START_TEST(random_texts_agree_with_the_c_library)
{
    uint64_t seed = 4;
    unsigned good = 0;

    for (unsigned i = 0; i < 300000; i++) {
        char text[24];
        unsigned n = (unsigned)rng_below(&seed, sizeof(text));
        uint8_t v4[4], v6[16];
        struct braid_ip ip;
        int mine;

        for (unsigned c = 0; c < n; c++)
            text[c] = "1:2:3:.:a:0"[rng_below(&seed, 11)];
        text[n] = '\0';
        mine = ip_parse(text, &ip);
        if (inet_pton(AF_INET, text, v4) == 1) {
            ck_assert_msg(mine == 0 && ip_is_v4(&ip) && memcmp(ip.b + 12, v4, 4) == 0, "%s", text);
        } else if (inet_pton(AF_INET6, text, v6) == 1) {
            ck_assert_msg(mine == 0 && memcmp(ip.b, v6, 16) == 0, "%s", text);
            good++;
        } else {
            must(mine == -1);
        }
    }
    ck_assert_uint_gt(good, 300);
}
END_TEST

START_TEST(equality_looks_at_every_byte_and_the_port)
{
    struct braid_addr a = {.ip = ip_from_v4((const uint8_t[]){192, 0, 2, 1}), .port = 80}, b = a;

    ck_assert(ip_is_v4(&a.ip) && addr_equal(&a, &b));
    b.port++;
    ck_assert(!addr_equal(&a, &b) && ip_equal(&a.ip, &b.ip));
    for (unsigned i = 0; i < 16; i++) {
        b = a;
        b.ip.b[i] ^= 1;
        ck_assert(!ip_equal(&a.ip, &b.ip));
        ck_assert_int_eq(ip_is_v4(&b.ip), i >= 12);
    }
}
END_TEST

START_TEST(a_prefix_is_compared_up_to_its_last_bit)
{
    struct braid_ip a, b;

    ck_assert_int_eq(ip_parse("2001:db8:8000::", &a), 0);
    ck_assert_int_eq(ip_parse("2001:db8:c000::", &b), 0);
    ck_assert(ip_in_prefix(&a, &b, 0));
    ck_assert(ip_in_prefix(&a, &b, 33));
    ck_assert(!ip_in_prefix(&a, &b, 34));
    ck_assert(!ip_in_prefix(&a, &b, 128));
    ck_assert(ip_in_prefix(&a, &a, 128));
    ck_assert_int_eq(ip_parse("192.0.2.1", &a), 0);
    ck_assert_int_eq(ip_parse("192.0.2.129", &b), 0);
    ck_assert(ip_in_prefix(&a, &b, 96 + 24));
    ck_assert(!ip_in_prefix(&a, &b, 96 + 25));
}
END_TEST

static void expect_network(const char *address, const char *network)
{
    struct braid_ip ip, is, first;
    ck_assert_int_eq(ip_parse(address, &ip), 0);
    ck_assert_int_eq(ip_parse(network, &first), 0);
    is = ip_network(&ip);
    ck_assert(ip_equal(&is, &first));
}

START_TEST(a_prefix_has_zeros_behind_its_last_bit)
{
    struct braid_ip ip, is, prefix;
    ck_assert_int_eq(ip_parse("2001:db8:ffff:ffff:ffff::1", &ip), 0);
    for (unsigned bits = 0; bits <= 128; bits++) {
        is = ip_prefix(&ip, bits);
        ck_assert(ip_in_prefix(&ip, &is, bits));
        for (unsigned bit = bits; bit < 128; bit++)
            ck_assert_uint_eq(is.b[bit / 8] >> (7 - bit % 8) & 1, 0);
    }
    ck_assert_int_eq(ip_parse("2001:db8:e000::", &prefix), 0);
    is = ip_prefix(&ip, 35);
    ck_assert(ip_equal(&is, &prefix));
    expect_network("192.0.2.129", "192.0.2.0");
    expect_network("2001:db8:1:22ff:ffff::1", "2001:db8:1:2200::");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("addr");
    TCase *t = tcase_create("addr");

    tcase_add_test(t, texts_are_those_of_rfc_5952);
    tcase_add_test(t, what_is_not_an_address_is_refused);
    tcase_add_test(t, addresses_with_ports_go_both_ways);
    tcase_add_test(t, the_longest_text_fits);
    tcase_add_test(t, random_addresses_agree_with_the_c_library);
    tcase_add_test(t, random_texts_agree_with_the_c_library);
    tcase_add_test(t, equality_looks_at_every_byte_and_the_port);
    tcase_add_test(t, a_prefix_is_compared_up_to_its_last_bit);
    tcase_add_test(t, a_prefix_has_zeros_behind_its_last_bit);
    suite_add_tcase(s, t);
    return run_suite(s);
}
