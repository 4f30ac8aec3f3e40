/* Two whole cores: handshakes, transfers, joins, ends, fallback. */
#include "pair.h"

static struct pair p;

static void open_mptcp(void)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

START_TEST(an_mptcp_connection_opens_and_carries_data_both_ways)
{
    open_mptcp();
    ck_assert(braid_conn_is_mptcp(p.client.conn) && braid_conn_is_mptcp(p.server.conn));
    pair_transfer(&p, &p.client, 300000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 300000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_RETRANS_SEGS), 0);
    pair_free(&p);
}
END_TEST

START_TEST(a_plain_client_is_served_as_plain_tcp)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, true);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

START_TEST(both_subflows_carry_data_both_ways)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
    pair_transfer(&p, &p.client, 3000000, 60 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 3000000, 60 * BRAID_SECOND);
    struct braid_conn_stats st = stats_of(&p.server);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_gt(st.subflows[i].bytes_in, 300000);
        ck_assert_uint_gt(st.subflows[i].bytes_out, 300000);
    }
    pair_free(&p);
}
END_TEST

START_TEST(a_backup_subflow_stays_idle_until_the_other_is_gone)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", true);
    pair_transfer(&p, &p.server, 1000000, 30 * BRAID_SECOND);
    struct braid_conn_stats st = stats_of(&p.server);
    ck_assert(st.subflows[1].backup);
    ck_assert_uint_eq(st.subflows[1].bytes_out, 0);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, st.subflows[0].id), 0);
    pair_transfer(&p, &p.server, 1000000, 30 * BRAID_SECOND);
    st = stats_of(&p.server);
    ck_assert_uint_eq(st.n_subflows, 1);
    ck_assert_uint_gt(st.subflows[0].bytes_out, 900000);
    pair_free(&p);
}
END_TEST

START_TEST(half_close_works_both_ways)
{
    open_mptcp();
    side_write(&p.client, 5000);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.eof && !p.client.eof && !p.client.closed);
    ck_assert_uint_eq(p.server.received, 5000);
    pair_transfer(&p, &p.server, 200000, 10 * BRAID_SECOND);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_DONE);
    pair_run_for(&p, 70 * BRAID_SECOND);
    struct braid_core_stats st;
    braid_core_stats(p.server.core, &st);
    ck_assert_uint_eq(st.conns, 0);
    ck_assert_uint_eq(st.subflows, 0);
    ck_assert_uint_eq(st.time_wait, 0);
    ck_assert_uint_eq(st.memory, 0);
    ck_assert(braid_core_deadline(p.server.core) == BRAID_NEVER);
    pair_free(&p);
}
END_TEST

START_TEST(abort_reaches_the_peer_as_fastclose)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    braid_conn_abort(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_ABORTED);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    ck_assert_uint_ge(side_count(&p.client, COUNT_MP_FASTCLOSE_RX), 1);
    pair_free(&p);
}
END_TEST

static bool lose_every_seventh(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)packet;
    (void)len;
    return to_server || q->packets % 7 != 0;
}

/* With and without MPTCP, and with the end of the data or without. */
START_TEST(an_abort_can_wait_until_everything_is_delivered)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, _i & 1);
    pair_run_for(&p, BRAID_SECOND);
    p.server.reading = false; /* what the peer sends does not matter */
    side_write(&p.client, 1000);
    p.tap = lose_every_seventh;
    size_t wrote = side_write(&p.server, 200000);
    if (_i & 2)
        braid_conn_shutdown(p.server.conn);
    braid_conn_abort_delivered(p.server.conn);
    pair_run(&p, p.now + 60 * BRAID_SECOND, &p.server.closed);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_ABORTED);
    ck_assert_uint_eq(p.client.received, wrote);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    if (!(_i & 1))
        ck_assert_int_eq(p.client.eof, _i >> 1);
    p.tap = NULL;
    side_write(&p.client, 1); /* the RST may have been lost */
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    pair_free(&p);
}
END_TEST

