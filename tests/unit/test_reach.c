/* Which servers a transparent edge connects to. */
#include "base/addr.h"
#include "role/reach.h"
#include "suite.h"

static struct reach_rule rules[REACH_RULES_MAX];
static unsigned n_rules;

static struct braid_ip ip(const char *text)
{
    struct braid_ip out;
    ck_assert_int_eq(ip_parse(text, &out), 0);
    return out;
}

static void rule(bool allow, const char *prefix, unsigned bits)
{
    rules[n_rules++] = (struct reach_rule){.prefix = ip(prefix), .bits = (uint8_t)bits, .allow = allow};
}

static bool allows(const char *text, bool local)
{
    struct braid_ip address = ip(text);
    return reach_allows(rules, n_rules, &address, local);
}

static const char *const ordinary[] = {"192.0.2.1",   "10.1.2.3", "100.64.0.1", "172.16.0.1", "192.168.1.1",
                                       "2001:db8::1", "fd00::1",  "128.0.0.1",  "2001:f::1",  "2001:30::1"};
static const char *const special[] = {"127.0.0.1",  "127.9.9.9",       "169.254.169.254",
                                      "0.1.2.3",    "224.0.0.1",       "255.255.255.255",
                                      "240.0.0.1",  "100.100.100.200", "::1",
                                      "::",         "::127.0.0.1",     "fe80::1",
                                      "febf::1",    "ff02::1",         "fd00:ec2::254",
                                      "2001:10::1", "2001:20::1",      "2001:2f:ffff::1"};

START_TEST(without_rules_all_but_special_and_own_addresses)
{
    n_rules = 0;
    for (unsigned i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
        ck_assert_msg(allows(ordinary[i], false), "%s", ordinary[i]);
        ck_assert_msg(!allows(ordinary[i], true), "%s", ordinary[i]);
    }
    for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        ck_assert_msg(!allows(special[i], false), "%s", special[i]);
}
END_TEST

START_TEST(everything_is_not_what_is_special)
{
    n_rules = 0;
    rule(true, "0.0.0.0", 96);
    rule(true, "::", 0);
    for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        ck_assert_msg(!allows(special[i], false), "%s", special[i]);
    ck_assert(allows("192.0.2.1", false) && allows("2001:db8::1", false) && !allows("192.0.2.1", true));
}
END_TEST

START_TEST(what_is_named_is_allowed)
{
    n_rules = 0;
    rule(true, "127.0.0.1", 128);
    rule(true, "169.254.0.0", 112);
    rule(true, "fe80::", 10);
    rule(true, "192.0.2.1", 128);
    ck_assert(allows("127.0.0.1", true) && allows("127.0.0.1", false) && !allows("127.0.0.2", false));
    ck_assert(allows("169.254.169.254", false) && allows("fe80::7", false) && !allows("fe80::7", true));
    ck_assert(allows("192.0.2.1", true) && !allows("192.0.2.2", false) && !allows("2001:db8::1", false));
}
END_TEST

START_TEST(the_first_that_matches_counts)
{
    n_rules = 0;
    rule(false, "10.0.0.5", 128);
    rule(true, "10.0.0.0", 104);
    rule(false, "10.1.0.0", 112);
    ck_assert(!allows("10.0.0.5", false) && allows("10.0.0.6", false) && allows("10.1.0.1", false));
    ck_assert(!allows("192.0.2.1", false));
}
END_TEST

START_TEST(where_all_forbid_the_others_are_allowed)
{
    n_rules = 0;
    rule(false, "10.0.0.0", 104);
    ck_assert(!allows("10.0.0.5", false) && allows("192.0.2.1", false) && !allows("127.0.0.1", false));
}
END_TEST

START_TEST(special_addresses_are_told_from_others)
{
    struct braid_ip ip;
    for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        ck_assert_int_eq(ip_parse(special[i], &ip), 0);
        ck_assert_msg(reach_is_special(&ip, false), "%s", special[i]);
    }
    ck_assert_int_eq(ip_parse("192.0.2.1", &ip), 0);
    ck_assert(!reach_is_special(&ip, false) && reach_is_special(&ip, true));
}
END_TEST

/* As for a converter's clients, among whom none is special. */
START_TEST(a_list_of_clients_knows_only_its_rules)
{
    struct braid_ip ip;
    n_rules = 0;
    rule(false, "127.0.0.2", 128);
    rule(true, "127.0.0.0", 104);
    ck_assert_int_eq(ip_parse("127.0.0.1", &ip), 0);
    ck_assert(reach_first(rules, n_rules, &ip, false));
    ck_assert_int_eq(ip_parse("127.0.0.2", &ip), 0);
    ck_assert(!reach_first(rules, n_rules, &ip, true));
    ck_assert_int_eq(ip_parse("192.0.2.1", &ip), 0);
    ck_assert(!reach_first(rules, n_rules, &ip, false) && reach_first(rules, n_rules, &ip, true));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reach");
    TCase *t = tcase_create("rules");
    tcase_add_test(t, without_rules_all_but_special_and_own_addresses);
    tcase_add_test(t, everything_is_not_what_is_special);
    tcase_add_test(t, what_is_named_is_allowed);
    tcase_add_test(t, the_first_that_matches_counts);
    tcase_add_test(t, where_all_forbid_the_others_are_allowed);
    tcase_add_test(t, special_addresses_are_told_from_others);
    tcase_add_test(t, a_list_of_clients_knows_only_its_rules);
    suite_add_tcase(s, t);
    return run_suite(s);
}
