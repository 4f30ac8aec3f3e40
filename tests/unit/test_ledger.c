/* The ledger: what stands in it of a core's subflows, and what the core that follows a crash makes of it. A
 * crash is a copy of the ledger, and the end of the core that had it. */
#include <braid/ledger.h>
#include "pair.h"

#define ENTRIES 4

static struct pair p;
static struct braid_ledger *ledger;
static unsigned to_client, to_server; /* packets while `cut` decides ... */
static bool cut;                      /* ... that none arrives */

static bool count_packets(struct pair *at, bool server, uint8_t *packet, size_t len)
{
    (void)at, (void)packet, (void)len;
    (*(server ? &to_server : &to_client))++;
    return !cut;
}

static void new_server(void)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    ledger = calloc(1, sizeof(*ledger) + ENTRIES * sizeof(ledger->entries[0]));
    ledger->size = ENTRIES;
    params.ledger = ledger;
    pair_new_core(&p, &p.server, &params);
    struct braid_listen_params l = pair_listen_params(&p);
    p.listener = braid_listen(p.server.core, &l);
    ck_assert_ptr_nonnull(p.listener);
}

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
    braid_core_free(p.server.core);
    new_server();
    to_client = to_server = 0;
    cut = false;
    p.tap = count_packets;
}

static void teardown(void)
{
    pair_free(&p);
    free(ledger);
}

static unsigned used(void)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < ledger->top; i++)
        n += ledger->entries[i].used;
    return n;
}

/* The server's core ends without a word; the one that follows gets to know what was left. */
static unsigned crash(void)
{
    struct braid_ledger *left = ledger;
    size_t bytes = sizeof(*left) + ENTRIES * sizeof(left->entries[0]);
    struct braid_ledger *copy = malloc(bytes);
    memcpy(copy, left, bytes);
    braid_core_free(p.server.core);
    free(left);
    new_server();
    unsigned n = 0;
    for (uint32_t i = 0; i < copy->top; i++) {
        if (copy->entries[i].used)
            n += braid_core_orphan(p.server.core, &copy->entries[i], p.now) == 0;
    }
    free(copy);
    return n;
}

static void connect_and_talk(bool plain)
{
    pair_connect(&p, plain);
    pair_run_for(&p, 100 * BRAID_MS);
    pair_transfer(&p, &p.client, 3000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 5000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
}

START_TEST(subflows_stand_in_it_while_they_live)
{
    connect_and_talk(false);
    ck_assert_uint_eq(used(), 1);
    const struct braid_ledger_entry *e = &ledger->entries[0];
    struct braid_addr client = pair_addr("10.0.1.2:4000");
    ck_assert(addr_equal(&e->remote, &client) && e->mptcp && e->peer_key != 0);
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_uint_eq(used(), 2);
    braid_conn_close(p.client.conn);
    braid_conn_close(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(used(), 0);
    ck_assert_uint_eq(ledger->entries[0].peer_key, 0);
}
END_TEST

START_TEST(entries_are_used_again_and_too_many_subflows_do_no_harm)
{
    connect_and_talk(false);
    char local[] = "10.0.2.2:4001";
    for (unsigned i = 0; i < ENTRIES; i++, local[sizeof(local) - 2]++)
        pair_join(&p, local, false);
    ck_assert_uint_eq(used(), ENTRIES);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, ENTRIES + 1);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, 1), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(used(), ENTRIES); /* the one that had no entry has got one */
    pair_transfer(&p, &p.client, 100000, BRAID_SECOND);
}
END_TEST

START_TEST(an_idle_peer_is_asked_and_then_told_at_once)
{
    connect_and_talk(false);
    ck_assert_uint_eq(crash(), 1);
    pair_run_for(&p, 6 * PAIR_DELAY);
    ck_assert(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_RESET);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_FASTCLOSE_RX), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_ORPHANS), 1);
}
END_TEST

START_TEST(every_subflow_is_told)
{
    connect_and_talk(false);
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_uint_eq(crash(), 2);
    pair_run_for(&p, 6 * PAIR_DELAY);
    ck_assert(p.client.closed);
    struct braid_core_stats st;
    braid_core_stats(p.client.core, &st);
    ck_assert_uint_eq(st.subflows, 0);
}
END_TEST

