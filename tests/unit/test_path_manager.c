/* Two whole cores whose connections have path managers: what is opened, announced, given up and tried again.
 */
#include "pair.h"

#include "mptcp/conn.h"
#include "mptcp/marks.h"

extern const struct pm_ops pm_fullmesh, pm_ndiffports;

static struct pair p;

static void add_endpoint(struct side *s, const char *ip)
{
    struct braid_endpoint e = {.subflow = true, .signal = s->is_server};
    ck_assert_int_eq(ip_parse(ip, &e.addr.ip), 0);
    ck_assert_int_eq(braid_core_endpoint_add(s->core, &e), 0);
}

static int remove_endpoint(struct side *s, const char *text)
{
    struct braid_ip ip;
    ck_assert_int_eq(ip_parse(text, &ip), 0);
    return braid_core_endpoint_remove(s->core, &ip);
}

/* Data both ways, so that both ends have seen a DSS, and time for what follows from it. */
static void open_connection(void)
{
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
    pair_transfer(&p, &p.client, 10000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 10000, BRAID_SECOND);
}

static void setup(const struct pm_ops *pm)
{
    pair_init(&p, false, NULL, 0);
    p.pm = pm;
}

static unsigned established(const struct side *s)
{
    int64_t n;
    ck_assert_int_eq(braid_conn_get_option(s->conn, BRAID_OPT_SUBFLOWS, &n), 0);
    return (unsigned)n;
}

static bool has_subflow(const struct side *s, const char *local, const char *remote)
{
    struct braid_conn_stats st;
    struct braid_ip l, r;
    ck_assert(ip_parse(local, &l) == 0 && ip_parse(remote, &r) == 0);
    braid_conn_stats(s->conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++)
        if (ip_equal(&st.subflows[i].local.ip, &l) && ip_equal(&st.subflows[i].remote.ip, &r))
            return true;
    return false;
}

static uint64_t joins_sent(void)
{
    return side_count(&p.client, COUNT_MP_JOIN_SYN_TX);
}

START_TEST(fullmesh_joins_from_each_endpoint_to_each_address)
{
    setup(&pm_fullmesh);
    add_endpoint(&p.client, "10.0.1.2"); /* where it begins */
    add_endpoint(&p.client, "10.0.2.2");
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 4);
    ck_assert_uint_eq(established(&p.server), 4);
    ck_assert(has_subflow(&p.client, "10.0.1.2", "10.0.9.2"));
    ck_assert(has_subflow(&p.client, "10.0.2.2", "10.0.9.1"));
    ck_assert(has_subflow(&p.client, "10.0.2.2", "10.0.9.2"));
    pair_transfer(&p, &p.client, 2000000, 30 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 2000000, 30 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 3);
    pair_free(&p);
}
END_TEST

START_TEST(without_a_path_manager_nothing_is_opened)
{
    setup(NULL);
    add_endpoint(&p.client, "10.0.2.2");
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 1);
    ck_assert_uint_eq(joins_sent(), 0);
    pair_free(&p);
}
END_TEST

START_TEST(ndiffports_joins_from_other_ports)
{
    struct braid_conn_stats st;
    setup(&pm_ndiffports);
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_stats(p.client.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 2);
    ck_assert(ip_equal(&st.subflows[0].local.ip, &st.subflows[1].local.ip));
    ck_assert_uint_ne(st.subflows[0].local.port, st.subflows[1].local.port);
    ck_assert_uint_ge(st.subflows[1].local.port, 32768);
    ck_assert(addr_equal(&st.subflows[0].remote, &st.subflows[1].remote));
    pair_free(&p);
}
END_TEST

