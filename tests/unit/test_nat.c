/* The translation of uplinks: the text of its rules; what the kernel makes of them, and of links, tables and
 * ports, in a network namespace of the test's. That part is skipped where namespaces may not be used. */
#include <check.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/links.h"
#include "io/masquerade.h"
#include "io/nat.h"
#include "io/policy_rules.h"
#include "io/reserved_ports.h"
#include "io/rtnetlink.h"
#include "io/sysctl.h"
#include "suite.h"

static struct nat_rules rules;
static char text[NAT_TEXT], error[NAT_ERROR];

static struct braid_ip ip(const char *string)
{
    struct braid_ip parsed;
    ck_assert_int_eq(ip_parse(string, &parsed), 0);
    return parsed;
}

static void add_pair(const char *interface, const char *inner, const char *outer)
{
    struct nat_pair *p = &rules.pairs[rules.n++];
    snprintf(p->interface, sizeof(p->interface), "%s", interface);
    p->inner = ip(inner);
    p->outer = ip(outer);
}

static void begin_rules(void)
{
    rules = (struct nat_rules){.tun = "braid0",
                               .subnets = {ip("10.200.0.0"), ip("fd00:200::")},
                               .port_first = 49152,
                               .port_last = 61439};
}

static void check_has(const char *line)
{
    ck_assert_msg(strstr(text, line) != NULL, "the rules lack \"%s\":\n%s", line, text);
}

START_TEST(each_pair_is_translated_both_ways_and_in_errors)
{
    begin_rules();
    add_pair("wan0", "10.200.0.1", "192.0.2.7");
    add_pair("wan1", "fd00:200::2", "2001:db8::7");
    nat_text(&rules, text);
    check_has("\nflush chain inet braid_uplinks arrivals\n");
    check_has("arrivals iifname \"braid0\" ip saddr 10.200.0.0/28 notrack\n");
    check_has("arrivals iifname \"braid0\" ip6 saddr fd00:200::/124 notrack\n");
    check_has("arrivals iifname != { \"lo\", \"braid0\" } ip saddr 10.200.0.0/24 drop\n");
    check_has("arrivals iifname != { \"lo\", \"braid0\" } ip6 saddr fd00:200::/64 drop\n");
    check_has("departures oifname \"wan0\" ip saddr 10.200.0.1 ip saddr set 192.0.2.7 update @flows4 {");
    check_has("departures oifname \"wan1\" ip6 saddr fd00:200::2 ip6 saddr set 2001:db8::7 update @flows6 {");
    check_has("arrivals iifname \"wan0\" ip daddr 192.0.2.7 tcp dport 49152-61439 ");
    check_has("arrivals iifname \"wan0\" ip daddr 192.0.2.7 icmp type { 3, 11, 12 } ");
    check_has("arrivals iifname \"wan1\" ip6 daddr 2001:db8::7 icmpv6 type { 1, 2, 3, 4 } ");
    check_has(" @flows4 notrack ip daddr set 10.200.0.1\n");
    check_has(" @flows6 notrack ip6 daddr set fd00:200::2\n");
    check_has(
        "strays iifname \"wan0\" ip daddr 192.0.2.7 tcp dport 49152-61439 tcp flags & syn == 0 ct state "
        "invalid ip daddr set 10.200.0.1\n");
    ck_assert_ptr_null(strstr(text, "delete"));
}
END_TEST

START_TEST(without_nftables_each_family_has_rules_of_iptables)
{
    begin_rules();
    add_pair("wan0", "10.200.0.1", "192.0.2.7");
    add_pair("wan1", "fd00:200::2", "2001:db8::7");
    ck_assert_str_eq(
        masquerade_text(&rules, false, text),
        "*nat\n:BRAID_UPLINKS - [0:0]\n-A BRAID_UPLINKS -o wan0 -s 10.200.0.1 -j SNAT --to-source 192.0.2.7\n"
        "COMMIT\n*filter\n:BRAID_UPLINKS - [0:0]\n-A BRAID_UPLINKS -i wan0 -d 192.0.2.7 -p tcp --dport "
        "49152:61439 ! --syn -m conntrack --ctstate NEW,INVALID -j DROP\nCOMMIT\n");
    masquerade_text(&rules, true, text);
    check_has("-A BRAID_UPLINKS -o wan1 -s fd00:200::2 -j SNAT --to-source 2001:db8::7\n");
    ck_assert_ptr_null(strstr(text, "wan0"));
}
END_TEST

