/* conf: the targets of an edge, and what is done with them (src/conf/target_keys.c). */
#include "conf_harness.h"

#define LISTEN "[edge web]\nlisten = 10.99.9.1:8080\n"

static const struct pool_params *parsed(const char *text)
{
    ck_assert_msg(parse(text) == 0, "%s", err);
    return &conf.edges[0].pool;
}

static void is_target(const struct target_params *t, const char *host, unsigned port, unsigned weight,
                      bool backup)
{
    ck_assert_str_eq(t->host, host);
    ck_assert_uint_eq(t->port, port);
    ck_assert_uint_eq(t->weight, weight);
    ck_assert(t->backup == backup);
}

START_TEST(several_targets_with_weights_and_backups)
{
    const struct pool_params *p =
        parsed(LISTEN "target = a.example:80, [2001:db8::2]:81 weight 2,10.0.0.3:82 \t weight  0 backup, "
                      "b.example:80 backup weight 256\nbalance = hash\nslow_start = 20\neject = 5\n"
                      "eject_time = 7\n");
    ck_assert_uint_eq(p->n, 4);
    is_target(&p->targets[0], "a.example", 80, 1, false);
    is_target(&p->targets[1], "2001:db8::2", 81, 2, false);
    is_target(&p->targets[2], "10.0.0.3", 82, 0, true);
    is_target(&p->targets[3], "b.example", 80, 256, true);
    ck_assert_int_eq(p->balance, BALANCE_HASH);
    ck_assert_int_eq(p->slow_start, 20 * BRAID_SECOND);
    ck_assert_uint_eq(p->eject, 5);
    ck_assert_int_eq(p->eject_time, 7 * BRAID_SECOND);
    conf_free(&conf);
}
END_TEST

START_TEST(without_balance_several_targets_are_balanced_by_connections)
{
    ck_assert_int_eq(parsed(LISTEN "target = a:80, b:80\n")->balance, BALANCE_LEAST);
    conf_free(&conf);
    const struct pool_params *p = parsed(LISTEN "target = a:80\n");
    ck_assert_int_eq(p->balance, BALANCE_ORDER);
    ck_assert(p->eject == POOL_EJECT && p->eject_time == POOL_EJECT_TIME && p->slow_start == 0);
    conf_free(&conf);
    ck_assert_int_eq(parsed(LISTEN "balance = least\ntarget = a:80\n")->balance, BALANCE_LEAST);
    conf_free(&conf);
}
END_TEST

START_TEST(a_transparent_edge_with_headers_leaves_no_server_to_its_clients)
{
    ck_assert_msg(parse("[edge any]\nmode = transparent\n") == 0, "%s", err);
    ck_assert(conf.edges[0].bypass > 0 && conf.edges[0].proxy_protocol == PROXY_NONE);
    conf_free(&conf);
    ck_assert_msg(parse("[edge any]\nmode = transparent\nproxy_protocol = v2\n") == 0, "%s", err);
    ck_assert(conf.edges[0].bypass == 0 && conf.edges[0].proxy_protocol == PROXY_V2);
    conf_free(&conf);
    ck_assert_msg(parse("[edge any]\nmode = transparent\nproxy_protocol = v1\nbypass = off\n") == 0, "%s",
                  err);
    conf_free(&conf);
}
END_TEST

START_TEST(targets_may_be_asked_for_their_health)
{
    const struct health_rule *h = &parsed(LISTEN "target = a:80\n")->health;
    ck_assert(h->kind == HEALTH_NONE && h->interval == HEALTH_INTERVAL && h->rise == 2 && h->fall == 3);
    conf_free(&conf);
    h = &parsed(LISTEN "target = a:80\nhealth = http \t/healthz?x=1\nhealth_interval = 7\nhealth_rise = 4\n"
                       "health_fall = 1\n")
             ->health;
    ck_assert(h->kind == HEALTH_HTTP && h->interval == 7 * BRAID_SECOND && h->rise == 4 && h->fall == 1);
    ck_assert_str_eq(h->path, "/healthz?x=1");
    conf_free(&conf);
    ck_assert_int_eq(parsed(LISTEN "target = a:80\nhealth = connect\n")->health.kind, HEALTH_CONNECT);
    conf_free(&conf);
}
END_TEST

#define BAD_HEALTH " is neither off, nor connect, nor http and a path of at most 255 characters; give one of"
#define BAD_WORDS                                                                                            \
    ": behind HOST:PORT may be weight and a number from 0 to 256, and backup; give it so, such as "          \
    "10.0.0.2:8080 weight 2"
#define ONLY_EXPLICIT "has a meaning only with mode = explicit, which has targets; remove it, or set that"

