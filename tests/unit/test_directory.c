/* Several cores and what they share: which of them may know a 4-tuple, so that a packet that none knows
 * visits none, and others only those. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <braid/core.h>
#include "base/addr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "suite.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/packet.h"

#define CORES 8

static struct braid_directory *directory;
static struct braid_core *cores[CORES];
static braid_time now;
static unsigned resets, others; /* that the cores have sent */
static struct wire_packet sent; /* the last packet */
static uint64_t random_state;

static struct braid_addr addr(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

static void output(void *ctx, const struct braid_packet *o)
{
    static uint8_t packet[2048];
    (void)ctx;
    ck_assert_uint_le(o->header_len, sizeof(packet));
    memcpy(packet, o->header, o->header_len);
    ck_assert_uint_eq(o->payload_len, 0);
    ck_assert_int_eq(packet_parse(packet, o->header_len, false, &sent), WIRE_OK);
    if (sent.tcp.flags & TCP_RST)
        resets++;
    else
        others++;
}

static void fill_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)out)[i] = (uint8_t)(random_state >> 56);
    }
}

static void give(unsigned worker, const uint8_t *packet, size_t len, const struct braid_input *in)
{
    struct buf *b = buf_new(len, NULL);
    memcpy(b->data, packet, len);
    braid_core_input(cores[worker], b, 0, len, in, now);
    buf_unref(b);
    braid_core_flush(cores[worker], now);
}

static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    (void)ctx;
    ck_assert_uint_lt(worker, CORES);
    give(worker, packet, len, in);
}

static void incoming(void *ctx, struct braid_conn *c)
{
    (void)ctx;
    braid_conn_accept(c);
}

static void nothing(struct braid_conn *c, void *user)
{
    (void)c;
    (void)user;
}

static void closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)user;
    (void)why;
}

static const struct braid_conn_ops ops = {incoming, nothing, nothing, nothing, closed};

static void make(bool shared, unsigned half_open)
{
    struct braid_host host = {.output = output, .random = fill_random, .hand_over = hand_over};
    struct braid_core_params p;
    braid_core_params_default(&p);
    p.n_workers = CORES;
    p.half_open = half_open;
    p.time_wait = BRAID_SECOND;
    p.directory = directory = shared ? braid_directory_new((const uint8_t[16]){7}) : NULL;
    now = 1000 * BRAID_SECOND;
    resets = others = 0;
    for (p.worker = 0; p.worker < CORES; p.worker++) {
        struct braid_listen_params l = {.addr = addr("10.0.9.1:80"),
                                        .name = "test",
                                        .cc = cc_algorithms[0],
                                        .sched = sched_algorithms[0],
                                        .ops = &ops};
        cores[p.worker] = braid_core_new(&p, &host, now);
        ck_assert_ptr_nonnull(cores[p.worker]);
        ck_assert_ptr_nonnull(braid_listen(cores[p.worker], &l));
    }
}

static void teardown(void)
{
    for (unsigned i = 0; i < CORES; i++)
        braid_core_free(cores[i]);
    braid_directory_free(directory);
}

static void segment(unsigned worker, const char *from, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct wire_tcp t = {.flags = flags, .seq = seq, .ack = ack, .window = 1000};
    struct packet_spec spec = {.src = addr(from), .dst = addr("10.0.9.1:80"), .tcp = &t, .hop_limit = 64};
    struct packet_header h;
    struct braid_input in = {.csum_ok = true};
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    give(worker, h.bytes, h.len, &in);
}

static uint64_t handed_over(void)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < CORES; i++)
        n += braid_core_counters(cores[i])->v[COUNT_PACKETS_HANDED_OVER];
    return n;
}

static uint64_t count(unsigned worker, enum braid_counter c)
{
    return braid_core_counters(cores[worker])->v[c];
}

START_TEST(a_stranger_visits_nobody)
{
    make(true, 100);
    segment(3, "10.0.1.2:5000", TCP_ACK, 1, 1);
    ck_assert(resets == 1 && handed_over() == 0);
}
END_TEST

START_TEST(without_a_directory_it_visits_everybody)
{
    make(false, 100);
    segment(3, "10.0.1.2:5000", TCP_ACK, 1, 1);
    ck_assert(resets == 1 && handed_over() == CORES - 1);
}
END_TEST

START_TEST(a_flow_of_another_worker_is_one_visit_away)
{
    make(true, 100);
    segment(5, "10.0.1.2:5000", TCP_SYN, 100, 0);
    ck_assert_uint_eq(others, 1);
    segment(2, "10.0.1.2:5000", TCP_ACK, 101, sent.tcp.seq + 1);
    ck_assert(handed_over() == 1 && resets == 0);
    ck_assert_uint_eq(count(5, COUNT_TCP_PASSIVE_OPENS), 1);
    segment(2, "10.0.1.2:5001", TCP_ACK, 101, 1); /* nobody's */
    ck_assert(handed_over() == 1 && resets == 1);
}
END_TEST

/* An error about a segment of 10.0.9.1:80 with this number, which left as from 192.0.2.7 and is quoted so; it
 * came to 10.0.9.1. */
