/* Options of a connection (src/core/sockopt.c) and whose they are: the core's until one is set. */
#include "lone_conn.h"
#include "pair.h"

static int64_t option(const struct braid_conn *c, enum braid_option o)
{
    int64_t value;
    ck_assert_int_eq(braid_conn_get_option(c, o, &value), 0);
    return value;
}

START_TEST(what_is_set_is_of_one_connection_alone)
{
    lone_begin(NULL);
    struct mptcp_env *env = lone.c->env;
    struct braid_conn *other = conn_new(env, lone.c->cc, lone.c->sched.ops, lone.now);
    ck_assert_ptr_nonnull(other);
    int64_t idle = option(other, BRAID_OPT_KEEPALIVE), timeout = option(other, BRAID_OPT_USER_TIMEOUT);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_KEEPALIVE, idle + 1), 0);
    ck_assert_int_eq(option(lone.c, BRAID_OPT_KEEPALIVE), idle + 1);
    ck_assert_int_eq(option(lone.c, BRAID_OPT_USER_TIMEOUT), timeout);
    ck_assert_int_eq(option(other, BRAID_OPT_KEEPALIVE), idle);
    conn_free(other);
    lone_end();
}
END_TEST

/* A connection pays for them once, and not for what it may not set. */
START_TEST(options_take_memory_from_the_first_that_is_set_on)
{
    lone_begin(NULL);
    struct mptcp_env *env = lone.c->env;
    size_t without = env->mem.used;
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_KEEPALIVE, -2), -1);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_RCVBUF, INT64_MAX), -1);
    ck_assert_uint_eq(env->mem.used, without);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_KEEPALIVE, 0), 0);
    size_t with = env->mem.used;
    ck_assert_uint_gt(with, without);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_USER_TIMEOUT, 0), 0);
    ck_assert_uint_eq(env->mem.used, with);
    lone_end();
}
END_TEST

/* ---- on the wire -------------------------------------------------------------------------------------- */

static struct {
    unsigned of_class[256], syns;
    size_t longest, window; /* bytes of payload and options; the most that was offered */
    uint8_t scale;
    uint16_t mss;
} seen; /* of the client's packets */

static bool look(struct pair *p, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w;
    (void)p;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    if (!to_server)
        return true;
    seen.of_class[w.traffic_class]++;
    if (len - 40 > seen.longest)
        seen.longest = len - 40;
    size_t window = w.tcp.window;
    if (w.tcp.flags & TCP_SYN) {
        seen.syns++;
        seen.mss = w.tcp.mss;
        seen.scale = w.tcp.wscale;
    } else {
        window <<= seen.scale;
    }
    if (window > seen.window)
        seen.window = window;
    return true;
}

static struct pair *watched(uint8_t traffic_class)
{
    static struct pair p;
    memset(&seen, 0, sizeof(seen));
    pair_init(&p, false, NULL, 0);
    p.tap = look;
    p.traffic_class = traffic_class;
    return &p;
}

static void up_and_down(struct pair *p)
{
    pair_connect(p, false);
    pair_run(p, p->now + BRAID_SECOND, &p->client.established);
    pair_transfer(p, &p->client, 100000, 10 * BRAID_SECOND);
    pair_transfer(p, &p->server, 100000, 10 * BRAID_SECOND);
}

START_TEST(each_packet_of_each_subflow_is_of_the_class_that_was_set)
{
    struct pair *p = watched(0xb9); /* ECN's bits are not the user's */
    up_and_down(p);
    pair_join(p, "10.0.2.2:5000", false);
    ck_assert_uint_eq(seen.syns, 2);
    unsigned n = seen.of_class[0xb8];
    ck_assert_uint_gt(n, 20);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_TRAFFIC_CLASS), 0xb8);
    ck_assert_int_eq(option(p->server.conn, BRAID_OPT_PEER_CLASS), 0xb8);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_PEER_CLASS), 0);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_TRAFFIC_CLASS, 256), -1);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_TRAFFIC_CLASS, 0x28), 0);
    pair_transfer(p, &p->client, 200000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(seen.of_class[0xb8], n);
    ck_assert_uint_gt(seen.of_class[0x28], 20);
    ck_assert_uint_eq(seen.of_class[0], 0);
    ck_assert_int_eq(option(p->server.conn, BRAID_OPT_PEER_CLASS), 0x28);
    pair_free(p);
}
END_TEST

START_TEST(no_segment_is_larger_than_the_user_wants)
{
    struct pair *p = watched(0);
    p->max_segment = 700;
    up_and_down(p);
    ck_assert_uint_eq(seen.mss, 700);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_MAXSEG), 700 - 12 - 28);
    ck_assert_int_eq(option(p->server.conn, BRAID_OPT_MAXSEG), 700 - 12 - 28);
    ck_assert_int_eq(option(p->server.conn, BRAID_OPT_PEER_MAXSEG), 700);
    pair_free(p);
    p = watched(0);
    p->max_segment = 1; /* no more than a peer may have it */
    up_and_down(p);
    struct braid_core_params defaults;
    braid_core_params_default(&defaults);
    ck_assert_uint_eq(seen.mss, defaults.min_mss);
    pair_free(p);
}
END_TEST

