/* Options of a connection (src/core/sockopt.c) and whose they are: the core's until one is set. */
#include "lone_conn.h"

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
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_KEEPALIVE, -1), -1);
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

int main(void)
{
    Suite *s = suite_create("sockopt");
    TCase *t = tcase_create("sockopt");
    tcase_add_test(t, what_is_set_is_of_one_connection_alone);
    tcase_add_test(t, options_take_memory_from_the_first_that_is_set_on);
    suite_add_tcase(s, t);
    return run_suite(s);
}
