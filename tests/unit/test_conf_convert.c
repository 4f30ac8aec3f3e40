/* [edge NAME] with mode = convert: what it becomes, and what is wrong with it. */
#include "base/addr.h"
#include "conf_harness.h"

#define CONVERT "[edge conv]\nmode = convert\nlisten = 192.0.2.1:5124\n"

static const char *addr(const struct braid_addr *a)
{
    static char text[ADDR_TEXT];
    return addr_text(a, text);
}

static const struct edge_params *parsed(const char *text)
{
    ck_assert_msg(parse(text) == 0, "%s", err);
    return &conf.edges[0];
}

static bool allows(const struct edge_params *e, const char *client)
{
    struct braid_ip ip;
    ck_assert_int_eq(ip_parse(client, &ip), 0);
    return reach_first(e->access.allow, e->access.n_allow, &ip, e->convert.open);
}

START_TEST(a_converter_has_several_addresses_and_says_who_may_convert)
{
    const struct edge_params *e =
        parsed("[edge conv]\nmode = convert\nlisten = 192.0.2.1:5124, [2001:db8::1]:5124\n"
               "allow = !203.0.113.7, 203.0.113.0/24, 2001:db8:7::/48\n"
               "targets = !10.0.0.0/8, any\nprofiles = 22:interactive\n");
    ck_assert_int_eq(e->kind, EDGE_CONVERT);
    ck_assert_uint_eq(e->n_listen, 2);
    ck_assert_str_eq(addr(&e->listen[0]), "192.0.2.1:5124");
    ck_assert_str_eq(addr(&e->listen[1]), "[2001:db8::1]:5124");
    ck_assert(allows(e, "203.0.113.8") && !allows(e, "203.0.113.7") && !allows(e, "198.51.100.1"));
    ck_assert(allows(e, "2001:db8:7::1") && !allows(e, "2001:db8:8::1"));
    ck_assert_uint_eq(e->n_reach, 2);
    ck_assert(e->reach[1].allow && e->reach[1].bits == 0);
    ck_assert_int_eq(e->convert.cookie, CONVERT_COOKIE_NONE);
    ck_assert_uint_eq(e->convert.pending, CONVERT_PENDING);
    ck_assert(!e->convert.ignore_bare_syn && !e->convert.early);
    conf_free(&conf);
}
END_TEST

START_TEST(a_converter_may_be_open)
{
    const struct edge_params *e =
        parsed(CONVERT "open = yes\nallow = !203.0.113.7\ncookie = psk\npending = 7\n"
                       "psk = 0123456789abcdef\nbare_syn = ignore\nearly = yes\n");
    ck_assert(allows(e, "198.51.100.1") && !allows(e, "203.0.113.7"));
    ck_assert_int_eq(e->convert.cookie, CONVERT_COOKIE_PSK);
    ck_assert_str_eq(e->convert.psk, "0123456789abcdef");
    ck_assert_uint_eq(e->convert.pending, 7);
    ck_assert(e->convert.ignore_bare_syn && e->convert.early);
    conf_free(&conf);
}
END_TEST

START_TEST(any_is_everybody)
{
    const struct edge_params *e = parsed(CONVERT "allow = any\n");
    ck_assert(allows(e, "198.51.100.1") && allows(e, "2001:db8::1"));
    conf_free(&conf);
}
END_TEST

#define NO_ALLOW                                                                                             \
    "[edge conv] allow: names no clients; name those that may connect to servers from here, such as allow "  \
    "= 203.0.113.0/24, or let everybody do so by open = yes"
#define ONLY_CONVERT "has a meaning only with mode = convert; remove it, or set that"
#define BAD_PSK                                                                                              \
    "is not 16 to 64 printable characters without blanks; give such a secret, as made by \"openssl rand "    \
    "-hex 16\""

