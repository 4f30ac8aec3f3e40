/* [uplink] sections: what they become, and the one line that each bad one gives. */
#include "base/addr.h"
#include "conf_harness.h"

static const char *ip(const struct braid_ip *a)
{
    static char text[ADDR_TEXT];
    return ip_text(a, text);
}

static const char *addr(const struct braid_addr *a)
{
    static char text[ADDR_TEXT];
    return addr_text(a, text);
}

START_TEST(uplinks_have_inner_addresses_and_path_rules)
{
    ck_assert_msg(parse(EDGE "[uplink dsl]\ninterface = ppp0\n"
                             "[path far]\nremote = 192.0.2.0/24\n"
                             "[uplink lte]\ninterface = wwan0\ngateway = fe80::1, 192.0.2.1\ncost = 10\n"
                             "weight = 3\nquota = 100GB\nbackup = yes\n"
                             "probe = [2001:db8::9]:443, 192.0.2.9:80\n"
                             "[uplink sat]\ninterface = eth1\ngateway = auto\nprobe = off\n"
                             "[tun]\nuplinks4 = 192.168.77.0/24\ntranslation = masquerade\n") == 0,
                  "%s", err);
    const struct uplink_params *u = conf.uplinks;
    ck_assert_uint_eq(conf.n_uplinks, 3);
    ck_assert_int_eq(conf.tun.translation, NAT_MASQUERADE);
    ck_assert_str_eq(u[0].name, "dsl");
    ck_assert_str_eq(u[0].interface, "ppp0");
    ck_assert(ip_is_unspecified(&u[0].gateway[UPLINK_V4]) && ip_is_unspecified(&u[0].gateway[UPLINK_V6]));
    ck_assert_int_eq(u[0].probe, UPLINK_PROBE_AUTO);
    ck_assert(!u[0].backup && u[0].cost == 0 && u[0].weight == 1 && u[0].quota == 0);
    ck_assert_str_eq(ip(&u[0].inner[UPLINK_V4]), "192.168.77.1");
    ck_assert_str_eq(ip(&u[0].inner[UPLINK_V6]), "fd00:200::1");
    ck_assert_str_eq(ip(&u[1].gateway[UPLINK_V4]), "192.0.2.1");
    ck_assert_str_eq(ip(&u[1].gateway[UPLINK_V6]), "fe80::1");
    ck_assert_int_eq(u[1].probe, UPLINK_PROBE_ADDR);
    ck_assert_str_eq(addr(&u[1].probe_addr[UPLINK_V4]), "192.0.2.9:80");
    ck_assert_str_eq(addr(&u[1].probe_addr[UPLINK_V6]), "[2001:db8::9]:443");
    ck_assert(u[1].backup);
    ck_assert_int_eq(u[2].probe, UPLINK_PROBE_OFF);
    ck_assert_str_eq(ip(&u[2].inner[UPLINK_V4]), "192.168.77.3");
    ck_assert_uint_eq(conf.n_paths, 4); /* that of the file comes first */
    ck_assert_uint_eq(conf.limits.n_paths, 4);
    ck_assert_ptr_eq(conf.limits.paths, conf.paths);
    ck_assert_str_eq(conf.path_names[0], "far");
    ck_assert_str_eq(conf.path_names[2], "lte");
    const struct braid_path_rule *r = &conf.paths[2];
    ck_assert(r->local_bits == 128 && r->also_bits == 128 && r->remote_bits == 0);
    ck_assert(ip_equal(&r->local, &u[1].inner[UPLINK_V4]) && ip_equal(&r->also, &u[1].inner[UPLINK_V6]));
    ck_assert(r->cost == 10 && r->weight == 3 && r->quota == 100000000000u);
    conf_free(&conf);
}
END_TEST

START_TEST(uplinks_have_ports_that_the_kernel_does_not_use_unless_they_are_given)
{
    ck_assert_msg(parse(EDGE "[uplink a]\ninterface = ppp0\n") == 0, "%s", err);
    ck_assert(conf.limits.port_first == 49152 && conf.limits.port_last == 61439);
    conf_free(&conf);
    ck_assert_msg(parse(EDGE "[uplink a]\ninterface = ppp0\n[tun]\nlocal_ports = 20000-21000\n") == 0, "%s",
                  err);
    ck_assert(conf.limits.port_first == 20000 && conf.limits.port_last == 21000);
    conf_free(&conf);
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert(conf.limits.port_first == BRAID_PORT_FIRST && conf.limits.port_last == BRAID_PORT_LAST);
    conf_free(&conf);
}
END_TEST