START_TEST(the_longest_rules_fit)
{
    begin_rules();
    for (unsigned i = 0; i < NAT_UPLINKS_MAX; i++) {
        add_pair("interface-abcde", "192.168.200.111", "192.168.100.111");
        add_pair("interface-abcde", "2001:db8:1111:2222:3333:4444:5555:6666",
                 "2001:db8:1111:2222:3333:4444:5555:7777");
    }
    nat_text(&rules, text);
    ck_assert_uint_lt(strlen(text), NAT_TEXT - 1);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(ranges_of_ports_are_found_in_the_kernels_list)
{
    ck_assert(reserved_ports_covers("49152-61439", 49152, 61439));
    ck_assert(reserved_ports_covers("80,1000-1010,40000-65535", 49152, 61439));
    ck_assert(reserved_ports_covers("7,8", 8, 8));
    ck_assert(!reserved_ports_covers("", 1, 1));
    ck_assert(!reserved_ports_covers("49153-61439", 49152, 61439));
    ck_assert(!reserved_ports_covers("49152-61438,61500", 49152, 61439));
    ck_assert(!reserved_ports_covers("-,x", 1, 1));
}
END_TEST

/* ---- in the kernel --------------------------------------------------------------------------- */

static int device = -1; /* keeps it there */
static struct netlink *nl;

/* A TUN, which is up, with an address. */
static void setup(void)
{
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "up0"};
    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(device, 0);
    ck_assert_int_eq(ioctl(device, TUNSETIFF, &ifr), 0);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert(ioctl(s, SIOCGIFFLAGS, &ifr) == 0 && (ifr.ifr_flags |= IFF_UP) &&
              ioctl(s, SIOCSIFFLAGS, &ifr) == 0);
    close(s);
    nl = rtnetlink_open();
    ck_assert_ptr_nonnull(nl);
    begin_rules();
}

static void teardown(void)
{
    netlink_close(nl);
    close(device);
}

START_TEST(nftables_takes_the_rules_and_keeps_them_until_the_end)
{
    struct nat *n = nat_new(NAT_NFTABLES);
    ck_assert_ptr_nonnull(n);
    ck_assert(!nat_is_there(n));
    add_pair("wan0", "10.200.0.1", "192.0.2.7");
    add_pair("wan1", "fd00:200::2", "2001:db8::7");
    ck_assert_msg(nat_apply(n, &rules, error) == 0, "%s", error);
    ck_assert(nat_is_there(n));
    rules.pairs[0].outer = ip("192.0.2.8");
    ck_assert_msg(nat_apply(n, &rules, error) == 0, "%s", error);
    ck_assert(nat_is_there(n));
    struct nat *other = nat_new(NAT_NFTABLES);
    rules.n = 0;
    ck_assert_msg(nat_apply(other, &rules, error) == 0, "%s", error);
    ck_assert(!nat_is_there(n)); /* others have changed it */
    nat_free(n);
    ck_assert(!nat_is_there(other));
    nat_free(other);
}
END_TEST

