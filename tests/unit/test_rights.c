/* Which of our addresses one connection may use (src/mptcp/rights.c). */
#include "lone_conn.h"
#include "mptcp/addr_index.h"
#include "mptcp/announce.h"
#include "mptcp/known.h"
#include "mptcp/own_addrs.h"
#include "mptcp/rights.h"

static struct braid_ip ip(const char *text)
{
    struct braid_ip out;
    ck_assert_int_eq(ip_parse(text, &out), 0);
    return out;
}

/* An endpoint of the core's. */
static void endpoint(const char *text)
{
    struct braid_endpoint e = {.addr.ip = ip(text), .subflow = true};
    ck_assert_int_eq(braid_core_endpoint_add(lone.core, &e), 0);
}

static enum braid_error allow(const char *text)
{
    struct braid_addr a = {.ip = ip(text)};
    return braid_conn_allow(lone.c, &a);
}

/* With a port. */
static enum braid_error bind_to(const char *text)
{
    struct braid_addr a = lone_addr(text);
    return braid_conn_allow(lone.c, &a);
}

static int forbid(const char *text)
{
    struct braid_ip a = ip(text);
    return braid_conn_forbid(lone.c, &a);
}

static bool uses(const char *text)
{
    struct braid_ip a = ip(text);
    int i = conn_find_local(lone.c, &a);
    return i >= 0 && (!lone.c->pm.known || lone.c->pm.known->locals[i].usable);
}

