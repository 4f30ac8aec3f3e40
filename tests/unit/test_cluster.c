/* braidctl cluster: what is said of a cluster, and the rules and routes that are made of it. Whether they
 * lead joins where they should is seen in tests/e2e/test_cluster.py. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/client.h"
#include "ctl/cluster.h"
#include "suite.h"

static char *out, *err;

static int cluster(char **words)
{
    size_t len;
    int n = 0;
    while (words[n])
        n++;
    FILE *o = open_memstream(&out, &len), *e = open_memstream(&err, &len);
    int status = cluster_run(n, words, o, e);
    fclose(o);
    fclose(e);
    return status;
}

#define CLUSTER(...) cluster((char *[]){"cluster", __VA_ARGS__, NULL})

static void forget(void)
{
    free(out);
    free(err);
}

static void has(const char *part)
{
    ck_assert_msg(strstr(out, part) != NULL, "\"%s\" is not in: %s", part, out);
}

static void lacks(const char *part)
{
    ck_assert_msg(strstr(out, part) == NULL, "\"%s\" is in: %s", part, out);
}

START_TEST(a_router_leads_joins_and_remembers_all_flows)
{
    ck_assert_int_eq(
        CLUSTER("rules", "of=3", "service=192.0.2.1,2001:db8::1", "1=10.0.0.11,fd00::11", "3=10.0.0.13"),
        CLIENT_OK);
    has("@30,32,16 0x0000-0x5555 meta mark set 0xb701\n");
    has("@30,32,16 0xaaab-0xffff meta mark set 0xb703\n");
    lacks("0xb702");
    has("rt ip nexthop 10.0.0.13 update @flows4 ");
    has("rt ip6 nexthop fd00::11 update @flows6_1 ");
    has("timeout 9000s\n");
    ck_assert_str_eq(err, "");
    forget();
}
END_TEST

START_TEST(a_machine_passes_on_what_is_others)
{
    ck_assert_int_eq(
        CLUSTER("rules", "self=1", "timeout=600", "of=2", "service=192.0.2.1", "1=10.0.0.11", "2=tun2"),
        CLIENT_OK);
    has("@30,32,16 0x8000-0xffff update @flows4 ");
    has("timeout 600s\n");
    lacks("0xb701");
    lacks("nexthop");
    lacks("oifname");
    lacks("ip6");
    forget();
}
END_TEST

/* Of four machines this is the second. */
START_TEST(a_machine_passes_strangers_on)
{
    ck_assert_int_eq(CLUSTER("rules", "self=2", "strangers=pass", "tables=kept", "of=4",
                             "service=192.0.2.1,2001:db8::1", "1=10.0.0.11,fd00::11", "2=10.0.0.12,fd00::12",
                             "4=10.0.0.14,fd00::14"),
                     CLIENT_OK);
    has("@30,32,16 0x4000-0x7fff update @flows4 { ip saddr . tcp sport . ip daddr . tcp dport : 0xb702 }\n");
    lacks("0x4000-0x7fff meta mark");
    has(" goto join\n        update @flows4 { ip saddr . tcp sport . ip daddr . tcp dport : 0xb702 }\n");
    has("update @flows6_2 ");
    has("ip dscp 3 accept\n        ip dscp 7 ip dscp set 3 meta mark set 0xb7ff accept\n");
    has("ip6 dscp 11 ip6 dscp set 7 meta mark set 0xb7ff accept\n        ip6 dscp set 11 meta mark set "
        "0xb7ff\n");
    lacks("dscp 15");
    forget();
    ck_assert_int_eq(CLUSTER("routes", "self=2", "strangers=pass", "tables=kept", "of=4", "service=192.0.2.1",
                             "1=10.0.0.11", "3=10.0.0.13", "4=10.0.0.14"),
                     CLIENT_OK);
    has("rule add fwmark 0xb7ff/0xffff table 9103 priority 9101\n");
    has("rule add fwmark 0xb7ff/0xffff table 9104 priority 9102\n");
    has("rule add fwmark 0xb7ff/0xffff table 9101 priority 9103\n");
    forget();
}
END_TEST