START_TEST(an_interface_is_seen_with_its_addresses_and_default_routes)
{
    const char *const names[] = {"nowhere0", "up0"};
    struct links links;
    struct braid_ip own = ip("192.0.2.7"), gateway = ip("192.0.2.1"), six = ip("2001:db8::7");
    int index = (int)if_nametoindex("up0");
    ck_assert_int_eq(rtnetlink_addr_add(nl, &own, 24, index), 0);
    ck_assert_int_eq(rtnetlink_addr_add(nl, &six, 64, index), 0);
    ck_assert(rtnetlink_addr_add(nl, &own, 24, index) == -1 && errno == EEXIST);
    ck_assert_int_eq(rtnetlink_gateway_set(nl, false, 8701, index, &gateway), 0);
    ck_assert_int_eq(rtnetlink_gateway_set(nl, true, 8702, index, &(struct braid_ip){0}), 0);
    ck_assert_int_eq(links_look(nl, names, 2, &links), 0);
    ck_assert_int_eq(links.all[0].ifindex, 0);
    const struct link_seen *seen = &links.all[1];
    ck_assert_int_eq(seen->ifindex, index);
    ck_assert(seen->carrier && seen->point_to_point);
    unsigned found = 0;
    for (unsigned i = 0; i < seen->n_addrs; i++) {
        const struct link_addr *a = &seen->addrs[i];
        if (ip_equal(&a->ip, &own) || ip_equal(&a->ip, &six)) {
            ck_assert(a->global && a->ready && !a->secondary && !a->waning);
            found++;
        } else {
            ck_assert(!a->global);
        }
    }
    ck_assert_uint_eq(found, 2);
    ck_assert_uint_eq(seen->n_defaults, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct link_default *d = &seen->defaults[i];
        ck_assert_uint_eq(d->table, d->v6 ? 8702 : 8701);
        ck_assert(d->v6 ? ip_is_unspecified(&d->gateway) : ip_equal(&d->gateway, &gateway));
    }
    ck_assert_int_eq(rtnetlink_addr_del(nl, &own, 24, index), 0);
}
END_TEST

static unsigned defaults_of(uint32_t table)
{
    const char *const names[] = {"up0"};
    struct links links;
    unsigned n = 0;
    ck_assert_int_eq(links_look(nl, names, 1, &links), 0);
    for (unsigned i = 0; i < links.all[0].n_defaults; i++)
        n += links.all[0].defaults[i].table == table;
    return n;
}

START_TEST(a_table_of_an_uplink_is_replaced_and_flushed)
{
    struct braid_ip own = ip("192.0.2.7"), first = ip("192.0.2.1"), second = ip("203.0.113.1");
    int index = (int)if_nametoindex("up0");
    ck_assert_int_eq(rtnetlink_addr_add(nl, &own, 24, index), 0);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        ck_assert_int_eq(rtnetlink_unreachable_add(nl, v6, 8701), 0);
        ck_assert(rtnetlink_unreachable_add(nl, v6, 8701) == -1 && errno == EEXIST);
    }
    ck_assert_int_eq(rtnetlink_gateway_set(nl, false, 8701, index, &first), 0);
    /* one that is in none of its subnets */
    ck_assert_int_eq(rtnetlink_gateway_set(nl, false, 8701, index, &second), 0);
    ck_assert_uint_eq(defaults_of(8701), 1);
    ck_assert_int_eq(rtnetlink_gateway_set(nl, true, 8701, index, &(struct braid_ip){0}), 0);
    ck_assert_uint_eq(defaults_of(8701), 2);
    for (unsigned v6 = 0; v6 < 2; v6++)
        rtnetlink_defaults_flush(nl, v6, 8701);
    ck_assert_uint_eq(defaults_of(8701), 0);
    ck_assert_int_eq(rtnetlink_unreachable_add(nl, false, 8701), 0); /* that was flushed, too */
}
END_TEST

START_TEST(rules_of_a_priority_are_added_once_and_flushed_together)
{
    struct braid_ip a = ip("10.200.0.1"), b = ip("10.200.0.2"), six = ip("fd00:200::1");
    for (unsigned round = 0; round < 2; round++) {
        ck_assert_int_eq(policy_rules_add(nl, &a, 8690, 8701), 0);
        ck_assert(policy_rules_add(nl, &a, 8690, 8701) == -1 && errno == EEXIST);
        ck_assert_int_eq(policy_rules_add(nl, &b, 8690, 8702), 0);
        ck_assert_int_eq(policy_rules_add(nl, &six, 8690, 8701), 0);
        policy_rules_flush(nl, false, 8690);
        policy_rules_flush(nl, true, 8690);
    }
}
END_TEST

