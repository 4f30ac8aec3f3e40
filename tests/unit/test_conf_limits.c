/* [limits] of the configuration file: units, defaults, and what the example says. */
#include "conf/limits.h"
#include "conf_harness.h"

static void expect_limits(const struct braid_core_params *p)
{
#define X(key, field, unit, least, most, example) ck_assert_uint_eq(conf.limits.field, p->field);
    LIMITS(X)
#undef X
#define X(key, field, unit, least, most, example) ck_assert_uint_eq(conf.unproven.field, (example) * (unit));
    UNPROVEN_LIMITS(X)
#undef X
}

START_TEST(limits_are_read_in_their_units)
{
    ck_assert_msg(parse("[limits]\nmemory = 64\nconnections = 1000\nhalf_open = 0\nsubflows = 2\n"
                        "join_after = 12\njoins_pending = 1\njoin_rate = 5\njoin_refusals = "
                        "6\nchallenge_acks = 7\nannounced_syns = 11\n"
                        "icmp_answers = 9\n"
                        "out_of_order = 100\nrcvbuf = 128\nsndbuf = 256\nmin_mss = 536\nsyn_timeout = 3\n"
                        "break_before_make = 4\nstall = 0\nunread = 9\nkeepalive = 60\ntime_wait = 8\n"
                        "unproven = 9\nunproven_source = 10\n" EDGE) == 0,
                  "%s", err);
    const struct braid_core_params *p = &conf.limits;
    ck_assert_uint_eq(p->memory, 64 << 20);
    ck_assert_uint_eq(p->max_conns, 1000);
    ck_assert_uint_eq(p->half_open, 0);
    ck_assert_uint_eq(p->max_subflows, 2);
    ck_assert_uint_eq(p->join_after, 12 << 10);
    ck_assert_uint_eq(p->joins_pending, 1);
    ck_assert_uint_eq(p->join_rate, 5);
    ck_assert_uint_eq(p->join_refusals, 6);
    ck_assert_uint_eq(p->challenge_acks, 7);
    ck_assert_uint_eq(p->announced_syns, 11);
    ck_assert_uint_eq(p->icmp_answers, 9);
    ck_assert_uint_eq(p->out_of_order, 100);
    ck_assert_uint_eq(p->rcvbuf_max, 128 << 10);
    ck_assert_uint_eq(p->sndbuf_max, 256 << 10);
    ck_assert_uint_eq(p->min_mss, 536);
    ck_assert_int_eq(p->syn_timeout, 3 * BRAID_SECOND);
    ck_assert_int_eq(p->break_before_make, 4 * BRAID_SECOND);
    ck_assert_int_eq(p->stall, 0);
    ck_assert_int_eq(p->unread, 9 * BRAID_SECOND);
    ck_assert_int_eq(p->keepalive_idle, 60 * BRAID_SECOND);
    ck_assert_int_eq(p->time_wait, 8 * BRAID_SECOND);
    ck_assert_uint_eq(conf.unproven.all, 9);
    ck_assert_uint_eq(conf.unproven.per_source, 10);
    conf_free(&conf);
}
END_TEST

START_TEST(defaults_are_those_of_the_core_and_of_the_example)
{
    struct braid_core_params p;

    limits_default(&p);
#define X(key, field, unit, least, most, example) ck_assert_uint_eq(p.field, (example) * (unit));
    LIMITS(X)
#undef X
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    expect_limits(&p);
    conf_free(&conf);
    parse_example();
    expect_limits(&p);
    conf_free(&conf);
}
END_TEST

START_TEST(the_core_gets_the_ports_that_it_may_use)
{
    struct braid_core_params p;

    braid_core_params_default(&p);
    ck_assert_uint_eq(p.port_first, 32768);
    ck_assert_uint_eq(p.port_last, 60999);
    for (int i = 0; i < 2; i++) { /* without the key, and as the example has it */
        if (i == 0)
            ck_assert_msg(parse(EDGE) == 0, "%s", err);
        else
            parse_example();
        ck_assert_uint_eq(conf.limits.port_first, p.port_first);
        ck_assert_uint_eq(conf.limits.port_last, p.port_last);
        conf_free(&conf);
    }
    ck_assert_msg(parse("[tun]\nlocal_ports = 1024 - 65535\n" EDGE) == 0, "%s", err);
    ck_assert_uint_eq(conf.limits.port_first, 1024);
    ck_assert_uint_eq(conf.limits.port_last, 65535);
    conf_free(&conf);
}
END_TEST

START_TEST(tokens_may_tell_the_machine)
{
    static const char *const flaws[] = {"2",        "0 of 8", "9 of 8", "1 of 1",
                                        "1 of 129", "1of 8",  "x of 8", "1 of 8 of 9"};
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert_uint_eq(conf.limits.n_instances, 0);
    conf_free(&conf);
    ck_assert_msg(parse("[daemon]\ninstance = 3  of  128\n" EDGE) == 0, "%s", err);
    ck_assert_uint_eq(conf.limits.instance, 2);
    ck_assert_uint_eq(conf.limits.n_instances, 128);
    conf_free(&conf);
    for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "[daemon]\ninstance = %s\n" EDGE, flaws[i]);
        ck_assert_int_eq(parse(text), -1);
        ck_assert_ptr_nonnull(strstr(err, ":2: [daemon] instance: "));
        ck_assert_ptr_nonnull(strstr(err, "give both, such as 1 of 8"));
    }
}
END_TEST

START_TEST(cpus_that_receive_are_a_mask)
{
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.tun.rps, "");
    conf_free(&conf);
    ck_assert_msg(parse("[tun]\nrps = 0 - 2, 31,40 ,255\n" EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.tun.rps, "80000000,00000000,00000000,00000000,00000000,00000000,00000100,80000007");
    conf_free(&conf);
    ck_assert_msg(parse("[tun]\nrps = 1\n" EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.tun.rps, "2");
    conf_free(&conf);
    ck_assert_msg(parse("[tun]\nrps = none\n" EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.tun.rps, "");
    conf_free(&conf);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf limits");
    TCase *t = tcase_create("limits");
    tcase_add_test(t, limits_are_read_in_their_units);
    tcase_add_test(t, defaults_are_those_of_the_core_and_of_the_example);
    tcase_add_test(t, the_core_gets_the_ports_that_it_may_use);
    tcase_add_test(t, tokens_may_tell_the_machine);
    tcase_add_test(t, cpus_that_receive_are_a_mask);
    suite_add_tcase(s, t);
    return run_suite(s);
}