START_TEST(ways_are_addresses_or_devices)
{
    ck_assert_int_eq(
        CLUSTER("routes", "of=2", "service=192.0.2.1,2001:db8::1", "1=10.0.0.11,fd00::11", "2=tun2"),
        CLIENT_OK);
    has("ip -4 route replace default via 10.0.0.11 table 9101\n");
    has("ip -6 route replace default via fd00::11 table 9101\n");
    has("ip -4 route replace default dev tun2 table 9102\n");
    has("ip -6 rule add fwmark 0xb702/0xffff table 9102 priority 9100\n");
    forget();
    ck_assert_int_eq(CLUSTER("routes", "tables=kept", "of=2", "service=192.0.2.1", "1=10.0.0.11"), CLIENT_OK);
    has("rule add fwmark 0xb701/0xffff table 9101");
    lacks("route");
    forget();
}
END_TEST

#define GOOD "of=4", "service=192.0.2.1", "1=10.0.0.11"

static struct {
    char *words[8];
    const char *said;
} flaws[] = {
    {{NULL}, "what is wanted is \"rules\" or \"routes\""},
    {{"status"}, "what is wanted is \"rules\" or \"routes\""},
    {{"rules"}, "of= is missing"},
    {{"rules", "of=4"}, "service= is missing"},
    {{"rules", "of=4", "service=192.0.2.1"}, "no machine is named"},
    {{"rules", GOOD, "5=10.0.0.15"}, "there is no machine 5 of 4"},
    {{"rules", GOOD, "self=5"}, "there is no machine 5 of 4"},
    {{"rules", GOOD, "of=1"}, "from 2 to 128"},
    {{"rules", GOOD, "of=129"}, "from 2 to 128"},
    {{"rules", GOOD, "of=x"}, "from 2 to 128"},
    {{"rules", GOOD, "timeout=9"}, "from 10 to "},
    {{"rules", GOOD, "service=a.example"}, "service is a list of up to 32 addresses"},
    {{"rules", GOOD, "service="}, "service is a list of up to 32 addresses"},
    {{"rules", GOOD, "2="}, "2= takes the address of machine 2"},
    {{"rules", GOOD, "2=a;reboot"}, "\"a;reboot\" is neither an address nor a device"},
    {{"rules", GOOD, "2=10.0.0.999"}, "\"10.0.0.999\" is neither an address nor a device"},
    {{"rules", GOOD, "2=a-name-that-is-too-long"}, "neither an address nor a device"},
    {{"rules", GOOD, "0=10.0.0.10"}, "\"0=10.0.0.10\" is none of "},
    {{"rules", GOOD, "hops"}, "\"hops\" is none of "},
    {{"rules", GOOD, "tables=lost"}, "\"tables=lost\" is none of "},
    {{"rules", GOOD, "strangers=pass", "tables=kept"}, "strangers=pass is for machines"},
    {{"rules", GOOD, "strangers=pass", "self=2"}, "strangers=pass needs tables=kept"},
};

START_TEST(what_is_wrong_is_told_and_nothing_printed)
{
    char *words[10] = {"cluster"};
    for (int i = 0; i < 8; i++)
        words[i + 1] = flaws[_i].words[i];
    ck_assert_int_eq(cluster(words), CLIENT_USAGE);
    ck_assert_str_eq(out, "");
    ck_assert_msg(strncmp(err, "braidctl: cluster: ", 19) == 0 && strstr(err, flaws[_i].said), "%s", err);
    ck_assert_ptr_eq(strchr(err, '\n'), err + strlen(err) - 1);
    forget();
}
END_TEST

/* The packet has room for so many only. */
START_TEST(too_many_machines_to_be_asked)
{
    char names[17][32], *words[24] = {"cluster", "routes",         "of=32",      "service=192.0.2.1",
                                      "self=1",  "strangers=pass", "tables=kept"};
    for (unsigned i = 0; i < 17; i++) {
        snprintf(names[i], sizeof(names[i]), "%u=10.0.0.%u", i + 1, i + 1);
        words[7 + i] = names[i];
    }
    words[23] = NULL;
    ck_assert_int_eq(cluster(words), CLIENT_OK); /* itself, and fifteen others */
    forget();
    char *more[25];
    memcpy(more, words, sizeof(words));
    more[23] = names[16];
    more[24] = NULL;
    ck_assert_int_eq(cluster(more), CLIENT_USAGE);
    ck_assert_ptr_nonnull(strstr(err, "up to 15 other machines"));
    forget();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cluster");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_router_leads_joins_and_remembers_all_flows);
    tcase_add_test(t, a_machine_passes_on_what_is_others);
    tcase_add_test(t, a_machine_passes_strangers_on);
    tcase_add_test(t, too_many_machines_to_be_asked);
    tcase_add_test(t, ways_are_addresses_or_devices);
    tcase_add_loop_test(t, what_is_wrong_is_told_and_nothing_printed, 0, sizeof(flaws) / sizeof(flaws[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
