/* The configuration file: [cpe NAME]. */
#include "base/addr.h"
#include "conf_harness.h"

#define UPLINK  "[uplink dsl]\ninterface = ppp0\n"
#define CPE     UPLINK "[cpe lan]\n"
#define CONVERT CPE "mode = convert\npeer = vps:5124\n"
/* a host name is shorter than two of them */
#define AS_LONG_AS_A_NAME                                                                                    \
    "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "2345"                                                                                                   \
    "67890123456789012345678901234567890123456789"
#define RIGHT_PEER                                                                                           \
    "; give the address or host name of the peer and its port, several of them separated by commas, such "   \
    "as 198.51.100.1:5124, [2001:db8::1]:5124"

START_TEST(what_is_left_out_has_the_documented_default)
{
    ck_assert_msg(parse(CPE) == 0, "%s", err);
    ck_assert(conf.n_edges == 0 && conf.n_cpes == 1);
    const struct cpe_params *c = conf.cpes;
    ck_assert_str_eq(c->name, "lan");
    ck_assert(c->kind == CPE_TRANSPARENT && c->n_peers == 0 && !c->no_plain && !c->checksum &&
              !c->fate_sharing && !c->version_0 && !c->believe_addresses);
    ck_assert(c->port_first == 1 && c->port_last == 65535);
    ck_assert(c->heed == CPE_HEED_ALL && c->least_buffer == 4096);
    ck_assert_uint_eq(c->n_except, 4);
    ck_assert(!c->except[0].allow && c->except[0].bits == 104 && c->except[3].bits == 7);
    ck_assert_str_eq(c->profile->name, "bulk");
    ck_assert_str_eq(c->sched->name, "minrtt");
    ck_assert_str_eq(c->cc->name, "hybrid");
    ck_assert_str_eq(c->pm->name, "fullmesh");
    conf_free(&conf);
}
END_TEST

START_TEST(every_value_differs_from_its_default)
{
    ck_assert_msg(parse(CPE "intercept = tun\nmode = explicit\npeer = 198.51.100.1:5124, [2001:db8::1]:81 , "
                            "vps.example:443\nports = 80-443\nexcept = !10.1.0.0/16, 10.0.0.0/8\n"
                            "plain = refuse\nheed = class, buffer\nleast_buffer = 100\nprofile = "
                            "interactive\nprofiles = 80:bulk\nscheduler = roundrobin\n"
                            "congestion = lia\npath_manager = ndiffports\nchecksum = on\nfate_sharing = yes\n"
                            "versions = 1, 0\nv0_addresses = believe\n") == 0,
                  "%s", err);
    const struct cpe_params *c = conf.cpes;
    ck_assert(c->kind == CPE_EXPLICIT && c->no_plain && c->checksum && c->fate_sharing);
    ck_assert(c->version_0 && c->believe_addresses);
    ck_assert(c->heed == (CPE_HEED_CLASS | CPE_HEED_BUFFER) && c->least_buffer == 100);
    ck_assert_uint_eq(c->n_peers, 3);
    ck_assert_str_eq(c->peers[0].host, "198.51.100.1");
    ck_assert_uint_eq(c->peers[0].port, 5124);
    ck_assert_str_eq(c->peers[1].host, "2001:db8::1");
    ck_assert_uint_eq(c->peers[1].port, 81);
    ck_assert_str_eq(c->peers[2].host, "vps.example");
    ck_assert_uint_eq(c->peers[2].port, 443);
    ck_assert(c->port_first == 80 && c->port_last == 443);
    ck_assert_uint_eq(c->n_except, 2);
    ck_assert(c->except[0].allow && !c->except[1].allow && c->except[0].bits == 112);
    ck_assert_str_eq(c->profile->name, "interactive");
    ck_assert(c->n_port_profiles == 1 && strcmp(c->port_profiles[0].profile->name, "bulk") == 0);
    ck_assert_str_eq(c->sched->name, "roundrobin");
    ck_assert_str_eq(c->cc->name, "lia");
    ck_assert_str_eq(c->pm->name, "ndiffports");
    conf_free(&conf);
}
END_TEST