START_TEST(an_endpoint_that_goes_ends_its_subflows_in_order_and_may_come_back)
{
    setup(&pm_fullmesh);
    open_connection();
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.server), 2);
    side_write(&p.client, 500000);
    pair_run_for(&p, 20 * BRAID_MS);
    ck_assert_int_eq(remove_endpoint(&p.client, "10.0.2.2"), 0);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert_uint_eq(established(&p.server), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_ESTAB_RESETS), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_RM_ADDR_RX), 3);
    ck_assert_int_eq(remove_endpoint(&p.client, "10.0.2.2"), -1);
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(established(&p.server), 2);
    pair_transfer(&p, &p.client, 500000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* The address of the only subflow goes: nothing is closed before there is another. */
START_TEST(the_initial_address_may_go_once_there_is_another)
{
    setup(&pm_fullmesh);
    open_connection();
    ck_assert_int_eq(remove_endpoint(&p.client, "10.0.1.2"), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 1);
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 1);
    ck_assert(has_subflow(&p.client, "10.0.2.2", "10.0.9.1"));
    pair_transfer(&p, &p.server, 500000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

static bool path_is_dead;

static bool lose_second_path(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return !path_is_dead || packet[to_server ? 14 : 18] != 2; /* 10.0.2.2 */
}

/* Gives up after 3 s, then waits for 1, 2, 4 s and so on: begins at 0, 4, 9, 16, 27 and 46 s. */
START_TEST(a_path_that_does_not_answer_is_tried_less_and_less)
{
    static const unsigned after[] = {1, 3, 8, 15, 26, 45, 60}, tries[] = {1, 1, 2, 3, 4, 5, 6};
    setup(&pm_fullmesh);
    path_is_dead = true;
    p.tap = lose_second_path;
    open_connection();
    add_endpoint(&p.client, "10.0.2.2");
    braid_time start = p.now;
    for (unsigned i = 0; i < 7; i++) {
        pair_run(&p, start + after[i] * BRAID_SECOND, NULL);
        ck_assert_uint_eq(joins_sent(), tries[i]);
    }
    path_is_dead = false; /* and when somebody says that it is back, at once */
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(established(&p.client), 2);
    pair_free(&p);
}
END_TEST

/* The subflow is in backoff by then; the peer's data waits in one, too. */
START_TEST(a_path_that_is_said_to_be_back_is_used_at_once)
{
    setup(&pm_fullmesh);
    p.tap = lose_second_path;
    path_is_dead = false;
    open_connection();
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, BRAID_SECOND);
    path_is_dead = true;
    for (unsigned i = 0; i < 2000; i++) {
        side_write(&p.client, 4000);
        side_write(&p.server, 4000);
        pair_run_for(&p, 10 * BRAID_MS);
    }
    path_is_dead = false;
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, 100 * BRAID_MS);
    struct braid_conn_stats st;
    braid_conn_stats(p.client.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 2);
    ck_assert(!st.subflows[1].stale);
    pair_transfer(&p, &p.server, 2000000, 10 * BRAID_SECOND);
    braid_conn_stats(p.client.conn, &st);
    ck_assert_uint_gt(st.subflows[1].bytes_in, 100000);
    pair_free(&p);
}
END_TEST

static bool lose_second_server(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return !path_is_dead || packet[to_server ? 19 : 15] != 2; /* 10.0.9.2 */
}

/* RFC 8684 section 3.4.1. */
START_TEST(an_announced_address_that_fails_is_left_alone_until_it_is_announced_again)
{
    struct braid_addr addr = {.port = 0};
    ck_assert_int_eq(ip_parse("10.0.9.2", &addr.ip), 0);
    setup(&pm_fullmesh);
    path_is_dead = true;
    p.tap = lose_second_server;
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, 200 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 3);
    path_is_dead = false;
    ck_assert_int_eq(braid_conn_announce(p.server.conn, &addr), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 2);
    pair_free(&p);
}
END_TEST

static bool lose_fins, lose_withdrawals;

static bool lose_the_end(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w;
    (void)q;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    bool fin = w.tcp.flags & TCP_FIN, withdrawal = w.tcp.mp.has & MPTCP_HAS(MPTCP_REMOVE_ADDR);
    return to_server || !((fin && lose_fins) || (withdrawal && lose_withdrawals));
}

/* The FIN of the subflow to an address that was withdrawn comes when the address has been announced again;
 * the withdrawal came before, or never did. */
