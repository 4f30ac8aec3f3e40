/* Connections that begin (src/mptcp/open.c). */
#include "lone_conn.h"
#include "mptcp/known.h"

static struct wire_packet syn;
static struct braid_listen_params listener;

static void begin(void)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    lone_core(&params);
    listener = (struct braid_listen_params){.cc = cc_algorithms[0], .sched = sched_algorithms[0]};
    memset(&syn, 0, sizeof(syn));
    syn.src = lone_addr("10.0.9.1:80");
    syn.dst = lone_addr("10.0.1.2:4000");
    syn.tcp.flags = TCP_SYN;
    syn.tcp.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    syn.tcp.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
}

static struct braid_conn *open_passive(void)
{
    struct braid_conn *c = conn_open_passive(&lone.core->env, &syn, NULL, &listener, lone.now);
    ck_assert_ptr_nonnull(c);
    return c;
}

static struct braid_connect_params where(void)
{
    return (struct braid_connect_params){.local = lone_addr("10.0.1.2:4000"),
                                         .remote = lone_addr("10.0.9.1:80"),
                                         .cc = cc_algorithms[0],
                                         .sched = sched_algorithms[0]};
}

START_TEST(a_syn_makes_a_connection_that_waits_for_its_user)
{
    begin();
    const struct braid_conn *c = open_passive();
    ck_assert_int_eq(c->phase, CONN_PENDING);
    ck_assert(conn_is_mptcp(c) && c->keys.token_hashed && c->handshake.passive);
    ck_assert_uint_eq(lone.core->env.n_half_open, 1);
    ck_assert_uint_eq(lone.packets, 0); /* it is answered when the user has answered */
    lone_end();
}
END_TEST

START_TEST(without_mp_capable_or_where_it_is_not_wanted_it_is_plain_tcp)
{
    begin();
    syn.tcp.mp.has = 0;
    ck_assert_int_eq(open_passive()->mode, MODE_PLAIN);
    lone_end();
    begin();
    listener.clients = BRAID_CLIENTS_PLAIN;
    const struct braid_conn *c = open_passive();
    ck_assert(c->mode == MODE_PLAIN && !c->keys.token_hashed);
    lone_end();
}
END_TEST

START_TEST(checksums_are_used_if_either_end_wants_them_and_the_syns_flag_forbids_joins)
{
    for (unsigned i = 0; i < 4; i++) {
        begin();
        listener.checksum = i & 1;
        syn.tcp.mp.capable.flags |= i & 2 ? MPTCP_CAPABLE_CHECKSUM | MPTCP_CAPABLE_NO_JOIN : 0;
        const struct braid_conn *c = open_passive();
        ck_assert(c->dss.checksum == (i > 0) && c->join.unwanted == (i >= 2));
        lone_end();
    }
}
END_TEST

START_TEST(opening_one_sends_its_syn)
{
    begin();
    struct braid_connect_params p = where();
    const struct braid_conn *c = conn_open_active(&lone.core->env, &p, lone.now);
    ck_assert(c && conn_is_mptcp(c) && c->phase == CONN_HANDSHAKE && !c->handshake.passive);
    ck_assert_uint_eq(lone.packets, 1);
    ck_assert_uint_eq(lone_count(COUNT_MP_CAPABLE_SYN_TX), 1);
    lone_end();
    begin();
    p.plain = true;
    c = conn_open_active(&lone.core->env, &p, lone.now);
    ck_assert(c && c->mode == MODE_PLAIN);
    ck_assert_uint_eq(lone_count(COUNT_MP_CAPABLE_SYN_TX), 0);
    lone_end();
}
END_TEST

START_TEST(the_syn_carries_data_or_the_connection_is_not_opened)
{
    static const uint8_t bytes[1460];
    int64_t arrived;
    begin();
    struct braid_connect_params params = where();
    params.syn_data = bytes;
    params.syn_len = sizeof(bytes);
    struct braid_conn *c = conn_open_active(&lone.core->env, &params, lone.now);
    ck_assert_uint_eq(c->send.end - c->send.una, sizeof(bytes));
    const struct mp_subflow *s = c->subflows;
    ck_assert_uint_eq(s->tcp.syn.sent, 1420); /* options take the rest of the packet */
    ck_assert_int_eq(braid_conn_get_option(c, BRAID_OPT_SYN_DATA, &arrived), 0);
    ck_assert_int_eq(arrived, 0);
    ck_assert_int_eq(braid_conn_set_option(c, BRAID_OPT_SYN_DATA, 1), -1);
    lone_end();
    begin();
    size_t used = lone.core->env.mem.used;
    lone.core->env.mem.limit = used + 4096;
    ck_assert_ptr_null(conn_open_active(&lone.core->env, &params, lone.now));
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    ck_assert_uint_eq(lone.packets, 0);
    lone_end();
}
END_TEST

START_TEST(where_one_is_already_nothing_is_left_of_the_second)
{
    begin();
    struct braid_connect_params p = where();
    ck_assert_ptr_nonnull(conn_open_active(&lone.core->env, &p, lone.now));
    size_t used = lone.core->env.mem.used;
    ck_assert_ptr_null(conn_open_active(&lone.core->env, &p, lone.now));
    ck_assert_ptr_null(conn_open_passive(&lone.core->env, &syn, NULL, &listener, lone.now));
    ck_assert(lone.core->env.n_conns == 1 && lone.core->env.n_half_open == 0);
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    lone_end();
}
END_TEST

START_TEST(the_cores_endpoints_are_its_addresses_from_the_beginning)
{
    begin();
    lone.core->env.endpoints[0] = (struct braid_endpoint){.addr = lone_addr("10.0.2.2:0"), .subflow = true};
    lone.core->env.n_endpoints = 1;
    const struct braid_conn *c = open_passive();
    ck_assert(c->pm.known && c->pm.known->n_locals == 2);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("open");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_syn_makes_a_connection_that_waits_for_its_user);
    tcase_add_test(t, without_mp_capable_or_where_it_is_not_wanted_it_is_plain_tcp);
    tcase_add_test(t, checksums_are_used_if_either_end_wants_them_and_the_syns_flag_forbids_joins);
    tcase_add_test(t, opening_one_sends_its_syn);
    tcase_add_test(t, the_syn_carries_data_or_the_connection_is_not_opened);
    tcase_add_test(t, where_one_is_already_nothing_is_left_of_the_second);
    tcase_add_test(t, the_cores_endpoints_are_its_addresses_from_the_beginning);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