START_TEST(all_may_be_excepted_but_some)
{
    ck_assert_msg(parse(CPE "except = !198.51.100.0/24, any\n") == 0, "%s", err);
    const struct cpe_params *c = conf.cpes;
    struct braid_ip in, out;
    ck_assert(ip_parse("198.51.100.7", &in) == 0 && ip_parse("2001:db8::1", &out) == 0);
    ck_assert(reach_first(c->except, c->n_except, &in, true));
    ck_assert(!reach_first(c->except, c->n_except, &out, true));
    conf_free(&conf);
}
END_TEST

START_TEST(converters_may_be_shown_a_secret)
{
    ck_assert_msg(parse(CPE "mode = convert\npeer = vps:5124\n") == 0, "%s", err);
    ck_assert(conf.cpes->cookie == CONVERT_COOKIE_ADDRESS && conf.cpes->bypass);
    ck_assert(!conf.cpes->early && conf.cpes->first_wait == 5 * BRAID_MS);
    conf_free(&conf);
    ck_assert_msg(parse(CPE "mode = convert\npeer = vps:5124\ncookie = psk\npsk = 0123456789abcdef\n"
                            "bypass = no\nanswer = early\nfirst_bytes = 0\n") == 0,
                  "%s", err);
    ck_assert(conf.cpes->cookie == CONVERT_COOKIE_PSK && !conf.cpes->bypass);
    ck_assert(conf.cpes->early && conf.cpes->first_wait == 0);
    ck_assert_str_eq(conf.cpes->psk, "0123456789abcdef");
    conf_free(&conf);
}
END_TEST

START_TEST(there_may_be_no_exceptions)
{
    ck_assert_msg(parse(CPE "except = none\n") == 0, "%s", err);
    ck_assert_uint_eq(conf.cpes->n_except, 0);
    conf_free(&conf);
}
END_TEST

START_TEST(cpes_and_edges_share_a_machine_and_no_ports)
{
    ck_assert_msg(parse(EDGE "[edge any]\nmode = transparent\nports = 1-79\n" CPE "ports = 80-442\n"
                             "[cpe tls]\nports = 443\n") == 0,
                  "%s", err);
    ck_assert(conf.n_edges == 2 && conf.n_cpes == 2);
    conf_free(&conf);
    check_refused(CPE "[cpe all]\n",
                  "4: [cpe all] ports: 1-65535 meets 1-65535 of [cpe lan] in line 3; give each CPE and each "
                  "transparent edge ports of its own");
    check_refused(CPE "ports = 443-500\n[edge any]\nmode = transparent\nports = 500\n",
                  "4: [cpe lan] ports: 443-500 meets 500-500 of [edge any] in line 7; give each CPE and each "
                  "transparent edge ports of its own");
}
END_TEST

