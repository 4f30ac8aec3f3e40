/* RSTs to joins that cannot be (src/mptcp/join_refusals.c): what a machine answers whom another one's clients
 * come to, and what it does not. */
#include "core/inside.h"
#include "pair.h"

#define SEVERAL 8 /* networks that share a place with those before, at most */

static struct pair p;
static unsigned resets; /* to strangers */

/* What goes to nobody is counted and lost. */
static bool tap(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    (void)unused;
    (void)len;
    bool stranger = !to_server && packet[0] >> 4 == 4 && packet[16] == 100;
    resets += stranger && (packet[33] & TCP_RST);
    return !stranger;
}

static void begin(unsigned limit)
{
    resets = 0;
    pair_init(&p, false, NULL, 0);
    p.server.core->env.params.join_refusals = limit;
    p.tap = tap;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
}

/* A join of a connection that is another machine's, from 100.64.NETWORK.HOST. */
static void join(unsigned network, unsigned host)
{
    struct wire_tcp t = {.flags = TCP_SYN, .seq = host, .window = 1000, .has_mss = true, .mss = 1460};
    struct packet_spec spec = {
        .src = pair_addr("100.64.0.0:1000"), .dst = pair_addr("10.0.9.1:80"), .tcp = &t, .hop_limit = 64};
    struct packet_header h;
    spec.src.ip.b[13] = (uint8_t)(64 + network / 256);
    spec.src.ip.b[14] = (uint8_t)network;
    spec.src.ip.b[15] = (uint8_t)host;
    t.mp.has = MPTCP_HAS(MPTCP_JOIN);
    t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYN, .token = ~p.server.conn->keys.local_token};
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    packet_checksum_fill(&h, NULL, 0);
    struct buf *b = buf_new(h.len, NULL);
    memcpy(b->data, h.bytes, h.len);
    braid_core_input(p.server.core, b, 0, h.len, &(struct braid_input){.csum_ok = true}, p.now);
    buf_unref(b);
}

/* All clients of a machine that has gone come at once. */
START_TEST(everybody_is_answered)
{
    begin(200);
    for (unsigned i = 0; i < 20000; i++)
        join(i % 2000, i);
    ck_assert_uint_eq(resets, 20000);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_NO_TOKEN), 20000);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_UNANSWERED), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_LIMITED), 0);
    pair_free(&p);
}
END_TEST

START_TEST(one_network_gets_so_many_a_second)
{
    begin(50);
    for (unsigned i = 0; i < 1000; i++)
        join(7, i);
    ck_assert_uint_eq(resets, 50);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_UNANSWERED), 950);
    /* and nobody else less, but who happens to share its place */
    for (unsigned i = 0; i < 256; i++)
        join(256 + i, 1);
    ck_assert_uint_ge(resets, 50 + 256 - SEVERAL);
    pair_run_for(&p, BRAID_SECOND);
    unsigned before = resets;
    join(7, 1);
    ck_assert_uint_eq(resets, before + 1);
    pair_free(&p);
}
END_TEST

START_TEST(without_a_limit_there_is_none)
{
    begin(0);
    for (unsigned i = 0; i < 5000; i++)
        join(7, i);
    ck_assert_uint_eq(resets, 5000);
    pair_free(&p);
}
END_TEST

/* Of IPv6 a network is a /56. */
START_TEST(a_network_is_that_of_a_client)
{
    static struct join_refusals r;
    static const struct siphash_key key = {1, 2};
    static const char *const same[] = {"2001:db8::1", "2001:db8:0:ff::1"}, *const others[] = {
                                                                               "2001:db8:0:100::1",
                                                                               "192.0.2.1"};
    struct braid_ip ip;
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(ip_parse(same[i % 2], &ip), 0);
        ck_assert_int_eq(join_refusals_allow(&r, &key, &ip, 2, BRAID_SECOND), i < 2);
    }
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(ip_parse(others[i], &ip), 0);
        ck_assert(join_refusals_allow(&r, &key, &ip, 2, BRAID_SECOND));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("join_refusals");
    TCase *t = tcase_create("limit");
    tcase_add_test(t, everybody_is_answered);
    tcase_add_test(t, one_network_gets_so_many_a_second);
    tcase_add_test(t, without_a_limit_there_is_none);
    tcase_add_test(t, a_network_is_that_of_a_client);
    suite_add_tcase(s, t);
    return run_suite(s);
}