START_TEST(a_small_buffer_bounds_all_windows_from_the_syn_on)
{
    struct pair *p = watched(0);
    p->rcvbuf = 10000;
    up_and_down(p);
    ck_assert_uint_le(seen.window, 10000 + (1u << seen.scale)); /* rounded up */
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_RCVBUF), 10000);
    pair_free(p);
    p = watched(0);
    p->rcvbuf = 1;
    up_and_down(p);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_RCVBUF), 4096);
    pair_free(p);
    p = watched(0);
    p->rcvbuf = SIZE_MAX;
    up_and_down(p);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_RCVBUF), option(p->server.conn, BRAID_OPT_RCVBUF));
    pair_free(p);
}
END_TEST

START_TEST(the_syn_tells_of_the_peers_buffer_until_it_is_answered)
{
    struct braid_core_params params;
    static const struct {
        uint16_t window;
        bool scaled;
        int64_t expected;
    } cases[] = {{5000, false, 5000}, {65535, false, 65535}, {5000, true, 65536}};
    braid_core_params_default(&params);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lone_core(&params);
        struct braid_listen_params l = {.cc = cc_algorithms[0], .sched = sched_algorithms[0]};
        struct wire_packet syn = {.kind = WIRE_TCP,
                                  .src = lone_addr("10.0.9.1:80"),
                                  .dst = lone_addr("10.0.1.2:4000"),
                                  .traffic_class = 0x2b};
        syn.tcp = (struct wire_tcp){
            .flags = TCP_SYN, .window = cases[i].window, .has_wscale = true, .wscale = cases[i].scaled};
        struct braid_conn *c = conn_open_passive(&lone.core->env, &syn, NULL, &l, lone.now);
        int64_t value;
        ck_assert_int_eq(option(c, BRAID_OPT_PEER_WINDOW), cases[i].expected);
        ck_assert_int_eq(option(c, BRAID_OPT_PEER_CLASS), 0x28);
        ck_assert_int_eq(option(c, BRAID_OPT_PEER_MAXSEG), 536);
        subflow_answer(&c->subflows->tcp, lone.now);
        ck_assert_int_eq(braid_conn_get_option(c, BRAID_OPT_PEER_WINDOW, &value), -1);
        lone_end();
    }
}
END_TEST

START_TEST(keepalives_follow_the_users_idle_time_step_and_number)
{
    struct pair *p = watched(0);
    up_and_down(p);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_KEEPALIVE_PROBES, 256), -1);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_KEEPALIVE_PROBES, 2), 0);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_KEEPALIVE_STEP, 2 * BRAID_SECOND), 0);
    ck_assert_int_eq(braid_conn_set_option(p->client.conn, BRAID_OPT_KEEPALIVE, 10 * BRAID_SECOND), 0);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_KEEPALIVE_STEP), 2 * BRAID_SECOND);
    ck_assert_int_eq(option(p->client.conn, BRAID_OPT_KEEPALIVE_PROBES), 2);
    uint64_t before = side_count(&p->client, COUNT_TCP_KEEPALIVE);
    pair_run_for(p, 35 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p->client, COUNT_TCP_KEEPALIVE), before + 3);
    pair_free(p);
}
END_TEST

START_TEST(each_can_be_what_it_was_at_first)
{
    static const enum braid_option all[] = {
        BRAID_OPT_RCVBUF,           BRAID_OPT_SNDBUF,       BRAID_OPT_KEEPALIVE,    BRAID_OPT_KEEPALIVE_STEP,
        BRAID_OPT_KEEPALIVE_PROBES, BRAID_OPT_USER_TIMEOUT, BRAID_OPT_TRAFFIC_CLASS};
    lone_begin(NULL);
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int64_t first = option(lone.c, all[i]), other = all[i] >= BRAID_OPT_KEEPALIVE ? 100 : 50000;
        ck_assert_int_eq(braid_conn_set_option(lone.c, all[i], other), 0);
        ck_assert_int_eq(option(lone.c, all[i]), other);
        ck_assert_int_eq(braid_conn_set_option(lone.c, all[i], -1), 0);
        ck_assert_int_eq(option(lone.c, all[i]), first);
    }
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_RESET_REASON, -1), -1);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sockopt");
    TCase *t = tcase_create("sockopt");
    tcase_add_test(t, what_is_set_is_of_one_connection_alone);
    tcase_add_test(t, options_take_memory_from_the_first_that_is_set_on);
    tcase_add_test(t, each_can_be_what_it_was_at_first);
    suite_add_tcase(s, t);
    t = tcase_create("on the wire");
    tcase_add_test(t, each_packet_of_each_subflow_is_of_the_class_that_was_set);
    tcase_add_test(t, no_segment_is_larger_than_the_user_wants);
    tcase_add_test(t, a_small_buffer_bounds_all_windows_from_the_syn_on);
    tcase_add_test(t, the_syn_tells_of_the_peers_buffer_until_it_is_answered);
    tcase_add_test(t, keepalives_follow_the_users_idle_time_step_and_number);
    suite_add_tcase(s, t);
    return run_suite(s);
}
