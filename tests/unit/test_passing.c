/* Wildcard listeners: whose connections they take, and that everything else goes on its way as it came. */
#include "pair.h"
#include "base/bytes.h"
#include "wire/checksum.h"

static struct pair p;
static struct braid_listener *wildcard;
static bool wanted;
static struct braid_addr asked_client, asked_server;

/* What the server's core put out last. */
static uint8_t last[2048];
static size_t last_len;

static bool keep_last(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    if (!to_server && len <= sizeof(last)) {
        memcpy(last, packet, len);
        last_len = len;
    }
    return true;
}

static bool wants(void *ctx, const struct braid_addr *client, const struct braid_addr *server)
{
    ck_assert_ptr_eq(ctx, &p);
    asked_client = *client;
    asked_server = *server;
    return wanted;
}

static struct braid_listener *listen_any(const char *any, uint16_t first, uint16_t last_port)
{
    struct braid_listen_params l = {.addr = pair_addr(any),
                                    .port_first = first,
                                    .port_last = last_port,
                                    .wants = wants,
                                    .name = "any",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &pair_ops,
                                    .ctx = &p};
    return braid_listen(p.server.core, &l);
}

static void setup(void)
{
    static const char *const signal[] = {"10.0.9.2:0"};
    struct braid_ip ip = pair_addr(signal[0]).ip;
    pair_init(&p, false, &ip, 1);
    p.tap = keep_last;
    last_len = 0;
    wanted = true;
    wildcard = listen_any("0.0.0.0:0", 0, 0);
    ck_assert_ptr_nonnull(wildcard);
}

static void teardown(void)
{
    pair_free(&p);
}

static void connect_to(const char *server, bool plain)
{
    struct braid_connect_params c = {
        .local = pair_addr(server[0] == '[' ? "[2001:db8:1::2]:4000" : "10.0.1.2:4000"),
        .remote = pair_addr(server),
        .cc = cc_algorithms[0],
        .sched = sched_algorithms[0],
        .plain = plain,
        .ops = &pair_ops,
        .user = &p.client};
    p.client.conn = braid_connect(p.client.core, &c, p.now);
    ck_assert_ptr_nonnull(p.client.conn);
    pair_run_for(&p, BRAID_SECOND / 2);
}

static uint64_t passed(void)
{
    return side_count(&p.server, COUNT_PASSED_BACK);
}

/* Builds a segment from the client and gives it to the server's core: what came is in sent. */
static uint8_t sent[2048];
static size_t sent_len;

static void send_segment(const char *src, const char *dst, const struct wire_tcp *t, unsigned payload,
                         const struct braid_input *in)
{
    struct packet_spec spec = {
        .src = pair_addr(src), .dst = pair_addr(dst), .tcp = t, .payload_len = payload, .hop_limit = 61};
    struct packet_header h;
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    memset(sent, 0x5a, sizeof(sent));
    struct iovec body = {.iov_base = sent + h.len, .iov_len = payload};
    if (!in->csum_ok)
        packet_checksum_fill(&h, &body, 1);
    memcpy(sent, h.bytes, h.len);
    sent_len = h.len + payload;
    struct buf *b = buf_new(sent_len, NULL);
    memcpy(b->data, sent, sent_len);
    braid_core_input(p.server.core, b, 0, sent_len, in, p.now);
    buf_unref(b);
    braid_core_flush(p.server.core, p.now);
}

static bool last_is_sent(void)
{
    return last_len == sent_len && memcmp(last, sent, sent_len) == 0;
}

static bool last_is_reset(void)
{
    struct wire_packet w;
    return packet_parse(last, last_len, false, &w) == WIRE_OK && (w.tcp.flags & TCP_RST);
}

static const struct braid_input complete;

static struct wire_tcp join_syn(void)
{
    struct wire_tcp t = {.seq = 77, .flags = TCP_SYN, .window = 1000};
    t.mp.has = MPTCP_HAS(MPTCP_JOIN);
    t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYN, .addr_id = 3, .token = 0x12345678, .nonce = 9};
    return t;
}

/* ---- taken ---- */

