/* Local ports of what we open (src/mptcp/ports.c). */
#include "lone_conn.h"

static struct mptcp_env env;
static bool taken[65536], bygone[65536];
static struct port_walk walk;
static unsigned looks;

static enum flow_port is_known(struct mptcp_env *unused, const struct braid_addr *local,
                               const struct braid_addr *remote, braid_time now)
{
    (void)unused;
    (void)remote;
    (void)now;
    looks++;
    if (taken[local->port])
        return FLOW_PORT_TAKEN;
    return bygone[local->port] ? FLOW_PORT_BYGONE : FLOW_PORT_NEW;
}

static bool is_free(struct mptcp_env *unused, const struct braid_addr *local, const struct braid_addr *remote)
{
    return is_known(unused, local, remote, 0) == FLOW_PORT_NEW;
}

static const struct mptcp_env_ops ops = {.flow_port = is_known, .flow_free = is_free};

static void begin(uint16_t first, uint16_t last)
{
    env = (struct mptcp_env){.ops = &ops};
    env.tcp.host.random = lone_random;
    env.params.port_first = first;
    env.params.port_last = last;
    ports_default(&env.params);
    memset(taken, 0, sizeof(taken));
    memset(bygone, 0, sizeof(bygone));
    walk = (struct port_walk){0};
    lone.rng = 42;
}

/* 0: there is none. */
static uint16_t find(void)
{
    struct braid_addr local = {.port = 0}, remote = {.port = 80};
    enum braid_error e = ports_find(&env, &walk, &local, &remote, 0);
    ck_assert(e == BRAID_ERROR_NONE || e == BRAID_ERROR_PORTS);
    return e == BRAID_ERROR_NONE ? local.port : 0;
}

START_TEST(every_port_is_of_the_range)
{
    begin(40000, 40999);
    for (unsigned i = 0; i < 5000; i++) {
        uint16_t port = find();
        must(port >= 40000 && port <= 40999);
    }
}
END_TEST

START_TEST(no_range_is_the_range_of_operating_systems)
{
    const uint16_t none[][2] = {{0, 0}, {0, 5000}, {50000, 40000}};
    for (unsigned i = 0; i < 3; i++) {
        begin(none[i][0], none[i][1]);
        ck_assert_uint_eq(env.params.port_first, 32768);
        ck_assert_uint_eq(env.params.port_last, 60999);
    }
    begin(7, 7);
    ck_assert_uint_eq(find(), 7);
}
END_TEST

/* Peers may remember for a while who had a port. */
START_TEST(none_comes_again_soon)
{
    begin(32768, 60999);
    for (unsigned i = 0; i < 28232 / 500; i++) {
        uint16_t port = find();
        must(!taken[port]);
        taken[port] = true;
    }
    memset(taken, 0, sizeof(taken));
    unsigned again = 0;
    static unsigned seen[65536];
    for (unsigned i = 0; i < 2000; i++) {
        uint16_t port = find();
        again += seen[port] > 0 && i - (seen[port] - 1) < 28232 / 500;
        seen[port] = i + 1;
    }
    ck_assert_uint_eq(again, 0);
}
END_TEST

/* Steps of at most 500 would tell the next port well enough if they were not random. */
START_TEST(steps_differ)
{
    begin(32768, 60999);
    static unsigned steps[501];
    unsigned different = 0;
    for (uint16_t i = 0, before = find(); i < 1000; i++) {
        uint16_t port = find();
        unsigned step = (port - before + 28232u) % 28232u;
        must(step >= 1 && step <= 500);
        different += steps[step]++ == 0;
        before = port;
    }
    ck_assert_uint_gt(different, 300);
}
END_TEST

START_TEST(ports_in_use_are_passed_over_down_to_the_last_free_one)
{
    begin(50000, 50099);
    for (unsigned n = 0; n < 100; n++) {
        uint16_t port = find();
        must(port >= 50000 && port <= 50099 && !taken[port]);
        taken[port] = true;
    }
    ck_assert_uint_eq(find(), 0);
    taken[50042] = false;
    ck_assert_uint_eq(find(), 50042);
}
END_TEST

/* Half of them are new, and four draws find one but for one time in sixteen. */
START_TEST(of_ports_some_had_before_new_ones_are_preferred)
{
    begin(32768, 60999);
    for (unsigned port = 32768; port <= 60999; port += 2)
        bygone[port] = true;
    unsigned again = 0;
    for (unsigned i = 0; i < 1000; i++)
        again += bygone[find()];
    ck_assert_uint_lt(again, 100);
}
END_TEST

/* A long search for a new one would cost each connection thousands of looks into tables. */
START_TEST(where_all_were_had_before_one_is_found_at_once)
{
    begin(32768, 60999);
    memset(bygone, true, sizeof(bygone));
    looks = 0;
    for (unsigned i = 0; i < 1000; i++)
        must(find() != 0);
    ck_assert_uint_le(looks, 5000);
}
END_TEST

/* Their connections would meet at the same peer, as neither knows the other's. */
START_TEST(no_two_workers_take_the_same_port)
{
    begin(40000, 40099);
    env.params.max_subflows = 8;
    env.params.n_workers = 3;
    for (env.params.worker = 0; env.params.worker < 3; env.params.worker++) {
        for (unsigned n = 0; n < 33; n++) {
            uint16_t port = find();
            must(port >= 40000 && port <= 40099 && !taken[port]);
            must((port - 40000u) % 3 == env.params.worker);
            taken[port] = true;
        }
        ck_assert_uint_eq(find(), 0);
    }
}
END_TEST

/* As long as each has one, also if a connection may have more subflows than that. */
START_TEST(a_range_of_fewer_ports_than_workers_is_everybodys)
{
    for (unsigned n = 1; n <= 7; n++) {
        begin(40000, (uint16_t)(40000 + n - 1));
        env.params.max_subflows = 8;
        env.params.n_workers = 3;
        env.params.worker = 2;
        unsigned found = 0;
        for (uint16_t port; (port = find()) != 0; taken[port] = true) {
            must(n < 3 || (port - 40000u) % 3 == 2);
            found++;
        }
        ck_assert_uint_eq(found, n < 3 ? n : n / 3);
    }
}
END_TEST

START_TEST(a_port_that_somebody_chose_is_free_or_not)
{
    begin(50000, 50099);
    struct braid_addr local = {.port = 22}, remote = {.port = 80};
    ck_assert_int_eq(ports_find(&env, &walk, &local, &remote, 0), BRAID_ERROR_NONE);
    taken[22] = true;
    ck_assert_int_eq(ports_find(&env, &walk, &local, &remote, 0), BRAID_ERROR_TAKEN);
    ck_assert_uint_eq(local.port, 22);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ports");
    TCase *t = tcase_create("all");
    tcase_add_test(t, every_port_is_of_the_range);
    tcase_add_test(t, no_range_is_the_range_of_operating_systems);
    tcase_add_test(t, none_comes_again_soon);
    tcase_add_test(t, steps_differ);
    tcase_add_test(t, ports_in_use_are_passed_over_down_to_the_last_free_one);
    tcase_add_test(t, of_ports_some_had_before_new_ones_are_preferred);
    tcase_add_test(t, where_all_were_had_before_one_is_found_at_once);
    tcase_add_test(t, no_two_workers_take_the_same_port);
    tcase_add_test(t, a_range_of_fewer_ports_than_workers_is_everybodys);
    tcase_add_test(t, a_port_that_somebody_chose_is_free_or_not);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
