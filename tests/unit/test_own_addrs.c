/* Our addresses, as the user gives and takes them (src/mptcp/own_addrs.c), where they stand
 * (src/mptcp/addr_index.c), and what there is of a connection's knowledge of addresses (src/mptcp/known.c).
 */
#include "lone_conn.h"
#include "mptcp/addr_index.h"
#include "mptcp/announce.h"
#include "mptcp/known.h"
#include "mptcp/own_addrs.h"

static int give(const char *addr)
{
    struct braid_endpoint e = {.addr = lone_addr(addr), .subflow = true};
    return conn_endpoint_add(lone.c, &e);
}

static int take(const char *addr)
{
    struct braid_addr a = lone_addr(addr);
    return conn_endpoint_remove(lone.c, &a.ip);
}

static uint8_t id_of(const char *addr)
{
    struct braid_addr a = lone_addr(addr);
    return conn_local_id(lone.c, &a.ip);
}

static int index_of(const char *addr)
{
    struct braid_addr a = lone_addr(addr);
    return conn_find_local(lone.c, &a.ip);
}

START_TEST(a_connection_with_one_address_knows_nothing)
{
    lone_begin(NULL);
    ck_assert_ptr_null(lone.c->pm.known);
    ck_assert_int_eq(index_of("10.0.1.2:0"), 0);
    ck_assert_uint_eq(id_of("10.0.1.2:0"), 0);
    ck_assert_int_eq(index_of("10.0.2.2:0"), -1);
    ck_assert_uint_eq(flow_local_index(lone.s), 0);
    ck_assert_uint_eq(flow_remote_index(lone.s), 0);
    lone_end();
}
END_TEST

START_TEST(what_says_nothing_is_freed_and_what_says_something_is_not)
{
    lone_begin(NULL);
    size_t used = lone.core->env.mem.used;
    ck_assert_ptr_nonnull(conn_know(lone.c));
    ck_assert_uint_gt(lone.core->env.mem.used, used);
    conn_know_less(lone.c);
    ck_assert_ptr_null(lone.c->pm.known);
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    give("10.0.2.2:0");
    conn_know_less(lone.c);
    ck_assert_ptr_nonnull(lone.c->pm.known);
    conn_know_nothing(lone.c);
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    lone_end();
}
END_TEST

/* Addresses that were announced to nobody, and that joins go to or come from all the same. */
START_TEST(ids_of_other_addresses_go_round_and_are_never_shared)
{
    lone_begin(NULL);
    struct mp_subflow *kept = lone_flow("10.0.2.2:4000");
    kept->ids.local = id_of("10.0.3.2:0");
    ck_assert_uint_ge(kept->ids.local, 100);
    ck_assert_uint_eq(id_of("10.0.2.2:0"), kept->ids.local); /* one address, one ID */
    bool again = false;
    for (unsigned i = 0, first = 0; i < 400; i++) {
        uint8_t id = id_of("10.0.3.2:0");
        must(id >= 100 && id != kept->ids.local);
        first = i == 0 ? id : first;
        again = again || (i > 0 && id == first);
        lone.c->next_subflow_id++;
    }
    ck_assert(again);
    lone_end();
}
END_TEST

START_TEST(ids_go_round_and_are_never_shared)
{
    lone_begin(NULL);
    ck_assert_int_eq(give("10.0.2.2:0"), 0);
    uint8_t kept = id_of("10.0.2.2:0"), last = kept;
    ck_assert_uint_eq(kept, 1);
    for (unsigned i = 0; i < 250; i++) {
        char addr[] = "10.0.3.000:0";
        addr[7] = (char)('0' + i / 100);
        addr[8] = (char)('0' + i / 10 % 10);
        addr[9] = (char)('0' + i % 10);
        if (i < 100)
            memmove(addr + 7, i < 10 ? addr + 9 : addr + 8, i < 10 ? 4 : 5);
        ck_assert_int_eq(give(addr), 0);
        uint8_t id = id_of(addr);
        must(id >= 1 && id <= 99 && id != kept && id != last);
        last = id;
        ck_assert_int_eq(take(addr), 0);
    }
    ck_assert_uint_eq(id_of("10.0.2.2:0"), kept);
    lone_end();
}
END_TEST