START_TEST(a_connection_to_anybody_is_answered_in_the_servers_name)
{
    connect_to("203.0.113.7:4443", false);
    ck_assert(p.client.established && p.server.established);
    ck_assert(braid_conn_is_mptcp(p.server.conn));
    struct braid_addr local, remote, server = pair_addr("203.0.113.7:4443");
    braid_conn_addrs(p.server.conn, &local, &remote);
    ck_assert(addr_equal(&local, &server) && addr_equal(&asked_server, &server));
    ck_assert(addr_equal(&remote, &asked_client));
    pair_transfer(&p, &p.client, 200000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 200000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(passed(), 0);
}
END_TEST

START_TEST(the_other_family_needs_a_listener_of_its_own)
{
    connect_to("[2001:db8:9::7]:4443", false);
    ck_assert(!p.server.conn && p.client.closed); /* refused, as ever */
    ck_assert_ptr_nonnull(listen_any("[::]:0", 0, 0));
    connect_to("[2001:db8:9::7]:4443", false);
    ck_assert(p.server.established && braid_conn_is_mptcp(p.server.conn));
    pair_transfer(&p, &p.client, 50000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(passed(), 0);
}
END_TEST

START_TEST(a_join_is_found_by_its_token_whatever_its_destination)
{
    connect_to("203.0.113.7:4443", false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    struct braid_addr l = pair_addr("10.0.2.2:4001"), signal = pair_addr("10.0.9.2:4443"),
                      l2 = pair_addr("10.0.3.2:4002"), server = pair_addr("203.0.113.7:4443");
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l, &signal, false, p.now), 0);
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l2, &server, false, p.now), 0);
    pair_transfer(&p, &p.client, 500000, 10 * BRAID_SECOND);
    struct braid_conn_stats st;
    braid_conn_stats(p.server.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 3);
    ck_assert_uint_eq(passed(), 0);
}
END_TEST

START_TEST(an_exact_listener_comes_first)
{
    wanted = false;
    connect_to("10.0.9.1:80", false);
    ck_assert(p.server.established && passed() == 0);
    struct braid_conn_stats st;
    braid_conn_stats(p.server.conn, &st);
    ck_assert_str_eq(st.listener, "test");
}
END_TEST

START_TEST(port_ranges_do_not_overlap_and_decide)
{
    ck_assert_ptr_null(listen_any("0.0.0.0:80", 0, 0));
    braid_unlisten(wildcard);
    struct braid_listener *low = listen_any("0.0.0.0:0", 100, 200), *one = listen_any("0.0.0.0:300", 0, 0);
    ck_assert(low && one);
    ck_assert_ptr_null(listen_any("0.0.0.0:0", 200, 250));
    ck_assert_ptr_null(listen_any("0.0.0.0:0", 300, 300));
    ck_assert_ptr_nonnull(listen_any("0.0.0.0:0", 201, 299));
    connect_to("203.0.113.7:99", false);
    ck_assert(!p.server.conn && passed() >= 1);
    connect_to("203.0.113.7:300", false);
    ck_assert(p.server.established);
}
END_TEST

/* ---- passed back ---- */

START_TEST(a_syn_without_mp_capable_goes_on_unaltered)
{
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN, .has_mss = true, .mss = 1400, .has_wscale = true};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1 && !p.server.conn);
    struct wire_packet w;
    ck_assert_int_eq(packet_parse(last, last_len, true, &w), WIRE_OK);
    ck_assert_uint_eq(w.hop_limit, 61);
}
END_TEST

START_TEST(a_version_that_we_do_not_speak_goes_on_unaltered)
{
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN};
    t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_EXTENDED | 1};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1 && !p.server.conn);
}
END_TEST

START_TEST(what_is_not_wanted_goes_on_unaltered)
{
    wanted = false;
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN};
    t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1 && !p.server.conn);
    struct braid_addr server = pair_addr("203.0.113.7:80"), client = pair_addr("10.0.1.2:4000");
    ck_assert(addr_equal(&asked_server, &server) && addr_equal(&asked_client, &client));
    wanted = true;
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(p.server.conn && passed() == 1);
}
END_TEST

