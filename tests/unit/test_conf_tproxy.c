/* The configuration file: [cpe NAME] with intercept = tproxy. */
#include "base/addr.h"
#include "conf_harness.h"

#define CPE "[uplink dsl]\ninterface = ppp0\n[cpe lan]\n"
#define RIGHT                                                                                                \
    "; give an address of this machine and a port, or one of each family, such as 127.0.0.1:8684, "          \
    "[::1]:8684"

static void check_listen(const struct cpe_params *c, unsigned i, const char *text)
{
    char is[ADDR_TEXT];
    ck_assert_str_eq(addr_text(&c->listen[i], is), text);
}

START_TEST(it_listens_for_tproxy_alone)
{
    ck_assert_msg(parse(CPE) == 0, "%s", err);
    ck_assert(!conf.cpes->tproxy && conf.cpes->n_listen == 0);
    conf_free(&conf);
    ck_assert_msg(parse(CPE "intercept = tproxy\n") == 0, "%s", err);
    ck_assert(conf.cpes->tproxy && conf.cpes->n_listen == 2);
    check_listen(conf.cpes, 0, "127.0.0.1:8684");
    check_listen(conf.cpes, 1, "[::1]:8684");
    conf_free(&conf);
    ck_assert_msg(parse(CPE "listen = [::1]:9\nintercept = tproxy\n") == 0, "%s", err);
    ck_assert_uint_eq(conf.cpes->n_listen, 1);
    check_listen(conf.cpes, 0, "[::1]:9");
    conf_free(&conf);
}
END_TEST

/* What does not come through the TUN needs no ports of its own there. */
START_TEST(two_may_have_the_same_ports)
{
    ck_assert_msg(parse(CPE "[cpe other]\nintercept = tproxy\nlisten = 127.0.0.1:9\n") == 0, "%s", err);
    conf_free(&conf);
}
END_TEST

static const struct {
    const char *text, *error; /* error: what follows "f.ini:" */
} bad[] = {
    {CPE "listen = 127.0.0.1:9\n",
     "4: [cpe lan] listen: has no meaning with intercept = tun, where nothing listens; remove it, or set "
     "intercept = tproxy"},
    {CPE "intercept = tproxy\nlisten = 127.0.0.1\n",
     "5: [cpe lan] listen: \"127.0.0.1\" is not ADDRESS:PORT" RIGHT},
    {CPE "intercept = tproxy\nlisten = home:9\n",
     "5: [cpe lan] listen: \"home:9\" is not ADDRESS:PORT" RIGHT},
    {CPE "intercept = tproxy\nlisten = 0.0.0.0:9\n",
     "5: [cpe lan] listen: \"0.0.0.0:9\" is not ADDRESS:PORT" RIGHT},
    {CPE "intercept = tproxy\nlisten = 127.0.0.1:9, 127.0.0.2:9\n",
     "5: [cpe lan] listen: \"127.0.0.2:9\" is the second address of its family" RIGHT},
    {CPE "intercept = tproxy\nlisten = 127.0.0.1:9, [::1]:9, 127.0.0.2:9\n",
     "5: [cpe lan] listen: there are more than 2 addresses; give one of each family"},
    {CPE "intercept = tproxy\n[cpe other]\nintercept = tproxy\nlisten = [::1]:8684\n",
     "7: [cpe other] listen: has an address of [cpe lan]; give each CPE others"},
};

START_TEST(every_error_is_one_line_that_names_file_line_key_and_what_is_right)
{
    check_refused(bad[_i].text, bad[_i].error);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_tproxy");
    TCase *t = tcase_create("conf_tproxy");
    tcase_add_test(t, it_listens_for_tproxy_alone);
    tcase_add_test(t, two_may_have_the_same_ports);
    tcase_add_loop_test(t, every_error_is_one_line_that_names_file_line_key_and_what_is_right, 0,
                        sizeof(bad) / sizeof(bad[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