START_TEST(a_fin_from_before_an_announcement_does_not_count_against_it)
{
    setup(&pm_fullmesh);
    p.tap = lose_the_end;
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 2);
    lose_fins = true;
    lose_withdrawals = _i;
    ck_assert_int_eq(remove_endpoint(&p.server, "10.0.9.2"), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    add_endpoint(&p.server, "10.0.9.2");
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(joins_sent(), 1);
    lose_fins = lose_withdrawals = false;
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 2);
    ck_assert_uint_eq(established(&p.client), 2);
    ck_assert_uint_eq(established(&p.server), 2);
    pair_free(&p);
}
END_TEST

static bool reaches(const struct side *s, const char *remote)
{
    struct braid_conn_stats st;
    struct braid_addr a = pair_addr(remote);
    braid_conn_stats(s->conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++)
        if (addr_equal(&st.subflows[i].remote, &a))
            return true;
    return false;
}

/* Section 3.4.1: without a port that of the subflow is meant, and another port asks for another subflow. */
START_TEST(an_address_that_is_announced_with_another_port_is_joined_there)
{
    struct braid_addr addr = pair_addr("10.0.9.2:8081");
    setup(&pm_fullmesh);
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(established(&p.client) == 2 && reaches(&p.client, "10.0.9.2:80"));
    ck_assert_int_eq(braid_conn_announce(p.server.conn, &addr), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(established(&p.client) == 3 && reaches(&p.client, "10.0.9.2:8081"));
    ck_assert_uint_eq(joins_sent(), 2);
    pair_free(&p);
}
END_TEST

START_TEST(addresses_beyond_the_limit_are_echoed_and_not_kept)
{
    struct braid_core_params params;
    setup(&pm_fullmesh);
    braid_core_params_default(&params);
    params.max_add_addr = 1;
    braid_core_free(p.client.core);
    pair_new_core(&p, &p.client, &params);
    add_endpoint(&p.server, "10.0.9.2");
    add_endpoint(&p.server, "10.0.9.3");
    open_connection();
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert_uint_ge(side_count(&p.server, COUNT_MP_ADD_ADDR_TX), 2);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_ECHO_ADD_RX),
                      side_count(&p.server, COUNT_MP_ADD_ADDR_TX));
    ck_assert_uint_eq(established(&p.client), 2);
    ck_assert_uint_eq(joins_sent(), 1);
    pair_free(&p);
}
END_TEST

/* Section 3.6: the RST says flag T 0. */
START_TEST(a_subflow_that_the_peer_resets_for_good_is_not_opened_again)
{
    struct braid_conn_stats st;
    setup(&pm_fullmesh);
    open_connection();
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, 20 * BRAID_SECOND);
    braid_conn_stats(p.server.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 2);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, st.subflows[1].id), 0);
    pair_run_for(&p, 100 * BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 1);
    ck_assert_uint_eq(joins_sent(), 1);
    pair_free(&p);
}
END_TEST

static bool make_transient(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    uint8_t *tcp = packet + 20;
    unsigned end = (tcp[12] >> 4) * 4u;
    if (to_server || !(tcp[13] & TCP_RST))
        return true;
    for (unsigned i = 20; i + 3 < end && i + 20 < len; i += tcp[i] == 1 ? 1 : tcp[i + 1])
        if (tcp[i] == 30 && tcp[i + 2] >> 4 == MPTCP_TCPRST) {
            tcp[i + 2] |= MPTCP_RST_TRANSIENT;
            tcp[i + 3] = MPTCP_RST_RESOURCES;
        }
    return true;
}

START_TEST(a_subflow_that_the_peer_had_no_room_for_is_opened_again_later)
{
    struct braid_conn_stats st;
    setup(&pm_fullmesh);
    p.tap = make_transient;
    open_connection();
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_stats(p.server.conn, &st);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, st.subflows[1].id), 0);
    pair_run_for(&p, 7 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 1);
    pair_run_for(&p, 2 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 2);
    ck_assert_uint_eq(established(&p.client), 2);
    pair_free(&p);
}
END_TEST