START_TEST(a_packet_of_a_connection_that_is_not_ours_goes_on_unaltered)
{
    struct wire_tcp t = {.seq = 5, .ack = 6, .flags = TCP_ACK | TCP_PSH, .window = 100};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 777, &complete);
    ck_assert(last_is_sent() && passed() == 1);
    t.flags = TCP_RST;
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 2);
    t.flags = TCP_SYN | TCP_ACK; /* of a server to a client, should routing send it here */
    send_segment("203.0.113.7:80", "10.0.1.2:4000", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 3);
}
END_TEST

static struct braid_packet seen;

static void see(void *ctx, const struct braid_packet *o)
{
    seen = *o;
    pair_output(ctx, o);
}

/* A checksum that the kernel still has to fill in must reach it as such, with the size of the segments. */
START_TEST(a_super_packet_goes_on_as_one)
{
    struct braid_core_params params;
    struct braid_host host = {.ctx = &p.server, .output = see, .random = pair_random};
    braid_core_params_default(&params);
    braid_core_free(p.server.core);
    p.server.core = braid_core_new(&params, &host, p.now);
    ck_assert_ptr_nonnull(listen_any("[::]:0", 0, 0));
    const struct braid_input in = {.csum_ok = true, .gso_size = 500};
    struct wire_tcp t = {.seq = 5, .ack = 6, .flags = TCP_ACK, .window = 100};
    send_segment("[2001:db8::1]:4000", "[2001:db8::7]:80", &t, 1200, &in);
    ck_assert(last_is_sent() && passed() == 1);
    ck_assert(seen.v6 && seen.gso_size == 500 && seen.csum_start == 40);
    ck_assert_uint_eq(seen.header_len, 60);
    ck_assert_uint_eq(seen.payload_len, 1200);
    struct braid_ip src = pair_addr("[2001:db8::1]:0").ip, dst = pair_addr("[2001:db8::7]:0").ip;
    ck_assert_uint_eq(get16(last + 56), checksum_fold(checksum_pseudo(&src, &dst, 6, 1220)));
}
END_TEST

static unsigned told, told_of_syns;

static void tell(void *ctx, const struct braid_addr *client, const struct braid_addr *server, bool syn)
{
    struct braid_addr from = pair_addr("10.0.1.2:4000"), to = pair_addr("203.0.113.7:80");
    ck_assert_ptr_eq(ctx, &p.server);
    ck_assert(addr_equal(client, &from) && addr_equal(server, &to));
    ck_assert_msg(passed() == told + 1 && last_len == 0, "told after the packet went out");
    told++;
    told_of_syns += syn;
}

START_TEST(the_host_is_told_before_a_segment_goes_on_and_whether_it_is_a_syn)
{
    struct braid_core_params params;
    struct braid_host host = {
        .ctx = &p.server, .output = pair_output, .random = pair_random, .passing = tell};
    braid_core_params_default(&params);
    braid_core_free(p.server.core);
    p.server.core = braid_core_new(&params, &host, p.now);
    ck_assert_ptr_nonnull(listen_any("0.0.0.0:0", 0, 0));
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && told == 1 && told_of_syns == 1);
    static const uint8_t others[] = {TCP_ACK, TCP_SYN | TCP_ACK, TCP_RST};
    for (unsigned i = 0; i < sizeof(others); i++) {
        last_len = 0;
        t = (struct wire_tcp){.seq = 5, .ack = 6, .flags = others[i]};
        send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
        ck_assert(last_is_sent() && told == i + 2 && told_of_syns == 1);
    }
}
END_TEST

START_TEST(a_join_with_a_foreign_token_goes_on_unaltered)
{
    struct wire_tcp t = join_syn();
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_NO_TOKEN), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_RST_TX), 0);
}
END_TEST

/* To addresses of our own, routing would bring it back for ever. */
START_TEST(to_our_own_addresses_the_answer_is_a_reset)
{
    static const char *const own[] = {"10.0.9.1:80", "10.0.9.1:81", "10.0.9.2:80"};
    struct wire_tcp join = join_syn(), ack = {.seq = 5, .ack = 6, .flags = TCP_ACK},
                    syn = {.seq = 5, .flags = TCP_SYN};
    for (unsigned i = 0; i < 3; i++) {
        send_segment("10.0.1.2:4000", own[i], &join, 0, &complete);
        ck_assert(last_is_reset());
        send_segment("10.0.1.2:4000", own[i], &ack, 0, &complete);
        ck_assert(last_is_reset());
        last_len = 0;
        send_segment("10.0.1.2:4000", own[i], &syn, 0, &complete);
        ck_assert(i == 0 ? p.server.conn != NULL : last_is_reset());
    }
    ck_assert_uint_eq(passed(), 0);
}
END_TEST

