/* What addresses of a core's own answer to pings and to other protocols than TCP, and when they do not. */
#include "pair.h"
#include <stdio.h>
#include "base/bytes.h"
#include "wire/checksum.h"

static struct pair p;
static uint8_t last[2048]; /* what the core put out last */
static unsigned answers;

static bool count_answer(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    ck_assert(!to_server && len <= sizeof(last));
    memcpy(last, packet, len);
    answers++;
    return false;
}

static void setup(void)
{
    struct braid_ip signal[] = {pair_addr("10.0.9.2:0").ip, pair_addr("[2001:db8:9::2]:0").ip};
    pair_init(&p, false, signal, 2);
    p.tap = count_answer;
    answers = 0;
}

static void teardown(void)
{
    pair_free(&p);
}

/* Gives the core a packet with 40 bytes of that protocol; ICMP echo requests and UDP are complete. */
static void send_packet(const char *from, const char *to, uint8_t protocol, uint16_t fragment)
{
    struct braid_ip src = pair_addr(from).ip, dst = pair_addr(to).ip;
    bool v6 = !ip_is_v4(&src);
    unsigned ip = v6 ? 40 : 20;
    struct buf *b = buf_new(ip + 40, NULL);
    uint8_t *raw = b->data;
    memset(raw, 0, ip + 40);
    if (v6) {
        raw[0] = 0x60;
        put16(raw + 4, 40);
        raw[6] = protocol;
        memcpy(raw + 8, src.b, 16);
        memcpy(raw + 24, dst.b, 16);
    } else {
        raw[0] = 0x45;
        put16(raw + 2, 60);
        put16(raw + 6, fragment);
        raw[9] = protocol;
        memcpy(raw + 12, src.b + 12, 4);
        memcpy(raw + 16, dst.b + 12, 4);
        put16(raw + 10, (uint16_t)~checksum_fold(checksum_add(0, raw, 20)));
    }
    uint64_t sum = protocol == 1 ? 0 : checksum_pseudo(&src, &dst, protocol, 40);
    if (protocol == 17)
        put16(raw + ip + 4, 40);
    else if (protocol == 1 || protocol == 58)
        raw[ip] = protocol == 1 ? 8 : 128;
    put16(raw + ip + (protocol == 17 ? 6 : 2), (uint16_t)~checksum_fold(checksum_add(sum, raw + ip, 40)));
    struct braid_input in = {0};
    braid_core_input(p.server.core, b, 0, ip + 40, &in, p.now);
    buf_unref(b);
}

#define CLIENT4  "10.0.1.2:0"
#define CLIENT6  "[2001:db8:1::2]:0"
#define SERVICE4 "10.0.9.1:0"
#define SIGNAL4  "10.0.9.2:0"
#define SIGNAL6  "[2001:db8:9::2]:0"

START_TEST(a_ping_of_an_address_of_ours_is_answered)
{
    send_packet(CLIENT4, SERVICE4, 1, 0);
    ck_assert_uint_eq(answers, 1);
    ck_assert(last[9] == 1 && last[20] == 0);
    send_packet(CLIENT4, SIGNAL4, 1, 0);
    ck_assert_uint_eq(answers, 2);
    send_packet(CLIENT6, SIGNAL6, 58, 0);
    ck_assert_uint_eq(answers, 3);
    ck_assert(last[6] == 58 && last[40] == 129);
    ck_assert_uint_eq(side_count(&p.server, COUNT_ICMP_IN_ECHOS), 3);
    ck_assert_uint_eq(side_count(&p.server, COUNT_ICMP_OUT_ECHO_REPS), 3);
}
END_TEST

