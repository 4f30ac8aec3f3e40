/* The structures of Linux's options, filled from what the daemon says (src/role/app_linux.c is tried end to
 * end; src/app/linux_view.c, src/socket/linux_info.c here). */
#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "base/addr.h"
#include "socket/linux_info.h"
#include "suite.h"

static struct linux_picture picture;
static uint8_t room[4096];
static socklen_t len;

static struct braid_addr at(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* A connection with three subflows, as it comes out of a message. */
static void setup(void)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    struct app_message got, m = {.kind = APP_ANSWER,
                                 .n_pairs = 3,
                                 .n_tcp = 3,
                                 .has_mptcp = true,
                                 .mptcp = {.token = 0x01020304,
                                           .flags = 2,
                                           .subflows = 2,
                                           .subflows_total = 3,
                                           .csum_enabled = 1,
                                           .write_seq = UINT64_MAX,
                                           .rcv_nxt = 5,
                                           .bytes_acked = 77,
                                           .heard_ms = 9}};
    for (unsigned i = 0; i < 3; i++) {
        m.pairs[i] = (struct braid_pair){at("10.0.0.2:5000"), at("192.0.2.1:443")};
        m.pairs[i].local.port = (uint16_t)(5000 + i);
        m.tcp[i] = (struct linux_tcp){.subflow = 2 * i, .state = 1, .rtt = 100 + i, .snd_wnd = 1 << 20};
        m.tcp[i].bytes_sent = 1000 + i;
        m.tcp[i].snd_wscale = 7;
        m.tcp[i].rcv_wscale = 255; /* as no daemon says */
    }
    m.pairs[2] = (struct braid_pair){at("[2001:db8::2]:5002"), at("[2001:db8::1]:443")};
    ck_assert_int_eq(app_parse(bytes, app_write(&m, bytes), &got), 0);
    linux_picture_of(&got, false, false, &picture);
    memset(room, 0xaa, sizeof(room));
}

static const struct mptcp_subflow_addrs *addrs_of(unsigned i)
{
    return &picture.subflows[i].info.addrs;
}

START_TEST(what_the_daemon_says_is_where_linux_has_it)
{
    struct linux_info info;
    len = sizeof(info);
    ck_assert_int_eq(linux_info_write(&picture, MPTCP_INFO, &info, &len), 0);
    ck_assert(info.token == 0x01020304 && info.flags == 2 && info.subflows == 2 && info.subflows_total == 3);
    ck_assert(info.csum_enabled == 1 && info.write_seq == UINT64_MAX && info.rcv_nxt == 5);
    ck_assert(info.bytes_acked == 77 && info.last_ack_recv == 9 && info.bytes_retrans == 0);
    ck_assert(picture.n == 3 && picture.subflows[1].info.id == 3);
    ck_assert(picture.subflows[1].tcp.tcpi_rtt == 101 && picture.subflows[1].tcp.tcpi_bytes_sent == 1001);
    ck_assert(picture.subflows[1].tcp.tcpi_snd_wscale == 7 && picture.subflows[1].tcp.tcpi_rcv_wscale == 15);
    ck_assert(picture.subflows[1].tcp.tcpi_pacing_rate == UINT64_MAX);
    ck_assert(addrs_of(0)->sa_family == AF_INET && addrs_of(0)->sin_local.sin_port == htons(5000));
    ck_assert(addrs_of(0)->sin_remote.sin_addr.s_addr == htonl(0xc0000201));
    ck_assert(addrs_of(2)->sa_family == AF_INET6 && addrs_of(2)->sin6_remote.sin6_port == htons(443));
}
END_TEST

START_TEST(sockets_of_ipv6_have_ipv4_in_the_form_of_ipv6_as_in_linux)
{
    struct app_message m = {
        .n_pairs = 2, .n_tcp = 2, .pairs = {{at("10.0.0.2:1"), at("10.0.0.1:2")}}, .tcp[1].subflow = 1};
    m.pairs[1] = m.pairs[0];
    linux_picture_of(&m, true, false, &picture);
    ck_assert(addrs_of(0)->sa_family == AF_INET6 && addrs_of(1)->sa_family == AF_INET);
    ck_assert(IN6_IS_ADDR_V4MAPPED(&addrs_of(0)->sin6_local.sin6_addr) &&
              addrs_of(0)->sin6_local.sin6_port == htons(1));
    linux_picture_of(&m, true, true, &picture);
    ck_assert(addrs_of(0)->sa_family == AF_INET6 && addrs_of(1)->sa_family == AF_INET6);
}
END_TEST

START_TEST(a_part_of_the_structure_is_written_and_nothing_behind_it)
{
    for (socklen_t want = 0; want < 200; want++) {
        memset(room, 0xaa, sizeof(room));
        len = want;
        ck_assert_int_eq(linux_info_write(&picture, MPTCP_INFO, want ? room : NULL, &len), 0);
        ck_assert_uint_eq(len, want < sizeof(struct linux_info) ? want : sizeof(struct linux_info));
        ck_assert_mem_eq(room, &picture.info, len);
        ck_assert(room[len] == 0xaa);
    }
}
END_TEST

/* What is given for this head and room. */
static int array(int option, struct mptcp_subflow_data head, socklen_t size)
{
    memset(room, 0xaa, sizeof(room));
    memcpy(room, &head, sizeof(head));
    len = size;
    return linux_info_write(&picture, option, room, &len);
}