static struct wire_tcp mptcp_syn(void)
{
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN};
    t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    return t;
}

START_TEST(while_listeners_rest_it_is_as_if_there_were_none)
{
    struct wire_tcp t = mptcp_syn();
    connect_to("203.0.113.7:4443", false);
    for (unsigned twice = 0; twice < 2; twice++) {
        braid_listener_rest(wildcard);
        braid_listener_rest(p.listener);
    }
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    send_segment("10.0.1.2:4001", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1);
    send_segment("10.0.1.2:4001", "10.0.9.1:80", &t, 0, &complete);
    ck_assert(last_is_reset() && passed() == 1);
    ck_assert_int_eq(braid_listener_resume(wildcard), 0);
    ck_assert_int_eq(braid_listener_resume(p.listener), 0);
    ck_assert_int_eq(braid_listener_resume(p.listener), 0);
    send_segment("10.0.1.2:4002", "203.0.113.7:80", &t, 0, &complete);
    send_segment("10.0.1.2:4003", "10.0.9.1:80", &t, 0, &complete);
    ck_assert_uint_eq(passed(), 1);
    struct wire_packet w;
    ck_assert(packet_parse(last, last_len, false, &w) == WIRE_OK && (w.tcp.flags & TCP_SYN));
}
END_TEST

START_TEST(a_place_that_was_taken_meanwhile_is_not_given_back)
{
    braid_listener_rest(wildcard);
    struct braid_listener *other = listen_any("0.0.0.0:0", 80, 80);
    ck_assert_ptr_nonnull(other);
    ck_assert_int_eq(braid_listener_resume(wildcard), -1);
    ck_assert_int_eq(braid_listener_resume(wildcard), -1);
    braid_unlisten(other);
    ck_assert_int_eq(braid_listener_resume(wildcard), 0);
    braid_listener_rest(p.listener); /* what rests is freed with the core, too */
}
END_TEST

static void hold(void *ctx, struct braid_conn *c)
{
    (void)ctx;
    p.server.conn = c;
    braid_conn_set_user(c, &p.server);
}

START_TEST(whoever_is_pending_when_a_listener_rests_is_still_answered)
{
    struct braid_conn_ops ops = pair_ops;
    ops.incoming = hold;
    struct braid_listen_params l = {.addr = pair_addr("10.0.9.7:80"),
                                    .name = "slow",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &ops,
                                    .ctx = &p};
    struct braid_listener *slow = braid_listen(p.server.core, &l);
    connect_to("10.0.9.7:80", false);
    ck_assert(p.server.conn && !p.client.established);
    braid_listener_rest(slow);
    braid_conn_accept(p.server.conn);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert(p.client.established);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
}
END_TEST

START_TEST(while_it_drains_new_connections_go_on_and_old_ones_stay)
{
    connect_to("203.0.113.7:4443", false);
    braid_unlisten(wildcard);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    struct wire_tcp t = mptcp_syn();
    send_segment("10.0.1.2:4001", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1);
    t.mp.has = 0;
    braid_unlisten(p.listener);
    send_segment("10.0.1.2:4001", "10.0.9.1:80", &t, 0, &complete);
    ck_assert(last_is_reset() && passed() == 1);
}
END_TEST

START_TEST(without_room_for_connections_they_go_on)
{
    struct braid_core_params params;
    struct braid_host host = {.ctx = &p.server, .output = pair_output, .random = pair_random};
    braid_core_params_default(&params);
    params.max_conns = 0;
    braid_core_free(p.server.core);
    p.server.core = braid_core_new(&params, &host, p.now);
    ck_assert_ptr_nonnull(listen_any("0.0.0.0:0", 0, 0));
    struct wire_tcp t = {.seq = 5, .flags = TCP_SYN};
    t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    send_segment("10.0.1.2:4001", "203.0.113.7:80", &t, 0, &complete);
    ck_assert(last_is_sent() && passed() == 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MEM_REFUSED), 1);
}
END_TEST