/* A connection of ours with these addresses and no others. */
static void restricted(const struct braid_addr *only, unsigned n)
{
    struct braid_connect_params p = {.local = lone_addr("10.0.1.2:4001"),
                                     .remote = lone_addr("10.0.9.1:80"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .only = only,
                                     .n_only = n};
    lone.c = braid_connect(lone.core, &p, lone.now);
    ck_assert_ptr_nonnull(lone.c);
}

START_TEST(who_says_nothing_has_all_and_keeps_nothing)
{
    lone_begin(NULL);
    endpoint("10.0.2.2");
    ck_assert(uses("10.0.2.2") && uses("10.0.1.2"));
    ck_assert_ptr_null(lone.c->pm.known->rights);
    lone_end();
}
END_TEST

START_TEST(a_connection_with_a_list_uses_that_whatever_comes_and_goes)
{
    lone_begin(NULL);
    endpoint("10.0.1.2");
    endpoint("10.0.2.2");
    const struct braid_addr only[] = {{.ip = ip("10.0.1.2")}, {.ip = ip("10.0.3.2")}};
    restricted(only, 2);
    ck_assert(uses("10.0.1.2") && !uses("10.0.2.2") && !uses("10.0.3.2"));
    endpoint("10.0.3.2"); /* it comes later */
    endpoint("10.0.4.2");
    ck_assert(uses("10.0.3.2") && !uses("10.0.4.2"));
    ck_assert_int_eq(braid_core_endpoint_remove(lone.core, &only[1].ip), 0);
    ck_assert(!uses("10.0.3.2"));
    endpoint("10.0.3.2"); /* and comes back */
    endpoint("10.0.2.2");
    ck_assert(uses("10.0.3.2") && !uses("10.0.2.2"));
    lone_end();
}
END_TEST

START_TEST(an_address_is_allowed_later_and_used_once_it_is_there)
{
    lone_begin(NULL);
    endpoint("10.0.1.2");
    endpoint("10.0.2.2");
    const struct braid_addr only[] = {{.ip = ip("10.0.1.2")}};
    restricted(only, 1);
    ck_assert_int_eq(allow("10.0.2.2"), 0);
    ck_assert(uses("10.0.2.2"));
    ck_assert_int_eq(allow("10.0.3.2"), 0);
    ck_assert(!uses("10.0.3.2"));
    endpoint("10.0.3.2");
    ck_assert(uses("10.0.3.2"));
    lone_end();
}
END_TEST

/* RFC 6897 section 5.3.3: its subflows are closed, and the peer is told. */
START_TEST(a_forbidden_address_is_withdrawn_and_stays_forbidden)
{
    lone_begin(NULL);
    endpoint("10.0.2.2");
    lone_flow("10.0.2.2:4000");
    ck_assert_int_eq(forbid("10.0.2.2"), 0);
    ck_assert(!uses("10.0.2.2") && lone.c->pm.known->departing);
    ck_assert_uint_eq(lone.c->pm.known->n_withdrawals, 1);
    endpoint("10.0.2.2"); /* the uplink has another lease: the user's word holds */
    ck_assert(!uses("10.0.2.2"));
    endpoint("10.0.3.2"); /* of others nothing was said */
    ck_assert(uses("10.0.3.2"));
    ck_assert_int_eq(allow("10.0.2.2"), 0);
    ck_assert(uses("10.0.2.2"));
    ck_assert_uint_eq(lone.c->pm.known->n_withdrawals, 0);
    lone_end();
}
END_TEST

START_TEST(the_initial_address_can_be_forbidden_and_allowed_again)
{
    lone_begin(NULL);
    ck_assert_int_eq(forbid("10.0.1.2"), 0);
    ck_assert(!uses("10.0.1.2"));
    ck_assert_int_eq(allow("10.0.1.2"), 0);
    ck_assert(uses("10.0.1.2"));
    lone_end();
}
END_TEST

/* What works is left alone. */
START_TEST(allowing_what_is_used_changes_nothing)
{
    const struct pm_ops ops = {.name = "test", .opens = true};
    lone_begin(NULL);
    lone.c->pm.ops = &ops;
    endpoint("10.0.2.2");
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    s->silence.stale = true; /* one that endpoint_add would reset */
    ck_assert_int_eq(allow("10.0.2.2"), 0);
    ck_assert(!s->closing.reset_due);
    lone_end();
}
END_TEST

START_TEST(there_is_room_for_sixteen_words)
{
    lone_begin(NULL);
    char text[] = "10.0.2.0";
    size_t used = 0;
    for (unsigned i = 0; i < RIGHTS_MAX; i++) {
        text[5] = (char)('2' + i / 8);
        text[7] = (char)('0' + i % 8);
        ck_assert_int_eq(forbid(text), 0);
        ck_assert_int_eq(forbid(text), 0); /* the same again takes no place */
        used = used ? used : lone.core->env.mem.used;
    }
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    ck_assert_int_eq(forbid("10.0.9.9"), -1);
    ck_assert_int_eq(allow("10.0.2.0"), 0);
    lone_end();
}
END_TEST

static uint16_t port_of(const char *text)
{
    struct braid_ip a = ip(text);
    return conn_bound_port(lone.c, &a);
}

/* RFC 6897 section 5.3.3: a port that is named is the one, from the beginning or from now on. */
START_TEST(a_port_goes_with_the_address_until_it_is_named_anew)
{
    lone_begin(NULL);
    endpoint("10.0.2.2");
    ck_assert_uint_eq(port_of("10.0.2.2"), 0);
    const struct braid_addr only[] = {lone_addr("10.0.1.2:4001"), lone_addr("10.0.2.2:50000")};
    restricted(only, 2);
    ck_assert(port_of("10.0.1.2") == 4001 && port_of("10.0.2.2") == 50000 && port_of("10.0.3.2") == 0);
    ck_assert_int_eq(bind_to("10.0.2.2:50001"), BRAID_ERROR_NONE);
    ck_assert_uint_eq(port_of("10.0.2.2"), 50001);
    ck_assert_int_eq(allow("10.0.2.2"), BRAID_ERROR_NONE);
    ck_assert_uint_eq(port_of("10.0.2.2"), 0);
    bind_to("10.0.2.2:50002");
    forbid("10.0.2.2");
    ck_assert_uint_eq(port_of("10.0.2.2"), 0);
    lone_end();
}
END_TEST

START_TEST(a_port_that_somebody_else_has_is_not_to_be_had)
{
    lone_begin(NULL);
    endpoint("10.0.2.2");
    lone_flow("10.0.2.2:50000"); /* ours already */
    ck_assert_int_eq(bind_to("10.0.2.2:50000"), BRAID_ERROR_NONE);
    const struct braid_addr only[] = {lone_addr("10.0.1.2:4001")};
    struct braid_conn *first = lone.c;
    restricted(only, 1);
    lone.c->addresses.remote = first->addresses.remote; /* the same peer */
    ck_assert_int_eq(bind_to("10.0.2.2:50000"), BRAID_ERROR_TAKEN);
    ck_assert_uint_eq(port_of("10.0.2.2"), 0);
    ck_assert(!uses("10.0.2.2"));
    ck_assert_int_eq(bind_to("10.0.2.2:50001"), BRAID_ERROR_NONE);
    lone_end();
}
END_TEST

static bool joined_at(const char *text)
{
    struct braid_ip a = ip(text);
    return conn_may_be_joined_at(lone.c, &a);
}

START_TEST(nobody_joins_where_nothing_is_to_be_used)
{
    lone_begin(NULL);
    endpoint("10.0.2.2");
    ck_assert(joined_at("10.0.1.2") && joined_at("10.0.2.2") && joined_at("10.0.9.9"));
    forbid("10.0.2.2");
    forbid("10.0.9.9");
    ck_assert(joined_at("10.0.1.2") && !joined_at("10.0.2.2") && !joined_at("10.0.9.9"));
    allow("10.0.2.2");
    ck_assert(joined_at("10.0.2.2"));
    struct braid_ip gone = ip("10.0.2.2");
    ck_assert_int_eq(braid_core_endpoint_remove(lone.core, &gone), 0);
    ck_assert(!joined_at("10.0.2.2"));
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rights");
    TCase *t = tcase_create("all");
    tcase_add_test(t, who_says_nothing_has_all_and_keeps_nothing);
    tcase_add_test(t, a_connection_with_a_list_uses_that_whatever_comes_and_goes);
    tcase_add_test(t, an_address_is_allowed_later_and_used_once_it_is_there);
    tcase_add_test(t, a_forbidden_address_is_withdrawn_and_stays_forbidden);
    tcase_add_test(t, the_initial_address_can_be_forbidden_and_allowed_again);
    tcase_add_test(t, allowing_what_is_used_changes_nothing);
    tcase_add_test(t, there_is_room_for_sixteen_words);
    tcase_add_test(t, a_port_goes_with_the_address_until_it_is_named_anew);
    tcase_add_test(t, a_port_that_somebody_else_has_is_not_to_be_had);
    tcase_add_test(t, nobody_joins_where_nothing_is_to_be_used);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