START_TEST(ports_are_reserved_and_given_back)
{
    static struct reserved_ports a, b;
    ck_assert_int_eq(reserved_ports_add(&a, NULL, 49152, 61439), 0);
    ck_assert(a.changed);
    ck_assert_int_eq(reserved_ports_add(&b, NULL, 50000, 50001), 0);
    ck_assert(!b.changed); /* they were reserved already */
    reserved_ports_restore(&b);
    reserved_ports_restore(&a);
    ck_assert_int_eq(reserved_ports_add(&b, NULL, 50000, 50001), 0);
    ck_assert(b.changed);
    ck_assert_str_eq(b.before, "");
    ck_assert_int_eq(reserved_ports_add(&a, NULL, 50002, 50003), 0);
    ck_assert_str_eq(a.after, "50000-50003");
    reserved_ports_restore(&b); /* somebody else has changed it since */
    ck_assert_int_eq(reserved_ports_add(&b, NULL, 50000, 50003), 0);
    ck_assert(!b.changed);
}
END_TEST

static void write_note(const char *path, const char *lines)
{
    FILE *f = fopen(path, "w");
    ck_assert(f && fputs(lines, f) >= 0 && fclose(f) == 0);
}

/* As after a kill: nobody has restored. */
START_TEST(ports_that_a_crash_left_reserved_are_given_back)
{
    static struct reserved_ports a, b, c;
    char note[] = "/tmp/braid-ports-XXXXXX", list[RESERVED_PORTS_TEXT];
    close(mkstemp(note));
    ck_assert_int_eq(sysctl_write("net/ipv4/ip_local_reserved_ports", "8080"), 0);
    ck_assert_int_eq(reserved_ports_add(&a, note, 49152, 61439), 0);
    ck_assert_int_eq(reserved_ports_add(&b, note, 50000, 50001), 0); /* other ports now */
    ck_assert_str_eq(b.before, "8080");
    ck_assert_str_eq(b.after, "8080,50000-50001");
    reserved_ports_restore(&b);
    ck_assert_int_eq(sysctl_read("net/ipv4/ip_local_reserved_ports", list, sizeof(list)), 0);
    ck_assert_str_eq(list, "8080");
    ck_assert_int_lt(access(note, F_OK), 0);
    /* somebody else has changed it since, or the note is nobody's */
    static const char *const notes[] = {"8080\n8080,7\n", "8080\n", "", "\n\n\n"};
    for (unsigned i = 0; i < 4; i++) {
        write_note(note, notes[i]);
        ck_assert_int_eq(reserved_ports_add(&c, note, 9, 9), 0);
        ck_assert_str_eq(c.before, "8080");
        reserved_ports_restore(&c);
    }
    free(a.note);
}
END_TEST

static bool can_test(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_NEWNET) == 0 && open("/dev/net/tun", O_RDWR | O_CLOEXEC) >= 0 ? 0 : 1);
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    Suite *s = suite_create("nat");
    TCase *t = tcase_create("text");
    tcase_add_test(t, each_pair_is_translated_both_ways_and_in_errors);
    tcase_add_test(t, without_nftables_each_family_has_rules_of_iptables);
    tcase_add_test(t, the_longest_rules_fit);
    tcase_add_test(t, ranges_of_ports_are_found_in_the_kernels_list);
    suite_add_tcase(s, t);
    if (can_test()) {
        t = tcase_create("kernel");
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, nftables_takes_the_rules_and_keeps_them_until_the_end);
        tcase_add_test(t, an_interface_is_seen_with_its_addresses_and_default_routes);
        tcase_add_test(t, a_table_of_an_uplink_is_replaced_and_flushed);
        tcase_add_test(t, rules_of_a_priority_are_added_once_and_flushed_together);
        tcase_add_test(t, ports_are_reserved_and_given_back);
        tcase_add_test(t, ports_that_a_crash_left_reserved_are_given_back);
        suite_add_tcase(s, t);
    } else {
        printf("test_nat: partly skipped, needs CAP_SYS_ADMIN and /dev/net/tun\n");
    }
    return run_suite(s);
}