START_TEST(an_abort_with_everything_delivered_waits_for_nothing)
{
    open_mptcp();
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_abort_delivered(p.server.conn);
    pair_run_for(&p, 2 * PAIR_DELAY);
    ck_assert(p.server.closed && p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    pair_free(&p);
}
END_TEST

static unsigned resets_to_lose;

static bool lose_resets(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return to_server || !(packet[20 + 13] & TCP_RST) || resets_to_lose == 0 || resets_to_lose-- == 0;
}

START_TEST(a_lost_fastclose_is_repeated_to_a_client_that_goes_on)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    resets_to_lose = 2;
    p.tap = lose_resets;
    braid_conn_abort(p.server.conn);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert(p.server.closed && !p.client.closed);
    side_write(&p.client, 1000);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    pair_free(&p);
}
END_TEST

/* The only subflow ends in order, with bytes unread, in the same batch in which the user gives up. */
START_TEST(an_abort_counts_although_the_last_subflow_has_just_ended)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, true);
    pair_run_for(&p, BRAID_SECOND);
    p.server.reading = false;
    side_write(&p.client, 1000);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, PAIR_DELAY + BRAID_MS); /* the FIN is there, its ACK on the way back */
    ck_assert_str_eq(stats_of(&p.server).subflows[0].state, "LAST-ACK");
    while (p.head != p.tail)
        pair_deliver(&p);
    braid_conn_abort(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.closed);
    pair_free(&p);
}
END_TEST

START_TEST(a_refused_client_sees_a_reset)
{
    pair_init(&p, false, NULL, 0);
    p.refuse = true;
    p.how = BRAID_REFUSE_RESET;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_REFUSED);
    pair_free(&p);
}
END_TEST

START_TEST(an_unreachable_server_is_told_by_icmp)
{
    pair_init(&p, false, NULL, 0);
    p.refuse = true;
    p.how = BRAID_REFUSE_UNREACHABLE;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_UNREACHABLE);
    pair_free(&p);
}
END_TEST

START_TEST(a_connection_without_subflows_waits_and_is_revived_by_a_join)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, stats_of(&p.client).subflows[0].id), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 0);
    ck_assert(!p.server.closed);
    pair_join(&p, "10.0.2.2:4001", false);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

START_TEST(a_connection_without_subflows_ends_after_the_timeout)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, stats_of(&p.client).subflows[0].id), 0);
    pair_run_for(&p, 4 * BRAID_SECOND);
    ck_assert(!p.server.closed);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_TIMEOUT);
    pair_free(&p);
}
END_TEST

static bool no_answer_to_the_join(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w;
    (void)pair;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    return to_server || w.dst.port != 4001;
}

START_TEST(a_join_under_way_does_not_outlast_its_connection)
{
    struct braid_addr l = pair_addr("10.0.2.2:4001"), r = pair_addr("10.0.9.1:80");
    struct braid_core_stats client, server;
    open_mptcp();
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    p.tap = no_answer_to_the_join;
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l, &r, false, p.now), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    braid_core_stats(p.server.core, &server);
    ck_assert_uint_eq(server.subflows, 2);
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 300 * BRAID_MS);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    braid_core_stats(p.client.core, &client);
    braid_core_stats(p.server.core, &server);
    ck_assert_uint_eq(client.conns + client.subflows, 0);
    ck_assert_uint_eq(server.conns + server.subflows, 0);
    pair_free(&p);
}
END_TEST

START_TEST(announced_addresses_are_echoed)
{
    struct braid_ip ips[2];
    ck_assert_int_eq(ip_parse("10.0.9.2", &ips[0]), 0);
    ck_assert_int_eq(ip_parse("2001:db8::2", &ips[1]), 0);
    pair_init(&p, false, ips, 2);
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_ADD_ADDR_TX), 2);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_ECHO_ADD_RX), 2);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_ADD_ADDR_HMAC), 0);
    pair_free(&p);
}
END_TEST