START_TEST(a_connection_that_lost_all_subflows_gets_a_new_one_at_once)
{
    struct braid_conn_stats st;
    setup(_i ? &pm_ndiffports : &pm_fullmesh);
    open_connection();
    braid_conn_stats(p.server.conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++)
        ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, st.subflows[i].id), 0);
    pair_run_for(&p, 50 * BRAID_MS);
    ck_assert_uint_ge(established(&p.client), 1);
    pair_transfer(&p, &p.server, 500000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* RFC 8684 section 3.3.3: a FIN without a DATA_FIN ends a direction of a subflow, and no connection. */
START_TEST(a_peer_that_closes_its_half_of_the_only_subflow_gets_a_new_one)
{
    setup(&pm_fullmesh);
    open_connection();
    struct mp_subflow *first = p.server.conn->subflows;
    subflow_close(&first->tcp, p.now);
    conn_dirty(p.server.conn);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(joins_sent(), 1);
    ck_assert_uint_eq(p.client.conn->n_subflows, 1); /* the old one got its FIN once the new one was there */
    pair_transfer(&p, &p.server, 500000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.client, 500000, 10 * BRAID_SECOND);
    pair_run_for(&p, 60 * BRAID_SECOND);
    ck_assert(!p.client.closed && !p.server.closed);
    pair_free(&p);
}
END_TEST

/* Pending subflows keep no connection alive. */
START_TEST(a_connection_whose_paths_stay_away_ends_in_time)
{
    setup(&pm_fullmesh);
    add_endpoint(&p.client, "10.0.2.2");
    open_connection();
    braid_core_free(p.server.core); /* nobody knows the token any more */
    pair_new_core(&p, &p.server,
                  &(struct braid_core_params){.n_workers = 1,
                                              .mtu = 1500,
                                              .memory = 1 << 20,
                                              .rcvbuf_max = 1 << 18,
                                              .sndbuf_max = 1 << 18,
                                              .challenge_acks = 100});
    side_write(&p.client, 1000);
    pair_run_for(&p, 4 * BRAID_SECOND);
    ck_assert(!p.client.closed);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_TIMEOUT);
    ck_assert_uint_le(joins_sent(), 20);
    pair_free(&p);
}
END_TEST

static bool set_flag_c(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    uint8_t *tcp = packet + 20;
    unsigned end = (tcp[12] >> 4) * 4u;
    if (to_server || !(tcp[13] & TCP_SYN))
        return true;
    for (unsigned i = 20; i + 3 < end && i + 20 < len; i += tcp[i] == 1 ? 1 : tcp[i + 1])
        if (tcp[i] == 30 && tcp[i + 2] >> 4 == MPTCP_CAPABLE)
            tcp[i + 3] |= MPTCP_CAPABLE_NO_JOIN;
    return true;
}

START_TEST(flag_c_forbids_the_initial_address_and_no_other)
{
    setup(&pm_fullmesh);
    p.tap = set_flag_c;
    add_endpoint(&p.client, "10.0.2.2");
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 2);
    ck_assert(!has_subflow(&p.client, "10.0.2.2", "10.0.9.1"));
    ck_assert(has_subflow(&p.client, "10.0.2.2", "10.0.9.2"));
    pair_free(&p);
}
END_TEST

/* Section 3.4.2. */
START_TEST(the_peer_no_longer_joins_an_address_that_was_withdrawn)
{
    setup(&pm_fullmesh);
    add_endpoint(&p.server, "10.0.9.2");
    open_connection();
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 2);
    ck_assert_int_eq(remove_endpoint(&p.server, "10.0.9.2"), 0);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(established(&p.client), 1);
    add_endpoint(&p.client, "10.0.2.2");
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 2);
    ck_assert(!has_subflow(&p.client, "10.0.2.2", "10.0.9.2"));
    pair_free(&p);
}
END_TEST

static unsigned in_row, longest_row;
static braid_time row_at;
static uint8_t row_ack[4];

