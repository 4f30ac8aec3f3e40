/* access: which clients an edge serves (src/role/access.c), as the configuration says it. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "conf/conf.h"
#include "suite.h"
#include "role/access.h"

static struct conf conf;

static const struct access *access_of(const char *keys)
{
    char text[512], err[CONF_ERROR_MAX];
    snprintf(text, sizeof(text), "[edge web]\nlisten = 10.99.9.1:80\ntarget = 10.99.3.2:80\n%s", keys);
    ck_assert_msg(conf_parse("x", text, strlen(text), &conf, err, sizeof(err)) == 0, "%s", err);
    return &conf.edges[0].access;
}

static bool serves(const char *keys, const char *client)
{
    struct braid_ip ip;
    ck_assert_int_eq(ip_parse(client, &ip), 0);
    bool allowed = access_allows(access_of(keys), &ip);
    conf_free(&conf);
    return allowed;
}

START_TEST(without_lists_everybody_is_served)
{
    ck_assert(serves("", "203.0.113.7") && serves("", "2001:db8::1"));
}
END_TEST

START_TEST(with_an_allow_list_nobody_else_is)
{
    static const char keys[] = "allow = !203.0.113.7, 203.0.113.0/24, 2001:db8:7::/48\n";
    ck_assert(serves(keys, "203.0.113.8") && !serves(keys, "203.0.113.7") && !serves(keys, "198.51.100.1"));
    ck_assert(serves(keys, "2001:db8:7::1") && !serves(keys, "2001:db8:8::1"));
    ck_assert(serves("allow = !203.0.113.7\n", "203.0.113.8"));
}
END_TEST

START_TEST(the_first_that_matches_counts_whatever_is_longer)
{
    static const char keys[] = "allow = 203.0.113.0/24, !203.0.113.7\n";
    ck_assert(serves(keys, "203.0.113.7"));
}
END_TEST

START_TEST(deny_comes_before_allow)
{
    static const char keys[] = "deny = 203.0.113.0/24\nallow = 203.0.113.7, 198.51.100.0/24\n";
    ck_assert(!serves(keys, "203.0.113.7") && serves(keys, "198.51.100.1") && !serves(keys, "192.0.2.1"));
}
END_TEST

START_TEST(an_exception_from_deny_is_left_to_allow)
{
    static const char deny[] = "deny = !203.0.113.7, !192.0.2.1, any\n";
    ck_assert(serves(deny, "203.0.113.7") && !serves(deny, "203.0.113.8") && !serves(deny, "2001:db8::1"));
    static const char both[] = "deny = !203.0.113.7, !192.0.2.1, any\nallow = 192.0.2.0/24\n";
    ck_assert(!serves(both, "203.0.113.7") && serves(both, "192.0.2.1") && !serves(both, "192.0.2.2"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("access");
    TCase *t = tcase_create("lists");
    tcase_add_test(t, without_lists_everybody_is_served);
    tcase_add_test(t, with_an_allow_list_nobody_else_is);
    tcase_add_test(t, the_first_that_matches_counts_whatever_is_longer);
    tcase_add_test(t, deny_comes_before_allow);
    tcase_add_test(t, an_exception_from_deny_is_left_to_allow);
    suite_add_tcase(s, t);
    return run_suite(s);
}