/* ---- middleboxes ---- */

/* Overwrites MPTCP options with NOPs. */
static void strip(uint8_t *packet)
{
    uint8_t *tcp = packet + (packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40);
    unsigned end = (tcp[12] >> 4) * 4, i = 20;
    while (i < end && tcp[i] != 0) {
        unsigned len = tcp[i] == 1 ? 1 : tcp[i + 1];
        if (tcp[i] == 30)
            memset(tcp + i, 1, len);
        i += len;
    }
}

static bool is_syn(const uint8_t *packet)
{
    return packet[20 + 13] & TCP_SYN;
}

static bool strip_syn(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    if (to_server && is_syn(packet))
        strip(packet);
    return true;
}

static bool strip_synack(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    if (!to_server && is_syn(packet))
        strip(packet);
    return true;
}

static bool strip_after_syn(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    if (to_server && !is_syn(packet))
        strip(packet);
    return true;
}

static bool strip_all(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)to_server;
    (void)len;
    strip(packet);
    return true;
}

static bool strip_to_server(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    if (to_server)
        strip(packet);
    return true;
}

static void falls_back_and_carries(bool (*during_handshake)(struct pair *, bool, uint8_t *, size_t))
{
    pair_init(&p, false, NULL, 0);
    p.tap = during_handshake;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
    pair_transfer(&p, &p.client, 100000, 20 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 100000, 20 * BRAID_SECOND);
    ck_assert(!braid_conn_is_mptcp(p.server.conn) && !braid_conn_is_mptcp(p.client.conn));
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_DONE);
    pair_free(&p);
}

START_TEST(stripped_syn_falls_back)
{
    falls_back_and_carries(strip_syn);
}
END_TEST

START_TEST(stripped_synack_falls_back)
{
    falls_back_and_carries(strip_synack);
}
END_TEST

START_TEST(stripped_third_ack_falls_back)
{
    falls_back_and_carries(strip_after_syn);
}
END_TEST

/* Options vanish while data goes to the client: what is in flight arrives, and both sides become plain TCP.
 */
static void download_stripped_midstream(bool (*tap)(struct pair *, bool, uint8_t *, size_t))
{
    open_mptcp();
    pair_transfer(&p, &p.client, 50000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 50000, 10 * BRAID_SECOND);
    p.tap = tap;
    pair_transfer(&p, &p.server, 400000, 30 * BRAID_SECOND);
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert(p.client.closed && p.server.closed);
    pair_free(&p);
}

START_TEST(acks_stripped_midstream_fall_back)
{
    download_stripped_midstream(strip_to_server);
}
END_TEST

/* Payload without a mapping, where there were mappings before, may be a repetition: better no connection than
 * a wrong stream. */
START_TEST(data_stripped_midstream_ends_the_connection_visibly)
{
    open_mptcp();
    pair_transfer(&p, &p.client, 50000, 10 * BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    p.tap = _i ? strip_all : strip_to_server;
    side_write(&p.client, 100000);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
    ck_assert(p.client.closed && p.client.why != BRAID_CLOSE_DONE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_PROTOCOL);
    pair_free(&p);
}
END_TEST

static unsigned spoil; /* data packets to let pass before one is changed */

static bool change_a_byte(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    if (to_server && len > 200 && spoil > 0 && --spoil == 0)
        packet[len - 1] ^= 0x55;
    return true;
}

/* On the only subflow: both ends agree to fall back, and what the middlebox made of the payload is the
 * payload. */
START_TEST(a_changed_payload_is_found_by_the_checksum_and_both_fall_back)
{
    pair_init(&p, true, NULL, 0);
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 50000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 50000, 10 * BRAID_SECOND);
    spoil = 3;
    p.tap = change_a_byte;
    while (p.client.sent < 450000) {
        side_write(&p.client, 450000 - p.client.sent);
        pair_run_for(&p, 10 * BRAID_MS);
    }
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(p.server.received, 450000);
    ck_assert_uint_eq(p.server.wrong_bytes, 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_DATA_CSUM_ERR), 1);
    ck_assert_uint_ge(side_count(&p.client, COUNT_MP_FAIL_RX), 1);
    ck_assert_uint_ge(side_count(&p.server, COUNT_MP_FAIL_RX), 1);
    ck_assert(!braid_conn_is_mptcp(p.server.conn));
    pair_transfer(&p, &p.server, 400000, 30 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

START_TEST(a_changed_payload_ends_one_of_two_subflows)
{
    pair_init(&p, true, NULL, 0);
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 5000, 10 * BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    spoil = 3;
    p.tap = change_a_byte;
    pair_transfer(&p, &p.client, 2000000, 60 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_DATA_CSUM_ERR), 1);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 1);
    ck_assert(braid_conn_is_mptcp(p.server.conn));
    pair_free(&p);
}
END_TEST