static const struct {
    const char *text, *error;
} flaws[] = {
    {LISTEN "target = a:80 weight\n", "3: [edge web] target: \"a:80 weight\"" BAD_WORDS},
    {LISTEN "target = a:80 weight 257\n", "3: [edge web] target: \"a:80 weight 257\"" BAD_WORDS},
    {LISTEN "target = a:80 weight -1\n", "3: [edge web] target: \"a:80 weight -1\"" BAD_WORDS},
    {LISTEN "target = a:80 spare\n", "3: [edge web] target: \"a:80 spare\"" BAD_WORDS},
    {LISTEN "target = a:80, b\n", "3: [edge web] target: \"b\" is not HOST:PORT; give the server's address"},
    {LISTEN "target = a:80,\n", "3: [edge web] target: \"\" is not HOST:PORT; give the server's address"},
    {LISTEN "target = a:80, b:80, a:80 weight 2\n",
     "3: [edge web] target: a:80 weight 2 is there twice; give each target once"},
    {LISTEN "target = a:80 weight 0, b:80 weight 0\n",
     "3: [edge web] target: has no target with a weight above 0; give one of them another, or remove it"},
    {LISTEN "target = a:80, 10.99.9.1:80\n", "3: [edge web] target: 10.99.9.1 is the listen address of"},
    {LISTEN "target = a:1, a:2, a:3, a:4, a:5, a:6, a:7, a:8, a:9, a:10, a:11, a:12, a:13, a:14, a:15, a:16, "
            "a:17\n",
     "3: [edge web] target: there are more than 16 targets; give at most 16"},
    {LISTEN "target = a:80\nbalance = random\n",
     "4: [edge web] balance: \"random\" is not known; it is one of: least, hash"},
    {LISTEN "target = a:80\nslow_start = -1\n",
     "4: [edge web] slow_start: \"-1\" is not a number from 0 to 3600; give one, such as 30"},
    {LISTEN "target = a:80\neject = many\n",
     "4: [edge web] eject: \"many\" is not a number from 0 to 1000; give one, such as 3"},
    {LISTEN "target = a:80\neject_time = 0\n",
     "4: [edge web] eject_time: \"0\" is not a number from 1 to 3600; give one, such as 30"},
    {LISTEN "target = a:80\nhealth = yes\n", "4: [edge web] health: \"yes\"" BAD_HEALTH},
    {LISTEN "target = a:80\nhealth = http\n", "4: [edge web] health: \"http\"" BAD_HEALTH},
    {LISTEN "target = a:80\nhealth = http/\n", "4: [edge web] health: \"http/\"" BAD_HEALTH},
    {LISTEN "target = a:80\nhealth = http x\n", "4: [edge web] health: \"http x\"" BAD_HEALTH},
    {LISTEN "target = a:80\nhealth = http /a b\n", "4: [edge web] health: \"http /a b\"" BAD_HEALTH},
    {LISTEN "target = a:80\nhealth_interval = 0\n",
     "4: [edge web] health_interval: \"0\" is not a number from 1 to 3600; give one, such as 5"},
    {LISTEN "target = a:80\nhealth_rise = 0\n",
     "4: [edge web] health_rise: \"0\" is not a number from 1 to 100; give one, such as 2"},
    {LISTEN "target = a:80\nhealth_fall = 101\n",
     "4: [edge web] health_fall: \"101\" is not a number from 1 to 100; give one, such as 3"},
    {TRANSPARENT "health = connect\n", "3: [edge any] health: " ONLY_EXPLICIT},
    {TRANSPARENT "accept_proxy_protocol = any\n",
     "3: [edge any] accept_proxy_protocol: has a meaning only with"},
    {LISTEN "target = a:80\naccept_proxy_protocol = balancer\n",
     "4: [edge web] accept_proxy_protocol: \"balancer\""},
    {LISTEN "target = a:80\nproxy_protocol = yes\n",
     "4: [edge web] proxy_protocol: \"yes\" is not known; it is one of: off, v1, v2"},
    {TRANSPARENT "proxy_protocol = v1\nbypass = 5\n",
     "4: [edge any] bypass: leaves servers to their clients, which send no proxy_protocol; set bypass = off"},
    {"[edge conv]\nmode = convert\nlisten = 10.99.9.4:5124\nallow = any\nproxy_protocol = v2\n",
     "5: [edge conv] proxy_protocol: has no meaning with mode = convert"},
    {TRANSPARENT "balance = hash\n", "3: [edge any] balance: " ONLY_EXPLICIT},
    {TRANSPARENT "slow_start = 1\n", "3: [edge any] slow_start: " ONLY_EXPLICIT},
    {TRANSPARENT "eject = 1\n", "3: [edge any] eject: " ONLY_EXPLICIT},
    {TRANSPARENT "eject_time = 1\n", "3: [edge any] eject_time: " ONLY_EXPLICIT},
};

START_TEST(each_flaw_is_told_with_its_place)
{
    ck_assert_int_eq(parse(flaws[_i].text), -1);
    ck_assert_msg(strstr(err, flaws[_i].error), "\"%s\"\ninstead of\n\"%s\"", err, flaws[_i].error);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_targets");
    TCase *t = tcase_create("conf_targets");
    tcase_add_test(t, several_targets_with_weights_and_backups);
    tcase_add_test(t, without_balance_several_targets_are_balanced_by_connections);
    tcase_add_test(t, targets_may_be_asked_for_their_health);
    tcase_add_test(t, a_transparent_edge_with_headers_leaves_no_server_to_its_clients);
    tcase_add_loop_test(t, each_flaw_is_told_with_its_place, 0, sizeof(flaws) / sizeof(flaws[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
