/* When the peer hears of an address that the user takes away (RFC 6897 section 5.3.3): src/mptcp/own_addrs.c,
 * announce.c and path_manager.c together, between two cores. */
#include "pair.h"

extern const struct pm_ops pm_fullmesh;

static struct pair p;
static unsigned withdrawals, subflows_then; /* how many the client had at the first of them */

static unsigned subflows(const struct side *s)
{
    struct braid_conn_stats st;
    braid_conn_stats(s->conn, &st);
    return st.n_subflows;
}

static bool note_withdrawals(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    if (!to_server && (w.tcp.mp.has & MPTCP_HAS(MPTCP_REMOVE_ADDR)) && withdrawals++ == 0)
        subflows_then = subflows(&q->client);
    return true;
}

static void begin(void)
{
    withdrawals = subflows_then = 0;
    pair_init(&p, false, NULL, 0);
    p.pm = &pm_fullmesh;
    p.tap = note_withdrawals;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
}

static void announce(const char *text)
{
    const struct braid_addr a = pair_addr(text);
    ck_assert_int_eq(braid_conn_announce(p.server.conn, &a), 0);
}

static void forbid(const char *text)
{
    const struct braid_addr a = pair_addr(text);
    ck_assert_int_eq(braid_conn_forbid(p.server.conn, &a.ip), 0);
}

static bool is_at(const char *text)
{
    const struct braid_addr a = pair_addr(text);
    struct braid_conn_stats st;
    braid_conn_stats(p.server.conn, &st);
    return st.n_subflows == 1 && ip_equal(&st.subflows[0].local.ip, &a.ip);
}

/* Who hears of the removal may leave. */
START_TEST(the_only_address_is_withdrawn_when_there_is_another)
{
    begin();
    forbid("10.0.9.1:80");
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(withdrawals, 0);
    pair_transfer(&p, &p.client, 100000, BRAID_SECOND);
    announce("10.0.9.2:80");
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(withdrawals, 3);
    ck_assert_uint_eq(subflows_then, 2);
    ck_assert(is_at("10.0.9.2:80"));
    pair_transfer(&p, &p.server, 100000, BRAID_SECOND);
    pair_free(&p);
}
END_TEST

START_TEST(one_of_two_is_withdrawn_at_once)
{
    begin();
    announce("10.0.9.2:80");
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(subflows(&p.server), 2);
    forbid("10.0.9.1:80");
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(withdrawals, 1);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert(is_at("10.0.9.2:80"));
    pair_free(&p);
}
END_TEST

START_TEST(what_is_allowed_again_is_not_withdrawn)
{
    const struct braid_addr first = pair_addr("10.0.9.1:80"), without_port = {.ip = first.ip};
    begin();
    forbid("10.0.9.1:80");
    ck_assert_int_eq(braid_conn_allow(p.server.conn, &without_port), BRAID_ERROR_NONE);
    announce("10.0.9.2:80");
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(withdrawals, 0);
    ck_assert_uint_eq(subflows(&p.server), 2);
    pair_free(&p);
}
END_TEST

/* Nobody is there: the client has heard of it, but has not come. */
START_TEST(what_carries_nothing_is_withdrawn_at_once)
{
    begin();
    announce("10.0.77.1:80");
    pair_run_for(&p, 100 * BRAID_MS);
    forbid("10.0.77.1:80");
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(withdrawals, 1);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("withdrawn");
    TCase *t = tcase_create("addresses");
    tcase_add_test(t, the_only_address_is_withdrawn_when_there_is_another);
    tcase_add_test(t, one_of_two_is_withdrawn_at_once);
    tcase_add_test(t, what_is_allowed_again_is_not_withdrawn);
    tcase_add_test(t, what_carries_nothing_is_withdrawn_at_once);
    suite_add_tcase(s, t);
    return run_suite(s);
}