START_TEST(other_protocols_are_unreachable)
{
    send_packet(CLIENT4, SERVICE4, 17, 0);
    ck_assert(answers == 1 && last[20] == 3 && last[21] == 3);
    send_packet(CLIENT4, SERVICE4, 132, 0);
    ck_assert(answers == 2 && last[20] == 3 && last[21] == 2);
    send_packet(CLIENT6, SIGNAL6, 17, 0);
    ck_assert(answers == 3 && last[40] == 1 && last[41] == 4);
    send_packet(CLIENT6, SIGNAL6, 132, 0);
    ck_assert(answers == 4 && last[40] == 4 && last[41] == 1 && get32(last + 44) == 6);
    ck_assert_uint_eq(side_count(&p.server, COUNT_ICMP_OUT_UNREACH), 4);
}
END_TEST

START_TEST(nobody_elses_address_answers)
{
    struct braid_listen_params any = {.addr = pair_addr("0.0.0.0:0"),
                                      .name = "any",
                                      .cc = cc_algorithms[0],
                                      .sched = sched_algorithms[0],
                                      .ops = &pair_ops,
                                      .ctx = &p};
    ck_assert_ptr_nonnull(braid_listen(p.server.core, &any)); /* not even with a wildcard listener */
    static const char *const others[] = {"10.0.9.3:0", "203.0.113.7:0", "224.0.0.1:0", "255.255.255.255:0"};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        send_packet(CLIENT4, others[i], 1, 0);
        send_packet(CLIENT4, others[i], 17, 0);
    }
    send_packet(CLIENT6, "[ff02::1]:0", 58, 0);
    send_packet(CLIENT6, "[2001:db8:9::3]:0", 17, 0);
    ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(fragments_and_senders_that_are_no_hosts_are_not_answered)
{
    send_packet(CLIENT4, SERVICE4, 1, 0x2000);
    send_packet(CLIENT4, SERVICE4, 17, 0x2000);
    send_packet(CLIENT4, SERVICE4, 17, 5);
    static const char *const nobody[] = {"224.0.0.1:0", "255.255.255.255:0", "0.0.0.0:0", "127.0.0.1:0"};
    for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        send_packet(nobody[i], SERVICE4, 1, 0);
        send_packet(nobody[i], SERVICE4, 17, 0);
    }
    send_packet("[ff02::1]:0", SIGNAL6, 58, 0);
    send_packet("[::]:0", SIGNAL6, 17, 0);
    ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(one_source_gets_a_tenth_of_the_answers)
{
    for (unsigned i = 0; i < 500; i++) {
        send_packet(CLIENT4, SERVICE4, 1, 0);
        send_packet(CLIENT4, SERVICE4, 17, 0);
    }
    ck_assert_uint_eq(answers, 200); /* a hundred of each */
    ck_assert_uint_eq(side_count(&p.server, COUNT_ICMP_LIMITED), 800);
    send_packet("10.0.1.3:0", SERVICE4, 1, 0);
    ck_assert_uint_eq(answers, 201);
    p.now += BRAID_SECOND;
    send_packet(CLIENT4, SERVICE4, 1, 0);
    ck_assert_uint_eq(answers, 202);
}
END_TEST

START_TEST(all_sources_together_are_limited)
{
    for (unsigned i = 0; i < 5000; i++) {
        char from[32];
        snprintf(from, sizeof(from), "10.1.%u.%u:0", i / 250, i % 250);
        send_packet(from, SERVICE4, 17, 0);
    }
    ck_assert_uint_eq(answers, 1000);
    send_packet(CLIENT4, SERVICE4, 1, 0); /* errors take nothing from the replies to pings */
    ck_assert_uint_eq(answers, 1001);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("answer");
    TCase *t = tcase_create("answer");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_ping_of_an_address_of_ours_is_answered);
    tcase_add_test(t, other_protocols_are_unreachable);
    tcase_add_test(t, nobody_elses_address_answers);
    tcase_add_test(t, fragments_and_senders_that_are_no_hosts_are_not_answered);
    tcase_add_test(t, one_source_gets_a_tenth_of_the_answers);
    tcase_add_test(t, all_sources_together_are_limited);
    suite_add_tcase(s, t);
    return run_suite(s);
}