/* ADD_ADDR is always alone on a pure ACK. */
static bool count_rows(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    const uint8_t *tcp = packet + 20;
    bool signal = len > 40 && tcp[12] >> 4 > 5 && tcp[20 + 12] == 30 && tcp[20 + 14] >> 4 == MPTCP_ADD_ADDR;
    if (to_server)
        return true;
    bool duplicate = q->now - row_at < 200 * BRAID_MS && memcmp(row_ack, tcp + 8, 4) == 0;
    in_row = !signal ? 0 : duplicate ? in_row + 1 : 1;
    memcpy(row_ack, tcp + 8, 4);
    row_at = q->now;
    longest_row = in_row > longest_row ? in_row : longest_row;
    return true;
}

/* RFC 8684 section 3. */
START_TEST(not_more_than_two_signalling_acks_in_a_row)
{
    struct braid_ip ips[8];
    for (unsigned i = 0; i < 8; i++)
        ips[i] = ip_from_v4((const uint8_t[]){10, 0, 9, (uint8_t)(2 + i)});
    pair_init(&p, false, ips, 8);
    in_row = longest_row = 0;
    p.tap = count_rows;
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert_uint_ge(side_count(&p.server, COUNT_MP_ECHO_ADD_RX), 8);
    ck_assert_uint_eq(longest_row, 2);
    pair_free(&p);
}
END_TEST

START_TEST(there_are_eight_endpoints_and_no_more)
{
    setup(&pm_fullmesh);
    open_connection();
    char text[] = "10.0.3.1";
    for (char n = '1'; n <= '8'; n++) {
        text[7] = n;
        add_endpoint(&p.client, text);
    }
    struct braid_endpoint more = {.subflow = true};
    ck_assert_int_eq(ip_parse("10.0.4.1", &more.addr.ip), 0);
    ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &more), -1);
    ck_assert_int_eq(remove_endpoint(&p.client, "10.0.4.1"), -1);
    pair_run_for(&p, 2 * BRAID_SECOND);           /* the peer answers four joins at a time */
    ck_assert_uint_eq(established(&p.client), 8); /* the limit of subflows */
    pair_run_for(&p, 20 * BRAID_SECOND);
    ck_assert_uint_eq(joins_sent(), 7);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("path managers of connections");
    TCase *t = tcase_create("two cores");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, fullmesh_joins_from_each_endpoint_to_each_address);
    tcase_add_test(t, without_a_path_manager_nothing_is_opened);
    tcase_add_test(t, ndiffports_joins_from_other_ports);
    tcase_add_test(t, an_endpoint_that_goes_ends_its_subflows_in_order_and_may_come_back);
    tcase_add_test(t, the_initial_address_may_go_once_there_is_another);
    tcase_add_test(t, a_path_that_does_not_answer_is_tried_less_and_less);
    tcase_add_test(t, a_path_that_is_said_to_be_back_is_used_at_once);
    tcase_add_test(t, an_announced_address_that_fails_is_left_alone_until_it_is_announced_again);
    tcase_add_loop_test(t, a_fin_from_before_an_announcement_does_not_count_against_it, 0, 2);
    tcase_add_test(t, an_address_that_is_announced_with_another_port_is_joined_there);
    tcase_add_test(t, addresses_beyond_the_limit_are_echoed_and_not_kept);
    tcase_add_test(t, a_subflow_that_the_peer_resets_for_good_is_not_opened_again);
    tcase_add_test(t, a_subflow_that_the_peer_had_no_room_for_is_opened_again_later);
    tcase_add_loop_test(t, a_connection_that_lost_all_subflows_gets_a_new_one_at_once, 0, 2);
    tcase_add_test(t, a_peer_that_closes_its_half_of_the_only_subflow_gets_a_new_one);
    tcase_add_test(t, a_connection_whose_paths_stay_away_ends_in_time);
    tcase_add_test(t, flag_c_forbids_the_initial_address_and_no_other);
    tcase_add_test(t, the_peer_no_longer_joins_an_address_that_was_withdrawn);
    tcase_add_test(t, not_more_than_two_signalling_acks_in_a_row);
    tcase_add_test(t, there_are_eight_endpoints_and_no_more);
    suite_add_tcase(s, t);
    return run_suite(s);
}