START_TEST(a_peer_of_plain_tcp_gets_a_rst)
{
    connect_and_talk(true);
    ck_assert_uint_eq(ledger->entries[0].mptcp, 0);
    ck_assert_uint_eq(crash(), 1);
    pair_run_for(&p, 6 * PAIR_DELAY);
    ck_assert(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_RESET);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_FASTCLOSE_TX), 0);
}
END_TEST

START_TEST(a_peer_that_cannot_be_reached_is_asked_seven_times_in_two_minutes_and_forgotten)
{
    connect_and_talk(false);
    braid_core_free(p.client.core); /* so that nothing but what is asked is on the wire */
    struct braid_core_params params;
    braid_core_params_default(&params);
    pair_new_core(&p, &p.client, &params);
    to_client = 0;
    cut = true;
    ck_assert_uint_eq(crash(), 1);
    pair_run_for(&p, 63 * BRAID_SECOND + BRAID_MS);
    ck_assert_uint_eq(to_client, 7);
    struct braid_core_stats st;
    braid_core_stats(p.server.core, &st);
    ck_assert_uint_eq(st.time_wait, 1);
    pair_run_for(&p, 65 * BRAID_SECOND);
    ck_assert_uint_eq(to_client, 7);
    braid_core_stats(p.server.core, &st);
    ck_assert_uint_eq(st.time_wait, 0);
    ck_assert_uint_eq(st.memory, 0);
}
END_TEST

START_TEST(a_peer_whose_path_was_cut_is_told_when_it_sends)
{
    connect_and_talk(false);
    cut = true;
    ck_assert_uint_eq(crash(), 1);
    pair_run_for(&p, 500 * BRAID_MS);
    ck_assert(!p.client.closed);
    cut = false;
    side_write(&p.client, 100);
    pair_run_for(&p, 300 * BRAID_MS);
    ck_assert(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_RESET);
}
END_TEST

START_TEST(a_syn_with_the_same_ports_is_a_new_connection)
{
    connect_and_talk(false);
    cut = true;
    ck_assert_uint_eq(crash(), 1);
    pair_run_for(&p, 100 * BRAID_MS);
    braid_core_free(p.client.core);
    struct braid_core_params params;
    braid_core_params_default(&params);
    pair_new_core(&p, &p.client, &params);
    cut = false;
    connect_and_talk(false);
    ck_assert(p.client.established && !p.client.closed);
    ck_assert_uint_eq(used(), 1);
}
END_TEST

START_TEST(an_orphan_does_not_take_the_place_of_a_living_subflow)
{
    connect_and_talk(false);
    struct braid_ledger_entry e = ledger->entries[0];
    ck_assert_int_eq(braid_core_orphan(p.server.core, &e, p.now), -1);
    e.remote.port++;
    ck_assert_int_eq(braid_core_orphan(p.server.core, &e, p.now), 0);
    ck_assert_int_eq(braid_core_orphan(p.server.core, &e, p.now), -1);
    pair_transfer(&p, &p.client, 3000, BRAID_SECOND);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("ledger");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, subflows_stand_in_it_while_they_live);
    tcase_add_test(t, entries_are_used_again_and_too_many_subflows_do_no_harm);
    tcase_add_test(t, an_idle_peer_is_asked_and_then_told_at_once);
    tcase_add_test(t, every_subflow_is_told);
    tcase_add_test(t, a_peer_of_plain_tcp_gets_a_rst);
    tcase_add_test(t, a_peer_that_cannot_be_reached_is_asked_seven_times_in_two_minutes_and_forgotten);
    tcase_add_test(t, a_peer_whose_path_was_cut_is_told_when_it_sends);
    tcase_add_test(t, a_syn_with_the_same_ports_is_a_new_connection);
    tcase_add_test(t, an_orphan_does_not_take_the_place_of_a_living_subflow);
    Suite *s = suite_create("ledger");
    suite_add_tcase(s, t);
    return run_suite(s);
}