static unsigned handed_to, handed;

static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    (void)ctx;
    ck_assert(len == sent_len && memcmp(packet, sent, len) == 0 && in->hops == 1);
    handed_to = worker;
    handed++;
}

/* It may be a connection of any worker: only the last one knows that it is nobody's. */
START_TEST(all_workers_are_asked_before_a_packet_goes_on)
{
    struct braid_core_params params;
    struct braid_host host = {
        .ctx = &p.server, .output = pair_output, .random = pair_random, .hand_over = hand_over};
    braid_core_params_default(&params);
    params.n_workers = 2;
    braid_core_free(p.server.core);
    p.server.core = braid_core_new(&params, &host, p.now);
    ck_assert_ptr_nonnull(listen_any("0.0.0.0:0", 0, 0));
    struct wire_tcp ack = {.seq = 5, .ack = 6, .flags = TCP_ACK}, join = join_syn(),
                    syn = {.seq = 5, .flags = TCP_SYN};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &ack, 10, &complete);
    ck_assert(handed == 1 && handed_to == 1 && passed() == 0);
    const struct braid_input from_other = {.hops = 1};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &ack, 10, &from_other);
    ck_assert(handed == 1 && passed() == 1 && last_is_sent());
    join.mp.join.token = 7; /* the other one's */
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &join, 0, &complete);
    ck_assert(handed == 2 && passed() == 1);
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &syn, 0, &complete);
    ck_assert(handed == 2 && passed() == 2 && last_is_sent());
}
END_TEST

/* TIME_WAIT answers for an ended connection; the server, who never knew of it, hears nothing. */
START_TEST(late_packets_of_an_ended_connection_stay_here)
{
    connect_to("203.0.113.7:80", false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    struct braid_conn_stats st;
    braid_conn_stats(p.server.conn, &st);
    braid_conn_abort(p.server.conn);
    pair_run_for(&p, BRAID_SECOND / 2);
    ck_assert(p.server.closed);
    struct wire_tcp t = {.seq = 5, .ack = 6, .flags = TCP_ACK};
    send_segment("10.0.1.2:4000", "203.0.113.7:80", &t, 10, &complete);
    ck_assert(last_is_reset() && passed() == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("passing");
    TCase *t = tcase_create("taken");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_connection_to_anybody_is_answered_in_the_servers_name);
    tcase_add_test(t, the_other_family_needs_a_listener_of_its_own);
    tcase_add_test(t, a_join_is_found_by_its_token_whatever_its_destination);
    tcase_add_test(t, an_exact_listener_comes_first);
    tcase_add_test(t, port_ranges_do_not_overlap_and_decide);
    suite_add_tcase(s, t);
    t = tcase_create("passed back");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_syn_without_mp_capable_goes_on_unaltered);
    tcase_add_test(t, a_version_that_we_do_not_speak_goes_on_unaltered);
    tcase_add_test(t, what_is_not_wanted_goes_on_unaltered);
    tcase_add_test(t, a_packet_of_a_connection_that_is_not_ours_goes_on_unaltered);
    tcase_add_test(t, a_super_packet_goes_on_as_one);
    tcase_add_test(t, the_host_is_told_before_a_segment_goes_on_and_whether_it_is_a_syn);
    tcase_add_test(t, a_join_with_a_foreign_token_goes_on_unaltered);
    tcase_add_test(t, to_our_own_addresses_the_answer_is_a_reset);
    tcase_add_test(t, while_listeners_rest_it_is_as_if_there_were_none);
    tcase_add_test(t, a_place_that_was_taken_meanwhile_is_not_given_back);
    tcase_add_test(t, whoever_is_pending_when_a_listener_rests_is_still_answered);
    tcase_add_test(t, while_it_drains_new_connections_go_on_and_old_ones_stay);
    tcase_add_test(t, without_room_for_connections_they_go_on);
    tcase_add_test(t, all_workers_are_asked_before_a_packet_goes_on);
    tcase_add_test(t, late_packets_of_an_ended_connection_stay_here);
    suite_add_tcase(s, t);
    return run_suite(s);
}