static const struct {
    const char *text, *error;
} bad_uplinks[] = {
    {"[uplink a]\ncost = 1\n", "1: [uplink a] interface: is missing; add one, such as interface = eth1"},
    {"[uplink a]\ninterface = a/b\n",
     "2: [uplink a] interface: \"a/b\" is not an interface's name; give 1 to 15 letters, digits, '-', '_' or "
     "'.', such as eth1"},
    {"[uplink a]\ninterface = braid0\n" EDGE,
     "2: [uplink a] interface: braid0 is the TUN itself; give the interface by which packets leave"},
    {"[uplink a]\ninterface = x\n[uplink b]\ncost = 1\ninterface = x\n" EDGE,
     "5: [uplink b] interface: x is that of [uplink a] in line 2; give each uplink an interface of its own"},
    {"[uplink a]\ngateway = 10.0.0.1, 10.0.0.2\n",
     "2: [uplink a] gateway: \"10.0.0.2\" is the second one of its family; give one of each"},
    {"[uplink a]\ngateway = router\n",
     "2: [uplink a] gateway: \"router\" is neither auto nor a router's address; give one, such as 192.0.2.1, "
     "or one of each family"},
    {"[uplink a]\nprobe = 192.0.2.1\n",
     "2: [uplink a] probe: \"192.0.2.1\" is neither auto, off nor ADDRESS:PORT; give one that listens, such "
     "as 192.0.2.1:443 or [2001:db8::1]:443, or one of each family"},
    {"[uplink a]\nprobe = 192.0.2.1:1, 192.0.2.1:2\n",
     "2: [uplink a] probe: \"192.0.2.1:2\" is the second one of its family; give one of each"},
    {"[uplink a]\nbackup = 1\n", "2: [uplink a] backup: \"1\" is not known; it is one of: no, yes"},
    {"[uplink a]\nquota = 5\n",
     "2: [uplink a] quota: \"5\" is neither none nor a number from 1 to 1000000 with KB, MB, GB or TB; give "
     "one, such as 10GB"},
    {"[path a]\nlocal = 10.0.0.1\n[uplink a]\ninterface = x\n" EDGE,
     "3: [uplink a] has the name of [path a] in line 1; give one of them another, since both are shown as "
     "paths"},
    {"[tun]\nuplinks4 = 10.0.0.0/8\n",
     "2: [tun] uplinks4: \"10.0.0.0/8\" is not a subnet of IPv4 with a length of 24; give one that is in use "
     "nowhere, such as 10.200.0.0/24"},
    {"[tun]\nuplinks6 = 10.0.0.0/24\n", "2: [tun] uplinks6: \"10.0.0.0/24\" is not a subnet of IPv6 with a "
                                        "length of 64; give one that is in use "
                                        "nowhere, such as fd00:200::/64"},
    {"[uplink a]\ninterface = a\n[uplink b]\ninterface = b\n[uplink c]\ninterface = c\n"
     "[uplink d]\ninterface = d\n[uplink e]\ninterface = e\n[uplink f]\ninterface = f\n"
     "[uplink g]\ninterface = g\n[uplink h]\ninterface = h\n[uplink i]\n",
     "17: there are more than 8 uplinks; use fewer of them"},
};

START_TEST(a_bad_uplink_gives_one_line)
{
    check_refused(bad_uplinks[_i].text, bad_uplinks[_i].error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_uplinks");
    TCase *t = tcase_create("all");
    tcase_add_test(t, uplinks_have_inner_addresses_and_path_rules);
    tcase_add_test(t, uplinks_have_ports_that_the_kernel_does_not_use_unless_they_are_given);
    tcase_add_loop_test(t, a_bad_uplink_gives_one_line, 0, sizeof(bad_uplinks) / sizeof(bad_uplinks[0]));
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