START_TEST(arrays_have_elements_as_long_as_the_program_wants_and_as_many_as_fit)
{
    struct mptcp_subflow_data head = {.size_subflow_data = 24, .size_user = 100};
    ck_assert_int_eq(array(MPTCP_TCPINFO, head, 24 + 2 * 100 + 99), 0);
    ck_assert_uint_eq(len, 24 + 2 * 100);
    memcpy(&head, room, sizeof(head));
    ck_assert(head.size_subflow_data == 24 && head.num_subflows == 3 && head.size_user == 100);
    ck_assert(head.size_kernel == sizeof(struct tcp_info) && room[16] == 0xaa && room[len] == 0xaa);
    ck_assert_mem_eq(room + 24 + 100, &picture.subflows[1].tcp, 100);
    head = (struct mptcp_subflow_data){.size_subflow_data = 16, .size_user = 5000};
    ck_assert_int_eq(array(MPTCP_SUBFLOW_ADDRS, head, sizeof(room)), 0);
    ck_assert_uint_eq(len, 16 + 3 * 256);
    ck_assert_mem_eq(room + 16 + 2 * 256, addrs_of(2), 256);
    ck_assert_int_eq(array(MPTCP_SUBFLOW_ADDRS, head, 16 + 255), 0);
    ck_assert_uint_eq(len, 16);
}
END_TEST

START_TEST(heads_that_linux_refuses_are_refused)
{
    static const struct {
        struct mptcp_subflow_data head;
        socklen_t size;
    } bad[] = {
        {{16, 0, 0, 8}, 15},  {{15, 0, 0, 8}, 100},         {{101, 0, 0, 8}, 100},
        {{16, 1, 0, 8}, 100}, {{16, 0, 1, 8}, 100},         {{16, 0, 0, 0x80000000}, 100},
        {{0, 0, 0, 8}, 100},  {{0x80000000, 0, 0, 8}, 100}, {{16, 0, 0, 8}, 1u << 31},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(array(MPTCP_TCPINFO, bad[i].head, bad[i].size) == EINVAL, "head %u", i);
    ck_assert_int_eq(linux_info_write(&picture, 0, room, &len), EOPNOTSUPP);
    ck_assert_int_eq(linux_info_write(&picture, 5, room, &len), EOPNOTSUPP);
}
END_TEST

struct full {
    uint32_t tcp_kernel, tcp_user, sf_kernel, sf_user, n, arrays;
    uint64_t infos, tcps;
    struct linux_info info;
};

static int full(struct full *f, socklen_t size)
{
    len = size;
    return linux_info_write(&picture, MPTCP_FULL_INFO, f, &len);
}

START_TEST(all_of_it_at_once)
{
    uint8_t infos[3 * 264], tcps[3 * 50];
    struct full f = {
        .tcp_user = 50, .sf_user = 300, .arrays = 2, .infos = (uintptr_t)infos, .tcps = (uintptr_t)tcps};
    struct full asked = f;
    memset(infos, 0xaa, sizeof(infos));
    memset(tcps, 0xaa, sizeof(tcps));
    ck_assert_int_eq(full(&f, sizeof(f)), 0);
    ck_assert(len == 136 && f.n == 3 && f.arrays == 2 && f.tcp_user == 50 && f.sf_user == 264);
    ck_assert(f.tcp_kernel == sizeof(struct tcp_info) && f.sf_kernel == 264 && f.info.token == 0x01020304);
    ck_assert_mem_eq(infos + 264, &picture.subflows[1].info, 264);
    ck_assert_mem_eq(tcps + 50, &picture.subflows[1].tcp, 50);
    ck_assert(infos[2 * 264] == 0xaa && tcps[2 * 50] == 0xaa);
    f = asked;
    f.arrays = 0;
    f.info.token = 1;
    ck_assert_int_eq(full(&f, 40), 0);
    ck_assert(len == 40 && f.n == 3 && f.info.token == 1);
    f = asked;
    ck_assert_int_eq(full(&f, 39), EINVAL);
    f.n = 1;
    ck_assert_int_eq(full(&f, sizeof(f)), EINVAL);
    f = asked;
    f.tcp_kernel = 1;
    ck_assert_int_eq(full(&f, sizeof(f)), EINVAL);
    f = asked;
    f.sf_user = 0x80000000;
    ck_assert_int_eq(full(&f, sizeof(f)), EINVAL);
    f = asked;
    f.sf_user = f.tcp_user = 0; /* then the arrays need not be there */
    f.infos = f.tcps = 0;
    ck_assert_int_eq(full(&f, sizeof(f)), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("linux_info");
    TCase *t = tcase_create("linux_info");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_the_daemon_says_is_where_linux_has_it);
    tcase_add_test(t, sockets_of_ipv6_have_ipv4_in_the_form_of_ipv6_as_in_linux);
    tcase_add_test(t, a_part_of_the_structure_is_written_and_nothing_behind_it);
    tcase_add_test(t, arrays_have_elements_as_long_as_the_program_wants_and_as_many_as_fit);
    tcase_add_test(t, heads_that_linux_refuses_are_refused);
    tcase_add_test(t, all_of_it_at_once);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
