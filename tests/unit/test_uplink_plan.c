/* What follows for an uplink from what is seen of its interface. */
#include <check.h>
#include <linux/rtnetlink.h>
#include "base/addr.h"
#include "service/uplink_plan.h"
#include "suite.h"

static struct uplink_params params;
static struct link_seen seen;
static struct uplink_state before;

static struct braid_ip ip(const char *text)
{
    struct braid_ip parsed;
    ck_assert_int_eq(ip_parse(text, &parsed), 0);
    return parsed;
}

static struct link_addr *add_address(const char *text)
{
    seen.addrs[seen.n_addrs] = (struct link_addr){.ip = ip(text), .ready = true, .global = true};
    return &seen.addrs[seen.n_addrs++];
}

static struct link_default *add_default(const char *gateway, uint32_t table, uint32_t metric)
{
    struct link_default *d = &seen.defaults[seen.n_defaults++];
    *d = (struct link_default){.table = table, .metric = metric};
    if (gateway)
        d->gateway = ip(gateway);
    d->v6 = gateway && !ip_is_v4(&d->gateway);
    return d;
}

static void setup(void)
{
    params = (struct uplink_params){.name = "dsl"};
    seen = (struct link_seen){.ifindex = 7, .carrier = true};
    before = (struct uplink_state){.ifindex = 0};
}

static struct uplink_state plan(void)
{
    return uplink_plan(&params, 1, &seen, &before);
}

static void check_outer(enum uplink_family family, const char *expected)
{
    char text[ADDR_TEXT];
    struct uplink_state s = plan();
    ck_assert_int_eq(s.ways[family].lack, UPLINK_LACKS_NOTHING);
    ck_assert_str_eq(ip_text(&s.ways[family].outer, text), expected);
}

static void check_gateway(enum uplink_family family, const char *expected)
{
    char text[ADDR_TEXT];
    struct uplink_state s = plan();
    ck_assert_int_eq(s.ways[family].lack, UPLINK_LACKS_NOTHING);
    ck_assert_str_eq(ip_text(&s.ways[family].gateway, text), expected);
}

static void check_lack(enum uplink_family family, enum uplink_lack expected)
{
    ck_assert_int_eq(plan().ways[family].lack, expected);
}

START_TEST(an_interface_with_address_and_default_route_is_usable)
{
    add_address("192.0.2.7");
    add_default("192.0.2.1", RT_TABLE_MAIN, 100);
    check_outer(UPLINK_V4, "192.0.2.7");
    check_gateway(UPLINK_V4, "192.0.2.1");
    ck_assert_int_eq(plan().ifindex, 7);
    check_lack(UPLINK_V6, UPLINK_LACKS_ADDRESS);
}
END_TEST

START_TEST(what_is_missing_is_told_the_first_of_it)
{
    check_lack(UPLINK_V4, UPLINK_LACKS_ADDRESS);
    add_address("192.0.2.7");
    check_lack(UPLINK_V4, UPLINK_LACKS_GATEWAY);
    seen.carrier = false;
    check_lack(UPLINK_V4, UPLINK_LACKS_CARRIER);
    seen.ifindex = 0;
    check_lack(UPLINK_V4, UPLINK_LACKS_INTERFACE);
}
END_TEST

START_TEST(a_link_to_a_single_peer_needs_no_gateway)
{
    add_address("192.0.2.7");
    seen.point_to_point = true;
    check_outer(UPLINK_V4, "192.0.2.7");
    ck_assert(ip_is_unspecified(&plan().ways[UPLINK_V4].gateway));
}
END_TEST

START_TEST(a_default_route_may_have_no_gateway)
{
    add_address("192.0.2.7");
    add_default(NULL, RT_TABLE_MAIN, 0);
    check_outer(UPLINK_V4, "192.0.2.7");
    ck_assert(ip_is_unspecified(&plan().ways[UPLINK_V4].gateway));
}
END_TEST

START_TEST(the_operators_gateway_counts_and_makes_a_default_route_needless)
{
    add_address("192.0.2.7");
    params.gateway[UPLINK_V4] = ip("192.0.2.9");
    check_gateway(UPLINK_V4, "192.0.2.9");
    add_default("192.0.2.1", RT_TABLE_MAIN, 0);
    check_gateway(UPLINK_V4, "192.0.2.9");
}
END_TEST

START_TEST(the_main_tables_route_comes_before_others_and_then_the_lowest_metric)
{
    add_address("192.0.2.7");
    add_default("192.0.2.3", 200, 1);
    check_gateway(UPLINK_V4, "192.0.2.3");
    add_default("192.0.2.2", RT_TABLE_MAIN, 200);
    check_gateway(UPLINK_V4, "192.0.2.2");
    add_default("192.0.2.1", RT_TABLE_MAIN, 100);
    check_gateway(UPLINK_V4, "192.0.2.1");
}
END_TEST

