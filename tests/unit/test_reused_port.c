/* A core whose only port towards a peer is that of a connection which has just ended: when it may have the
 * port again (src/core/demux.c), and that the peer takes the new SYN, whatever it remembers. */
#include "pair.h"

static struct pair p;

/* The client keeps TIME_WAIT for a minute, and has one port. */
static void begin(void)
{
    struct braid_core_params params;
    pair_init(&p, false, NULL, 0);
    braid_core_free(p.client.core);
    braid_core_params_default(&params);
    params.port_first = params.port_last = 5000;
    pair_new_core(&p, &p.client, &params);
}

/* False: there is no port. */
static bool connect_again(void)
{
    struct braid_connect_params c = {.local = {.ip = pair_addr("10.0.1.2:1").ip},
                                     .remote = pair_addr("10.0.9.1:80"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &pair_ops,
                                     .user = &p.client};
    p.client.established = p.client.closed = p.server.closed = false;
    p.client.sent = p.client.received = p.server.sent = p.server.received = 0;
    p.client.conn = braid_connect(p.client.core, &c, p.now);
    ck_assert(p.client.conn || braid_core_error(p.client.core) == BRAID_ERROR_PORTS);
    return p.client.conn;
}

static uint64_t remembered(void)
{
    struct braid_core_stats st;
    braid_core_stats(p.client.core, &st);
    return st.time_wait;
}

/* A connection that the client has closed first. */
static void use_up(void)
{
    ck_assert(connect_again());
    pair_run(&p, p.now + BRAID_SECOND, &p.client.established);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, 50 * BRAID_MS);
    braid_conn_shutdown(p.server.conn);
    pair_run(&p, p.now + BRAID_SECOND, &p.client.closed);
    ck_assert(p.client.closed);
}

static void expect_at_once(braid_time within)
{
    ck_assert(connect_again());
    pair_run(&p, p.now + within, &p.client.established);
    ck_assert(p.client.established);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    ck_assert_uint_eq(remembered(), 0);
}

START_TEST(a_port_in_time_wait_is_had_again_after_a_second)
{
    begin();
    use_up();
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(remembered(), 1);
    ck_assert(!connect_again());
    pair_run_for(&p, 850 * BRAID_MS);
    ck_assert(!connect_again());
    pair_run_for(&p, 100 * BRAID_MS);
    expect_at_once(2 * PAIR_DELAY);
    pair_free(&p);
}
END_TEST

#define FLAGS 33 /* where they are behind an IPv4 header */

/* The client's FIN arrives, and its ACK of the server's does not, however often that one comes. */
static bool lose_last_ack(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return to_server ? (packet[FLAGS] & TCP_FIN) != 0 : remembered() == 0;
}

/* The peer's FIN was never acknowledged: it answers the SYN with a challenge, and takes the next one. */
START_TEST(a_peer_in_last_ack_costs_one_round_trip)
{
    begin();
    use_up();
    p.tap = lose_last_ack;
    pair_run_for(&p, BRAID_SECOND + 100 * BRAID_MS);
    p.tap = NULL;
    expect_at_once(6 * PAIR_DELAY);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_CHALLENGE_ACK), 1);
    pair_free(&p);
}
END_TEST

/* Without timestamps nothing tells the peer that the SYN is no old one. */
static bool drop_timestamps(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    /* its checksum is not looked at (pair_output) */
    for (size_t i = 40; to_server && i + 10 <= len; i++)
        if (packet[FLAGS] & TCP_SYN && packet[i] == 8 && packet[i + 1] == 10) {
            memset(packet + i, 1, 10);
            break;
        }
    return true;
}

START_TEST(without_timestamps_it_is_kept_for_all_of_its_time)
{
    begin();
    p.tap = drop_timestamps;
    use_up();
    pair_run_for(&p, 50 * BRAID_SECOND);
    ck_assert_uint_eq(remembered(), 1);
    ck_assert(!connect_again());
    pair_run_for(&p, 20 * BRAID_SECOND);
    p.tap = NULL;
    expect_at_once(2 * PAIR_DELAY);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reused port");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_port_in_time_wait_is_had_again_after_a_second);
    tcase_add_test(t, a_peer_in_last_ack_costs_one_round_trip);
    tcase_add_test(t, without_timestamps_it_is_kept_for_all_of_its_time);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