static const struct {
    const char *text, *error;
} flaws[] = {
    {CONVERT, "1: " NO_ALLOW},
    {CONVERT "allow = !10.0.0.0/8\n", "4: " NO_ALLOW},
    {CONVERT "open = no\n", "1: " NO_ALLOW},
    {"[edge conv]\nmode = convert\nopen = yes\n",
     "1: [edge conv] listen: is missing; add one, such as listen = 10.99.9.1:8080"},
    {CONVERT "open = yes\ntarget = 10.0.0.1:80\n", "5: [edge conv] target: has no meaning with mode = "
                                                   "convert, which connects to the server that the client "
                                                   "names; remove it, or set mode = explicit"},
    {CONVERT "open = yes\nsource = client\n",
     "5: [edge conv] source: has a meaning only with mode = transparent; remove it, or set that"},
    {CONVERT "open = yes\nbypass = off\n",
     "5: [edge conv] bypass: has a meaning only with mode = transparent; remove it (clients are told which "
     "servers speak MPTCP), or set that"},
    {EDGE "open = yes\n", "4: [edge web] open: " ONLY_CONVERT},
    {EDGE "cookie = off\n", "4: [edge web] cookie: " ONLY_CONVERT},
    {EDGE "psk = 0123456789abcdef\n", "4: [edge web] psk: " ONLY_CONVERT},
    {EDGE "pending = 1\n", "4: [edge web] pending: " ONLY_CONVERT},
    {EDGE "bare_syn = ignore\n", "4: [edge web] bare_syn: " ONLY_CONVERT},
    {EDGE "early = no\n", "4: [edge web] early: " ONLY_CONVERT},
    {CONVERT "early = maybe\n", "4: [edge conv] early: \"maybe\" is not known; it is one of: no, yes"},
    {"[edge web]\nlisten = 10.0.0.1:80, 10.0.0.3:80\ntarget = 10.0.0.2:80\n",
     "2: [edge web] listen: has more than one address, which only mode = convert may have; give one, and "
     "others as signal or in edges of their own"},
    {"[edge conv]\nmode = convert\nopen = yes\nlisten = 192.0.2.1:5124, 192.0.2.1:5124\n",
     "4: [edge conv] listen: 192.0.2.1:5124 is there twice; give each address once"},
    {"[edge conv]\nmode = convert\nopen = yes\n"
     "listen = 192.0.2.1:1, 192.0.2.1:2, 192.0.2.1:3, 192.0.2.1:4, 192.0.2.1:5, 192.0.2.1:6, 192.0.2.1:7, "
     "192.0.2.1:8, 192.0.2.1:9\n",
     "4: [edge conv] listen: there are more than 8 addresses; give at most 8"},
    {CONVERT "open = yes\n[edge two]\nmode = convert\nopen = yes\nlisten = 192.0.2.3:5124, 192.0.2.1:5124\n",
     "8: [edge two] listen: 192.0.2.1:5124 is taken by [edge conv] in line 3; give each edge its own address "
     "or "
     "port"},
    {CONVERT "open = yes\ncookie = psk\n", "5: [edge conv] psk: is missing; add the secret that clients "
                                           "share with this edge, 16 to 64 characters, or "
                                           "set cookie = off"},
    {CONVERT "open = yes\npsk = 0123456789abcdef\n",
     "5: [edge conv] psk: has a meaning only with cookie = psk; remove it, or set that"},
    {CONVERT "open = yes\ncookie = psk\npsk = 0123456789abcde\n", "6: [edge conv] psk: " BAD_PSK},
    {CONVERT "open = yes\ncookie = psk\npsk = 0123456789 abcdef\n", "6: [edge conv] psk: " BAD_PSK},
    {CONVERT "open = maybe\n", "4: [edge conv] open: \"maybe\" is not known; it is one of: no, yes"},
    {CONVERT "cookie = on\n", "4: [edge conv] cookie: \"on\" is not known; it is one of: off, address, psk"},
    {CONVERT "bare_syn = drop\n",
     "4: [edge conv] bare_syn: \"drop\" is not known; it is one of: accept, ignore"},
    {CONVERT "pending = 0\n", "4: [edge conv] pending: \"0\""},
    {EDGE "deny = everybody\n",
     "4: [edge web] deny: \"everybody\" is not a prefix; give addresses and prefixes"},
    {CONVERT "allow = somebody\n",
     "4: [edge conv] allow: \"somebody\" is not a prefix; give addresses and prefixes"},
};

START_TEST(each_flaw_is_told_with_its_place)
{
    ck_assert_int_eq(parse(flaws[_i].text), -1);
    const char *place = strstr(err, flaws[_i].error);
    ck_assert_msg(place != NULL, "\"%s\"\ninstead of\n\"%s\"", err, flaws[_i].error);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_convert");
    TCase *t = tcase_create("convert");
    tcase_add_test(t, a_converter_has_several_addresses_and_says_who_may_convert);
    tcase_add_test(t, a_converter_may_be_open);
    tcase_add_test(t, any_is_everybody);
    tcase_add_loop_test(t, each_flaw_is_told_with_its_place, 0, sizeof(flaws) / sizeof(flaws[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