static const struct {
    const char *text, *error; /* error: what follows "f.ini:" */
} bad[] = {
    {"[cpe lan]\n",
     "1: [cpe lan] has no way out: there is no [uplink NAME] section; add one for each line to "
     "the internet, with its interface"},
    {CPE "intercept = magic\n", "4: [cpe lan] intercept: \"magic\" is not known; it is one of: tun, tproxy"},
    {CPE "mode = direct\n",
     "4: [cpe lan] mode: \"direct\" is not known; it is one of: transparent, explicit, convert"},
    {CPE "mode = explicit\n", "3: [cpe lan] peer: is missing; add one, such as peer = 198.51.100.1:5124"},
    {CPE "peer = 198.51.100.1:80\n",
     "4: [cpe lan] peer: has no meaning with mode = transparent, which goes straight to the server that the "
     "device meant; remove it, or set mode = convert or explicit"},
    {CPE "peer = 198.51.100.1\n", "4: [cpe lan] peer: \"198.51.100.1\" is not HOST:PORT" RIGHT_PEER},
    {CPE "peer = 127.0.0.1:80\n",
     "4: [cpe lan] peer: 127.0.0.1 is a loopback address, and no uplink leads there" RIGHT_PEER},
    {CPE "peer = vps:80, vps:81, vps:80\n", "4: [cpe lan] peer: vps:80 is there twice; give each peer once"},
    {CPE "peer = a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1\n",
     "4: [cpe lan] peer: there are more than 8 peers; give at most 8"},
    {EDGE CPE "mode = explicit\npeer = 10.99.9.1:80\n",
     "8: [cpe lan] peer: 10.99.9.1 is the listen address of [edge web], so that connections to it come back "
     "to Braid; give the address of another machine"},
    {CPE "ports = 9-1\n", "4: [cpe lan] ports: \"9-1\" is not a range of ports; give the first and the last "
                          "one, such as 1-65535, or a single port, such as 443"},
    {CPE "except = 10.0.0.1/8\n",
     "4: [cpe lan] except: \"10.0.0.1/8\" has bits beyond its length; give addresses and "
     "prefixes, separated by commas, and a \"!\" before those that are no exception, such as 192.168.0.0/16, "
     "fc00::/7; or none"},
    {CPE "except = 10.0.0.0/8, " AS_LONG_AS_A_NAME AS_LONG_AS_A_NAME "\n",
     "4: [cpe lan] except: an item is too long; give an address or a prefix, several of them separated by "
     "commas"},
    {CPE "plain = maybe\n", "4: [cpe lan] plain: \"maybe\" is not known; it is one of: fallback, refuse"},
    {CPE "cookie = psk\n",
     "4: [cpe lan] cookie: has a meaning only with mode = convert; remove it, or set that"},
    {CPE "bypass = no\n",
     "4: [cpe lan] bypass: has a meaning only with mode = convert; remove it, or set that"},
    {CPE "psk = 0123456789abcdef\n",
     "4: [cpe lan] psk: has a meaning only with mode = convert; remove it, or set that"},
    {CONVERT "answer = soon\n", "6: [cpe lan] answer: \"soon\" is not known; it is one of: late, early"},
    {CONVERT "first_bytes = 201\n",
     "6: [cpe lan] first_bytes: \"201\" is not a number from 0 to 200; give one, such as 5"},
    {CONVERT "cookie = off\n", "6: [cpe lan] cookie: \"off\" is not known; it is one of: address, psk"},
    {CONVERT "cookie = psk\n",
     "6: [cpe lan] psk: is missing; add the secret that this CPE shares with its peers, 16 to 64 characters, "
     "or set cookie = address"},
    {CONVERT "psk = 0123456789abcdef\n",
     "6: [cpe lan] psk: has a meaning only with cookie = psk; remove it, or set that"},
    {CONVERT "cookie = psk\npsk = short\n",
     "7: [cpe lan] psk: is not 16 to 64 printable characters without blanks; give such a secret, as made by "
     "\"openssl rand -hex 16\""},
    {CPE "profile = fast\n",
     "4: [cpe lan] profile: there is no profile \"fast\"; it is one of: bulk, interactive, resilient, "
     "economy, auto; or add a section [profile NAME]"},
};

START_TEST(every_error_is_one_line_that_names_file_line_key_and_what_is_right)
{
    check_refused(bad[_i].text, bad[_i].error);
}
END_TEST

START_TEST(a_file_that_breaks_off_is_read_or_refused)
{
    static const char text[] = CPE "mode = explicit\npeer = vps:80, [2001:db8::1]:1\nexcept = !10.0.0.0/8\n"
                                   "plain = refuse\nprofiles = 80:bulk\n";
    check_prefixes(text, sizeof(text));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_cpe");
    TCase *t = tcase_create("conf_cpe");
    tcase_add_test(t, what_is_left_out_has_the_documented_default);
    tcase_add_test(t, every_value_differs_from_its_default);
    tcase_add_test(t, all_may_be_excepted_but_some);
    tcase_add_test(t, converters_may_be_shown_a_secret);
    tcase_add_test(t, there_may_be_no_exceptions);
    tcase_add_test(t, cpes_and_edges_share_a_machine_and_no_ports);
    tcase_add_loop_test(t, every_error_is_one_line_that_names_file_line_key_and_what_is_right, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, a_file_that_breaks_off_is_read_or_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