START_TEST(our_own_tables_are_no_source_of_a_gateway)
{
    add_address("192.0.2.7");
    add_default("192.0.2.1", UPLINK_TABLE(1), 0);
    check_lack(UPLINK_V4, UPLINK_LACKS_GATEWAY);
}
END_TEST

START_TEST(a_way_is_routed_if_our_table_has_just_that)
{
    add_address("192.0.2.7");
    add_default("192.0.2.1", RT_TABLE_MAIN, 0);
    ck_assert(!plan().routed[UPLINK_V4]);
    struct link_default *ours = add_default("192.0.2.2", UPLINK_TABLE(1), 0);
    ck_assert(!plan().routed[UPLINK_V4]); /* another gateway */
    ours->gateway = ip("192.0.2.1");
    ck_assert(plan().routed[UPLINK_V4]);
    ours->table = UPLINK_TABLE(0); /* of another uplink */
    ck_assert(!plan().routed[UPLINK_V4]);
}
END_TEST

START_TEST(families_are_kept_apart)
{
    add_address("2001:db8::7");
    add_address("192.0.2.7");
    add_default("fe80::1", RT_TABLE_MAIN, 0);
    check_gateway(UPLINK_V6, "fe80::1");
    check_lack(UPLINK_V4, UPLINK_LACKS_GATEWAY);
}
END_TEST

START_TEST(the_address_in_use_stays_as_long_as_it_is_there)
{
    params.gateway[UPLINK_V4] = ip("192.0.2.1");
    add_address("192.0.2.7");
    add_address("192.0.2.8");
    check_outer(UPLINK_V4, "192.0.2.7");
    before.ways[UPLINK_V4].outer = ip("192.0.2.8");
    check_outer(UPLINK_V4, "192.0.2.8");
    before.ways[UPLINK_V4].outer = ip("192.0.2.6");
    check_outer(UPLINK_V4, "192.0.2.7");
}
END_TEST

START_TEST(addresses_that_lead_nowhere_are_not_used)
{
    params.gateway[UPLINK_V6] = ip("fe80::1");
    add_address("fe80::7")->global = false;
    add_address("2001:db8::1")->ready = false;
    check_lack(UPLINK_V6, UPLINK_LACKS_ADDRESS);
    add_address("fd00::7");
    check_outer(UPLINK_V6, "fd00::7");
    add_address("2001:db8::2")->secondary = true; /* temporary */
    check_outer(UPLINK_V6, "2001:db8::2");
    add_address("2001:db8::3");
    check_outer(UPLINK_V6, "2001:db8::3");
}
END_TEST

START_TEST(a_deprecated_address_gives_way_even_if_it_is_in_use)
{
    params.gateway[UPLINK_V6] = ip("fe80::1");
    add_address("2001:db8::2")->waning = true;
    before.ways[UPLINK_V6].outer = ip("2001:db8::2");
    check_outer(UPLINK_V6, "2001:db8::2");
    add_address("2001:db8:1::2");
    check_outer(UPLINK_V6, "2001:db8:1::2");
}
END_TEST

START_TEST(a_change_is_one_of_lack_address_or_gateway)
{
    struct uplink_way a = {.outer = ip("192.0.2.7"), .gateway = ip("192.0.2.1")}, b = a;
    ck_assert(!uplink_way_changed(&a, &b));
    b.outer = ip("192.0.2.8");
    ck_assert(uplink_way_changed(&a, &b));
    b = a;
    b.gateway = ip("192.0.2.2");
    ck_assert(uplink_way_changed(&a, &b));
    b = a;
    b.lack = UPLINK_LACKS_CARRIER;
    ck_assert(uplink_way_changed(&a, &b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("uplink_plan");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, an_interface_with_address_and_default_route_is_usable);
    tcase_add_test(t, what_is_missing_is_told_the_first_of_it);
    tcase_add_test(t, a_link_to_a_single_peer_needs_no_gateway);
    tcase_add_test(t, a_default_route_may_have_no_gateway);
    tcase_add_test(t, the_operators_gateway_counts_and_makes_a_default_route_needless);
    tcase_add_test(t, the_main_tables_route_comes_before_others_and_then_the_lowest_metric);
    tcase_add_test(t, our_own_tables_are_no_source_of_a_gateway);
    tcase_add_test(t, a_way_is_routed_if_our_table_has_just_that);
    tcase_add_test(t, families_are_kept_apart);
    tcase_add_test(t, the_address_in_use_stays_as_long_as_it_is_there);
    tcase_add_test(t, addresses_that_lead_nowhere_are_not_used);
    tcase_add_test(t, a_deprecated_address_gives_way_even_if_it_is_in_use);
    tcase_add_test(t, a_change_is_one_of_lack_address_or_gateway);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