START_TEST(there_is_room_for_eight_and_for_others_when_they_have_gone)
{
    lone_begin(NULL);
    char addr[] = "10.0.2.0:0";
    for (char i = '0'; i < '8'; i++) {
        addr[7] = i;
        ck_assert_int_eq(give(addr), 0);
    }
    ck_assert_int_eq(give("10.0.3.1:0"), -1);
    struct mp_subflow *user = lone_flow("10.0.2.5:4000");
    ck_assert_int_eq(take("10.0.2.5:0"), 0);
    ck_assert_int_eq(give("10.0.3.1:0"), -1); /* its subflow is still there */
    flow_free(user);
    ck_assert_int_eq(give("10.0.3.1:0"), 0);
    ck_assert_int_eq(index_of("10.0.2.5:0"), -1);
    lone_end();
}
END_TEST

START_TEST(only_what_the_peer_knows_is_withdrawn_from_it)
{
    lone_begin(NULL);
    give("10.0.2.2:0");
    give("10.0.3.2:0");
    give("10.0.4.2:0");
    lone_flow("10.0.3.2:4000");
    conn_announce(lone.c, (unsigned)index_of("10.0.4.2:0"));
    ck_assert_int_eq(take("10.0.2.2:0"), 0);
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 0);
    ck_assert_int_eq(take("10.0.3.2:0"), 0); /* it has a subflow */
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 1);
    ck_assert_int_eq(take("10.0.4.2:0"), 0); /* it was announced */
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 2);
    lone.s->closing.dead = true;
    ck_assert_int_eq(take("10.0.1.2:0"), 0); /* the initial one, which has no subflow any more */
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 3);
    ck_assert_int_eq(take("10.0.4.2:0"), -1); /* has gone already */
    ck_assert_int_eq(take("10.0.9.2:0"), -1);
    ck_assert_int_eq(give("10.0.4.2:0"), 0);
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 2);
    lone_end();
}
END_TEST

START_TEST(an_address_that_is_back_renews_its_subflows_for_who_opens_some)
{
    for (unsigned opens = 0; opens < 2; opens++) {
        const struct pm_ops ops = {.name = "test", .opens = opens};
        lone_begin(NULL);
        lone.c->pm.ops = &ops;
        give("10.0.2.2:0");
        struct mp_subflow *s = lone_flow("10.0.2.2:4000");
        give("10.0.2.2:0"); /* was there all the time, and its subflow works */
        ck_assert(!s->closing.reset_due);
        s->silence.stale = true;
        give("10.0.2.2:0");
        ck_assert(s->closing.reset_due == opens && !lone.s->closing.reset_due);
        ck_assert(s->closing.bygone);
        lone_end();
    }
}
END_TEST

START_TEST(other_addresses_get_ids_beyond_those_of_endpoints)
{
    lone_begin(NULL);
    uint8_t id = id_of("10.0.7.2:0");
    ck_assert_uint_ge(id, 100);
    struct mp_subflow *s = lone_flow("10.0.7.2:4000");
    s->ids.local = id;
    ck_assert_uint_eq(id_of("10.0.7.2:0"), id); /* the same for the next subflow from there */
    ck_assert_uint_ne(id_of("10.0.8.2:0"), id);
    lone_end();
}
END_TEST

START_TEST(only_subflows_from_the_address_are_asked_for_a_sign_of_life)
{
    lone_begin(NULL);
    struct mp_subflow *other = lone_flow("10.0.2.2:4000");
    struct braid_addr first = lone_addr("10.0.1.2:0"), nobody = lone_addr("10.0.7.2:0");
    lone.packets = 0;
    braid_core_ask(lone.core, &nobody.ip, lone.now);
    ck_assert_uint_eq(lone.packets, 0);
    braid_core_ask(lone.core, &first.ip, lone.now);
    ck_assert_uint_eq(lone.packets, 1);
    braid_core_ask(lone.core, &other->tcp.local.ip, lone.now);
    ck_assert_uint_eq(lone.packets, 2);
    other->closing.dead = true;
    braid_core_ask(lone.core, &other->tcp.local.ip, lone.now);
    ck_assert_uint_eq(lone.packets, 2);
    other->closing.dead = false;
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("own_addrs");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_connection_with_one_address_knows_nothing);
    tcase_add_test(t, what_says_nothing_is_freed_and_what_says_something_is_not);
    tcase_add_test(t, ids_of_other_addresses_go_round_and_are_never_shared);
    tcase_add_test(t, ids_go_round_and_are_never_shared);
    tcase_add_test(t, there_is_room_for_eight_and_for_others_when_they_have_gone);
    tcase_add_test(t, only_what_the_peer_knows_is_withdrawn_from_it);
    tcase_add_test(t, an_address_that_is_back_renews_its_subflows_for_who_opens_some);
    tcase_add_test(t, other_addresses_get_ids_beyond_those_of_endpoints);
    tcase_add_test(t, only_subflows_from_the_address_are_asked_for_a_sign_of_life);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