static void error_about(unsigned worker, const char *to, uint32_t seq)
{
    struct wire_tcp t = {.flags = TCP_ACK, .seq = seq};
    struct packet_spec spec = {.src = addr("10.0.9.1:80"), .dst = addr(to), .tcp = &t, .hop_limit = 64};
    struct packet_header h;
    struct braid_input in = {.csum_ok = true};
    uint8_t icmp[ICMP_ERROR_MAX];
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    size_t len = icmp_error_build(ICMP_ERROR_HOST, h.bytes, h.len, &spec.dst.ip, 0, icmp);
    uint8_t *quoted = icmp + IP4_HEADER + ICMP_HEADER, *sum = icmp + IP4_HEADER + 2;
    ck_assert_uint_gt(len, 0);
    memcpy(quoted + 12, (const uint8_t[]){192, 0, 2, 7}, 4);
    memset(sum, 0, 2);
    put16(sum, (uint16_t)~checksum_fold(checksum_add(0, icmp + IP4_HEADER, len - IP4_HEADER)));
    give(worker, icmp, len, &in);
}

START_TEST(an_icmp_error_finds_its_flow_by_whom_it_came_to)
{
    make(true, 100);
    segment(5, "10.0.1.2:5000", TCP_SYN, 100, 0);
    error_about(2, "10.0.1.2:5000", sent.tcp.seq);
    ck_assert(handed_over() == 1 && count(5, COUNT_ICMP_IN_MSGS) == 1);
    error_about(2, "10.0.1.2:5001", sent.tcp.seq); /* nobody's */
    ck_assert(handed_over() == 1 && resets == 0);
}
END_TEST

START_TEST(an_ended_flow_is_found_as_long_as_it_is_remembered)
{
    make(true, 100);
    segment(5, "10.0.1.2:5000", TCP_SYN, 100, 0);
    uint32_t nxt = sent.tcp.seq + 1;
    segment(5, "10.0.1.2:5000", TCP_ACK, 101, nxt);
    struct braid_dump *d = braid_dump_begin(cores[5]);
    struct braid_conn_stats st;
    ck_assert_uint_eq(braid_dump_next(d, &st, 1), 1);
    braid_dump_end(d);
    braid_conn_shutdown(braid_conn_by_id(cores[5], st.id));
    braid_core_flush(cores[5], now);
    segment(5, "10.0.1.2:5000", TCP_ACK | TCP_FIN, 101, nxt + 1);
    ck_assert_uint_eq(count(5, COUNT_TCP_TIME_WAIT), 1);
    segment(0, "10.0.1.2:5000", TCP_ACK | TCP_FIN, 101, nxt + 1);
    ck_assert(handed_over() == 1 && resets == 0);
    now += 2 * BRAID_SECOND;
    braid_core_run(cores[5], now);
    segment(0, "10.0.1.2:5000", TCP_ACK | TCP_FIN, 101, nxt + 1);
    ck_assert(handed_over() == 1 && resets == 1);
}
END_TEST

START_TEST(whoever_has_syn_cookies_out_is_asked_about_acks)
{
    make(true, 0);
    segment(6, "10.0.1.2:5000", TCP_SYN, 100, 0);
    ck_assert_uint_eq(count(6, COUNT_TCP_COOKIES_SENT), 1);
    segment(1, "10.0.1.2:5000", TCP_ACK, 101, sent.tcp.seq + 1);
    ck_assert(handed_over() == 1 && resets == 0);
    ck_assert_uint_eq(count(6, COUNT_TCP_COOKIES_RECV), 1);
    now += 600 * BRAID_SECOND; /* they have run out, and who is asked in vain says so */
    segment(1, "10.0.1.2:5001", TCP_ACK, 101, 1);
    ck_assert(handed_over() == 2 && resets == 1);
    segment(1, "10.0.1.2:5001", TCP_ACK, 101, 1);
    ck_assert(handed_over() == 2 && resets == 2);
}
END_TEST

START_TEST(thousands_of_flows_are_all_found_and_strangers_rarely_visit)
{
    make(true, 100000);
    enum { FLOWS = 4000 };
    char from[32];
    for (unsigned i = 0; i < FLOWS; i++) {
        snprintf(from, sizeof(from), "10.1.%u.%u:%u", i >> 8, i & 255, 1000 + i % 7);
        segment(i % CORES, from, TCP_SYN, i, 0);
        segment((i + 3) % CORES, from, TCP_ACK, i + 1, sent.tcp.seq + 1);
    }
    ck_assert_uint_eq(resets, 0);
    uint64_t before = handed_over();
    ck_assert_uint_lt(before, FLOWS * 11 / 10);
    for (unsigned i = 0; i < FLOWS; i++) {
        snprintf(from, sizeof(from), "10.2.%u.%u:%u", i >> 8, i & 255, 1000 + i % 7);
        segment(i % CORES, from, TCP_ACK, i, 1);
    }
    ck_assert_uint_eq(resets, FLOWS);
    ck_assert_uint_lt(handed_over() - before, FLOWS / 10); /* 4,000 flows in 65,536 places */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("directory");
    TCase *t = tcase_create("directory");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, a_stranger_visits_nobody);
    tcase_add_test(t, without_a_directory_it_visits_everybody);
    tcase_add_test(t, a_flow_of_another_worker_is_one_visit_away);
    tcase_add_test(t, an_icmp_error_finds_its_flow_by_whom_it_came_to);
    tcase_add_test(t, an_ended_flow_is_found_as_long_as_it_is_remembered);
    tcase_add_test(t, whoever_has_syn_cookies_out_is_asked_about_acks);
    tcase_add_test(t, thousands_of_flows_are_all_found_and_strangers_rarely_visit);
    suite_add_tcase(s, t);
    return run_suite(s);
}