START_TEST(a_slow_reader_stops_the_sender_and_nothing_is_lost)
{
    open_mptcp();
    p.server.reading = false;
    for (int i = 0; i < 200; i++) {
        side_write(&p.client, 1 << 20);
        pair_run_for(&p, 50 * BRAID_MS);
    }
    struct braid_conn_stats st = stats_of(&p.server);
    ck_assert_uint_le(st.recv_queued, 300 << 10);
    ck_assert_uint_le(p.client.sent, 16 << 20);
    p.server.reading = true;
    side_read(&p.server);
    uint64_t all = p.client.sent;
    pair_run_for(&p, 90 * BRAID_SECOND);
    ck_assert_uint_eq(p.server.received, all);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("connection");
    TCase *t = tcase_create("two cores");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, an_mptcp_connection_opens_and_carries_data_both_ways);
    tcase_add_test(t, a_plain_client_is_served_as_plain_tcp);
    tcase_add_test(t, both_subflows_carry_data_both_ways);
    tcase_add_test(t, a_backup_subflow_stays_idle_until_the_other_is_gone);
    tcase_add_test(t, half_close_works_both_ways);
    tcase_add_test(t, abort_reaches_the_peer_as_fastclose);
    tcase_add_loop_test(t, an_abort_can_wait_until_everything_is_delivered, 0, 4);
    tcase_add_test(t, an_abort_with_everything_delivered_waits_for_nothing);
    tcase_add_test(t, a_lost_fastclose_is_repeated_to_a_client_that_goes_on);
    tcase_add_test(t, an_abort_counts_although_the_last_subflow_has_just_ended);
    tcase_add_test(t, a_refused_client_sees_a_reset);
    tcase_add_test(t, an_unreachable_server_is_told_by_icmp);
    tcase_add_test(t, a_connection_without_subflows_waits_and_is_revived_by_a_join);
    tcase_add_test(t, a_connection_without_subflows_ends_after_the_timeout);
    tcase_add_test(t, a_join_under_way_does_not_outlast_its_connection);
    tcase_add_test(t, announced_addresses_are_echoed);
    tcase_add_test(t, a_slow_reader_stops_the_sender_and_nothing_is_lost);
    suite_add_tcase(s, t);
    t = tcase_create("middleboxes");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, stripped_syn_falls_back);
    tcase_add_test(t, stripped_synack_falls_back);
    tcase_add_test(t, stripped_third_ack_falls_back);
    tcase_add_test(t, acks_stripped_midstream_fall_back);
    tcase_add_loop_test(t, data_stripped_midstream_ends_the_connection_visibly, 0, 2);
    tcase_add_test(t, a_changed_payload_is_found_by_the_checksum_and_both_fall_back);
    tcase_add_test(t, a_changed_payload_ends_one_of_two_subflows);
    suite_add_tcase(s, t);
    return run_suite(s);
}
